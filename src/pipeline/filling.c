/* Batches on their way from the pool to the mappers. */
#include "pipeline/filling.h"

#include "base/error.h"
#include "base/event.h"

#define PAGE_BYTES     (1024 * 1024)
#define MAX_BATCH_KEYS 100000 /* keys that nothing wants close a batch too: the position has to move */

gsize rp_filling_page_bytes(const RpLoadOptions *options) {
    return MIN(options->batch_bytes / 4, PAGE_BYTES);
}

void rp_filling_begin(RpFilling *filling, guint pass, guint64 cursor, guint64 first_batch) {
    filling->pass = pass;
    filling->cursor = cursor;
    filling->next_batch = first_batch;
}

gboolean rp_filling_open(RpFilling *filling, GError **error) {
    if (filling->batch != NULL)
        return TRUE;
    filling->batch = rp_queue_pop(filling->crew->pool);
    if (filling->batch == NULL) {
        g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "stopped while reading Redis");
        return FALSE;
    }
    /* Tuples that another pass left are of other entities. */
    const gboolean is_of_pass = filling->batch->pass == filling->pass;
    rp_batch_reset(filling->batch, is_of_pass ? 2 * filling->crew->options->batch_bytes : 0);
    filling->batch->pass = filling->pass;
    filling->batch->number = filling->next_batch++;
    filling->batch->before = filling->cursor;
    filling->batch->begins_within_key = filling->is_within_key;
    filling->batch->position = (RpPosition){.pass = filling->pass, .cursor = filling->cursor};
    return TRUE;
}

static gboolean holds(const RpFilling *filling, guint n_rows, gsize n_bytes) {
    const RpRecords *records = &filling->batch->records;
    return records->index->len >= n_rows || records->bytes.size >= n_bytes;
}

static gboolean make_room_when(RpFilling *filling, gboolean is_full, GError **error) {
    if (filling->batch != NULL && is_full)
        rp_filling_close(filling);
    return rp_filling_open(filling, error);
}

gboolean rp_filling_make_room(RpFilling *filling, GError **error) {
    return make_room_when(filling, filling->batch != NULL && rp_filling_is_full(filling), error);
}

gboolean rp_filling_make_room_in_page(RpFilling *filling, GError **error) {
    const RpLoadOptions *options = filling->crew->options;
    const guint most_rows = options->batch_rows + options->batch_rows / 2;
    const gsize most_bytes = options->batch_bytes + options->batch_bytes / 2;
    return make_room_when(filling, filling->batch != NULL && holds(filling, most_rows, most_bytes), error);
}

void rp_filling_begin_page(RpFilling *filling) {
    filling->batch->position.is_page_end = FALSE;
}

void rp_filling_reach(RpFilling *filling, guint64 cursor) {
    filling->cursor = cursor;
    filling->batch->position = (RpPosition){filling->pass, cursor, TRUE, cursor == 0};
}

gboolean rp_filling_is_full(const RpFilling *filling) {
    const RpLoadOptions *options = filling->crew->options;
    return holds(filling, options->batch_rows, options->batch_bytes) ||
           filling->batch->keys.scanned >= MAX_BATCH_KEYS;
}

void rp_filling_close(RpFilling *filling) {
    filling->batch->ends_within_key = filling->is_within_key;
    rp_event_note(RP_EVENT_BATCH_FILLED);
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

static guint64 reverse_bits(guint64 value) {
    guint64 reversed = 0;
    for (int i = 0; i < 64; i++)
        reversed |= ((value >> i) & 1) << (63 - i);
    return reversed;
}

/* SCAN counts its cursor from the highest bit of the table's mask down (redis: dict.c, dictScan): reversed,
 * it is the share of the table that is behind. The first pass learns by it how many keys there are to read.
 */
void rp_filling_note_progress(RpFilling *filling, guint64 cursor, guint64 n_read, guint64 n_mapped) {
    RpCrew *crew = filling->crew;
    const double share = cursor == 0 ? 1.0 : (double)reverse_bits(cursor) / 18446744073709551616.0;
    g_mutex_lock(&crew->mutex);
    crew->progress.keys_read += n_read;
    if (filling->pass == 0) {
        crew->keys_mapped += n_mapped;
        if (share > 0)
            crew->progress.keys_expected = (guint64)((double)crew->keys_mapped / share);
    }
    g_mutex_unlock(&crew->mutex);
}
