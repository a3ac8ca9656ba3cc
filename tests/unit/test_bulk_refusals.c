/* Rows of the bulk pass that PostgreSQL or the mapping refuses. */
#include "bulking.h"

TestSuite(bulk_refusals, .init = bulk_start, .fini = bulk_clean_up, .timeout = 120);

/* What PostgreSQL refuses alone: a CHECK is foreseen by the checks of a merge, a trigger is searched for. */
Test(bulk_refusals, refused_rows_are_rejects_like_those_of_a_merge) {
    bulk_run_sql(
        "CREATE FUNCTION no_seven() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.n = 7 THEN RAISE "
        "EXCEPTION 'no seven'; END IF; RETURN NEW; END$$; CREATE TRIGGER no_seven BEFORE INSERT ON t FOR "
        "EACH ROW EXECUTE FUNCTION no_seven()");
    bulk_open_run(BULK_COLUMNS);
    bulk_add("t:a", "1", NULL);
    bulk_add("t:b", "700", NULL);
    bulk_add("t:c", "7", NULL);
    bulk_add("t:d", "2", NULL);
    bulk_write_batch();
    bulk_assert_answer(BULK_ROWS_SQL, "a|1|- d|2|-");
    bulk_assert_answer(BULK_REJECTS_SQL, "t:b stage check_failed small, t:c write database_error");
    bulk_assert_answer("SELECT message FROM redis2pg.rejects WHERE code = 'check_failed'",
                       "constraint \"small\" of public.t is false: (n < 100)");
    bulk_assert_answer(BULK_KEPT_SQL, "0:a<t:a 0:d<t:d");
    bulk_assert_answer(BULK_COUNTS_SQL, "4 2 2 0");
    bulk_next_batch();
    bulk_add("t:e", "5", NULL);
    bulk_write_batch();
    bulk_next_batch();
    const guint64 n_staged = rp_event_count(RP_EVENT_ROWS_STAGED);
    bulk_add("t:f", "6", NULL);
    bulk_write_batch();
    cr_assert(rp_event_count(RP_EVENT_ROWS_STAGED) == n_staged, "after a clean batch none is staged");
    bulk_assert_answer(BULK_ROWS_SQL, "a|1|- d|2|- e|5|- f|6|-");
    bulk_assert_answer(BULK_KEPT_SQL, "0:a<t:a 0:d<t:d 1:e<t:e 2:f<t:f");
}

static guint64 staged_by(const char *key, const char *n) {
    const guint64 n_before = rp_event_count(RP_EVENT_ROWS_STAGED);
    bulk_next_batch();
    bulk_add(key, n, NULL);
    bulk_write_batch();
    return rp_event_count(RP_EVENT_ROWS_STAGED) - n_before;
}

Test(bulk_refusals, the_more_often_rows_are_refused_the_longer_batches_are_staged) {
    bulk_open_run(BULK_COLUMNS);
    cr_assert(staged_by("t:a", "1") == 0);
    cr_assert(staged_by("t:bad1", "100") == 1);
    cr_assert(staged_by("t:b", "1") == 1 && staged_by("t:c", "1") == 0);
    cr_assert(staged_by("t:bad2", "100") == 1);
    cr_assert(staged_by("t:d", "1") == 1 && staged_by("t:bad3", "100") == 1 && staged_by("t:e", "1") == 1);
    cr_assert(staged_by("t:f", "1") == 1 && staged_by("t:g", "1") == 0);
    bulk_assert_answer("SELECT string_agg(id, ' ' ORDER BY id) FROM t", "a b c d e f g");
}

/* The mapping knows of the foreign key, as it will be put back. */
Test(bulk_refusals, rows_whose_parents_are_not_there_yet_are_loaded_in_any_way) {
    bulk_run_sql(
        "CREATE TABLE parent (note text PRIMARY KEY); ALTER TABLE t ADD CONSTRAINT of_parent FOREIGN KEY "
        "(note) "
        "REFERENCES parent");
    bulk_open_run(BULK_COLUMNS);
    bulk_run_sql("ALTER TABLE t DROP CONSTRAINT of_parent");
    bulk_add("t:a", "1", "orphan");
    bulk_add("t:b", "100", "orphan");
    bulk_write_batch();
    bulk_assert_answer(BULK_ROWS_SQL, "a|1|orphan");
    bulk_assert_answer(BULK_REJECTS_SQL, "t:b stage check_failed small");
}

Test(bulk_refusals, a_batch_of_which_every_row_is_refused_leaves_none) {
    bulk_open_run(BULK_COLUMNS);
    bulk_add("t:a", "100", NULL);
    bulk_add("t:b", "700", NULL);
    bulk_write_batch();
    bulk_assert_answer("SELECT count(*) FROM t", "0");
    bulk_assert_answer("SELECT count(*) FROM redis2pg.undo", "0");
    bulk_assert_answer(BULK_COUNTS_SQL, "2 0 2 0");
}

Test(bulk_refusals, filtered_rows_are_counted_and_not_written) {
    bulk_open_run("    where: \"n <> 5\"\n" BULK_COLUMNS);
    bulk_add("t:a", "1", NULL);
    bulk_add("t:b", "5", NULL);
    bulk_add("t:c", NULL, NULL);
    bulk_add("t:d", "500", NULL);
    bulk_add("t:e", "2", NULL);
    bulk_write_batch();
    bulk_assert_answer(BULK_ROWS_SQL, "a|1|- e|2|-");
    bulk_assert_answer(BULK_REJECTS_SQL, "t:d stage check_failed small");
    bulk_assert_answer(BULK_KEPT_SQL, "0:a<t:a 0:e<t:e");
    bulk_assert_answer(BULK_COUNTS_SQL, "5 2 1 2");
}

/* They are looked at once the table is loaded, but for batches that are staged anyway. */
Test(bulk_refusals, checks_of_the_mapping_do_not_keep_rows_from_being_copied) {
    bulk_open_run("    checks: {even: \"n % 2 = 0\"}\n" BULK_COLUMNS);
    bulk_add("t:a", "1", NULL);
    bulk_add("t:b", "2", NULL);
    bulk_write_batch();
    cr_assert(rp_event_count(RP_EVENT_ROWS_STAGED) == 0);
    bulk_assert_answer(BULK_ROWS_SQL, "a|1|- b|2|-");
    bulk_next_batch();
    bulk_add("t:c", "3", NULL);
    bulk_add("t:d", "400", NULL);
    bulk_add("t:e", "4", NULL);
    bulk_write_batch();
    bulk_assert_answer(BULK_ROWS_SQL, "a|1|- b|2|- e|4|-");
    bulk_assert_answer(BULK_REJECTS_SQL, "t:c stage rule_failed even, t:d stage check_failed small");
}
