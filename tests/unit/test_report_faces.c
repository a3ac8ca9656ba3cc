/* The faces of documents that were made by hand: verdicts, checks, page, text. */
#include "report/check.h"
#include "report/document.h"
#include "report/field.h"
#include "report/folder.h"
#include "report/html_page.h"
#include "report/junit_report.h"
#include "report/reconcile_report.h"
#include "report/text_report.h"
#include "report/verdict.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

static json_t *load(const char *name) {
    const char *source = g_getenv("REDIS2PG_SOURCE");
    g_autofree char *path = g_build_filename(source != NULL ? source : ".", "tests/reports", name, NULL);
    json_error_t trouble;
    json_t *document = json_load_file(path, JSON_ALLOW_NUL, &trouble);
    cr_assert(document != NULL, "%s: %s", path, trouble.text);
    json_object_set_new(document, "verdict", rp_verdict_of(document));
    return document;
}

static void assert_has(const char *text, const char *part) {
    cr_assert(strstr(text, part) != NULL, "no \"%s\" in\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part) {
    cr_assert(strstr(text, part) == NULL, "\"%s\" in\n%s", part, text);
}

/* ---- verdicts ---- */

static void assert_verdict(const char *json, const char *status, const char *headline) {
    g_autoptr(json_t) document = json_loads(json, 0, NULL);
    cr_assert(document != NULL, "%s", json);
    g_autoptr(json_t) verdict = rp_verdict_of(document);
    cr_expect_str_eq(rp_field_text(verdict, "status"), status, "%s: %s", json,
                     rp_field_text(verdict, "status"));
    cr_expect_str_eq(rp_field_text(verdict, "headline"), headline, "%s: %s", json,
                     rp_field_text(verdict, "headline"));
    cr_expect(rp_field_is_true(verdict, "is_fine") == g_str_equal(status, "fine"));
    cr_expect(json_array_size(rp_field_list(verdict, "sentences")) > 0);
}

#define RUN(kind, status, more)                                                                              \
    "{\"kind\":\"" kind "\",\"run\":{\"run\":3,\"status\":\"" status "\"," more                              \
    ",\"entities\":[{\"entity\":\"a\",\"read\":1600,\"inserted\":1588}]}}"
#define FINE    "\"balanced\":true,\"keys\":{\"unmapped\":0},\"rejects\":{\"total\":0}"
#define REJECTS "\"balanced\":true,\"keys\":{\"unmapped\":2},\"rejects\":{\"total\":12}"

Test(report_faces, verdict_of_a_run) {
    assert_verdict(RUN("run", "completed", FINE), "fine", "Every row arrived");
    assert_verdict(RUN("dry_run", "dry_run", FINE), "fine", "It would work: every row passes");
    assert_verdict(RUN("replay", "completed", FINE), "fine", "Every record passed");
    assert_verdict(RUN("repair", "completed", FINE), "fine", "What differed is repaired");
    assert_verdict(RUN("run", "completed_with_rejects", REJECTS), "findings",
                   "12 of 1 600 rows were rejected");
    assert_verdict(RUN("dry_run", "dry_run", REJECTS), "findings", "12 of 1 600 rows would be rejected");
    assert_verdict(
        RUN("run", "completed", "\"balanced\":true,\"keys\":{\"unmapped\":1},\"rejects\":{\"total\":0}"),
        "findings", "Every row arrived, but nothing covers 1 key");
    assert_verdict(RUN("run", "completed", "\"balanced\":false"), "failed", "The account does not balance");
    assert_verdict(RUN("run", "interrupted", FINE), "interrupted", "The run was interrupted");
    assert_verdict(RUN("run", "failed", FINE), "failed", "The run failed");
    assert_verdict(RUN("replay", "open", FINE), "open", "The replay has not ended");
    assert_verdict(RUN("run", "rolled_back", FINE), "undone", "This run was rolled back");
    assert_verdict(RUN("run", "of a later version", FINE), "failed", "The run failed");
}

#define ROLLBACK(status, kept)                                                                               \
    "{\"kind\":\"rollback\",\"rollback\":{\"run\":4,\"of\":3,\"status\":\"" status "\",\"kept_total\":" kept \
    "}}"

Test(report_faces, verdict_of_a_rollback) {
    assert_verdict(ROLLBACK("completed", "0"), "fine", "Run 3 is undone");
    assert_verdict(ROLLBACK("completed", "7"), "findings", "Run 3 is undone, but for 7 rows");
    assert_verdict(ROLLBACK("dry_run", "0"), "fine", "Run 3 can be undone");
    assert_verdict(ROLLBACK("interrupted", "0"), "interrupted", "The rollback of run 3 was interrupted");
    assert_verdict(ROLLBACK("failed", "0"), "failed", "The rollback of run 3 failed");
}

#define RECONCILE(status, counts, more)                                                                      \
    "{\"kind\":\"reconcile\",\"reconcile\":{\"status\":\"" status                                            \
    "\",\"level\":\"rows\",\"entities\":[{\"entity\":\"a\",\"source_rows\":9," counts "}]" more "}}"

Test(report_faces, verdict_of_a_reconciliation) {
    assert_verdict(RECONCILE("equal", "\"target_rows\":9,\"equal\":9", ""), "fine",
                   "Redis and PostgreSQL agree");
    assert_verdict(RECONCILE("different", "\"different\":1", ""), "findings",
                   "1 row differs between Redis and PostgreSQL");
    assert_verdict(RECONCILE("different", "\"missing\":2,\"extra\":3,\"explained\":2", ""), "findings",
                   "3 rows differ between Redis and PostgreSQL");
    assert_verdict(RECONCILE("different", "\"missing\":2,\"explained\":2", ""), "findings",
                   "2 rows are missing, each with an open reject");
    assert_verdict(RECONCILE("different", "\"equal\":9", ",\"orphans\":[{\"rows\":3}]"), "findings",
                   "The rows agree, but some refer to nothing");
    assert_verdict(RECONCILE("different", "\"aggregates\":[{\"name\":\"s\",\"equal\":false}]", ""),
                   "findings", "The rows agree in number, but not in sum");
}

/* Numbers that agree prove little, and what is refused is not compared: a verdict says both. */
Test(report_faces, verdict_of_a_reconciliation_says_what_it_did_not_see) {
    g_autoptr(json_t) document = json_loads(
        "{\"kind\":\"reconcile\",\"reconcile\":{\"status\":\"equal\",\"level\":\"counts\",\"entities\":["
        "{\"entity\":\"a\",\"rejected\":4}]}}",
        0, NULL);
    json_object_set_new(document, "verdict", rp_verdict_of(document));
    g_autofree char *text = rp_text_report(document);
    assert_has(text, "equal numbers do not prove equal rows");
    assert_has(text, "4 records of Redis are refused by the mapping");
}

/* ---- page and text ---- */

Test(report_faces, page_escapes_whatever_the_data_holds) {
    g_autoptr(json_t) document = load("hostile.json");
    g_autofree char *page = rp_html_page(document);
    assert_lacks(page, "<script");
    assert_lacks(page, "<img");
    assert_lacks(page, "orders<br>");
    assert_lacks(page, "\u202e");
    assert_lacks(page, "\a");
    assert_has(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_has(page, "<span class=\"spelled\">\\u202e</span>gnp.");
    assert_has(page, "(5000 characters)");
    assert_has(page, "\\xff\\xfe");
    assert_has(page, "default-src &#39;none&#39;");
}

Test(report_faces, text_holds_no_control_characters) {
    g_autoptr(json_t) document = load("hostile.json");
    g_autofree char *text = rp_text_report(document);
    for (const char *p = text; *p != '\0'; p++)
        cr_assert((guchar)*p >= ' ' || *p == '\n');
    assert_lacks(text, "\u202e");
    assert_has(text, "out_of_range: 500.");
    assert_has(text, "line one\\nline two\\ttab\\x00nul");
}

Test(report_faces, text_lines_are_not_too_long) {
    static const char *const names[] = {"hostile.json", "reconcile.json", "reconcile_equal.json"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(json_t) document = load(names[i]);
        g_autofree char *text = rp_text_report(document);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (guint l = 0; lines[l] != NULL; l++)
            cr_assert(g_utf8_strlen(lines[l], -1) <= 110, "%s: %s", names[i], lines[l]);
    }
}

/* An empty document is no reason to fall over: another version may have written it. */
Test(report_faces, documents_that_lack_everything_have_faces) {
    static const char *const kinds[] = {"run",      "dry_run",   "replay", "repair",
                                        "rollback", "reconcile", "other"};
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(json_t) document =
            json_pack("{ss s{} s{} s{}}", "kind", kinds[i], "run", "rollback", "reconcile");
        json_object_set_new(document, "verdict", rp_verdict_of(document));
        g_autofree char *page = rp_html_page(document);
        g_autofree char *text = rp_text_report(document);
        g_autofree char *junit = rp_junit_report(document);
        cr_expect(page != NULL && text != NULL && junit != NULL);
    }
}

/* ---- checks ---- */

static char *list_checks(const json_t *document, gboolean holds) {
    g_autoptr(GPtrArray) checks = rp_checks_of(document);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < checks->len; i++) {
        const RpCheck *check = g_ptr_array_index(checks, i);
        if (check->holds == holds)
            g_string_append_printf(text, "%s: %s%s\n", check->group, check->name,
                                   check->is_skipped ? " (skipped)" : "");
    }
    return g_string_free(text, FALSE);
}

Test(report_faces, checks_of_a_run) {
    g_autoptr(json_t) document = load("hostile.json");
    g_autofree char *failed = list_checks(document, FALSE);
    cr_expect_str_eq(failed, "keys: no unmapped keys\norders<br>: no rejects\npayments: no rejects\n");
    g_autofree char *passed = list_checks(document, TRUE);
    cr_expect_str_eq(passed,
                     "end: came to its end\nbalance: every row is accounted for\ncustomers: no rejects\n");
}

Test(report_faces, checks_of_a_reconciliation) {
    g_autoptr(json_t) document = load("reconcile.json");
    g_autofree char *failed = list_checks(document, FALSE);
    cr_expect_str_eq(
        failed,
        "customers: last_seen is compared (skipped)\norders: as many rows on both sides\norders: no missing "
        "rows\norders: no extra rows\norders: no "
        "different rows\norders: every refused record is on record\norders: sum(total_amount) is equal\nlink "
        "customer orders: no dangling "
        "members\nlink customer orders: no unlisted rows\nlink order payments: is checked "
        "(skipped)\norphans: rows of public.orders refer to rows of public.users (customer_id) that are "
        "there\n");
    g_autoptr(json_t) equal = load("reconcile_equal.json");
    g_autofree char *none = list_checks(equal, FALSE);
    cr_expect_str_eq(none, "");
}

/* At level counts no row was compared with another: no face says anything of rows. */
Test(report_faces, level_counts_claims_nothing_of_rows) {
    g_autoptr(json_t) document = json_loads(
        "{\"kind\":\"reconcile\",\"reconcile\":{\"status\":\"equal\",\"level\":\"counts\",\"entities\":["
        "{\"entity\":\"a\",\"source_rows\":2,\"target_rows\":2,\"equal\":2}],\"links\":[{\"link\":\"l\","
        "\"checked\":0,\"dangling\":0,\"unlisted\":0,\"not_checked\":\"level counts compares no rows\"}]}}",
        0, NULL);
    json_object_set_new(document, "verdict", rp_verdict_of(document));
    g_autofree char *text = rp_text_report(document);
    g_autofree char *page = rp_html_page(document);
    g_autofree char *passed = list_checks(document, TRUE);
    g_autofree char *others = list_checks(document, FALSE);
    const char *const faces[] = {text, page};
    for (guint i = 0; i < G_N_ELEMENTS(faces); i++) {
        assert_lacks(faces[i], "Nothing is left to do");
        assert_lacks(faces[i], "No row differs");
        assert_has(faces[i], "agree in number");
        assert_has(faces[i], "were not compared at this level");
        assert_has(faces[i], "–");
    }
    cr_expect_str_eq(passed, "a: as many rows on both sides\na: every refused record is on record\n"
                             "orphans: no row refers to one that is not there\n");
    cr_expect_str_eq(others, "a: no missing rows (skipped)\na: no extra rows (skipped)\n"
                             "a: no different rows (skipped)\nlink l: is checked (skipped)\n");
}

Test(report_faces, an_aggregate_of_no_rows_is_null) {
    g_autoptr(json_t) document = json_loads(
        "{\"kind\":\"reconcile\",\"reconcile\":{\"status\":\"different\",\"level\":\"rows\",\"entities\":["
        "{\"entity\":\"a\",\"aggregates\":[{\"name\":\"sum(x)\",\"source\":\"3\",\"target\":null,"
        "\"equal\":false}]}]}}",
        0, NULL);
    g_autofree char *text = rp_text_report(document);
    g_autofree char *junit = rp_junit_report(document);
    assert_has(text, "NULL  DIFFERS");
    assert_has(junit, "3 in Redis, NULL in PostgreSQL");
}

/* What was not compared, and what the counts do not tell, stands in the faces that people read in CI, too. */
Test(report_faces, text_and_junit_tell_what_was_not_compared) {
    g_autoptr(json_t) document = json_loads(
        "{\"kind\":\"reconcile\",\"reconcile\":{\"status\":\"different\",\"level\":\"rows\",\"entities\":["
        "{\"entity\":\"a\",\"extra\":2,\"extra_refused\":2,\"rejected\":4,\"unrecorded\":3,\"not_compared\":["
        "{\"column\":\"seen\",\"why\":\"it holds the time of the run ($now)\"},"
        "{\"column\":\"id\",\"why\":\"the mapping does not write it\"},"
        "{\"column\":\"note\",\"why\":\"the mapping does not write it\"}]}],"
        "\"orphans\":[{\"table\":\"t\",\"columns\":[\"c1\",\"c2\"],\"references\":\"u (x)\",\"rows\":2,"
        "\"examples\":[\"k7\",\"k8\"]}]}}",
        0, NULL);
    g_autofree char *whole = rp_text_report(document);
    g_autofree char *brief = rp_report_reconcile_text(rp_document_result(document));
    g_autofree char *skipped = list_checks(document, FALSE);
    const char *const texts[] = {whole, brief};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        assert_has(texts[i], "a: seen is not compared: it holds the time of the run ($now)");
        assert_has(texts[i], "a: not written by the mapping: id, note");
        assert_has(texts[i], "is refused by the mapping now: 2");
        assert_has(texts[i], "without an open reject on record: 3");
        assert_has(texts[i], "k7");
        assert_has(texts[i], "c2");
    }
    assert_has(skipped, "a: seen is compared (skipped)\n");
    assert_lacks(skipped, "a: id");
}

static RpReconcileResult *fine_result(RpLevel level) {
    RpReconcileResult *result = rp_reconcile_result_new(level);
    RpEntityResult *entity = rp_entity_result_new("orders", "public.orders");
    RpAggregatePair *sum = g_new0(RpAggregatePair, 1);
    *sum = (RpAggregatePair){g_strdup("sum(a)"), g_strdup("1"), g_strdup("1"), TRUE};
    g_ptr_array_add(entity->aggregates, sum);
    g_ptr_array_add(result->entities, entity);
    g_ptr_array_add(result->links, rp_link_result_new("orders"));
    return result;
}

static void add_orphan(RpReconcileResult *result) {
    RpOrphanResult *orphan = g_new0(RpOrphanResult, 1);
    *orphan = (RpOrphanResult){.table = g_strdup("a"), .references = g_strdup("b"), .n_rows = 1};
    orphan->columns = g_new0(char *, 1);
    orphan->examples = g_ptr_array_new();
    g_ptr_array_add(result->orphans, orphan);
}

/* One cause of exit status 1 at a time; FALSE behind the last. */
static gboolean spoil(RpReconcileResult *result, guint cause) {
    RpEntityResult *entity = g_ptr_array_index(result->entities, 0);
    RpLinkResult *link = g_ptr_array_index(result->links, 0);
    guint64 *const counts[] = {&entity->missing,    &entity->extra,  &entity->different,
                               &entity->unrecorded, &link->dangling, &link->unlisted};
    if (cause < G_N_ELEMENTS(counts))
        *counts[cause] = 1;
    else if (cause == G_N_ELEMENTS(counts))
        ((RpAggregatePair *)g_ptr_array_index(entity->aggregates, 0))->is_equal = FALSE;
    else if (cause == G_N_ELEMENTS(counts) + 1)
        add_orphan(result);
    else
        return FALSE;
    return TRUE;
}

/* What ends the command with status 1 must not be green in CI. */
Test(report_faces, checks_fail_for_each_cause_of_exit_status_1) {
    for (guint level = RP_LEVEL_COUNTS; level <= RP_LEVEL_FIELDS; level++)
        for (guint cause = 0;; cause++) {
            g_autoptr(RpReconcileResult) result = fine_result((RpLevel)level);
            const gboolean is_spoiled = spoil(result, cause);
            g_autoptr(json_t) document =
                json_pack("{ss so}", "kind", "reconcile", "reconcile", rp_report_reconcile_json(result));
            g_autofree char *junit = rp_junit_report(document);
            cr_expect(rp_reconcile_result_is_equal(result) == !is_spoiled);
            cr_expect((strstr(junit, "<failure") != NULL) == is_spoiled, "cause %u: %s", cause, junit);
            if (!is_spoiled)
                break;
        }
}

/* ---- the folder ---- */

static char *make_folder(void) {
    char *path = g_dir_make_tmp("redis2pg-report-XXXXXX", NULL);
    cr_assert(path != NULL);
    return path;
}

static void remove_folder(const char *path) {
    GDir *folder = g_dir_open(path, 0, NULL);
    for (const char *name = g_dir_read_name(folder); name != NULL; name = g_dir_read_name(folder)) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (g_unlink(file) != 0)
            remove_folder(file);
    }
    g_dir_close(folder);
    cr_expect(g_rmdir(path) == 0);
}

static guint count_files(const char *path) {
    GDir *folder = g_dir_open(path, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(folder) != NULL)
        n++;
    g_dir_close(folder);
    return n;
}

Test(report_faces, folder_gets_four_files_and_nothing_else) {
    g_autofree char *above = make_folder();
    g_autofree char *path = g_build_filename(above, "a", "b", NULL);
    g_autofree char *page = g_build_filename(path, "report.html", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) document = load("reconcile.json");
    struct stat status;
    umask(022);
    cr_assert(rp_report_folder_prepare(path, &error), "%s", error->message);
    cr_assert(count_files(path) == 0);
    for (guint i = 0; i < 2; i++) /* the second stands in place of the first */
        cr_assert(rp_report_folder_write(path, RP_REPORT_ALL_FACES, document, &error), "%s", error->message);
    cr_assert(count_files(path) == 4);
    cr_assert(stat(page, &status) == 0 && (status.st_mode & 0777) == 0644);
    remove_folder(above);
}

Test(report_faces, folder_that_cannot_be_written_is_refused) {
    g_autofree char *above = make_folder();
    g_autofree char *file = g_build_filename(above, "file", NULL);
    g_autofree char *below = g_build_filename(file, "folder", NULL);
    cr_assert(g_file_set_contents(file, "x", 1, NULL));
    const char *const paths[] = {"", file, below, "/proc/redis2pg-report", "/proc/self"};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        cr_expect(!rp_report_folder_prepare(paths[i], &error), "%s", paths[i]);
        cr_expect(error != NULL && strstr(error->message, "--report") != NULL);
    }
    remove_folder(above);
}

static void put(const char *folder, const char *name, const char *text) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    cr_assert(g_file_set_contents(path, text, -1, NULL));
}

static gboolean is_there(const char *folder, const char *name) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* What stood there stays when one of the new ones cannot be written: here a folder has its place. */
Test(report_faces, a_report_that_cannot_be_written_leaves_the_earlier_one) {
    g_autofree char *path = make_folder();
    g_autofree char *taken = g_build_filename(path, "junit.xml", NULL);
    g_autofree char *earlier = g_build_filename(path, "report.json", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL, refused = NULL;
    g_autoptr(json_t) document = load("reconcile.json");
    put(path, "report.json", "earlier");
    cr_assert(g_mkdir(taken, 0755) == 0);
    cr_assert(!rp_report_folder_prepare(path, &refused));
    assert_has(refused->message, "junit.xml");
    cr_assert(!rp_report_folder_write(path, RP_REPORT_ALL_FACES, document, &error));
    assert_has(error->message, "junit.xml");
    cr_assert(count_files(path) == 2); /* report.json, the folder, and no draft */
    cr_assert(g_file_get_contents(earlier, &text, NULL, NULL));
    cr_expect_str_eq(text, "earlier");
    remove_folder(path);
}

/* A name that leads elsewhere is no place for a report. */
Test(report_faces, a_symbolic_link_in_the_place_of_a_face_is_refused) {
    g_autofree char *path = make_folder();
    g_autofree char *face = g_build_filename(path, "report.html", NULL);
    g_autoptr(GError) error = NULL;
    cr_assert(symlink("/dev/null", face) == 0);
    cr_assert(!rp_report_folder_prepare(path, &error));
    assert_has(error->message, "no regular file");
    remove_folder(path);
}

/* The files of an earlier report go, and drafts of processes that are gone; nothing else. */
Test(report_faces, only_what_is_ours_is_removed) {
    g_autofree char *path = make_folder();
    g_autofree char *own = g_strdup_printf(".report.html.%d", (int)getpid());
    g_autofree char *others = g_strdup_printf(".report.html.%d", (int)getppid());
    static const char *const kept[] = {"notes.txt", ".report.html", ".report.html.x1", ".report.md.1"};
    g_autoptr(GError) error = NULL;
    const pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    cr_assert(waitpid(gone, NULL, 0) == gone);
    g_autofree char *dead = g_strdup_printf(".junit.xml.%d", (int)gone);
    const char *const removed[] = {own, dead, "report.json", "report.html", "report.txt", "junit.xml"};
    for (guint i = 0; i < G_N_ELEMENTS(removed); i++)
        put(path, removed[i], "x");
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        put(path, kept[i], "x");
    put(path, others, "x");
    cr_assert(rp_report_folder_prepare(path, &error), "%s", error->message);
    cr_expect(is_there(path, "report.json"));
    cr_assert(rp_report_folder_clear(path, &error), "%s", error->message);
    for (guint i = 0; i < G_N_ELEMENTS(removed); i++)
        cr_expect(!is_there(path, removed[i]), "%s", removed[i]);
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        cr_expect(is_there(path, kept[i]), "%s", kept[i]);
    cr_expect(is_there(path, others));
    remove_folder(path);
}

Test(report_faces, faces_are_chosen_by_name) {
    guint faces;
    g_autoptr(GError) error = NULL, empty = NULL;
    cr_assert(rp_report_faces_parse("text,json,html,junit", &faces, NULL) && faces == RP_REPORT_ALL_FACES);
    cr_assert(rp_report_faces_parse("junit, text", &faces, NULL) &&
              faces == (RP_REPORT_JUNIT | RP_REPORT_TEXT));
    cr_assert(!rp_report_faces_parse("text,jsn", &faces, &error));
    assert_has(error->message, "did you mean \"json\"?");
    cr_assert(!rp_report_faces_parse("", &faces, &empty));
    g_autofree char *path = make_folder();
    g_autoptr(json_t) document = load("reconcile.json");
    cr_assert(rp_report_folder_write(path, RP_REPORT_JUNIT | RP_REPORT_TEXT, document, NULL));
    cr_assert(count_files(path) == 2 && is_there(path, "junit.xml") && is_there(path, "report.txt"));
    remove_folder(path);
}
