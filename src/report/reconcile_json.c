/* A reconciliation's result as JSON. */
#include "report/reconcile_report.h"

#include "report/json_values.h"

static json_t *aggregates_json(const GPtrArray *aggregates) {
    json_t *array = json_array();
    for (guint i = 0; i < aggregates->len; i++) {
        const RpAggregatePair *pair = g_ptr_array_index(aggregates, i);
        json_array_append_new(array, json_pack("{ss so so sb}", "name", pair->name, "source",
                                               rp_json_values_text(pair->source), "target",
                                               rp_json_values_text(pair->target), "equal", pair->is_equal));
    }
    return array;
}

static json_t *difference_json(const RpDifference *difference) {
    json_t *key = json_object(), *columns = json_array();
    for (guint i = 0; i < difference->key->len; i++) {
        const RpColumnPair *part = g_ptr_array_index(difference->key, i);
        json_object_set_new(key, part->column, rp_json_values_text(part->source));
    }
    for (guint i = 0; i < difference->columns->len; i++) {
        const RpColumnPair *pair = g_ptr_array_index(difference->columns, i);
        json_array_append_new(columns, json_pack("{ss so so}", "column", pair->column, "source",
                                                 rp_json_values_text(pair->source), "target",
                                                 rp_json_values_text(pair->target)));
    }
    json_t *object = json_pack("{ss so so so}", "kind", rp_difference_kind_name(difference->kind), "key", key,
                               "source_key", rp_json_values_text(difference->source_key), "columns", columns);
    if (difference->source_key_hex != NULL)
        json_object_set_new(object, "key_hex", json_string(difference->source_key_hex));
    if (difference->kind == RP_DIFFERENCE_MISSING)
        json_object_set_new(object, "explained", json_boolean(difference->is_explained));
    return object;
}

static json_t *differences_json(const GPtrArray *differences) {
    json_t *array = json_array();
    for (guint i = 0; i < differences->len; i++)
        json_array_append_new(array, difference_json(g_ptr_array_index(differences, i)));
    return array;
}

static json_t *not_compared_json(const GPtrArray *not_compared) {
    json_t *array = json_array();
    for (guint i = 0; i < not_compared->len; i++) {
        const RpNotCompared *column = g_ptr_array_index(not_compared, i);
        json_array_append_new(array, json_pack("{ss ss}", "column", column->column, "why", column->why));
    }
    return array;
}

static json_t *columns_json(const GPtrArray *columns) {
    json_t *array = json_array();
    for (guint i = 0; i < columns->len; i++) {
        const RpColumnCount *count = g_ptr_array_index(columns, i);
        json_array_append_new(array, json_pack("{ss so}", "column", count->column, "different",
                                               rp_json_values_number(count->n_different)));
    }
    return array;
}

static json_t *entities_json(const GPtrArray *entities) {
    json_t *array = json_array();
    for (guint i = 0; i < entities->len; i++) {
        const RpEntityResult *entity = g_ptr_array_index(entities, i);
        json_array_append_new(
            array,
            json_pack("{ss ss so so so so so so so so so so so so so so so so so}", "entity", entity->entity,
                      "table", entity->table, "source_rows", rp_json_values_number(entity->source_rows),
                      "target_rows", rp_json_values_number(entity->target_rows), "equal",
                      rp_json_values_number(entity->equal), "missing", rp_json_values_number(entity->missing),
                      "extra", rp_json_values_number(entity->extra), "different",
                      rp_json_values_number(entity->different), "explained",
                      rp_json_values_number(entity->explained), "unexplained",
                      rp_json_values_number(entity->missing - entity->explained), "rejected",
                      rp_json_values_number(entity->rejected), "unrecorded",
                      rp_json_values_number(entity->unrecorded), "filtered",
                      rp_json_values_number(entity->filtered), "extra_refused",
                      rp_json_values_number(entity->extra_refused), "kept",
                      rp_json_values_number(entity->kept), "aggregates", aggregates_json(entity->aggregates),
                      "differences", differences_json(entity->differences), "not_compared",
                      not_compared_json(entity->not_compared), "columns", columns_json(entity->columns)));
    }
    return array;
}

static json_t *links_json(const GPtrArray *links) {
    json_t *array = json_array();
    for (guint i = 0; i < links->len; i++) {
        const RpLinkResult *link = g_ptr_array_index(links, i);
        json_t *examples = json_array();
        for (guint j = 0; j < link->examples->len; j++) {
            const RpLinkExample *example = g_ptr_array_index(link->examples, j);
            json_array_append_new(examples, json_pack("{ss so so}", "kind",
                                                      example->is_dangling ? "dangling" : "unlisted", "owner",
                                                      rp_json_values_text(example->owner), "member",
                                                      rp_json_values_text(example->member)));
        }
        json_array_append_new(array, json_pack("{ss so so so so so}", "link", link->link, "checked",
                                               rp_json_values_number(link->checked), "dangling",
                                               rp_json_values_number(link->dangling), "unlisted",
                                               rp_json_values_number(link->unlisted), "examples", examples,
                                               "not_checked", rp_json_values_text(link->not_checked)));
    }
    return array;
}

static json_t *texts_json(char **texts) {
    json_t *array = json_array();
    for (; texts != NULL && *texts != NULL; texts++)
        json_array_append_new(array, json_string(*texts));
    return array;
}

static json_t *orphans_json(const GPtrArray *orphans) {
    json_t *array = json_array();
    for (guint i = 0; i < orphans->len; i++) {
        const RpOrphanResult *orphan = g_ptr_array_index(orphans, i);
        json_t *examples = json_array();
        for (guint j = 0; j < orphan->examples->len; j++)
            json_array_append_new(examples, json_string(g_ptr_array_index(orphan->examples, j)));
        json_array_append_new(array,
                              json_pack("{ss so ss so so so so}", "table", orphan->table, "columns",
                                        texts_json(orphan->columns), "references", orphan->references,
                                        "constraint", rp_json_values_text(orphan->constraint), "not_checked",
                                        rp_json_values_text(orphan->not_checked), "rows",
                                        rp_json_values_number(orphan->n_rows), "examples", examples));
    }
    return array;
}

/* Null where there was none, or nothing to do. */
static json_t *repair_json(const RpRepairResult *repair) {
    return repair->run == 0 ? json_null()
                            : json_pack("{so so so so}", "run", rp_json_values_number(repair->run), "written",
                                        rp_json_values_number(repair->written), "deleted",
                                        rp_json_values_number(repair->deleted), "left",
                                        rp_json_values_number(repair->left));
}

json_t *rp_report_reconcile_json(const RpReconcileResult *result) {
    return json_pack("{ss ss sf si sb sb so so so so so so}", "status",
                     rp_reconcile_result_is_equal(result) ? "equal" : "different", "level",
                     rp_level_name(result->level), "seconds", result->seconds, "rounds",
                     (int)result->n_rounds, "is_live", result->is_live, "incomplete", result->is_incomplete,
                     "run", json_null(), "keys", rp_json_values_number(result->n_scanned), "entities",
                     entities_json(result->entities), "links", links_json(result->links), "orphans",
                     orphans_json(result->orphans), "repair", repair_json(&result->repair));
}
