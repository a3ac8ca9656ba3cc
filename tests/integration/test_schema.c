/* `redis2pg schema` against a server: versioned SQL up, down, refused and raced. */
#include "harness.h"

#include <glib/gstdio.h>
#include <string.h>

#define SHOP_VERSIONS 4

static char *folder;

static void make_folder(void) {
    folder = g_dir_make_tmp("redis2pg-schema-XXXXXX", NULL);
    cr_assert(folder != NULL);
}

static void remove_folder(void) {
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_remove(path);
    }
    g_dir_close(dir);
    g_rmdir(folder);
    g_free(folder);
}

TestSuite(schema, .init = make_folder, .fini = remove_folder);

static void write_file(const char *name, const char *text) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    cr_assert(g_file_set_contents(path, text, -1, NULL));
}

static void assert_says(const RpOutcome *out, const char *text) {
    cr_assert(strstr(out->errors, text) != NULL, "stderr does not say \"%s\" but:\n%s", text, out->errors);
}

/* Runs one action with --json and gives its document. */
static json_t *run_json(RpCase *test_case, int status, const char *action, const char *place) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "schema", action, place, "--json", NULL);
    rp_outcome_assert_status(&out, status);
    return rp_outcome_json(&out);
}

/* Runs one action that fails with this status and says so on stderr. */
static void assert_fails(RpCase *test_case, int status, const char *action, const char *const texts[]) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "schema", action, folder, NULL);
    rp_outcome_assert_status(&out, status);
    for (guint i = 0; texts[i] != NULL; i++)
        assert_says(&out, texts[i]);
}

static gsize length_of(const json_t *document, const char *key) {
    const json_t *array = json_object_get(document, key);
    cr_assert(array != NULL && json_typeof(array) == JSON_ARRAY, "no array \"%s\"", key);
    return json_array_size(array);
}

static void assert_counts(RpCase *test_case, const char *place, gsize n_applied, gsize n_pending) {
    g_autoptr(json_t) document = run_json(test_case, 0, "status", place);
    cr_assert(eq(sz, length_of(document, "applied"), n_applied));
    cr_assert(eq(sz, length_of(document, "pending"), n_pending));
    cr_assert(eq(sz, length_of(document, "changed"), 0));
}

static gint64 count_relations(RpCase *test_case) {
    return rp_case_sql_number(test_case,
                              "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace");
}

Test(schema, status_creates_nothing) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *shop = rp_source_path("schema/shop");
    assert_counts(test_case, shop, 0, SHOP_VERSIONS);
    cr_assert(eq(i64, count_relations(test_case), 0));
}

Test(schema, applies_once) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *shop = rp_source_path("schema/shop");
    g_autoptr(json_t) first = run_json(test_case, 0, "apply", shop);
    cr_assert(eq(sz, length_of(first, "applied"), SHOP_VERSIONS));
    const json_t *entry = json_array_get(json_object_get(first, "applied"), 0);
    cr_assert(eq(str, (char *)json_string_value(json_object_get(entry, "version")), "1"));
    cr_assert(eq(str, (char *)json_string_value(json_object_get(entry, "description")), "types"));
    cr_assert(JSON_INTEGER == json_typeof(json_object_get(entry, "checksum")));
    cr_assert(JSON_STRING == json_typeof(json_object_get(entry, "applied_at")));
    g_autoptr(json_t) second = run_json(test_case, 0, "apply", shop);
    cr_assert(eq(sz, length_of(second, "applied"), 0));
    assert_counts(test_case, shop, SHOP_VERSIONS, 0);
    cr_assert(
        eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM schema_migrations"), SHOP_VERSIONS));
}

Test(schema, undoes_all_and_applies_again) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *shop = rp_source_path("schema/shop");
    g_autoptr(json_t) applied = run_json(test_case, 0, "apply", shop);
    g_autoptr(json_t) newest = run_json(test_case, 0, "undo", shop);
    cr_assert(eq(sz, length_of(newest, "undone"), 1));
    assert_counts(test_case, shop, SHOP_VERSIONS - 1, 1);
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "schema", "undo", shop, "--to", "1", NULL);
    rp_outcome_assert_status(&out, 0);
    assert_counts(test_case, shop, 1, SHOP_VERSIONS - 1);
    g_auto(RpOutcome) all = {0};
    rp_case_run(test_case, &all, "schema", "undo", shop, "--to", "0", NULL);
    rp_outcome_assert_status(&all, 0);
    cr_assert(eq(i64, count_relations(test_case), 2)); /* the history and its index */
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM pg_type WHERE typtype = 'e'"), 0));
    g_autoptr(json_t) again = run_json(test_case, 0, "apply", shop);
    cr_assert(eq(sz, length_of(again, "applied"), SHOP_VERSIONS));
}

Test(schema, undo_needs_an_undo_file) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "CREATE TABLE a (i int)");
    write_file("V2__b.sql", "CREATE TABLE b (i int)");
    write_file("U2__b.sql", "DROP TABLE b");
    g_autoptr(json_t) applied = run_json(test_case, 0, "apply", folder);
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "schema", "undo", folder, "--to", "0", NULL);
    rp_outcome_assert_status(&out, 2);
    assert_says(&out, "V1__a.sql");
    assert_says(&out, "no U file");
    assert_counts(test_case, folder, 2, 0); /* not even version 2 was touched */
}

Test(schema, verify_tells_what_does_not_match) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "CREATE TABLE a (i int)");
    g_autoptr(json_t) pending = run_json(test_case, 1, "verify", folder);
    cr_assert(eq(str, (char *)json_string_value(json_object_get(pending, "status")), "findings"));
    g_autoptr(json_t) applied = run_json(test_case, 0, "apply", folder);
    g_autoptr(json_t) fine = run_json(test_case, 0, "verify", folder);
    cr_assert(eq(str, (char *)json_string_value(json_object_get(fine, "status")), "ok"));
    write_file("V1__a.sql", "CREATE TABLE a (i int)\r\n");
    g_autoptr(json_t) line_ends = run_json(test_case, 0, "verify", folder);
    write_file("V1__a.sql", "CREATE TABLE a (i bigint)");
    g_autoptr(json_t) changed = run_json(test_case, 1, "verify", folder);
    cr_assert(eq(sz, length_of(changed, "changed"), 1));
    g_autoptr(json_t) status = run_json(test_case, 1, "status", folder);
    cr_assert(eq(sz, length_of(status, "changed"), 1));
}

Test(schema, refuses_an_edited_file) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "SELECT 1");
    g_autoptr(json_t) applied = run_json(test_case, 0, "apply", folder);
    write_file("V1__a.sql", "123456789");
    write_file("V2__b.sql", "CREATE TABLE b (i int)");
    assert_fails(test_case, 2, "apply", (const char *const[]){"V1__a.sql", "1719613851", "-873187034", NULL});
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM schema_migrations"), 1));
}

Test(schema, refuses_a_missing_file) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "SELECT 1");
    g_autoptr(json_t) applied = run_json(test_case, 0, "apply", folder);
    g_autofree char *path = g_build_filename(folder, "V1__a.sql", NULL);
    g_remove(path);
    assert_fails(test_case, 2, "apply", (const char *const[]){"V1__a.sql", "missing", NULL});
}

Test(schema, refuses_a_late_version) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V10__a.sql", "SELECT 1");
    g_autoptr(json_t) applied = run_json(test_case, 0, "apply", folder);
    write_file("V9__late.sql", "CREATE TABLE late (i int)");
    assert_fails(test_case, 2, "apply",
                 (const char *const[]){"V9__late.sql", "version 9", "version 10", NULL});
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM schema_migrations"), 1));
}

Test(schema, a_failing_file_leaves_nothing_behind) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql",
               "-- \xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\nCREATE TABLE a (i int);\nCREATE TABEL b (i int);\n");
    assert_fails(test_case, 4, "apply",
                 (const char *const[]){"V1__a.sql:3: ", "TABEL", "SQLSTATE 42601", NULL});
    cr_assert(eq(i64, count_relations(test_case), 0));
    assert_counts(test_case, folder, 0, 1);
}

Test(schema, a_failure_without_position_names_its_statement) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file(
        "V1__a.sql",
        "CREATE TABLE a (i int PRIMARY KEY);\n;\nINSERT INTO a\nVALUES (1);\n\nINSERT INTO a\nVALUES (1)");
    assert_fails(test_case, 4, "apply", (const char *const[]){"V1__a.sql:6: ", "SQLSTATE 23505", NULL});
    cr_assert(eq(i64, count_relations(test_case), 0));
}

Test(schema, files_before_a_failing_one_stand) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "CREATE TABLE a (i int)");
    write_file("V2__b.sql", "CREATE TABLE b (i int);\nSELECT 1/0;");
    assert_fails(test_case, 4, "apply", (const char *const[]){"V2__b.sql:2: ", "SQLSTATE 22012", NULL});
    assert_counts(test_case, folder, 1, 1);
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM pg_class WHERE relname = 'b'"), 0));
}

Test(schema, a_deferred_constraint_fails_the_file) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "CREATE TABLE p (i int PRIMARY KEY);"
                            "CREATE TABLE c (i int REFERENCES p DEFERRABLE INITIALLY DEFERRED);"
                            "INSERT INTO c VALUES (1)");
    assert_fails(test_case, 4, "apply", (const char *const[]){"V1__a.sql", "COMMIT", "SQLSTATE 23503", NULL});
    cr_assert(eq(i64, count_relations(test_case), 0));
}

Test(schema, a_file_must_not_commit) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "CREATE TABLE a (i int);");
    write_file("V2__b.sql", "CREATE TABLE b (i int);\nCOMMIT;");
    assert_fails(test_case, 2, "apply", (const char *const[]){"V2__b.sql:2: COMMIT", NULL});
    cr_assert(eq(i64, count_relations(test_case), 0));
}

Test(schema, a_file_with_copy_from_stdin_fails) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "CREATE TABLE a (i int);\nCOPY a FROM STDIN;");
    assert_fails(test_case, 4, "apply", (const char *const[]){"V1__a.sql:2: COPY FROM STDIN", NULL});
    cr_assert(eq(i64, count_relations(test_case), 0));
}

Test(schema, a_file_keeps_its_session_settings_to_itself) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file(
        "V1__a.sql",
        "SELECT set_config('search_path', '', false); CREATE TABLE public.a (i int); SET ROLE pg_monitor");
    write_file("V2__b.sql", "CREATE TABLE b (i int)");
    g_autoptr(json_t) applied = run_json(test_case, 0, "apply", folder);
    cr_assert(eq(sz, length_of(applied, "applied"), 2));
}

Test(schema, an_index_is_built_concurrently) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "CREATE TABLE a (i int)");
    write_file("V2__b.sql", "CREATE INDEX CONCURRENTLY a_i_idx ON a (i)");
    assert_fails(test_case, 4, "apply",
                 (const char *const[]){"V2__b.sql:1: ", "25001", "no-transaction", NULL});
    write_file("V2__b.sql", "-- redis2pg: no-transaction\n-- it's two; statements\n"
                            "CREATE INDEX CONCURRENTLY a_i_idx ON a (i);\nCREATE INDEX CONCURRENTLY a_e_idx "
                            "ON a ((i || ';'));\n");
    write_file(
        "U2__b.sql",
        "-- redis2pg: no-transaction\nDROP INDEX CONCURRENTLY a_i_idx;\nDROP INDEX CONCURRENTLY a_e_idx");
    g_autoptr(json_t) applied = run_json(test_case, 0, "apply", folder);
    cr_assert(eq(sz, length_of(applied, "applied"), 1));
    cr_assert(
        eq(i64,
           rp_case_sql_number(test_case,
                              "SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass AND indisvalid"),
           2));
    g_autoptr(json_t) undone = run_json(test_case, 0, "undo", folder);
    cr_assert(
        eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass"),
           0));
    assert_counts(test_case, folder, 1, 1);
}

Test(schema, a_failing_file_without_transaction_is_not_recorded) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    write_file("V1__a.sql", "-- redis2pg: no-transaction\nCREATE TABLE a (t text DEFAULT '\xe2\x98\x83');\n"
                            "SELECT '\xe2\x98\x83',\n nothing;\n");
    assert_fails(test_case, 4, "apply",
                 (const char *const[]){"V1__a.sql:4: ", "42703", "before it stand", NULL});
    assert_counts(test_case, folder, 0, 1);
}

Test(schema, two_at_once_apply_everything_once) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *shop = rp_source_path("schema/shop");
    RpProcess *processes[2];
    for (guint i = 0; i < G_N_ELEMENTS(processes); i++)
        processes[i] = rp_case_spawn(test_case, "schema", "apply", shop, "--json", NULL);
    gsize n_applied = 0;
    for (guint i = 0; i < G_N_ELEMENTS(processes); i++) {
        g_auto(RpOutcome) out = {0};
        rp_process_wait(processes[i], &out);
        rp_outcome_assert_status(&out, 0);
        g_autoptr(json_t) document = rp_outcome_json(&out);
        n_applied += length_of(document, "applied");
    }
    cr_assert(eq(sz, n_applied, SHOP_VERSIONS));
}

static gboolean is_asking_for_lock(RpCase *test_case) {
    return rp_case_sql_number(test_case,
                              "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                              " AND state = 'idle' AND query LIKE '%pg_try_advisory_lock%'") > 0;
}

Test(schema, waits_for_the_lock_and_says_so) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *shop = rp_source_path("schema/shop");
    rp_case_sql(test_case, "SELECT pg_advisory_lock(x'723270672d6d6967'::bigint)");
    RpProcess *process = rp_case_spawn(test_case, "schema", "apply", shop, NULL);
    const gint64 deadline = g_get_monotonic_time() + 20 * G_TIME_SPAN_SECOND;
    while (!is_asking_for_lock(test_case) && g_get_monotonic_time() < deadline)
        g_usleep(20 * G_TIME_SPAN_MILLISECOND);
    cr_assert(is_asking_for_lock(test_case));
    cr_assert(eq(i64, count_relations(test_case), 0));
    rp_case_sql(test_case, "SELECT pg_advisory_unlock_all()");
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
    assert_says(&out, "waiting");
    assert_counts(test_case, shop, SHOP_VERSIONS, 0);
}

Test(schema, refuses_another_tools_table) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE schema_migrations (version bigint, dirty boolean)");
    write_file("V1__a.sql", "SELECT 1");
    assert_fails(test_case, 2, "apply", (const char *const[]){"schema_migrations", "another tool", NULL});
}

Test(schema, needs_a_folder_and_an_action) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) missing = {0};
    rp_case_run(test_case, &missing, "schema", "apply", "/there/is/no/such/folder", NULL);
    rp_outcome_assert_status(&missing, 2);
    g_auto(RpOutcome) misspelt = {0};
    rp_case_run(test_case, &misspelt, "schema", "aply", folder, NULL);
    rp_outcome_assert_status(&misspelt, 2);
    assert_says(&misspelt, "apply");
    g_auto(RpOutcome) bare = {0};
    rp_case_run(test_case, &bare, "schema", "apply", NULL);
    rp_outcome_assert_status(&bare, 2);
    g_auto(RpOutcome) bound = {0};
    rp_case_run(test_case, &bound, "schema", "apply", folder, "--to", "1", NULL);
    rp_outcome_assert_status(&bound, 2);
}

Test(schema, needs_a_server) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    g_autofree char *conninfo = g_strdup_printf("host=%s dbname=nothing", folder);
    rp_case_run(test_case, &out, "schema", "status", folder, "--postgres", conninfo, NULL);
    rp_outcome_assert_status(&out, 4);
}
