/* From keys to records, window after window.
 *
 * 1. What a key holds beyond its first window is read on a connection of its own: the answers to what was
 *    asked ahead on the other one come in their order.
 * 2. Elements are asked for by as many as a bounded number of bytes should hold.
 * 3. What is asked for is counted at once, and what came beside it when it came: Redis is asked for no more
 *    until that is made up for. */
#include "pipeline/key_reader.h"

#define MAX_WINDOW 1000 /* elements: later ones may be far larger than those that came before */

gboolean rp_key_reader_open(RpKeyReader *reader, RpCrew *crew, RpFilling *filling, GError **error) {
    const GPtrArray *entities = crew->options->mapping->entities;
    *reader = (RpKeyReader){.crew = crew, .filling = filling};
    reader->reads = g_new0(RpRead, entities->len);
    reader->counts = g_new0(guint, entities->len);
    for (guint i = 0; i < entities->len; i++) {
        reader->reads[i] = rp_wanted_read(crew->options->mapping, i);
        reader->reads[i].has_expiry |= crew->feed->needs_expiry;
        reader->counts[i] = RP_FIRST_WINDOW;
    }
    reader->fetch = rp_fetch_new(crew->options->redis, &crew->patience, error);
    if (reader->fetch == NULL)
        return FALSE;
    reader->throttle = rp_throttle_new(crew->options, &crew->is_stopping);
    return TRUE;
}

void rp_key_reader_clear(RpKeyReader *reader) {
    rp_throttle_free(reader->throttle);
    rp_fetch_free(reader->fetch);
    rp_fetch_free(reader->rest);
    g_free(reader->reads);
    g_free(reader->counts);
}

void rp_key_reader_await(RpKeyReader *reader, guint n_keys) {
    RpCrew *crew = reader->crew;
    if (reader->throttle == NULL)
        return;
    rp_throttle_await(reader->throttle, n_keys);
    const gboolean is_held_back = rp_throttle_is_holding_back(reader->throttle);
    g_mutex_lock(&crew->mutex);
    crew->progress.is_held_back = is_held_back;
    g_mutex_unlock(&crew->mutex);
}

RpWindow rp_key_reader_send(RpKeyReader *reader, guint entity, RpSpan key) {
    const RpWindow window = {.count = rp_throttle_fit(reader->throttle, reader->counts[entity])};
    rp_fetch_send_read(reader->fetch, &reader->reads[entity], &window, key);
    return window;
}

static void adapt_window(RpKeyReader *reader, guint entity, gsize n_bytes, guint n_records) {
    if (n_records > 0)
        reader->counts[entity] = (guint)CLAMP(
            rp_filling_page_bytes(reader->crew->options) / MAX(n_bytes / n_records, 1), 1, MAX_WINDOW);
}

/* Reads on in a key of which only a window has come. */
static gboolean read_windows(RpKeyReader *reader, guint entity, const RpWindow *first, RpSpan key,
                             guint n_before, GError **error) {
    RpCrew *crew = reader->crew;
    const RpRead *read = &reader->reads[entity];
    const gboolean has_elements = rp_record_type_has_elements(read->type);
    RpWindow window = *first;
    reader->filling->is_within_key = has_elements && n_before > 0;
    if (reader->rest == NULL)
        reader->rest = rp_fetch_new(crew->options->redis, &crew->patience, error);
    if (reader->rest == NULL)
        return FALSE;
    for (gboolean is_complete = FALSE; !is_complete && !g_atomic_int_get(&crew->is_stopping);) {
        if (!rp_filling_make_room(reader->filling, error))
            return FALSE;
        RpRecords *records = &reader->filling->batch->records;
        const gsize bytes_before = records->bytes.size;
        const guint records_before = records->index->len;
        if (has_elements)
            window.count = rp_throttle_fit(reader->throttle, window.count);
        rp_key_reader_await(reader, 0);
        rp_fetch_send_read(reader->rest, read, &window, key);
        if (!rp_fetch_receive_read(reader->rest, read, &window, key, records, &is_complete, error))
            return FALSE;
        const guint n_records = records->index->len - records_before;
        rp_throttle_count(reader->throttle, n_records);
        adapt_window(reader, entity, records->bytes.size - bytes_before, n_records);
        if (n_records > 0) {
            window.count = reader->counts[entity];
            reader->filling->is_within_key = has_elements;
        }
        rp_filling_note_progress(reader->filling, reader->filling->cursor, n_records, 0);
    }
    return TRUE;
}

static gboolean read_rest(RpKeyReader *reader, guint entity, const RpWindow *first, RpSpan key,
                          guint n_before, GError **error) {
    const gboolean is_fine = read_windows(reader, entity, first, key, n_before, error);
    RpBatch *batch = reader->filling->batch;
    reader->filling->is_within_key = FALSE;
    if (batch != NULL && batch->records.index->len == 0)
        batch->begins_within_key = FALSE; /* nothing more came */
    return is_fine;
}

gboolean rp_key_reader_take(RpKeyReader *reader, guint entity, RpWindow *window, RpSpan key, gsize *n_bytes,
                            GError **error) {
    const RpRead *read = &reader->reads[entity];
    RpRecords *records = &reader->filling->batch->records;
    const gsize bytes_before = records->bytes.size;
    const guint records_before = records->index->len;
    gboolean is_complete;
    if (!rp_fetch_receive_read(reader->fetch, read, window, key, records, &is_complete, error))
        return FALSE;
    *n_bytes = records->bytes.size - bytes_before;
    const guint n_records = records->index->len - records_before;
    if (rp_record_type_has_elements(read->type))
        adapt_window(reader, entity, *n_bytes, n_records);
    if (n_records > 1)
        rp_throttle_count(reader->throttle, n_records - 1);
    return is_complete || read_rest(reader, entity, window, key, n_records, error);
}
