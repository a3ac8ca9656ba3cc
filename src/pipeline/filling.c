/* Batches on their way from the pool to the mappers. */
#include "pipeline/filling.h"

#include "base/error.h"

#define MAX_BATCH_KEYS 100000 /* keys that nothing wants close a batch too: the position has to move */

void rp_filling_begin(RpFilling *filling, guint pass) {
    filling->pass = pass;
    filling->cursor = 0;
    filling->n_batches = 0;
}

static void set_position(RpFilling *filling, guint64 cursor, gboolean is_pass_end) {
    filling->batch->position = (RpPosition){filling->pass, cursor, is_pass_end};
}

gboolean rp_filling_open(RpFilling *filling, GError **error) {
    if (filling->batch != NULL)
        return TRUE;
    filling->batch = rp_queue_pop(filling->crew->pool);
    if (filling->batch == NULL) {
        g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "stopped while reading Redis");
        return FALSE;
    }
    rp_batch_reset(filling->batch, 2 * filling->crew->options->batch_bytes);
    filling->batch->pass = filling->pass;
    filling->batch->number = filling->n_batches++;
    filling->batch->before = filling->cursor;
    set_position(filling, filling->cursor, FALSE);
    return TRUE;
}

gboolean rp_filling_make_room(RpFilling *filling, GError **error) {
    if (filling->batch != NULL && rp_filling_is_full(filling))
        rp_filling_close(filling);
    return rp_filling_open(filling, error);
}

void rp_filling_reach(RpFilling *filling, guint64 cursor) {
    filling->cursor = cursor;
    set_position(filling, cursor, cursor == 0);
}

gboolean rp_filling_is_full(const RpFilling *filling) {
    const RpLoadOptions *options = filling->crew->options;
    return filling->batch->records.index->len >= options->batch_rows ||
           filling->batch->records.bytes.size >= options->batch_bytes ||
           filling->batch->keys.scanned >= MAX_BATCH_KEYS;
}

void rp_filling_close(RpFilling *filling) {
    rp_queue_push(filling->crew->to_map, g_steal_pointer(&filling->batch));
}

void rp_filling_account_for(RpFilling *filling, RpSpan key) {
    const RpMapping *mapping = filling->crew->options->mapping;
    gboolean is_wanted = FALSE;
    filling->batch->keys.scanned++;
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        is_wanted =
            is_wanted || (rp_crew_wants(filling->crew, i) && rp_pattern_match(entity->keys, key, NULL));
    }
    if (is_wanted) {
        filling->batch->keys.mapped++;
    } else if (rp_mapping_cover(mapping, key) != RP_COVER_NONE) {
        filling->batch->keys.ignored++;
    } else {
        g_autofree char *shape = rp_pattern_shape(key);
        rp_batch_add_unmapped(filling->batch, shape, key);
    }
}
