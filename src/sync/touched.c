/* Touched keys in two segments in memory and any number of them in files between.
 *
 * 1. Whoever adds never waits for whoever takes: the mutex is held for as long as a key is looked up, or a
 *    segment is written to the page cache.
 * 2. A key leaves the set before it is read: a touch that comes later adds it again.
 * 3. Segments are taken in the order in which they were filled, so the place before the first touch of the
 * key that waits longest is the one up to which all is done. */
#include "sync/touched.h"

#include "base/error.h"
#include "reconcile/spool.h"
#include "sync/segment.h"

#define FILE_BYTES G_MAXUINT64 /* a file holds one segment */

struct RpTouched {
    GMutex mutex;
    GCond changed;
    gsize segment_bytes; /* what one of the two may take */
    RpSegment taking;
    RpSegment filling;
    GQueue *files; /* of RpSpool: segments between them, the oldest first */
    guint64 n_in_files;
    gint64 first_file_us; /* touch of the first key that went to a file since there was none */
    guint64 n_touches;
    RpStreamPlace reached;
    char *gap; /* why all keys have to be read again; or NULL */
    RpStreamPlace gap_place;
    guint64 n_gaps;
    guint64 n_wanted; /* that whoever waits is waiting for; 0: nobody does */
    gboolean is_woken;
};

/* ---- files ---- */

static gboolean put_away(RpTouched *touched, GError **error) {
    RpSegment *segment = &touched->filling;
    g_autoptr(RpSpool) file = rp_spool_new(FILE_BYTES, error);
    if (file == NULL)
        return FALSE;
    for (guint32 i = segment->next; i < segment->offsets->len; i++) {
        const RpSegmentEntry *entry = rp_segment_get(segment, i);
        rp_spool_add(file, 0, 0, (RpSpan){(const char *)entry, sizeof *entry}, rp_segment_key(entry));
    }
    if (rp_spool_is_lost(file) || !rp_spool_rewind(file, error)) {
        g_clear_error(error);
        g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                    "%" G_GUINT64_FORMAT " keys wait to be read again, and %s is full (TMPDIR names another "
                    "folder)",
                    touched->n_in_files + rp_segment_count(segment), g_get_tmp_dir());
        return FALSE;
    }
    if (g_queue_is_empty(touched->files))
        touched->first_file_us = rp_segment_get(segment, segment->next)->touched_us;
    touched->n_in_files += rp_segment_count(segment);
    g_queue_push_tail(touched->files, g_steal_pointer(&file));
    rp_segment_reset(segment);
    return TRUE;
}

static gboolean fetch(RpTouched *touched, GError **error) {
    g_autoptr(RpSpool) file = g_queue_pop_head(touched->files);
    RpSpoolEntry stored;
    gboolean is_end = FALSE;
    touched->n_in_files -= rp_spool_get_size(file);
    rp_segment_reset(&touched->taking);
    while (rp_spool_next(file, &stored, &is_end, error)) {
        RpSegmentEntry entry;
        if (is_end)
            return TRUE;
        memcpy(&entry, stored.data.data, sizeof entry);
        rp_segment_append(&touched->taking, &entry, (RpSpan){stored.data.data + sizeof entry, entry.size});
    }
    return FALSE;
}

/* ---- the set ---- */

RpTouched *rp_touched_new(gsize memory_bytes) {
    RpTouched *touched = g_new0(RpTouched, 1);
    g_mutex_init(&touched->mutex);
    g_cond_init(&touched->changed);
    touched->segment_bytes = MIN(memory_bytes / 2, RP_SEGMENT_BYTES);
    touched->files = g_queue_new();
    touched->reached.database = -1;
    rp_segment_init(&touched->taking);
    rp_segment_init(&touched->filling);
    return touched;
}

static void free_file(gpointer file) {
    rp_spool_free(file);
}

void rp_touched_free(RpTouched *touched) {
    if (touched == NULL)
        return;
    rp_segment_clear(&touched->taking);
    rp_segment_clear(&touched->filling);
    g_queue_free_full(touched->files, free_file);
    g_free(touched->gap);
    g_cond_clear(&touched->changed);
    g_mutex_clear(&touched->mutex);
    g_free(touched);
}

static guint64 count(const RpTouched *touched) {
    return rp_segment_count(&touched->taking) + touched->n_in_files + rp_segment_count(&touched->filling);
}

/* What the stream says of an expiry holds until it says something else. */
static void note_expiry(RpSegmentEntry *entry, gint64 expires_at_ms) {
    if (expires_at_ms != RP_EXPIRY_UNTOLD)
        entry->expires_at_ms = expires_at_ms;
}

static gboolean add(RpTouched *touched, const RpTouch *touch, GError **error) {
    RpSegmentEntry *waiting = rp_segment_find(&touched->taking, touch->key);
    touched->n_touches++;
    if (waiting == NULL)
        waiting = rp_segment_find(&touched->filling, touch->key);
    if (waiting != NULL) {
        note_expiry(waiting, touch->expires_at_ms);
        return TRUE;
    }
    const RpSegmentEntry entry = {touch->before.offset, touch->expires_at_ms, g_get_monotonic_time(),
                                  touch->before.database, (guint32)touch->key.size};
    if (rp_segment_weigh(&touched->filling) + touch->key.size + sizeof entry > touched->segment_bytes &&
        rp_segment_count(&touched->filling) > 0 && !put_away(touched, error))
        return FALSE;
    rp_segment_append(&touched->filling, &entry, touch->key);
    if (touched->n_wanted > 0 && count(touched) >= touched->n_wanted)
        g_cond_signal(&touched->changed);
    return TRUE;
}

gboolean rp_touched_add(RpTouched *touched, const RpTouch *touch, GError **error) {
    g_mutex_lock(&touched->mutex);
    const gboolean is_added = add(touched, touch, error);
    g_mutex_unlock(&touched->mutex);
    return is_added;
}

gboolean rp_touched_add_again(RpTouched *touched, RpSpan key, GError **error) {
    g_mutex_lock(&touched->mutex);
    const RpTouch touch = {key, RP_EXPIRY_UNTOLD, touched->reached};
    const gboolean is_added = add(touched, &touch, error);
    touched->n_touches--;
    g_mutex_unlock(&touched->mutex);
    return is_added;
}

void rp_touched_reach(RpTouched *touched, const RpStreamPlace *place) {
    g_mutex_lock(&touched->mutex);
    touched->reached = *place;
    g_mutex_unlock(&touched->mutex);
}

/* ---- gaps ---- */

static void forget_all(RpTouched *touched) {
    rp_segment_reset(&touched->taking);
    rp_segment_reset(&touched->filling);
    g_queue_clear_full(touched->files, free_file);
    touched->n_in_files = 0;
}

void rp_touched_open_gap(RpTouched *touched, const char *reason, const RpStreamPlace *begins_at) {
    g_mutex_lock(&touched->mutex);
    g_free(touched->gap);
    touched->gap = g_strdup(reason);
    touched->gap_place = begins_at != NULL ? *begins_at : touched->reached;
    touched->n_gaps++;
    if (begins_at != NULL) {
        forget_all(touched);
        touched->reached = *begins_at;
    }
    touched->is_woken = TRUE;
    g_cond_broadcast(&touched->changed);
    g_mutex_unlock(&touched->mutex);
}

char *rp_touched_find_gap(RpTouched *touched, guint64 *number, RpStreamPlace *place) {
    g_mutex_lock(&touched->mutex);
    char *reason = g_strdup(touched->gap);
    *number = touched->n_gaps;
    *place = touched->gap_place;
    g_mutex_unlock(&touched->mutex);
    return reason;
}

void rp_touched_close_gap(RpTouched *touched, guint64 number) {
    g_mutex_lock(&touched->mutex);
    if (touched->n_gaps == number)
        g_clear_pointer(&touched->gap, g_free);
    g_mutex_unlock(&touched->mutex);
}

/* ---- taking ---- */

/* Has keys to take stand in memory, when there are any. */
static gboolean prepare(RpTouched *touched, GError **error) {
    if (rp_segment_count(&touched->taking) > 0)
        return TRUE;
    if (!g_queue_is_empty(touched->files))
        return fetch(touched, error);
    rp_segment_reset(&touched->taking);
    const RpSegment taken = touched->taking;
    touched->taking = touched->filling;
    touched->filling = taken;
    return TRUE;
}

static void take_entry(RpSegment *segment, RpTouchedKeys *keys) {
    const RpSegmentEntry *entry = rp_segment_get(segment, segment->next++);
    const RpSpan key = rp_segment_key(entry);
    const RpTouchedKey taken = {keys->bytes.size, key.size, entry->expires_at_ms, entry->before,
                                entry->database};
    if (keys->index->len == 0)
        keys->oldest_us = entry->touched_us;
    rp_buffer_append(&keys->bytes, key.data, key.size);
    g_array_append_val(keys->index, taken);
}

static void place_before(const RpTouched *touched, const RpSegment *segment, RpStreamPlace *place) {
    const RpSegmentEntry *entry = rp_segment_get(segment, segment->next);
    *place = touched->reached;
    place->offset = entry->before;
    place->database = entry->database;
}

gboolean rp_touched_take(RpTouched *touched, guint n_most, RpTouchedKeys *keys, RpStreamPlace *place,
                         GError **error) {
    keys->bytes.size = 0;
    g_array_set_size(keys->index, 0);
    keys->oldest_us = 0;
    *place = (RpStreamPlace){.database = -1};
    g_mutex_lock(&touched->mutex);
    keys->n_gaps = touched->n_gaps;
    if (touched->gap != NULL) {
        g_mutex_unlock(&touched->mutex);
        return TRUE;
    }
    gboolean is_fine = prepare(touched, error);
    while (is_fine && keys->index->len < n_most && rp_segment_count(&touched->taking) > 0) {
        take_entry(&touched->taking, keys);
        /* What waits longest stands in memory, also after the last key. */
        is_fine = prepare(touched, error);
    }
    *place = touched->reached;
    if (is_fine && rp_segment_count(&touched->taking) > 0)
        place_before(touched, &touched->taking, place);
    g_mutex_unlock(&touched->mutex);
    return is_fine;
}

/* A segment that begins with the keys, and goes on with what was left. */
static void put_before(RpTouched *touched, const RpTouchedKeys *keys) {
    const RpSegment left = touched->taking;
    rp_segment_init(&touched->taking);
    for (guint i = 0; i < keys->index->len; i++) {
        const RpTouchedKey *key = &g_array_index(keys->index, RpTouchedKey, i);
        const RpSegmentEntry entry = {key->before, key->expires_at_ms, keys->oldest_us, key->database,
                                      (guint32)key->size};
        rp_segment_append(&touched->taking, &entry, rp_touched_keys_get(keys, i));
    }
    for (guint32 i = left.next; i < left.offsets->len; i++) {
        const RpSegmentEntry *entry = rp_segment_get(&left, i);
        RpSegmentEntry *waiting = rp_segment_find(&touched->taking, rp_segment_key(entry));
        if (waiting != NULL)
            note_expiry(waiting, entry->expires_at_ms);
        else
            rp_segment_append(&touched->taking, entry, rp_segment_key(entry));
    }
    RpSegment done = left;
    rp_segment_clear(&done);
}

void rp_touched_give_back(RpTouched *touched, const RpTouchedKeys *keys) {
    g_mutex_lock(&touched->mutex);
    if (keys->n_gaps == touched->n_gaps)
        put_before(touched, keys);
    g_mutex_unlock(&touched->mutex);
}

guint64 rp_touched_count(RpTouched *touched) {
    g_mutex_lock(&touched->mutex);
    const guint64 n_keys = count(touched);
    g_mutex_unlock(&touched->mutex);
    return n_keys;
}

guint64 rp_touched_count_touches(RpTouched *touched) {
    g_mutex_lock(&touched->mutex);
    const guint64 n_touches = touched->n_touches;
    g_mutex_unlock(&touched->mutex);
    return n_touches;
}

void rp_touched_look(RpTouched *touched, RpStreamPlace *reached, gint64 *oldest_us) {
    g_mutex_lock(&touched->mutex);
    const RpSegment *oldest = rp_segment_count(&touched->taking) > 0 ? &touched->taking : &touched->filling;
    *reached = touched->reached;
    if (oldest == &touched->filling && !g_queue_is_empty(touched->files))
        *oldest_us = touched->first_file_us;
    else
        *oldest_us = rp_segment_count(oldest) > 0 ? rp_segment_get(oldest, oldest->next)->touched_us : 0;
    g_mutex_unlock(&touched->mutex);
}

gboolean rp_touched_wait(RpTouched *touched, guint64 n_keys, gint64 until_us) {
    gboolean is_in_time = TRUE;
    g_mutex_lock(&touched->mutex);
    touched->n_wanted = n_keys;
    while (is_in_time && count(touched) < n_keys && !touched->is_woken)
        is_in_time = g_cond_wait_until(&touched->changed, &touched->mutex, until_us);
    touched->n_wanted = 0;
    touched->is_woken = FALSE;
    g_mutex_unlock(&touched->mutex);
    return is_in_time;
}

void rp_touched_wake(RpTouched *touched) {
    g_mutex_lock(&touched->mutex);
    touched->is_woken = TRUE;
    g_cond_broadcast(&touched->changed);
    g_mutex_unlock(&touched->mutex);
}

/* ---- taken keys ---- */

RpTouchedKeys *rp_touched_keys_new(void) {
    RpTouchedKeys *keys = g_new0(RpTouchedKeys, 1);
    keys->index = g_array_new(FALSE, FALSE, sizeof(RpTouchedKey));
    return keys;
}

void rp_touched_keys_free(RpTouchedKeys *keys) {
    if (keys == NULL)
        return;
    rp_buffer_clear(&keys->bytes);
    g_array_unref(keys->index);
    g_free(keys);
}

RpSpan rp_touched_keys_get(const RpTouchedKeys *keys, guint position) {
    const RpTouchedKey *key = &g_array_index(keys->index, RpTouchedKey, position);
    return (RpSpan){keys->bytes.data + key->offset, key->size};
}
