/* The faces of documents that were made by hand: verdicts, page, text. */
#include "documents.h"

#include "report/field.h"
#include "report/html_page.h"
#include "report/junit_report.h"
#include "report/text_report.h"

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
