/* Reports of runs: the figures of every face, the same again from the ledger, no secrets, folders. */
#include "shop.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const FACES[] = {"report.json", "report.html", "report.txt", "junit.xml"};

static char *make_folder(void) {
    g_autoptr(GError) error = NULL;
    char *path = g_dir_make_tmp("redis2pg-test-XXXXXX", &error);
    cr_assert(path != NULL, "%s", error != NULL ? error->message : "");
    return path;
}

/* Removes a folder with its reports and frees the path. */
static void drop_folder(char *path) {
    GDir *folder = g_dir_open(path, 0, NULL);
    for (const char *name = g_dir_read_name(folder); name != NULL; name = g_dir_read_name(folder)) {
        char *file = g_build_filename(path, name, NULL);
        if (g_unlink(file) == 0)
            g_free(file);
        else
            drop_folder(file);
    }
    g_dir_close(folder);
    cr_expect(g_rmdir(path) == 0);
    g_free(path);
}

static char *read_face(const char *folder, const char *name) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    cr_assert(g_file_get_contents(path, &text, NULL, &error), "%s", error != NULL ? error->message : "");
    return text;
}

static json_t *read_report(const char *folder) {
    g_autofree char *text = read_face(folder, "report.json");
    json_t *report = json_loads(text, JSON_ALLOW_NUL, NULL);
    cr_assert(report != NULL, "%s", text);
    return report;
}

static void assert_same(json_t *got, json_t *expected, const char *what) {
    g_autofree char *a = json_dumps(got, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    g_autofree char *b = json_dumps(expected, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    cr_assert(json_equal(got, expected), "%s:\n%s\ninstead of\n%s", what, a, b);
}

/* Whether the page has a cell with the number, in the row that begins with the heading. */
static void assert_row(const char *page, const char *heading, gint64 number) {
    g_autofree char *head = g_strdup_printf("<bdi class=\"data\">%s</bdi></th>", heading);
    g_autofree char *cell = g_strdup_printf("<data value=\"%" G_GINT64_FORMAT "\">", number);
    const char *row = strstr(page, head);
    cr_assert(row != NULL, "no row %s", heading);
    g_autofree char *text = g_strndup(row, (gsize)(strstr(row, "</tr>") - row));
    cr_assert(strstr(text, cell) != NULL, "no %s in the row %s", cell, text);
}

static void run_with_report(RpCase *test_case, RpOutcome *out, const char *folder, const char *more) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    rp_case_run(test_case, out, "run", "--json", "--mapping", mapping, "--report", folder, more, NULL);
}

/* ---- figures ---- */

static void assert_faces(const char *folder, json_t *run) {
    g_autofree char *page = read_face(folder, "report.html");
    g_autofree char *text = read_face(folder, "report.txt");
    g_autofree char *junit = read_face(folder, "junit.xml");
    const char *code;
    json_t *count, *entity;
    size_t i;
    json_object_foreach(rp_json_at(run, "rejects.by_code"), code, count) {
        assert_row(page, code, json_integer_value(count));
        g_autofree char *line =
            g_strdup_printf("  %s: %" G_GINT64_FORMAT ". ", code, (gint64)json_integer_value(count));
        rp_assert_says(text, line);
    }
    json_array_foreach(rp_json_at(run, "entities"), i, entity) {
        static const char *const accounts[] = {"read", "inserted", "rejected"};
        for (guint a = 0; a < G_N_ELEMENTS(accounts); a++)
            assert_row(page, rp_json_text(entity, "entity"), rp_json_number(entity, accounts[a]));
        g_autofree char *rejects =
            g_strdup_printf("rejected: %" G_GINT64_FORMAT, rp_json_number(entity, "rejected"));
        rp_assert_says(junit, rejects);
    }
    rp_assert_says(junit, "name=\"every row is accounted for\"");
}

Test(report, every_face_has_the_figures_of_the_run) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    char *folder = make_folder();
    rp_case_fill(test_case, 100, "10");
    rp_case_redis(test_case, "SET nobody:1 x");
    run_with_report(test_case, &out, folder, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.errors, "report.html");
    g_autoptr(json_t) run = rp_outcome_json(&out);
    g_autoptr(json_t) report = read_report(folder);
    static const char *const members[] = {"run",      "status",  "balanced",         "keys",
                                          "entities", "rejects", "unmapped_patterns"};
    for (guint i = 0; i < G_N_ELEMENTS(members); i++)
        assert_same(json_object_get(rp_json_at(report, "run"), members[i]), json_object_get(run, members[i]),
                    members[i]);
    cr_assert(eq(str, (char *)rp_json_text(report, "kind"), "run"));
    cr_assert(eq(str, (char *)rp_json_text(report, "verdict.status"), "findings"));
    cr_assert(json_array_size(rp_json_at(report, "reject_examples")) > 0);
    cr_assert(json_array_size(rp_json_at(report, "throughput")) > 0);
    cr_assert(rp_json_number(report, "settings.batch_rows") == 10000);
    cr_assert(eq(sz, strlen(rp_json_text(report, "mapping.digest")), 64));
    cr_assert(rp_json_text(report, "versions.redis")[0] != 0 &&
              rp_json_text(report, "versions.postgres")[0] != 0);
    rp_assert_says(rp_json_text(report, "target"), ":");
    assert_faces(folder, run);
    drop_folder(folder);
}

Test(report, a_fine_run_is_fine) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    char *folder = make_folder();
    rp_case_add_customer(test_case, "c1");
    run_with_report(test_case, &out, folder, NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) report = read_report(folder);
    g_autofree char *junit = read_face(folder, "junit.xml");
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(report, "verdict.is_fine")));
    rp_assert_says(junit, "failures=\"0\"");
    drop_folder(folder);
}

/* Whatever came of it is worth a report. */
Test(report, of_a_run_that_a_guard_ended) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    char *folder = make_folder();
    rp_case_add_order(test_case, "o1", "nobody");
    run_with_report(test_case, &out, folder, "--max-rejects=0");
    rp_outcome_assert_status(&out, 6);
    g_autoptr(json_t) report = read_report(folder);
    g_autofree char *junit = read_face(folder, "junit.xml");
    cr_assert(eq(str, (char *)rp_json_text(report, "verdict.status"), "interrupted"));
    cr_assert(eq(str, (char *)rp_json_text(report, "verdict.headline"), "The run was interrupted"));
    rp_assert_says(junit, "<failure message=\"status interrupted");
    drop_folder(folder);
}

/* ---- again, from the ledger ---- */

static void assert_again(RpCase *test_case, const char *run, const char *folder) {
    g_auto(RpOutcome) out = {0};
    char *again = make_folder();
    rp_case_run(test_case, &out, "runs", "show", run, "--report", again, NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) first = read_report(folder);
    g_autoptr(json_t) second = read_report(again);
    json_object_del(first, "made_at");
    json_object_del(second, "made_at");
    assert_same(second, first, run);
    drop_folder(again);
}

Test(report, of_an_earlier_run_is_the_same) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0}, replay = {0}, rollback = {0};
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    char *of_run = make_folder(), *of_replay = make_folder(), *of_rollback = make_folder();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c2");
    run_with_report(test_case, &out, of_run, NULL);
    rp_outcome_assert_status(&out, 1);
    assert_again(test_case, "1", of_run);
    rp_case_run(test_case, &replay, "rejects", "replay", "--mapping", mapping, "--report", of_replay, NULL);
    rp_outcome_assert_status(&replay, 1);
    assert_again(test_case, "2", of_replay);
    rp_case_run(test_case, &rollback, "rollback", "1", "--report", of_rollback, NULL);
    rp_outcome_assert_status(&rollback, 0);
    assert_again(test_case, "3", of_rollback);
    g_autoptr(json_t) report = read_report(of_rollback);
    cr_assert(eq(str, (char *)rp_json_text(report, "verdict.headline"), "Run 1 is undone"));
    drop_folder(of_run);
    drop_folder(of_replay);
    drop_folder(of_rollback);
}

/* A reconciliation's result is what its row in the ledger holds. */
Test(report, of_a_reconciliation_comes_from_its_result) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0}, shown = {0}, unfinished = {0};
    g_autofree char *path = rp_source_path("tests/reports/reconcile.json");
    g_autoptr(json_t) made = json_load_file(path, JSON_ALLOW_NUL, NULL);
    g_autofree char *result = json_dumps(rp_json_at(made, "reconcile"), JSON_COMPACT);
    g_auto(GStrv) parts = g_strsplit(result, "'", -1);
    g_autofree char *quoted = g_strjoinv("''", parts);
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO redis2pg.runs (kind, status, strategy, mapping, mapping_digest, source, source_run_id, "
        "tool_version, host, pid, result, ended_at) SELECT 'reconcile', 'completed', '', mapping, "
        "mapping_digest, "
        "source, '', tool_version, host, pid, '%s', now() FROM redis2pg.runs WHERE run = 1;"
        "INSERT INTO redis2pg.runs (kind, status, strategy, mapping, mapping_digest, source, source_run_id, "
        "tool_version, host, pid) SELECT 'reconcile', 'interrupted', '', mapping, mapping_digest, source, "
        "'', "
        "tool_version, host, pid FROM redis2pg.runs WHERE run = 1",
        quoted);
    char *folder = make_folder();
    rp_case_add_customer(test_case, "c1");
    json_decref(rp_case_load(test_case, 0, NULL));
    rp_case_sql(test_case, sql);
    rp_case_run(test_case, &out, "runs", "show", "2", "--json", "--report", folder, NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) report = read_report(folder);
    assert_same(rp_json_at(report, "reconcile"), rp_json_at(made, "reconcile"), "result");
    cr_assert(eq(str, (char *)rp_json_text(report, "verdict.headline"),
                 "11 rows differ between Redis and PostgreSQL"));
    rp_case_run(test_case, &shown, "runs", "show", "2", NULL);
    rp_assert_says(shown.output, "11 rows differ");
    rp_case_run(test_case, &unfinished, "runs", "show", "3", "--report", folder, NULL);
    rp_outcome_assert_status(&unfinished, 2);
    drop_folder(folder);
}

Test(report, of_a_reconciliation_that_was_made) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    char *folder = make_folder();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    json_decref(rp_case_load(test_case, 0, NULL));
    rp_case_sql(test_case, "UPDATE orders SET status = 'cancelled'");
    rp_case_run(test_case, &out, "reconcile", "--json", "--mapping", mapping, "--report", folder, NULL);
    rp_outcome_assert_status(&out, 1);
    g_autoptr(json_t) printed = rp_outcome_json(&out);
    g_autoptr(json_t) report = read_report(folder);
    assert_same(rp_json_at(report, "reconcile"), printed, "result");
    cr_assert(eq(str, (char *)rp_json_text(report, "verdict.headline"),
                 "1 row differs between Redis and PostgreSQL"));
    g_autofree char *page = read_face(folder, "report.html");
    rp_assert_says(page, "<mark>cancelled</mark>");
    assert_again(test_case, "2", folder);
    drop_folder(folder);
}

/* Who may only read can compare; the report is of what was found, as no ledger keeps it. */
Test(report, of_a_reconciliation_that_is_not_kept) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    char *folder = make_folder();
    g_autofree char *reading =
        g_strconcat(test_case->conninfo, " options='-c default_transaction_read_only=on'", NULL);
    rp_case_add_customer(test_case, "c1");
    rp_case_run(test_case, &out, "--postgres", reading, "reconcile", "--mapping", mapping, "--report", folder,
                NULL);
    rp_outcome_assert_status(&out, 1);
    g_autoptr(json_t) report = read_report(folder);
    cr_assert(JSON_NULL == json_typeof(rp_json_at(report, "reconcile.run")));
    cr_assert(eq(str, (char *)rp_json_text(report, "verdict.headline"),
                 "1 row differs between Redis and PostgreSQL"));
    drop_folder(folder);
}

Test(report, of_a_dry_run_leaves_nothing_else) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    char *folder = make_folder();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c2");
    run_with_report(test_case, &out, folder, "--dry-run");
    rp_outcome_assert_status(&out, 1);
    g_autoptr(json_t) report = read_report(folder);
    cr_assert(eq(str, (char *)rp_json_text(report, "kind"), "dry_run"));
    cr_assert(eq(str, (char *)rp_json_text(report, "verdict.headline"), "1 of 2 rows would be rejected"));
    cr_assert(eq(sz, json_array_size(rp_json_at(report, "reject_examples")), 1));
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM users"), 0));
    g_auto(RpOutcome) rollback = {0};
    json_decref(rp_case_load(test_case, 1, NULL));
    rp_case_run(test_case, &rollback, "rollback", "--dry-run", "1", "--report", folder, NULL);
    rp_outcome_assert_status(&rollback, 0);
    g_autoptr(json_t) second = read_report(folder);
    cr_assert(eq(str, (char *)rp_json_text(second, "verdict.headline"), "Run 1 can be undone"));
    drop_folder(folder);
}

/* ---- secrets ---- */

Test(report, sensitive_values_are_in_no_face) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    char *folder = make_folder();
    rp_case_add_customer(test_case, "c1");
    rp_case_redis(test_case, "HSET customer:c1 email very.secret-at-example.com");
    rp_case_add_customer(test_case, "c2");
    rp_case_redis(test_case, "HSET customer:c2 profile_data {very.secret");
    run_with_report(test_case, &out, folder, NULL);
    rp_outcome_assert_status(&out, 1);
    for (guint i = 0; i < G_N_ELEMENTS(FACES); i++) {
        g_autofree char *face = read_face(folder, FACES[i]);
        rp_assert_keeps_quiet(face, "very.secret");
    }
    g_autofree char *page = read_face(folder, "report.html");
    rp_assert_says(page, "<bdi class=\"data\">***</bdi>");
    drop_folder(folder);
}

/* ---- data that is markup ---- */

Test(report, data_does_not_become_markup) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    char *folder = make_folder();
    rp_case_add_customer(test_case, "<script>alert(1)</script>");
    rp_case_add_order(test_case, "o1", "<script>alert(2)</script>");
    rp_case_redis(test_case, "HSET order:o1 quantity <script>alert(3)</script>");
    rp_case_redis(test_case, "HSET %b customer_id x", "order:\xff\"'<b>\xe2\x80\xae", (size_t)15);
    run_with_report(test_case, &out, folder, NULL);
    rp_outcome_assert_status(&out, 1);
    g_autofree char *page = read_face(folder, "report.html");
    g_autofree char *junit = read_face(folder, "junit.xml");
    rp_assert_keeps_quiet(page, "<script");
    rp_assert_keeps_quiet(junit, "<script");
    rp_assert_keeps_quiet(page, "\xe2\x80\xae");
    rp_assert_says(page, "&lt;script&gt;alert(3)&lt;/script&gt;");
    rp_assert_says(page, "order:\\xff&quot;&#39;&lt;b&gt;");
    drop_folder(folder);
}

/* ---- folders ---- */

Test(report, a_folder_that_cannot_be_written_ends_it_before_it_begins) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    char *file = rp_file_write("in the way");
    g_autofree char *below = g_build_filename(file, "folder", NULL);
    const char *const folders[] = {file, below, "/proc/redis2pg-report", "/proc/self", ""};
    rp_case_add_customer(test_case, "c1");
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_auto(RpOutcome) run = {0}, replay = {0}, rollback = {0}, show = {0}, reconcile = {0};
        rp_case_run(test_case, &run, "run", "--mapping", mapping, "--report", folders[i], NULL);
        rp_outcome_assert_status(&run, 2);
        rp_assert_says(run.errors, "--report");
        rp_case_run(test_case, &replay, "rejects", "replay", "--mapping", mapping, "--report", folders[i],
                    NULL);
        rp_outcome_assert_status(&replay, 2);
        rp_assert_says(replay.errors, "--report");
        rp_case_run(test_case, &rollback, "rollback", "1", "--report", folders[i], NULL);
        rp_outcome_assert_status(&rollback, 2);
        rp_assert_says(rollback.errors, "--report");
        rp_case_run(test_case, &reconcile, "reconcile", "--mapping", mapping, "--report", folders[i], NULL);
        rp_outcome_assert_status(&reconcile, 2);
        rp_assert_says(reconcile.errors, "--report");
        rp_case_run(test_case, &show, "runs", "show", "1", "--report", folders[i], NULL);
        rp_outcome_assert_status(&show, 2);
        rp_assert_says(show.errors, "--report");
    }
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM users"), 0));
    g_autofree char *ledger = rp_case_sql_text(test_case, "SELECT to_regclass('redis2pg.runs')");
    cr_assert(ledger == NULL);
    rp_file_drop(file);
}

/* The folder goes away while the run works, and a file stands there: its status is the run's all the same. */
Test(report, a_run_whose_report_cannot_be_written_keeps_its_status) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    char *above = make_folder();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_autofree char *folder = g_build_filename(above, "reports", NULL);
    rp_case_add_customer(test_case, "c1");
    json_decref(rp_case_load(test_case, 0, NULL));
    rp_case_redis(test_case, "HSET customer:c1 name Changed");
    PGconn *holder = rp_case_hold(test_case, "users");
    RpProcess *process = rp_case_spawn(test_case, "run", "--mapping", mapping, "--report", folder, NULL);
    rp_case_await_blocked(test_case, "users", 1);
    cr_assert(g_rmdir(folder) == 0);
    cr_assert(g_file_set_contents(folder, "in the way", -1, NULL));
    rp_case_release(holder);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.errors, "the report was not written");
    rp_assert_says(out.errors, "redis2pg runs show 2 --report");
    drop_folder(above);
}

Test(report, an_option_that_does_nothing_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) list = {0}, rejects = {0};
    rp_case_run(test_case, &list, "runs", "list", "--report", "/tmp", NULL);
    rp_outcome_assert_status(&list, 2);
    rp_case_run(test_case, &rejects, "rejects", "list", "--report", "/tmp", NULL);
    rp_outcome_assert_status(&rejects, 2);
}
