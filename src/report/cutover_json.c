/* A cutover's result as JSON. */
#include "report/cutover_report.h"
#include "report/json_values.h"
#include "report/reconcile_report.h"

static json_t *texts_json(const GPtrArray *texts) {
    json_t *array = json_array();
    for (guint i = 0; i < texts->len; i++)
        json_array_append_new(array, rp_json_values_text(g_ptr_array_index(texts, i)));
    return array;
}

static json_t *time_json(gint64 ms) {
    return ms >= 0 ? json_integer((json_int_t)ms) : json_null();
}

json_t *rp_report_cutover_json(const RpCutoverResult *result) {
    return json_pack(
        "{ss so so so so so so so sf so so so so so}", "verdict", result->is_go ? "go" : "refused", "reasons",
        texts_json(result->reasons), "notes", texts_json(result->notes), "offset",
        result->has_offset ? rp_json_values_number(result->offset) : json_null(), "paused_ms",
        time_json(result->paused_ms), "drained_ms", time_json(result->drained_ms), "capture",
        rp_json_values_text(result->capture), "started_at", rp_json_values_text(result->started_at),
        "seconds", result->seconds, "open_rejects", rp_json_values_number(result->n_rejects), "parked",
        rp_json_values_number(result->n_parked), "reconcile",
        result->reconcile != NULL ? rp_report_reconcile_json(result->reconcile) : json_null(), "report",
        json_null(), "run", json_null());
}
