/* Verdicts, of every kind of report. */
#include "report/verdict.h"

#include "report/field.h"
#include "report/table.h"
#include "report/verdict-private.h"

void rp_verdict_say(RpVerdict *verdict, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    json_array_append_new(verdict->sentences, json_string(text));
}

char *rp_verdict_count(guint64 n, const char *thing) {
    g_autofree char *number = rp_text_number(n);
    return g_strdup_printf("%s %s%s", number, thing, n == 1 ? "" : "s");
}

char *rp_verdict_list(const json_t *counts, const char *const *names) {
    GString *text = g_string_new(NULL);
    for (; *names != NULL; names++) {
        const guint64 n =
            json_is_array(counts) ? rp_field_sum(counts, *names) : rp_field_number(counts, *names);
        g_autofree char *number = rp_text_number(n);
        if (n > 0)
            g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", number, *names);
    }
    if (text->len == 0)
        g_string_append(text, "none");
    return g_string_free(text, FALSE);
}

/* ---- rollback ---- */

static void conclude_rollback(RpVerdict *verdict, const json_t *rollback, gboolean is_dry) {
    const guint64 of = rp_field_number(rollback, "of"), n_kept = rp_field_number(rollback, "kept_total");
    g_autofree char *kept = rp_verdict_count(n_kept, "row");
    verdict->status = n_kept > 0 ? "findings" : "fine";
    verdict->headline = n_kept == 0 ? g_strdup_printf("Run %" G_GUINT64_FORMAT " %s", of,
                                                      is_dry ? "can be undone" : "is undone")
                                    : g_strdup_printf("Run %" G_GUINT64_FORMAT " %s, but for %s", of,
                                                      is_dry ? "can be undone" : "is undone", kept);
    if (n_kept > 0)
        rp_verdict_say(verdict,
                       "What somebody else changed since, or refers to, %s as it is: see the reasons below.",
                       is_dry ? "would stay" : "stays");
    if (is_dry)
        rp_verdict_say(
            verdict,
            "This was a dry run, nothing was changed. To undo it: `redis2pg rollback %" G_GUINT64_FORMAT "`.",
            of);
    else
        rp_verdict_say(
            verdict,
            "This rollback is a run itself and can be undone: `redis2pg rollback %" G_GUINT64_FORMAT "`.",
            rp_field_number(rollback, "run"));
}

void rp_verdict_of_rollback(RpVerdict *verdict, const json_t *rollback) {
    static const char *const names[] = {"deleted", "restored", "reinserted", "kept", NULL};
    const char *status = rp_field_text(rollback, "status");
    const guint64 of = rp_field_number(rollback, "of");
    g_autofree char *counts = rp_verdict_list(rp_field_list(rollback, "tables"), names);
    g_autofree char *seconds = rp_field_show_seconds(rp_field_real(rollback, "seconds"));
    rp_verdict_say(verdict, "Rows in %s: %s.", seconds, counts);
    if (g_str_equal(status, "completed") || g_str_equal(status, "dry_run")) {
        conclude_rollback(verdict, rollback, g_str_equal(status, "dry_run"));
        return;
    }
    const gboolean is_undone = g_str_equal(status, "rolled_back");
    verdict->status = is_undone                            ? "undone"
                      : g_str_equal(status, "interrupted") ? "interrupted"
                      : g_str_equal(status, "open")        ? "open"
                                                           : "failed";
    verdict->headline = g_strdup_printf("The rollback of run %" G_GUINT64_FORMAT " %s", of,
                                        is_undone                            ? "was undone itself"
                                        : g_str_equal(status, "interrupted") ? "was interrupted"
                                        : g_str_equal(status, "open")        ? "has not ended"
                                                                             : "failed");
    if (rp_field_has_text(rollback, "error"))
        rp_verdict_say(verdict, "Why it ended: %s.", rp_field_text(rollback, "error"));
    if (!is_undone)
        rp_verdict_say(verdict,
                       "What was undone stays undone. To go on: `redis2pg rollback %" G_GUINT64_FORMAT "`.",
                       of);
}

/* ---- all ---- */

json_t *rp_verdict_of(const json_t *document) {
    const char *kind = rp_field_text(document, "kind");
    RpVerdict verdict = {.status = "failed", .sentences = json_array()};
    if (g_str_equal(kind, "reconcile"))
        rp_verdict_of_reconcile(&verdict, json_object_get(document, "reconcile"));
    else if (g_str_equal(kind, "cutover"))
        rp_verdict_of_cutover(&verdict, json_object_get(document, "cutover"));
    else if (g_str_equal(kind, "rollback"))
        rp_verdict_of_rollback(&verdict, json_object_get(document, "rollback"));
    else
        rp_verdict_of_run(&verdict, kind, json_object_get(document, "run"));
    json_t *json =
        json_pack("{ss sb ss so}", "status", verdict.status, "is_fine", g_str_equal(verdict.status, "fine"),
                  "headline", verdict.headline, "sentences", verdict.sentences);
    g_free(verdict.headline);
    return json;
}
