/* The result's life, and its verdict. */
#include "reconcile/result.h"

#include <string.h>

static const char *const LEVELS[] = {"counts", "rows", "fields"};

const char *rp_level_name(RpLevel level) {
    return LEVELS[level];
}

gboolean rp_level_parse(const char *name, RpLevel *level) {
    for (guint i = 0; i < G_N_ELEMENTS(LEVELS); i++)
        if (strcmp(LEVELS[i], name) == 0) {
            *level = (RpLevel)i;
            return TRUE;
        }
    return FALSE;
}

const char *rp_difference_kind_name(RpDifferenceKind kind) {
    static const char *const names[] = {"missing", "extra", "different"};
    return names[kind];
}

/* ---- parts ---- */

static void column_pair_free(gpointer data) {
    RpColumnPair *pair = data;
    g_free(pair->column);
    g_free(pair->source);
    g_free(pair->target);
    g_free(pair);
}

void rp_column_pair_add(GPtrArray *pairs, const char *column, char *source, char *target) {
    RpColumnPair *pair = g_new(RpColumnPair, 1);
    *pair = (RpColumnPair){g_strdup(column), source, target};
    g_ptr_array_add(pairs, pair);
}

RpDifference *rp_difference_new(RpDifferenceKind kind) {
    RpDifference *difference = g_new0(RpDifference, 1);
    difference->kind = kind;
    difference->key = g_ptr_array_new_with_free_func(column_pair_free);
    difference->columns = g_ptr_array_new_with_free_func(column_pair_free);
    return difference;
}

void rp_difference_free(RpDifference *difference) {
    if (difference == NULL)
        return;
    g_ptr_array_unref(difference->key);
    g_ptr_array_unref(difference->columns);
    g_free(difference->source_key);
    g_free(difference->source_key_hex);
    g_free(difference);
}

static void aggregate_pair_free(gpointer data) {
    RpAggregatePair *pair = data;
    g_free(pair->name);
    g_free(pair->source);
    g_free(pair->target);
    g_free(pair);
}

static void not_compared_free(gpointer data) {
    RpNotCompared *column = data;
    g_free(column->column);
    g_free(column->why);
    g_free(column);
}

static void column_count_free(gpointer data) {
    RpColumnCount *count = data;
    g_free(count->column);
    g_free(count);
}

RpEntityResult *rp_entity_result_new(const char *entity, const char *table) {
    RpEntityResult *result = g_new0(RpEntityResult, 1);
    result->entity = g_strdup(entity);
    result->table = g_strdup(table);
    result->aggregates = g_ptr_array_new_with_free_func(aggregate_pair_free);
    result->differences = g_ptr_array_new_with_free_func((GDestroyNotify)rp_difference_free);
    result->not_compared = g_ptr_array_new_with_free_func(not_compared_free);
    result->columns = g_ptr_array_new_with_free_func(column_count_free);
    return result;
}

static void entity_result_free(gpointer data) {
    RpEntityResult *result = data;
    g_free(result->entity);
    g_free(result->table);
    g_ptr_array_unref(result->aggregates);
    g_ptr_array_unref(result->differences);
    g_ptr_array_unref(result->not_compared);
    g_ptr_array_unref(result->columns);
    g_free(result);
}

static void link_example_free(gpointer data) {
    RpLinkExample *example = data;
    g_free(example->owner);
    g_free(example->member);
    g_free(example);
}

RpLinkResult *rp_link_result_new(const char *link) {
    RpLinkResult *result = g_new0(RpLinkResult, 1);
    result->link = g_strdup(link);
    result->examples = g_ptr_array_new_with_free_func(link_example_free);
    return result;
}

static void link_result_free(gpointer data) {
    RpLinkResult *result = data;
    g_free(result->link);
    g_free(result->not_checked);
    g_ptr_array_unref(result->examples);
    g_free(result);
}

static void orphan_result_free(gpointer data) {
    RpOrphanResult *result = data;
    g_free(result->table);
    g_strfreev(result->columns);
    g_free(result->references);
    g_free(result->constraint);
    g_free(result->not_checked);
    g_ptr_array_unref(result->examples);
    g_free(result);
}

/* ---- the whole ---- */

RpReconcileResult *rp_reconcile_result_new(RpLevel level) {
    RpReconcileResult *result = g_new0(RpReconcileResult, 1);
    result->level = level;
    result->entities = g_ptr_array_new_with_free_func(entity_result_free);
    result->links = g_ptr_array_new_with_free_func(link_result_free);
    result->orphans = g_ptr_array_new_with_free_func(orphan_result_free);
    return result;
}

void rp_reconcile_result_free(RpReconcileResult *result) {
    if (result == NULL)
        return;
    g_ptr_array_unref(result->entities);
    g_ptr_array_unref(result->links);
    g_ptr_array_unref(result->orphans);
    g_free(result->source_run_id);
    g_free(result->redis_version);
    g_free(result);
}

static gboolean is_link_fine(const RpLinkResult *link) {
    return link->dangling == 0 && link->unlisted == 0;
}

static gboolean is_fine(const RpReconcileResult *result, gboolean allows_explained) {
    for (guint i = 0; i < result->entities->len; i++) {
        const RpEntityResult *entity = g_ptr_array_index(result->entities, i);
        const guint64 excused = allows_explained ? entity->explained : 0;
        if (entity->missing > excused || entity->extra > 0 || entity->different > 0 || entity->unrecorded > 0)
            return FALSE;
        for (guint j = 0; entity->missing == 0 && j < entity->aggregates->len; j++)
            if (!((const RpAggregatePair *)g_ptr_array_index(entity->aggregates, j))->is_equal)
                return FALSE;
    }
    for (guint i = 0; i < result->links->len; i++)
        if (!is_link_fine(g_ptr_array_index(result->links, i)))
            return FALSE;
    for (guint i = 0; i < result->orphans->len; i++)
        if (((const RpOrphanResult *)g_ptr_array_index(result->orphans, i))->n_rows > 0)
            return FALSE;
    return TRUE;
}

gboolean rp_reconcile_result_is_equal(const RpReconcileResult *result) {
    return is_fine(result, FALSE);
}

gboolean rp_reconcile_result_is_explained(const RpReconcileResult *result) {
    return is_fine(result, TRUE);
}
