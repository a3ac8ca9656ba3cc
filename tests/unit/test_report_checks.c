/* What a report says was looked at, what was not, and what CI systems see of it. */
#include "documents.h"

#include "report/check.h"
#include "report/document.h"
#include "report/html_page.h"
#include "report/junit_report.h"
#include "report/reconcile_report.h"
#include "report/text_report.h"

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

Test(report_checks, checks_of_a_run) {
    g_autoptr(json_t) document = load("hostile.json");
    g_autofree char *failed = list_checks(document, FALSE);
    cr_expect_str_eq(failed, "keys: no unmapped keys\norders<br>: no rejects\npayments: no rejects\n");
    g_autofree char *passed = list_checks(document, TRUE);
    cr_expect_str_eq(passed,
                     "end: came to its end\nbalance: every row is accounted for\ncustomers: no rejects\n");
}

Test(report_checks, checks_of_a_reconciliation) {
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
Test(report_checks, level_counts_claims_nothing_of_rows) {
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

Test(report_checks, an_aggregate_of_no_rows_is_null) {
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
Test(report_checks, text_and_junit_tell_what_was_not_compared) {
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
Test(report_checks, checks_fail_for_each_cause_of_exit_status_1) {
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
