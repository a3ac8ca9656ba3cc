/* Rows of the bulk pass straight into their table, and what the undo log keeps of them. */
#include "bulking.h"

TestSuite(bulk_load, .init = bulk_start, .fini = bulk_clean_up, .timeout = 120);

Test(bulk_load, rows_go_straight_into_the_table_and_the_undo_log_has_them) {
    const guint64 n_staged = rp_event_count(RP_EVENT_ROWS_STAGED);
    bulk_open_run(BULK_COLUMNS);
    bulk_add("t:a", "1", NULL);
    bulk_add("t:b\"\\", NULL, "x\ty");
    bulk_add("t:-", "-3", "");
    bulk_write_batch();
    bulk_next_batch();
    bulk_add("t:c", "4", "d");
    bulk_write_batch();
    bulk_assert_answer(BULK_ROWS_SQL, "-|-3| a|1|- b\"\\|x\ty c|4|d");
    bulk_assert_answer(BULK_KEPT_SQL, "0:a<t:a 0:b\"\\<t:b\"\\ 0:-<t:- 1:c<t:c");
    bulk_assert_answer(BULK_COUNTS_SQL, "3 3 0 0, 1 1 0 0");
    cr_assert(rp_event_count(RP_EVENT_ROWS_STAGED) == n_staged && rp_event_count(RP_EVENT_ROWS_LOADED) == 2);
}

Test(bulk_load, a_batch_without_rows_is_written_too) {
    bulk_open_run(BULK_COLUMNS);
    bulk_write_batch();
    bulk_next_batch();
    bulk_add("t:a", "no number", NULL);
    bulk_write_batch();
    bulk_assert_answer("SELECT count(*) FROM t", "0");
    bulk_assert_answer("SELECT count(*) FROM redis2pg.batches", "2");
    bulk_assert_answer("SELECT count(*) FROM redis2pg.undo", "0");
    bulk_assert_answer(BULK_REJECTS_SQL, "t:a map invalid_integer");
}

/* More than one buffer, and more than one entry of the undo log. */
Test(bulk_load, huge_rows_and_many_rows_arrive_whole) {
    bulk_open_run(BULK_COLUMNS);
    g_autofree char *big = g_strnfill(3 * 1024 * 1024 + 5, 'x');
    g_autofree char *near_buffer = g_strnfill(64 * 1024 - 30, 'y');
    g_autofree char *long_key = g_strconcat("t:", big, NULL);
    bulk_run_sql("DROP INDEX t_id_idx");
    bulk_add("t:a", "1", "before");
    bulk_add("t:b", "2", big);
    bulk_add("t:c", "3", "between");
    bulk_add(long_key, "4", NULL);
    for (guint i = 0; i < 40; i++) {
        g_autofree char *key = g_strdup_printf("t:near%02u", i);
        bulk_add(key, "5", near_buffer + i);
    }
    for (guint i = 0; i < 20000; i++) {
        g_autofree char *key = g_strdup_printf("t:many%u", i);
        bulk_add(key, "6", key);
    }
    bulk_write_batch();
    bulk_assert_answer("SELECT count(*) FROM t", "20044");
    bulk_assert_answer("SELECT count(*) FROM t WHERE n = 6 AND note = 't:' || id", "20000");
    bulk_assert_answer(
        "SELECT count(*) FROM t WHERE n = 5 AND length(note) = 65506 - right(id, 2)::int AND note ~ "
        "'^y+$'",
        "40");
    bulk_assert_answer("SELECT note = repeat('x', 3145733) FROM t WHERE id = 'b'", "t");
    bulk_assert_answer("SELECT length(id) FROM t WHERE n = 4", "3145733");
    bulk_assert_answer("SELECT count(*) > 1 AND sum(cardinality(loaded_keys)) = 20044 AND"
                       " sum(json_array_length(before)) = 20044 FROM redis2pg.undo",
                       "t");
}

Test(bulk_load, rows_that_vanish_in_silence_stop_the_run) {
    g_autoptr(GError) error = NULL;
    bulk_run_sql("CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;"
                 "CREATE TRIGGER drop_row BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.n = 3) EXECUTE FUNCTION "
                 "drop_row()");
    bulk_open_run(BULK_COLUMNS);
    bulk_add("t:a", "1", NULL);
    bulk_add("t:b", "3", NULL);
    bulk_map();
    cr_assert(!rp_repeat_until_written(&writer, batch, &error));
    cr_assert(strstr(error->message, "of 2 rows sent to public.t, PostgreSQL stored 1") != NULL, "%s",
              error->message);
    bulk_assert_answer("SELECT count(*) FROM t", "0");
}

/* The answer to its COMMIT is lost, or the step before it fails: it stands once. */
static void assert_survives(const char *fault) {
    g_autoptr(GError) error = NULL;
    bulk_assert_fine(rp_event_arm(fault, &error), error);
    bulk_add("t:a", "1", NULL);
    bulk_add("t:b", "2", NULL);
    bulk_write_batch();
    bulk_assert_answer(BULK_ROWS_SQL, "a|1|- b|2|-");
    bulk_assert_answer(BULK_KEPT_SQL, "0:a<t:a 0:b<t:b");
    bulk_assert_answer(BULK_COUNTS_SQL, "2 2 0 0");
}

#ifdef RP_FAULT_INJECTION
Test(bulk_load, a_lost_answer_to_commit_writes_nothing_twice) {
    bulk_open_run(BULK_COLUMNS);
    assert_survives("fail:after_commit:1");
    cr_assert(rp_event_count(RP_EVENT_COMMIT_SETTLED) == 1 && rp_event_count(RP_EVENT_ROWS_LOADED) == 1);
}

Test(bulk_load, a_session_lost_before_commit_is_written_again) {
    bulk_open_run(BULK_COLUMNS);
    assert_survives("fail:rows_loaded:1,fail:before_commit:1");
    cr_assert(rp_event_count(RP_EVENT_BATCH_REPEATED) == 2);
}
#endif

Test(bulk_load, later_passes_merge) {
    bulk_open_run(BULK_COLUMNS);
    bulk_add("t:a", "1", NULL);
    bulk_write_batch();
    bulk_next_batch();
    batch->pass = 1;
    bulk_add("t:a", "2", NULL);
    bulk_add("t:b", "3", NULL);
    bulk_write_batch();
    bulk_assert_answer(BULK_ROWS_SQL, "a|2|- b|3|-");
    bulk_assert_answer("SELECT string_agg(concat_ws(' ', inserted, updated), ', ' ORDER BY pass) FROM "
                       "redis2pg.batch_counts",
                       "1 0, 1 1");
}

Test(bulk_load, names_the_key_column_that_no_identity_can_be_kept_of) {
    bulk_run_sql("CREATE TABLE u (a numeric, b text, PRIMARY KEY (b, a))");
    bulk_bind(BULK_COLUMNS);
    cr_assert(rp_ledger_loaded_obstacle(g_ptr_array_index(mapping->entities, 0)) == NULL);
    rp_binding_free(binding);
    rp_mapping_free(mapping);
    g_autoptr(GError) error = NULL;
    g_autoptr(RpFindings) findings = rp_findings_new();
    static const char YAML[] =
        "redis2pg: 1\nentities:\n  u:\n    keys: \"u:{id}\"\n    type: hash\n"
        "    table: u\n    key: [b, a]\n    columns: {b: $key.id, a: {from: a, required: true}}\n";
    g_autoptr(RpMapping) other = rp_mapping_load_text("m.yaml", YAML, strlen(YAML), findings);
    g_autoptr(RpBinding) bound = rp_binding_new(watcher, other, NULL, findings, &error);
    bulk_assert_fine(bound != NULL, error);
    const RpColumn *obstacle = rp_ledger_loaded_obstacle(g_ptr_array_index(other->entities, 0));
    cr_assert(obstacle != NULL && strcmp(obstacle->name, "a") == 0);
}
