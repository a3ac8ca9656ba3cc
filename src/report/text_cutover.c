/* A cutover as text. */
#include "report/cutover_report.h"
#include "report/field.h"
#include "report/text_report.h"
#include "report/verdict-private.h"

static void append_number(GString *text, const char *name, const json_t *value, const char *unit) {
    if (!json_is_integer(value))
        return;
    g_autofree char *shown = g_strdup_printf("%" JSON_INTEGER_FORMAT "%s", json_integer_value(value), unit);
    rp_text_line(text, name, shown);
}

void rp_text_cutover(GString *text, const json_t *cutover, gboolean is_brief) {
    const json_t *reconcile = json_object_get(cutover, "reconcile");
    rp_text_heading(text, "The gate");
    rp_text_line(text, "verdict", rp_field_text(cutover, "verdict"));
    rp_text_line(text, "capture", rp_field_text(cutover, "capture"));
    append_number(text, "offset", json_object_get(cutover, "offset"), "");
    append_number(text, "writers stood still", json_object_get(cutover, "paused_ms"), " ms");
    append_number(text, "until all had arrived", json_object_get(cutover, "drained_ms"), " ms");
    append_number(text, "open rejects", json_object_get(cutover, "open_rejects"), "");
    append_number(text, "parked", json_object_get(cutover, "parked"), "");
    if (json_is_object(reconcile))
        rp_text_reconcile(text, reconcile, is_brief);
}

char *rp_report_cutover_text(const json_t *cutover) {
    g_autoptr(GString) text = g_string_new(NULL);
    RpVerdict verdict = {.sentences = json_array()};
    rp_verdict_of_cutover(&verdict, cutover);
    g_string_append_printf(text, "%s\n\n", verdict.headline);
    for (size_t i = 0; i < json_array_size(verdict.sentences); i++)
        rp_text_wrap(text, json_string_value(json_array_get(verdict.sentences, i)));
    rp_text_cutover(text, cutover, TRUE);
    json_decref(verdict.sentences);
    g_free(verdict.headline);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
