/* The ledger over its versions, in portions, and of elements. */
#include "shop.h"

#include <string.h>

/* ---- versions ---- */

static void run_script(RpCase *test_case, const char *name) {
    g_autofree char *path = rp_source_path(name);
    g_autofree char *sql = NULL;
    cr_assert(g_file_get_contents(path, &sql, NULL, NULL), "%s", path);
    rp_case_sql(test_case, sql);
}

/* A ledger as version 1 left it: a run with two batches and a reject. */
static void make_ledger_of_version_1(RpCase *test_case) {
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    run_script(test_case, "src/ledger/sql/U006__bulk.sql");
    run_script(test_case, "src/ledger/sql/U005__sync.sql");
    run_script(test_case, "src/ledger/sql/U004__results.sql");
    run_script(test_case, "src/ledger/sql/U003__attempts_and_undo.sql");
    run_script(test_case, "src/ledger/sql/U002__portions_and_elements.sql");
    run_script(test_case, "src/ledger/sql/U001__ledger.sql");
    run_script(test_case, "src/ledger/sql/V001__ledger.sql");
    rp_case_sql(
        test_case,
        "DELETE FROM redis2pg.schema_migrations WHERE version > '1';"
        "INSERT INTO redis2pg.runs (kind, status, strategy, mapping, mapping_digest, source, source_run_id,"
        " tool_version, host, pid, ended_at) VALUES ('run', 'completed_with_rejects', 'merge', 'm', 'd', 's',"
        " 'r', '0', 'h', 1, now());"
        "INSERT INTO redis2pg.run_entities VALUES (1, 0, 'customers', 'public.users');"
        "INSERT INTO redis2pg.batches (run, pass, number, cursor_after, is_pass_end, keys_scanned, "
        "keys_mapped,"
        " keys_ignored, keys_unmapped) VALUES (1, 0, 0, 5, false, 3, 3, 0, 0), (1, 0, 1, 0, true, 2, 2, 0, "
        "0);"
        "INSERT INTO redis2pg.batch_counts VALUES (1, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0),"
        " (1, 0, 1, 0, 2, 1, 0, 0, 0, 1, 0, 0, 0);"
        "INSERT INTO redis2pg.rejects (run, pass, batch, entity, key, stage, code, message, raw)"
        " VALUES (1, 0, 1, 'customers', 'customer:x', 'map', 'missing_field', 'old', 'raw')");
}

static void assert_old_run_shows(RpCase *test_case) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "list", "--run", "1", "--json", NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) list = rp_outcome_json(&out);
    cr_assert(eq(i64, rp_json_number(list, "total"), 1));
    cr_assert(eq(str, (char *)rp_json_text(list, "rejects.0.message"), "old"));
    cr_assert(JSON_NULL == json_typeof(rp_json_at(list, "rejects.0.element")));
    g_auto(RpOutcome) text = {0};
    rp_case_run(test_case, &text, "rejects", "show", "1", NULL);
    rp_outcome_assert_status(&text, 0);
    rp_assert_says(text.output, "3 bytes, kept in");
    g_auto(RpOutcome) shown = {0};
    rp_case_run(test_case, &shown, "runs", "show", "1", "--json", NULL);
    rp_outcome_assert_status(&shown, 0);
    g_autoptr(json_t) run = rp_outcome_json(&shown);
    rp_assert_account(run, "customers", "read 5, inserted 4, rejected 1");
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(run, "balanced")));
}

Test(ledger, of_an_earlier_version_is_read_and_brought_up_to_date) {
    g_autoptr(RpCase) test_case = rp_case_new();
    make_ledger_of_version_1(test_case);
    assert_old_run_shows(test_case);
    rp_case_add_customer(test_case, "c1");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    cr_assert(eq(i64, rp_json_number(run, "run"), 2));
    assert_old_run_shows(test_case);
    rp_case_assert_rows(
        test_case, "SELECT number, portion, is_whole FROM redis2pg.batches WHERE run = 1 ORDER BY number",
        "0|0|t\n1|0|t");
    rp_case_assert_rows(test_case, "SELECT version FROM redis2pg.schema_migrations ORDER BY version",
                        "1\n2\n3\n4\n5\n6");
}

/* Columns with their types, and constraints, of the whole schema. */
static char *describe(RpCase *test_case) {
    return rp_case_sql_rows(
        test_case,
        "SELECT t::text || ' ' || d FROM ("
        "SELECT attrelid::regclass t, attname || ' ' || format_type(atttypid, atttypmod) || attnotnull ||"
        " coalesce(col_description(attrelid, attnum), '') d FROM pg_attribute JOIN pg_class c ON c.oid ="
        " attrelid WHERE relnamespace = 'redis2pg'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT"
        " attisdropped UNION ALL SELECT conrelid::regclass, conname || pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE connamespace = 'redis2pg'::regnamespace) s ORDER BY 1");
}

/* Back to how it was before the version, and there again. */
static void go_back_and_forth(RpCase *test_case, const char *apply, const char *undo) {
    g_autofree char *before = describe(test_case);
    run_script(test_case, apply);
    g_autofree char *after = describe(test_case);
    cr_assert(strcmp(before, after) != 0);
    run_script(test_case, undo);
    g_autofree char *undone = describe(test_case);
    cr_assert(eq(str, undone, before));
    run_script(test_case, apply);
    g_autofree char *again = describe(test_case);
    cr_assert(eq(str, again, after));
}

Test(ledger, every_version_can_be_undone) {
    g_autoptr(RpCase) test_case = rp_case_new();
    make_ledger_of_version_1(test_case);
    go_back_and_forth(test_case, "src/ledger/sql/V002__portions_and_elements.sql",
                      "src/ledger/sql/U002__portions_and_elements.sql");
    go_back_and_forth(test_case, "src/ledger/sql/V003__attempts_and_undo.sql",
                      "src/ledger/sql/U003__attempts_and_undo.sql");
    go_back_and_forth(test_case, "src/ledger/sql/V004__results.sql", "src/ledger/sql/U004__results.sql");
    go_back_and_forth(test_case, "src/ledger/sql/V005__sync.sql", "src/ledger/sql/U005__sync.sql");
    go_back_and_forth(test_case, "src/ledger/sql/V006__bulk.sql", "src/ledger/sql/U006__bulk.sql");
    rp_case_assert_rows(test_case, "SELECT sum(inserted), count(*) FROM redis2pg.batch_counts", "4|2");
}

/* The accounts of portions have no room in version 1: nothing of them may be lost. Nor may a batch of which
 * only the first portion was written seem to be whole. */
Test(ledger, with_portions_does_not_go_back) {
    static const char *const PORTIONS[] = {"1, true", "0, false"};
    for (guint i = 0; i < G_N_ELEMENTS(PORTIONS); i++) {
        g_autoptr(RpCase) test_case = rp_case_new();
        make_ledger_of_version_1(test_case);
        run_script(test_case, "src/ledger/sql/V002__portions_and_elements.sql");
        g_autofree char *insert = g_strdup_printf(
            "INSERT INTO redis2pg.batches (run, pass, number, portion, is_whole, cursor_after, is_pass_end,"
            " keys_scanned, keys_mapped, keys_ignored, keys_unmapped)"
            " VALUES (1, 0, 7, %s, 0, false, 0, 0, 0, 0)",
            PORTIONS[i]);
        rp_case_sql(test_case, insert);
        g_autofree char *before = describe(test_case);
        g_autofree char *path = rp_source_path("src/ledger/sql/U002__portions_and_elements.sql");
        g_autofree char *sql = NULL;
        cr_assert(g_file_get_contents(path, &sql, NULL, NULL));
        PGresult *result = PQexec(test_case->postgres, sql);
        cr_assert(PQresultStatus(result) == PGRES_FATAL_ERROR);
        PQclear(result);
        g_autofree char *after = describe(test_case);
        cr_assert(eq(str, after, before));
    }
}

/* ---- elements ---- */

#define HEAD                                                                                                 \
    "redis2pg: 1\nentities:\n  items:\n    keys: \"items:{id}\"\n    table: items\n    key: [id, n]\n"

/* An array with bad elements: 2 and 5 do not convert, 7 breaks a constraint that only PostgreSQL knows. */
static void add_array(RpCase *test_case) {
    rp_case_sql(test_case, "CREATE TABLE items (id text, n int, v int CHECK (v < 100), PRIMARY KEY (id, n))");
    rp_case_redis(test_case, "SET items:a %s",
                  "[{\"v\":0},{\"v\":1},{\"v\":\"x\"},{\"v\":3},{\"v\":4},{\"v\":[]},"
                  "{\"v\":6},{\"v\":700}]");
}

static const char EACH[] =
    HEAD "    type: json\n    each: $value\n    columns:\n      id: $key.id\n      n: $index\n"
         "      v: $element.v\n";

static const char ELEMENTS_SQL[] =
    "SELECT element, code, length(raw) > 0 FROM redis2pg.rejects ORDER BY element COLLATE \"C\"";

static json_t *load(RpCase *test_case, int status, const char *text, const char *batch_rows) {
    char *mapping = rp_file_write(text);
    json_t *run = rp_case_load(test_case, status, "--mapping", mapping, "--batch-rows", batch_rows,
                               "--writers", "1", NULL);
    rp_file_drop(mapping);
    return run;
}

Test(ledger, names_the_elements_of_an_array_and_keeps_it_once) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    add_array(test_case);
    g_autoptr(json_t) run = load(test_case, 1, EACH, "1000");
    rp_assert_account(run, "items", "read 8, inserted 5, rejected 3");
    rp_case_assert_rows(test_case, ELEMENTS_SQL,
                        "2|invalid_integer|t\n5|invalid_integer|f\n7|check_failed|f");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "list", "--json", NULL);
    g_autoptr(json_t) list = rp_outcome_json(&out);
    cr_assert(eq(str, (char *)rp_json_text(list, "rejects.1.element"), "5"));
    g_auto(RpOutcome) first = {0}, second = {0};
    rp_case_run(test_case, &first, "rejects", "show", "1", NULL);
    rp_assert_says(first.output, "element     2");
    rp_assert_says(first.output, "bytes, kept in redis2pg.rejects.raw");
    rp_case_run(test_case, &second, "rejects", "show", "2", NULL);
    rp_assert_says(second.output, "element     5");
    rp_assert_says(second.output, "kept with the first reject of this key");
}

Test(ledger, accounts_for_each_portion_of_a_batch) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    add_array(test_case);
    g_autoptr(json_t) run = load(test_case, 1, EACH, "3");
    rp_assert_account(run, "items", "read 8, inserted 5, rejected 3");
    rp_case_assert_rows(
        test_case,
        "SELECT portion, is_whole, keys_scanned, read, inserted, rejected FROM redis2pg.batches "
        "b JOIN redis2pg.batch_counts c USING (run, pass, portion) WHERE c.batch = b.number "
        "ORDER BY portion",
        "0|f|1|3|2|1\n1|f|0|3|2|1\n2|t|0|2|1|1");
    rp_case_assert_rows(test_case, ELEMENTS_SQL,
                        "2|invalid_integer|t\n5|invalid_integer|f\n7|check_failed|f");
    rp_case_assert_rows(test_case,
                        "SELECT portion, cursor_after, is_pass_end FROM redis2pg.batches ORDER BY portion",
                        "0|0|f\n1|0|f\n2|0|t");
    g_autoptr(json_t) again = load(test_case, 1, EACH, "3");
    rp_assert_account(again, "items", "read 8, unchanged 5, rejected 3");
}

/* Whoever goes on from the position of any portion but the last reads the batch again. */
Test(ledger, stands_before_a_batch_until_its_last_portion_is_written) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text, n int, v int, PRIMARY KEY (id, n))");
    for (guint i = 0; i < 100; i++)
        rp_case_redis(test_case, "SET items:%u [{\"v\":0},{\"v\":1},{\"v\":2}]", i);
    g_autoptr(json_t) run = load(test_case, 0, EACH, "20");
    rp_assert_account(run, "items", "read 300, inserted 300");
    rp_case_assert_rows(
        test_case,
        "SELECT count(*) FILTER (WHERE NOT is_whole) > 5, bool_and(NOT is_pass_end) FILTER (WHERE NOT "
        "is_whole),"
        " count(*) FILTER (WHERE is_pass_end),"
        " bool_and(cursor_after = coalesce(previous, 0)) FILTER (WHERE NOT is_whole)"
        " FROM redis2pg.batches b CROSS JOIN LATERAL (SELECT max(cursor_after) FROM redis2pg.batches p WHERE"
        " p.number = b.number - 1 AND p.is_whole) p (previous)",
        "t|t|1|t");
}

/* However many portions an array takes and wherever they end, among others: each record once. */
Test(ledger, keeps_a_record_once_over_all_portions) {
    static const char *const SIZES[] = {"1", "2", "5", "7"};
    for (guint i = 0; i < G_N_ELEMENTS(SIZES); i++) {
        g_autoptr(RpCase) test_case = rp_case_new_empty();
        add_array(test_case);
        rp_case_redis(test_case, "SET items:b [{\"v\":\"x\"},{\"v\":\"y\"},{\"v\":1},{\"v\":\"z\"}]");
        rp_case_redis(test_case, "SET items:c [{\"v\":1},{\"v\":1},{\"v\":2},{\"v\":\"z\"}]");
        g_autoptr(json_t) run = load(test_case, 1, EACH, SIZES[i]);
        rp_assert_account(run, "items", "read 16, inserted 9, rejected 7");
        rp_case_assert_rows(
            test_case,
            "SELECT convert_from(key, 'UTF8'), count(*), count(*) FILTER (WHERE length(raw) > 0),"
            " (array_agg(length(raw) > 0 ORDER BY reject))[1] FROM redis2pg.rejects"
            " GROUP BY key ORDER BY key",
            "items:a|3|1|t\nitems:b|3|1|t\nitems:c|1|1|t");
    }
}

Test(ledger, a_refused_array_names_no_element) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    add_array(test_case);
    rp_case_redis(test_case, "SET items:a {}");
    g_autoptr(json_t) run = load(test_case, 1, EACH, "3");
    rp_assert_account(run, "items", "read 1, rejected 1");
    rp_case_assert_rows(test_case, ELEMENTS_SQL, "null|invalid_json|t");
}

Test(ledger, names_the_elements_of_lists_and_streams) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text, n int, v int, PRIMARY KEY (id, n));"
                           "CREATE TABLE entries (id text PRIMARY KEY, v int)");
    rp_case_redis(test_case, "RPUSH items:a 0 1 x 3 x");
    rp_case_redis(test_case, "XADD entries:a 5-1 v 1");
    rp_case_redis(test_case, "XADD entries:a 5-2 v x");
    g_autoptr(json_t) run =
        load(test_case, 1,
             HEAD "    type: list\n    columns:\n      id: $key.id\n      n: $index\n      v: $value\n"
                  "  entries:\n    keys: \"entries:{id}\"\n    type: stream\n    table: entries\n"
                  "    key: [id]\n    columns:\n      id: $id\n      v: v\n",
             "1000");
    rp_assert_account(run, "items", "read 5, inserted 3, rejected 2");
    rp_assert_account(run, "entries", "read 2, inserted 1, rejected 1");
    rp_case_assert_rows(test_case, ELEMENTS_SQL,
                        "2|invalid_integer|t\n4|invalid_integer|t\n5-2|invalid_integer|t");
}

/* A row that only PostgreSQL refuses is found among the elements, too. */
Test(ledger, names_the_element_that_a_trigger_refuses) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    add_array(test_case);
    rp_case_sql(test_case,
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.v = 3 THEN "
                "RAISE EXCEPTION ''no three''; END IF; IF NEW.v = 4 THEN RETURN NULL; END IF; RETURN "
                "NEW; END'; CREATE TRIGGER refuse BEFORE INSERT ON items FOR EACH ROW EXECUTE "
                "FUNCTION refuse()");
    g_autoptr(json_t) run = load(test_case, 1, EACH, "1000");
    rp_assert_account(run, "items", "read 8, inserted 3, rejected 5");
    rp_case_assert_rows(test_case, "SELECT element, code FROM redis2pg.rejects ORDER BY element",
                        "2|invalid_integer\n3|database_error\n4|database_error\n5|invalid_integer\n"
                        "7|check_failed");
}
