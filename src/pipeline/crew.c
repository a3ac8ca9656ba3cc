/* What the threads of a load share: made before they start, cleared when they have ended. */
#include "pipeline/crew.h"

#include "pipeline/passes.h"

#include <string.h>

static gboolean is_shared(const RpMapping *mapping, guint entity) {
    const RpEntity *own = g_ptr_array_index(mapping->entities, entity);
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *other = g_ptr_array_index(mapping->entities, i);
        if (i != entity && other->table->oid == own->table->oid)
            return TRUE;
    }
    return FALSE;
}

/* Nobody waits for parents. */
static GArray *plan_one_pass(const RpMapping *mapping, guint *n_passes) {
    GArray *passes = g_array_new(FALSE, TRUE, sizeof(guint32));
    g_array_set_size(passes, mapping->entities->len);
    *n_passes = 1;
    return passes;
}

static RpMergePlan *plan_entity(const RpCrew *crew, PGconn *connection, guint entity) {
    const RpMapping *mapping = crew->options->mapping;
    return rp_merge_plan_new(connection, g_ptr_array_index(mapping->entities, entity), entity,
                             crew->feed->ledger, is_shared(mapping, entity));
}

/* Of several passes a batch has rows of one alone; the rows of one pass are merged level by level. */
static gboolean make_plans(RpCrew *crew, PGconn *connection, GError **error) {
    crew->plans = g_ptr_array_new_with_free_func((GDestroyNotify)rp_merge_plan_free);
    if (crew->feed->ledger == NULL)
        return TRUE;
    guint n_levels;
    g_autoptr(GArray) levels = rp_passes_plan(crew->options->mapping, &n_levels, error);
    if (levels == NULL)
        return FALSE;
    for (guint level = 0; level < n_levels; level++)
        for (guint entity = 0; entity < levels->len; entity++)
            if (g_array_index(levels, guint32, entity) == level)
                g_ptr_array_add(crew->plans, plan_entity(crew, connection, entity));
    return TRUE;
}

gboolean rp_crew_init(RpCrew *crew, const RpLoadOptions *options, const RpFeed *feed, PGconn *connection,
                      GError **error) {
    const RpMapping *mapping = options->mapping;
    *crew =
        (RpCrew){.options = options, .feed = feed, .occasion = {options->redis->database, g_get_real_time()}};
    crew->patience = (RpPatience){options->max_value_bytes, options->timeout_seconds, options->retry_seconds,
                                  &crew->is_cancelled, &crew->is_pressed};
    crew->passes = feed->is_survey || feed->is_one_pass ? plan_one_pass(mapping, &crew->n_passes)
                                                        : rp_passes_plan(mapping, &crew->n_passes, error);
    if (crew->passes == NULL || !make_plans(crew, connection, error)) {
        g_clear_pointer(&crew->plans, g_ptr_array_unref);
        g_clear_pointer(&crew->passes, g_array_unref);
        return FALSE;
    }
    g_mutex_init(&crew->mutex);
    crew->pool = rp_queue_new();
    crew->to_map = rp_queue_new();
    crew->to_go_on = g_ptr_array_new_with_free_func((GDestroyNotify)rp_queue_free);
    for (guint i = 0; i < options->n_mappers; i++)
        g_ptr_array_add(crew->to_go_on, rp_queue_new());
    crew->to_write = rp_queue_new();
    crew->cancels = g_ptr_array_new_with_free_func((GDestroyNotify)PQfreeCancel);
    /* One being read, one being mapped by each mapper, one being written by each writer, one ready for each.
     */
    crew->n_batches = 1 + options->n_mappers + options->n_writers + 1;
    for (guint i = 0; i < crew->n_batches; i++)
        rp_queue_push(crew->pool, rp_batch_new(mapping->entities->len));
    return TRUE;
}

static void free_batches(RpQueue *queue) {
    rp_queue_close(queue);
    RpBatch *batch;
    while ((batch = rp_queue_pop(queue)) != NULL)
        rp_batch_free(batch);
    rp_queue_free(queue);
}

void rp_crew_clear(RpCrew *crew) {
    if (crew->passes == NULL)
        return;
    free_batches(crew->pool);
    free_batches(crew->to_map);
    free_batches(crew->to_write);
    g_ptr_array_unref(crew->to_go_on);
    g_ptr_array_unref(crew->plans);
    g_ptr_array_unref(crew->cancels);
    g_array_unref(crew->passes);
    g_free(crew->source_run_id);
    g_mutex_clear(&crew->mutex);
}

void rp_crew_fail(RpCrew *crew, GError *error, gboolean is_final) {
    g_mutex_lock(&crew->mutex);
    if (crew->error == NULL)
        crew->error = error;
    else
        g_error_free(error);
    g_mutex_unlock(&crew->mutex);
    g_atomic_int_set(&crew->is_stopping, 1);
    if (is_final) {
        g_atomic_int_set(&crew->is_pressed, 1);
        g_atomic_int_set(&crew->is_cancelled, 1);
        rp_queue_close(crew->pool);
    }
}

gboolean rp_crew_wants(const RpCrew *crew, guint entity) {
    const RpEntity *wanted = g_ptr_array_index(crew->options->mapping->entities, entity);
    return crew->options->only == NULL || g_strv_contains(crew->options->only, wanted->name);
}

gboolean rp_crew_is_bulk_pass(const RpCrew *crew, guint pass) {
    return crew->strategy == RP_STRATEGY_BULK && pass == 0;
}

gboolean rp_crew_is_of_pass(const RpCrew *crew, guint entity, guint pass) {
    const guint n_before = crew->strategy == RP_STRATEGY_BULK ? 1 : 0;
    return rp_crew_wants(crew, entity) && (rp_crew_is_bulk_pass(crew, pass) ||
                                           g_array_index(crew->passes, guint32, entity) + n_before == pass);
}

void rp_crew_give_back(RpCrew *crew, RpBatch *batch) {
    rp_queue_push(batch->is_whole ? crew->pool : g_ptr_array_index(crew->to_go_on, batch->mapper), batch);
}
