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

#define FIRST_SLOTS   1024u
#define SEGMENT_BYTES (G_MAXUINT32 / 2) /* of entries: positions are 32 bits */
#define FILE_BYTES    G_MAXUINT64       /* a file holds one segment */

/* Before the key's bytes. */
typedef struct {
    guint64 before;
    gint64 expires_at_ms;
    gint64 touched_us;
    gint32 database; /* of the place before */
    guint32 size;
} Entry;

typedef struct {
    RpBuffer bytes;  /* entries */
    GArray *offsets; /* of guint32: where each begins */
    guint32 *slots;  /* open addressing: number of the entry and one, 0: free */
    guint32 n_slots; /* a power of two */
    guint32 next;    /* the first entry that was not taken */
} Segment;

struct RpTouched {
    GMutex mutex;
    GCond changed;
    gsize segment_bytes; /* what one of the two may take */
    Segment taking;
    Segment filling;
    GQueue *files; /* of RpSpool: segments between them, the oldest first */
    guint64 n_in_files;
    guint64 n_touches;
    RpStreamPlace reached;
    char *gap; /* why all keys have to be read again; or NULL */
    RpStreamPlace gap_place;
    guint64 n_gaps;
    guint64 n_wanted; /* that whoever waits is waiting for; 0: nobody does */
    gboolean is_woken;
};

/* ---- segments ---- */

static void segment_init(Segment *segment) {
    *segment = (Segment){.offsets = g_array_new(FALSE, FALSE, sizeof(guint32)), .n_slots = FIRST_SLOTS};
    segment->slots = g_new0(guint32, segment->n_slots);
}

static void segment_clear(Segment *segment) {
    rp_buffer_clear(&segment->bytes);
    g_array_unref(segment->offsets);
    g_free(segment->slots);
}

static void segment_reset(Segment *segment) {
    segment_clear(segment);
    segment_init(segment);
}

static Entry *entry_at(const Segment *segment, guint32 number) {
    return (Entry *)(void *)(segment->bytes.data + g_array_index(segment->offsets, guint32, number));
}

static RpSpan key_of(const Entry *entry) {
    return (RpSpan){(const char *)(entry + 1), entry->size};
}

static gsize weight(const Segment *segment) {
    return segment->bytes.size + segment->offsets->len * sizeof(guint32) + segment->n_slots * sizeof(guint32);
}

static guint32 count_left(const Segment *segment) {
    return segment->offsets->len - segment->next;
}

/* FNV-1a over the key, with its bits mixed at the end: open addressing wants the low ones to be good. */
static guint64 hash_key(RpSpan key) {
    guint64 hash = 14695981039346656037u;
    for (gsize i = 0; i < key.size; i++)
        hash = (hash ^ (guchar)key.data[i]) * 1099511628211u;
    hash ^= hash >> 32;
    return hash * 0x9e3779b97f4a7c15u >> 20;
}

/* The slot of the key, or the free one where it belongs. */
static guint32 *find_slot(const Segment *segment, RpSpan key) {
    guint32 at = (guint32)hash_key(key) & (segment->n_slots - 1);
    while (segment->slots[at] != 0 && !rp_span_equal(key_of(entry_at(segment, segment->slots[at] - 1)), key))
        at = (at + 1) & (segment->n_slots - 1);
    return &segment->slots[at];
}

static void widen(Segment *segment) {
    g_free(segment->slots);
    segment->n_slots *= 2;
    segment->slots = g_new0(guint32, segment->n_slots);
    for (guint32 i = segment->next; i < segment->offsets->len; i++)
        *find_slot(segment, key_of(entry_at(segment, i))) = i + 1;
}

/* An entry of the segment that was not taken; NULL: the key does not wait in it. */
static Entry *find_waiting(const Segment *segment, RpSpan key) {
    const guint32 number = *find_slot(segment, key);
    return number > segment->next ? entry_at(segment, number - 1) : NULL;
}

static void append_entry(Segment *segment, const Entry *entry, RpSpan key) {
    static const char padding[sizeof(guint64)] = {0};
    const guint32 offset = (guint32)segment->bytes.size;
    if ((gsize)segment->offsets->len * 2 >= segment->n_slots)
        widen(segment);
    rp_buffer_append(&segment->bytes, entry, sizeof *entry);
    rp_buffer_append(&segment->bytes, key.data, key.size);
    rp_buffer_append(&segment->bytes, padding, (sizeof padding - key.size % sizeof padding) % sizeof padding);
    g_array_append_val(segment->offsets, offset);
    *find_slot(segment, key) = segment->offsets->len;
}

/* ---- files ---- */

static gboolean put_away(RpTouched *touched, GError **error) {
    Segment *segment = &touched->filling;
    g_autoptr(RpSpool) file = rp_spool_new(FILE_BYTES, error);
    if (file == NULL)
        return FALSE;
    for (guint32 i = segment->next; i < segment->offsets->len; i++) {
        const Entry *entry = entry_at(segment, i);
        rp_spool_add(file, 0, 0, (RpSpan){(const char *)entry, sizeof *entry}, key_of(entry));
    }
    if (rp_spool_is_lost(file) || !rp_spool_rewind(file, error)) {
        g_clear_error(error);
        g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                    "%" G_GUINT64_FORMAT " keys wait to be read again, and %s is full (TMPDIR names another "
                    "folder)",
                    touched->n_in_files + count_left(segment), g_get_tmp_dir());
        return FALSE;
    }
    touched->n_in_files += count_left(segment);
    g_queue_push_tail(touched->files, g_steal_pointer(&file));
    segment_reset(segment);
    return TRUE;
}

static gboolean fetch(RpTouched *touched, GError **error) {
    g_autoptr(RpSpool) file = g_queue_pop_head(touched->files);
    RpSpoolEntry stored;
    gboolean is_end = FALSE;
    touched->n_in_files -= rp_spool_get_size(file);
    segment_reset(&touched->taking);
    while (rp_spool_next(file, &stored, &is_end, error)) {
        Entry entry;
        if (is_end)
            return TRUE;
        memcpy(&entry, stored.data.data, sizeof entry);
        append_entry(&touched->taking, &entry, (RpSpan){stored.data.data + sizeof entry, entry.size});
    }
    return FALSE;
}

/* ---- the set ---- */

RpTouched *rp_touched_new(gsize memory_bytes) {
    RpTouched *touched = g_new0(RpTouched, 1);
    g_mutex_init(&touched->mutex);
    g_cond_init(&touched->changed);
    touched->segment_bytes = MIN(memory_bytes / 2, SEGMENT_BYTES);
    touched->files = g_queue_new();
    touched->reached.database = -1;
    segment_init(&touched->taking);
    segment_init(&touched->filling);
    return touched;
}

static void free_file(gpointer file) {
    rp_spool_free(file);
}

void rp_touched_free(RpTouched *touched) {
    if (touched == NULL)
        return;
    segment_clear(&touched->taking);
    segment_clear(&touched->filling);
    g_queue_free_full(touched->files, free_file);
    g_free(touched->gap);
    g_cond_clear(&touched->changed);
    g_mutex_clear(&touched->mutex);
    g_free(touched);
}

static guint64 count(const RpTouched *touched) {
    return count_left(&touched->taking) + touched->n_in_files + count_left(&touched->filling);
}

/* What the stream says of an expiry holds until it says something else. */
static void note_expiry(Entry *entry, gint64 expires_at_ms) {
    if (expires_at_ms != RP_EXPIRY_UNTOLD)
        entry->expires_at_ms = expires_at_ms;
}

static gboolean add(RpTouched *touched, const RpTouch *touch, GError **error) {
    Entry *waiting = find_waiting(&touched->taking, touch->key);
    touched->n_touches++;
    if (waiting == NULL)
        waiting = find_waiting(&touched->filling, touch->key);
    if (waiting != NULL) {
        note_expiry(waiting, touch->expires_at_ms);
        return TRUE;
    }
    const Entry entry = {touch->before.offset, touch->expires_at_ms, g_get_monotonic_time(),
                         touch->before.database, (guint32)touch->key.size};
    if (weight(&touched->filling) + touch->key.size + sizeof entry > touched->segment_bytes &&
        count_left(&touched->filling) > 0 && !put_away(touched, error))
        return FALSE;
    append_entry(&touched->filling, &entry, touch->key);
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
    segment_reset(&touched->taking);
    segment_reset(&touched->filling);
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
    if (count_left(&touched->taking) > 0)
        return TRUE;
    if (!g_queue_is_empty(touched->files))
        return fetch(touched, error);
    segment_reset(&touched->taking);
    const Segment taken = touched->taking;
    touched->taking = touched->filling;
    touched->filling = taken;
    return TRUE;
}

static void take_entry(Segment *segment, RpTouchedKeys *keys) {
    const Entry *entry = entry_at(segment, segment->next++);
    const RpSpan key = key_of(entry);
    const RpTouchedKey taken = {keys->bytes.size, key.size, entry->expires_at_ms};
    if (keys->index->len == 0)
        keys->oldest_us = entry->touched_us;
    rp_buffer_append(&keys->bytes, key.data, key.size);
    g_array_append_val(keys->index, taken);
}

static void place_before(const RpTouched *touched, const Segment *segment, RpStreamPlace *place) {
    const Entry *entry = entry_at(segment, segment->next);
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
    if (touched->gap != NULL) {
        g_mutex_unlock(&touched->mutex);
        return TRUE;
    }
    gboolean is_fine = prepare(touched, error);
    while (is_fine && keys->index->len < n_most && count_left(&touched->taking) > 0) {
        take_entry(&touched->taking, keys);
        /* What waits longest stands in memory, also after the last key. */
        is_fine = prepare(touched, error);
    }
    *place = touched->reached;
    if (is_fine && count_left(&touched->taking) > 0)
        place_before(touched, &touched->taking, place);
    g_mutex_unlock(&touched->mutex);
    return is_fine;
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
    const Segment *oldest = count_left(&touched->taking) > 0 ? &touched->taking : &touched->filling;
    *reached = touched->reached;
    *oldest_us = count_left(oldest) > 0 ? entry_at(oldest, oldest->next)->touched_us : 0;
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

void rp_touched_keys_init(RpTouchedKeys *keys) {
    *keys = (RpTouchedKeys){.index = g_array_new(FALSE, FALSE, sizeof(RpTouchedKey))};
}

void rp_touched_keys_clear(RpTouchedKeys *keys) {
    rp_buffer_clear(&keys->bytes);
    g_clear_pointer(&keys->index, g_array_unref);
}

RpSpan rp_touched_keys_get(const RpTouchedKeys *keys, guint position) {
    const RpTouchedKey *key = &g_array_index(keys->index, RpTouchedKey, position);
    return (RpSpan){keys->bytes.data + key->offset, key->size};
}
