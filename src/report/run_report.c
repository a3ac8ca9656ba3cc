/* One summary, two faces. */
#include "report/run_report.h"

#include "report/json_values.h"
#include "report/table.h"

static json_t *entities_json(const RpRunSummary *summary) {
    json_t *entities = json_array();
    for (guint i = 0; i < summary->entities->len; i++) {
        const RpEntitySummary *entity = g_ptr_array_index(summary->entities, i);
        const RpCounts *counts = &entity->counts;
        json_array_append_new(
            entities,
            json_pack(
                "{ssssso so so so so so so so so}", "entity", entity->entity, "table", entity->table, "read",
                rp_json_values_number(counts->read), "inserted", rp_json_values_number(counts->inserted),
                "updated", rp_json_values_number(counts->updated), "unchanged",
                rp_json_values_number(counts->unchanged), "deleted", rp_json_values_number(counts->deleted),
                "rejected", rp_json_values_number(counts->rejected), "filtered",
                rp_json_values_number(counts->filtered), "vanished", rp_json_values_number(counts->vanished),
                "parked", rp_json_values_number(counts->parked)));
    }
    return entities;
}

static json_t *unmapped_json(const RpRunSummary *summary) {
    json_t *patterns = json_array();
    for (guint i = 0; i < summary->unmapped->len; i++) {
        const RpUnmappedSummary *unmapped = g_ptr_array_index(summary->unmapped, i);
        json_array_append_new(patterns,
                              json_pack("{sssoss}", "pattern", unmapped->pattern, "keys",
                                        rp_json_values_number(unmapped->keys), "example", unmapped->example));
    }
    return patterns;
}

json_t *rp_report_codes_json(const GPtrArray *codes) {
    json_t *by_code = json_object();
    for (guint i = 0; i < codes->len; i++) {
        const RpCodeCount *code = g_ptr_array_index(codes, i);
        json_object_set_new(by_code, code->code, rp_json_values_number(code->count));
    }
    return by_code;
}

json_t *rp_report_run_json(const RpRunSummary *summary) {
    json_t *report = json_pack(
        "{so ss ss sb ss sf sb s{so so so so} so so s{so so}}", "run",
        summary->is_dry_run ? json_null() : rp_json_values_number(summary->run), "kind", summary->kind,
        "status", summary->status, "dry_run", summary->is_dry_run, "strategy", summary->strategy, "seconds",
        summary->seconds, "balanced", summary->is_balanced, "keys", "scanned",
        rp_json_values_number(summary->keys.scanned), "mapped", rp_json_values_number(summary->keys.mapped),
        "ignored", rp_json_values_number(summary->keys.ignored), "unmapped",
        rp_json_values_number(summary->keys.unmapped), "unmapped_patterns", unmapped_json(summary),
        "entities", entities_json(summary), "rejects", "total", rp_json_values_number(summary->n_rejects),
        "by_code", rp_report_codes_json(summary->codes));
    if (summary->error != NULL)
        json_object_set_new(report, "error", json_string(summary->error));
    return report;
}

json_t *rp_report_run_json_full(const RpRunSummary *summary) {
    json_t *report = rp_report_run_json(summary);
    json_object_set_new(report, "mapping", json_string(summary->mapping));
    json_object_set_new(report, "source", json_string(summary->source));
    json_object_set_new(report, "started_at", json_string(summary->started_at));
    json_object_set_new(report, "ended_at", rp_json_values_text(summary->ended_at));
    return report;
}

/* ---- text ---- */

static char *entities_text(const RpRunSummary *summary) {
    static const char *const headings[] = {"entity",     "table",     ">read",     ">inserted", ">updated",
                                           ">unchanged", ">rejected", ">filtered", ">vanished", NULL};
    g_autoptr(RpTextTable) table = rp_text_table_new(headings);
    for (guint i = 0; i < summary->entities->len; i++) {
        const RpEntitySummary *entity = g_ptr_array_index(summary->entities, i);
        const RpCounts *counts = &entity->counts;
        const guint64 values[] = {counts->read,     counts->inserted, counts->updated, counts->unchanged,
                                  counts->rejected, counts->filtered, counts->vanished};
        const char *cells[G_N_ELEMENTS(values) + 2] = {entity->entity, entity->table};
        for (guint c = 0; c < G_N_ELEMENTS(values); c++)
            cells[c + 2] = rp_text_number(values[c]);
        rp_text_table_add(table, cells);
        for (guint c = 0; c < G_N_ELEMENTS(values); c++)
            g_free((char *)cells[c + 2]);
    }
    return rp_text_table_show(table);
}

static void append_keys(GString *text, const RpRunSummary *summary) {
    g_autofree char *scanned = rp_text_number(summary->keys.scanned);
    g_autofree char *mapped = rp_text_number(summary->keys.mapped);
    g_autofree char *ignored = rp_text_number(summary->keys.ignored);
    g_autofree char *unmapped = rp_text_number(summary->keys.unmapped);
    g_string_append_printf(text, "\nkeys: %s scanned = %s mapped + %s ignored + %s unmapped\n", scanned,
                           mapped, ignored, unmapped);
    for (guint i = 0; i < summary->unmapped->len; i++) {
        const RpUnmappedSummary *item = g_ptr_array_index(summary->unmapped, i);
        g_string_append_printf(text, "  unmapped: %s, %" G_GUINT64_FORMAT " key%s, for example %s\n",
                               item->pattern, item->keys, item->keys == 1 ? "" : "s", item->example);
    }
}

/* One of each code of an entity: there is nothing to look them up in. */
static void append_examples(GString *text, const GPtrArray *examples) {
    const RpRejectExample *last = NULL;
    g_string_append(text, "  for example:\n");
    for (guint i = 0; i < examples->len; i++) {
        const RpRejectExample *example = g_ptr_array_index(examples, i);
        if (last == NULL || !g_str_equal(last->entity, example->entity) ||
            !g_str_equal(last->code, example->code))
            g_string_append_printf(text, "    %s, %s, %s: %s\n", example->entity, example->code, example->key,
                                   example->message);
        last = example;
    }
}

static void append_rejects(GString *text, const RpRunSummary *summary) {
    if (summary->n_rejects == 0)
        return;
    g_autofree char *total = rp_text_number(summary->n_rejects);
    g_string_append_printf(text, "\nrejects: %s\n", total);
    for (guint i = 0; i < summary->codes->len; i++) {
        const RpCodeCount *code = g_ptr_array_index(summary->codes, i);
        g_autofree char *count = rp_text_number(code->count);
        g_string_append_printf(text, "  %-20s %s\n", code->code, count);
    }
    if (summary->is_dry_run) {
        append_examples(text, summary->evidence->examples);
        return;
    }
    g_string_append_printf(text,
                           "  look at them: redis2pg rejects list --run %" G_GUINT64_FORMAT
                           "; after mending the mapping: redis2pg rejects replay --run %" G_GUINT64_FORMAT
                           "\n",
                           summary->run, summary->run);
}

/* What came of a dry run that came to its end. */
static const char *describe_status(const RpRunSummary *summary) {
    if (!g_str_equal(summary->status, "dry_run"))
        return summary->status;
    return summary->n_rejects > 0 ? "would complete with rejects" : "would complete";
}

static const char *describe_balance(const RpRunSummary *summary) {
    if (!summary->is_balanced)
        return "NOT BALANCED";
    if (summary->is_dry_run)
        return g_str_equal(summary->status, "dry_run") ? "every row accounted for; nothing of it is left"
                                                       : "nothing of it is left";
    return g_str_has_prefix(summary->status, "completed") ? "every row accounted for"
                                                          : "what is committed is accounted for";
}

char *rp_report_run_text(const RpRunSummary *summary) {
    g_autofree char *entities = entities_text(summary);
    GString *text = g_string_new(NULL);
    g_autofree char *name =
        summary->is_dry_run ? g_strdup("dry run") : g_strdup_printf("run %" G_GUINT64_FORMAT, summary->run);
    g_string_append_printf(text, "%s: %s in %.1f s, %s\n\n%s", name, describe_status(summary),
                           summary->seconds, describe_balance(summary), entities);
    append_keys(text, summary);
    append_rejects(text, summary);
    if (summary->error != NULL)
        g_string_append_printf(text, "\nwhy it ended: %s\n", summary->error);
    return g_string_free(text, FALSE);
}
