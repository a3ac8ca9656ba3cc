/* The document that every face of a report is made of. */
#include "report/document.h"

#include "report/field.h"
#include "report/json_values.h"
#include "report/verdict.h"

#include <stdlib.h>

static json_t *examples_json(const RpEvidence *evidence) {
    json_t *examples = json_array();
    for (guint i = 0; evidence != NULL && i < evidence->examples->len; i++) {
        const RpRejectExample *example = g_ptr_array_index(evidence->examples, i);
        json_t *json =
            json_pack("{ss ss so so so so so}", "entity", example->entity, "code", example->code, "key",
                      rp_json_values_text(example->key), "column", rp_json_values_text(example->column),
                      "constraint", rp_json_values_text(example->constraint), "message",
                      rp_json_values_text(example->message), "value", rp_json_values_text(example->value));
        if (example->key_hex != NULL)
            json_object_set_new(json, "key_hex", json_string(example->key_hex));
        json_array_append_new(examples, json);
    }
    return examples;
}

static json_t *throughput_json(const RpEvidence *evidence) {
    json_t *points = json_array();
    for (guint i = 0; evidence != NULL && i < evidence->throughput->len; i++) {
        const RpThroughputPoint *point = &g_array_index(evidence->throughput, RpThroughputPoint, i);
        json_array_append_new(points, json_pack("{sf sI sI}", "seconds", point->seconds, "keys",
                                                (json_int_t)point->keys, "rows", (json_int_t)point->rows));
    }
    return points;
}

static json_t *versions_json(const RpEvidence *evidence) {
    return json_pack("{so so so}", "redis2pg",
                     rp_json_values_text(evidence != NULL ? evidence->tool_version : REDIS2PG_VERSION),
                     "redis", rp_json_values_text(evidence != NULL ? evidence->redis_version : NULL),
                     "postgres", rp_json_values_text(evidence != NULL ? evidence->postgres_version : NULL));
}

static json_t *settings_json(const RpEvidence *evidence) {
    json_t *settings = evidence != NULL && evidence->settings != NULL
                           ? json_loads(evidence->settings, JSON_ALLOW_NUL, NULL)
                           : NULL;
    return settings != NULL ? settings : json_object();
}

static const char *part_of(const char *kind) {
    return g_str_equal(kind, "rollback") || g_str_equal(kind, "reconcile") || g_str_equal(kind, "cutover")
               ? kind
               : "run";
}

json_t *rp_document_new(const char *kind, json_t *result, const RpReportFrame *frame) {
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *made_at = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    const RpEvidence *evidence = frame->evidence;
    json_t *document = json_pack("{si ss ss}", "report", 1, "kind", kind, "made_at", made_at);
    json_object_set_new(document, "verdict", json_null()); /* its place: what people read first */
    json_object_set_new(document, "source", rp_json_values_text(frame->source));
    json_object_set_new(document, "target", rp_json_values_text(frame->target));
    json_object_set_new(document, "mapping",
                        json_pack("{so so}", "path", rp_json_values_text(frame->mapping), "digest",
                                  rp_json_values_text(evidence != NULL ? evidence->mapping_digest : NULL)));
    json_object_set_new(document, "started_at", rp_json_values_text(frame->started_at));
    json_object_set_new(document, "ended_at", rp_json_values_text(frame->ended_at));
    json_object_set_new(document, "host", rp_json_values_text(evidence != NULL ? evidence->host : NULL));
    json_object_set_new(document, "versions", versions_json(evidence));
    json_object_set_new(document, "settings", settings_json(evidence));
    json_object_set_new(document, part_of(kind), result);
    if (g_str_equal(kind, "cutover")) /* where every report has it */
        json_object_set(document, "reconcile", json_object_get(result, "reconcile"));
    json_object_set_new(document, "reject_examples", examples_json(evidence));
    json_object_set_new(document, "throughput", throughput_json(evidence));
    json_object_set_new(document, "verdict", rp_verdict_of(document));
    return document;
}

char *rp_document_text(const json_t *document) {
    char *dumped = json_dumps(document, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    char *text = g_strconcat(dumped, "\n", NULL);
    free(dumped);
    return text;
}

const json_t *rp_document_result(const json_t *document) {
    return json_object_get(document, part_of(rp_field_text(document, "kind")));
}
