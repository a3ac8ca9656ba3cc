/* `redis2pg test`: what passes, what fails and how it is said, its options. */
#include "fixturing.h"

/* ---- passing and failing ---- */

Test(fixtures, that_pass_are_told_in_tap_and_nothing_else_is_said) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml",
                                       "test: one # with a sign\n" HEAD
                                       "expect:\n  rows:\n    orders: [{order_id: o1, total_amount: 12.5}]\n"
                                       "---\ntest: two\n" HEAD "expect: {rejects: []}\n");
    g_auto(RpOutcome) out;
    run_test(&out, path, "--progress", "none", NULL); /* which is said when it takes long */
    rp_outcome_assert_status(&out, 0);
    cr_assert(strcmp(out.output, "TAP version 14\n1..2\nok 1 - one\nok 2 - two\n") == 0, "%s", out.output);
    cr_assert(strcmp(out.errors, "") == 0, "%s", out.errors);
}

static const char WRONG[] =
    "# head\n"
    "test: wrong\n" HEAD "  - SET cart:1 a\n"
    "  - HSET order:o2 order_id o2 customer_id c1 job_type none quantity 1 total_amount "
    "1 status paid created_at 2025-01-02T10:00:00\n"
    "expect:   # what is to come\n"
    "  rows:\n"
    "    # of customers\n"
    "    users: [{customer_id: c1, email: a@b.c}]   # behind\n"
    "    orders:\n"
    "      - {order_id: o1, quantity: 11, total_amount: 12.5}\n"
    "      - {order_id: o9, quantity: 1, total_amount: 1}   # the last\n"
    "    payments: [{payment_id: p1}]\n"
    "  # of rejects\n"
    "  rejects: [{key: \"order:o2\", code: too_long}]\n"
    "  unmapped: []\n"
    "  counts: {orders: {inserted: 2}}   # two\n"
    "# the end\n";

Test(fixtures, that_fail_say_what_differs_side_by_side) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml", WRONG);
    g_autofree char *place = g_strdup_printf("at: \"%s:15:9\"", path);
    g_auto(RpOutcome) out;
    run_test(&out, path, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.output, "not ok 1 - wrong\n  ---\n");
    rp_assert_says(out.output, "\n  ...\n");
    rp_assert_says(out.output, "what: \"orders: the row with order_id o1 differs\"");
    rp_assert_says(out.output, place);
    rp_assert_says(out.output, "- {column: \"quantity\", expected: \"11\", got: \"10\"}");
    rp_assert_keeps_quiet(out.output, "got: \"12.50\"");
    rp_assert_says(out.output, "what: \"orders: there is no such row\"");
    rp_assert_says(out.output, "- {column: \"email\", expected: \"a@b.c\", got: null}");
    rp_assert_says(out.output, "{column: \"code\",    expected: \"too_long\", got: \"invalid_value\"}");
    rp_assert_says(out.output, "- {column: \"pattern\", got: \"cart:*\"}");
    rp_assert_says(out.output, "- {column: \"inserted\", expected: \"2\", got: \"1\"}");
    rp_assert_says(out.output, "- {column: \"payment_id\", expected: \"p1\"}");
}

Test(fixtures, without_rejects_expect_none) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml",
                                       "test: silent\nmapping: $MAPPING\nschema: $SCHEMA\n"
                                       "redis: [SET customer:c1 a]\nexpect: {rows: {users: []}}\n");
    g_auto(RpOutcome) out;
    run_test(&out, path, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.output, "rejects: key customer:c1 was rejected, which is not expected");
}

Test(fixtures, match_each_reject_once_and_find_a_place_for_vague_ones) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(
        &folder, "a.yaml",
        "test: fits\nmapping: $MAPPING\nschema: $SCHEMA\nredis: [SET customer:c1 a, SET order:o1 a]\n"
        "expect: {rejects: [{code: wrong_type}, {key: \"customer:c1\"}]}\n---\n"
        "test: one too many\nmapping: $MAPPING\nschema: $SCHEMA\nredis: [SET customer:c1 a]\n"
        "expect: {rejects: [{code: wrong_type}, {code: wrong_type}]}\n");
    g_auto(RpOutcome) out;
    run_test(&out, path, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.output, "\nok 1 - fits\nnot ok 2 - one too many\n");
    rp_assert_says(out.output, "rejects: there is no such reject");
}

Test(fixtures, compare_rows_as_many_times_as_they_stand) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml",
                                       "test: twice\nmapping: $TYPES/mapping.yaml\nschema: $TYPES/schema\n"
                                       "redis: [RPUSH list:1 a a b]\n"
                                       "expect: {rows: {lines: [{text: a}, {text: b}]}}\n");
    g_auto(RpOutcome) out;
    run_test(&out, path, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.output, "that is not expected");
}

Test(fixtures, whose_mapping_or_schema_is_wrong_fail_and_the_others_go_on) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *schema = g_build_filename(folder.path, "schema", NULL);
    g_mkdir(schema, 0755);
    g_autofree char *sql = write_file(&folder, "schema/V001__bad.sql", "CREATE TABLE users (id uuid;\n");
    g_autofree char *bad = write_file(&folder, "bad.map", "redis2pg: 1\nentities: {things: {keyz: a}}\n");
    g_autofree char *unfit =
        write_file(&folder, "unfit.map",
                   "redis2pg: 1\nentities: {things: {keys: \"a:{id}\", type: hash, table: "
                   "userz, key: [id], columns: {id: $key.id}}}\n");
    g_autofree char *path =
        write_file(&folder, "a.yaml",
                   "test: a\nmapping: bad.map\nschema: $SCHEMA\nexpect: {rejects: []}\n---\n"
                   "test: b\nmapping: unfit.map\nschema: $SCHEMA\nexpect: {rejects: []}\n---\n"
                   "test: c\nmapping: $MAPPING\nschema: schema\nexpect: {rejects: []}\n---\n"
                   "test: d\n" HEAD "expect: {rejects: []}\n");
    g_auto(RpOutcome) out;
    run_test(&out, path, "--json", NULL);
    rp_outcome_assert_status(&out, 1);
    g_autoptr(json_t) json = rp_outcome_json(&out);
    cr_assert(eq(int, (int)rp_json_number(json, "failed"), 3));
    cr_assert(eq(int, (int)rp_json_number(json, "passed"), 1));
    rp_assert_says(rp_json_text(json, "results.0.differences.0.what"),
                   "bad.map:2:20: an entity lacks \"keys\"");
    rp_assert_says(rp_json_text(json, "results.1.differences.0.what"), "table \"userz\"");
    rp_assert_says(rp_json_text(json, "results.2.differences.0.what"), "V001__bad.sql:1");
}

/* ---- options ---- */

Test(fixtures, are_chosen_by_their_names) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml",
                                       "test: an order\n" HEAD "expect: {rejects: []}\n---\n"
                                       "test: a payment\n" HEAD "expect: {rejects: []}\n");
    g_auto(RpOutcome) out;
    run_test(&out, path, "--filter", "pay", NULL);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.output, "1..1\nok 1 - a payment\n");
    rp_outcome_clear(&out);
    run_test(&out, path, "--filter", "an*", NULL);
    rp_assert_says(out.output, "1..1\nok 1 - an order\n");
    rp_outcome_clear(&out);
    run_test(&out, path, "--filter", "nothing", NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "there is no fixture test like \"nothing\"");
}

static void count_element(GMarkupParseContext *context, const char *name, const char **names,
                          const char **values, gpointer data, GError **error) {
    (void)context, (void)names, (void)values, (void)error;
    GHashTable *counts = data;
    g_hash_table_insert(counts, g_strdup(name),
                        GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, name)) + 1));
}

Test(fixtures, are_reported_as_well_formed_junit) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml",
                                       "test: \"<script> & \\\"x\\\" \\x01\"\n" HEAD
                                       "expect: {rows: {users: [{customer_id: \"</failure> \\x02 &\"}]}}\n"
                                       "---\ntest: fine\n" HEAD "expect: {rejects: []}\n"
                                       "---\ntest: broken\n" HEAD "expect: {rows: {none: []}}\n");
    g_autofree char *junit = g_build_filename(folder.path, "junit.xml", NULL);
    g_auto(RpOutcome) out;
    run_test(&out, path, "--junit", junit, NULL);
    rp_outcome_assert_status(&out, 2);
    g_autofree char *xml = read_file(junit);
    static const GMarkupParser PARSER = {.start_element = count_element};
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&PARSER, 0, counts, NULL);
    g_autoptr(GError) error = NULL;
    cr_assert(g_markup_parse_context_parse(context, xml, -1, &error) &&
                  g_markup_parse_context_end_parse(context, &error),
              "%s\n%s", error->message, xml);
    cr_assert(eq(int, (int)GPOINTER_TO_UINT(g_hash_table_lookup(counts, "testcase")), 3));
    cr_assert(eq(int, (int)GPOINTER_TO_UINT(g_hash_table_lookup(counts, "failure")), 1));
    cr_assert(eq(int, (int)GPOINTER_TO_UINT(g_hash_table_lookup(counts, "error")), 1));
    rp_assert_says(xml, "tests=\"3\" failures=\"1\" errors=\"1\"");
}

Test(fixtures, do_not_begin_when_junit_cannot_be_written) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml", "test: fine\n" HEAD "expect: {rejects: []}\n");
    g_auto(RpOutcome) out;
    run_test(&out, path, "--junit", "/nowhere/at/all.xml", NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "/nowhere/at/all.xml cannot be written");
    cr_assert(strcmp(out.output, "") == 0, "%s", out.output);
}

/* Nothing but results gives way to results. */
Test(fixtures, do_not_replace_what_is_no_xml) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml", "test: fine\n" HEAD "expect: {rejects: []}\n");
    g_autofree char *notes = write_file(&folder, "notes", "precious");
    const char *const places[] = {path, notes, ""};
    const char *const said[] = {"it is one of the fixture files", "is no XML", "the path is empty"};
    g_autofree char *before = read_file(path);
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        g_auto(RpOutcome) out;
        run_test(&out, path, "--junit", places[i], NULL);
        rp_outcome_assert_status(&out, 2);
        rp_assert_says(out.errors, said[i]);
        cr_assert(strcmp(out.output, "") == 0, "%s", out.output);
    }
    g_autofree char *after = read_file(path), *kept = read_file(notes);
    cr_assert(strcmp(before, after) == 0 && strcmp(kept, "precious") == 0);
}

/* A mistake leaves no results, servers that are not there leave an error. */
Test(fixtures, that_do_not_begin_leave_no_old_results) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *wrong = write_file(&folder, "wrong.yaml", "test: wrong\n" HEAD);
    g_autofree char *path = write_file(&folder, "a.yaml", "test: fine\n" HEAD "expect: {rejects: []}\n");
    g_autofree char *junit = write_file(&folder, "junit.xml", "<?xml?><testsuites/>");
    g_auto(RpOutcome) out;
    run_test(&out, wrong, "--junit", junit, NULL);
    rp_outcome_assert_status(&out, 2);
    const gboolean is_left = g_file_test(junit, G_FILE_TEST_EXISTS);
    cr_assert(is_left == FALSE, "old results");
    rp_outcome_clear(&out);
    g_free(write_file(&folder, "junit.xml", "<?xml?><testsuites/>"));
    run_test(&out, path, "--junit", junit, "--json", "--redis", "unix:///nowhere/at/all", NULL);
    rp_outcome_assert_status(&out, 3);
    g_autofree char *xml = read_file(junit);
    rp_assert_says(xml, "tests=\"1\" failures=\"0\" errors=\"1\"");
    rp_assert_says(xml, "/nowhere/at/all");
    g_autoptr(json_t) json = rp_outcome_json(&out);
    cr_assert(eq(int, (int)rp_json_number(json, "tests"), 1));
    cr_assert(eq(int, (int)rp_json_number(json, "passed"), 0));
    cr_assert(strcmp(rp_json_text(json, "status"), "failed") == 0);
    rp_assert_says(rp_json_text(json, "error"), "/nowhere/at/all");
}

/* What differs is told though the path of the file is no UTF-8. */
Test(fixtures, in_files_of_any_name_say_what_differs) {
    g_auto(Folder) folder = folder_new();
    g_free(write_file(&folder, "a\xff.yaml", "test: a\n" HEAD "expect: {rows: {users: []}}\n"));
    g_autofree char *junit = g_build_filename(folder.path, "junit.xml", NULL);
    g_auto(RpOutcome) out;
    run_test(&out, folder.path, "--json", "--junit", junit, NULL);
    rp_outcome_assert_status(&out, 1);
    g_autoptr(json_t) json = rp_outcome_json(&out);
    rp_assert_says(rp_json_text(json, "results.0.file"), "/a\xef\xbf\xbd.yaml");
    rp_assert_says(rp_json_text(json, "results.0.differences.0.place"), "/a\xef\xbf\xbd.yaml:7:");
    rp_assert_says(rp_json_text(json, "results.0.differences.0.what"), "users: a row");
}
