/* The reader: SCAN pages to batches of records.
 *
 * 1. Two pages are under way: while the records of one are taken, Redis already works on those of the next,
 *    and the SCAN after it is asked before them.
 * 2. A batch's position is the cursor after its last whole page: of a page that fills a batch midway, the
 *    rest goes into the next batch, and a later run reads it again from its beginning.
 * 3. The first pass sees every key and accounts for it; later passes ask SCAN only for their entities' keys.
 * 4. A pass begins when every batch of the one before is committed: children find their parents. */
#include "pipeline/crew.h"
#include "source/fetch.h"

#include "base/error.h"

#include <string.h>

#define MAX_PAGE_KEYS  1000 /* SCAN's COUNT: more gains little and lengthens the time that Redis is busy */
#define MIN_PAGE_KEYS  10
#define MAX_BATCH_KEYS 100000        /* keys that nothing wants close a batch too: the position has to move */
#define PAGE_BYTES     (1024 * 1024) /* what the records of a page should weigh at the most, by the last page */

typedef struct {
    guint key; /* position in the page */
    guint entity;
} Read;

/* A page under way. */
typedef struct {
    RpKeyPage keys;
    GArray *reads; /* of Read: what was sent for it */
} Page;

typedef struct {
    RpCrew *crew;
    RpFetch *fetch;
    Page pages[2];
    guint pass;
    char *match;       /* for SCAN, or NULL */
    guint page_keys;   /* COUNT of the next SCAN */
    guint64 cursor;    /* after the last page that was taken whole */
    RpBatch *batch;    /* being filled, or NULL */
    guint64 n_batches; /* of this pass */
} Reader;

static const RpEntity *entity_at(const Reader *reader, guint entity) {
    return g_ptr_array_index(reader->crew->options->mapping->entities, entity);
}

static gboolean is_of_pass(const Reader *reader, guint entity) {
    return g_array_index(reader->crew->passes, guint32, entity) == reader->pass &&
           rp_crew_wants(reader->crew, entity);
}

/* ---- batches ---- */

static gboolean open_batch(Reader *reader) {
    if (reader->batch != NULL)
        return TRUE;
    reader->batch = rp_queue_pop(reader->crew->pool);
    if (reader->batch == NULL)
        return FALSE;
    rp_batch_reset(reader->batch, 2 * reader->crew->options->batch_bytes);
    reader->batch->pass = reader->pass;
    reader->batch->number = reader->n_batches++;
    return TRUE;
}

static void close_batch(Reader *reader) {
    rp_queue_push(reader->crew->to_map, g_steal_pointer(&reader->batch));
}

static gboolean is_full(const Reader *reader) {
    const RpLoadOptions *options = reader->crew->options;
    return reader->batch->records.index->len >= options->batch_rows ||
           reader->batch->records.bytes.size >= options->batch_bytes ||
           reader->batch->keys.scanned >= MAX_BATCH_KEYS;
}

/* ---- the account of keys ---- */

static void account_for(Reader *reader, RpSpan key) {
    RpKeyCounts *counts = &reader->batch->keys;
    counts->scanned++;
    gboolean is_wanted = FALSE;
    for (guint i = 0; i < reader->crew->options->mapping->entities->len; i++)
        is_wanted = is_wanted || (rp_crew_wants(reader->crew, i) &&
                                  rp_pattern_match(entity_at(reader, i)->keys, key, NULL));
    if (is_wanted) {
        counts->mapped++;
    } else if (rp_mapping_cover(reader->crew->options->mapping, key) != RP_COVER_NONE) {
        counts->ignored++;
    } else {
        g_autofree char *shape = rp_pattern_shape(key);
        rp_batch_add_unmapped(reader->batch, shape, key);
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
static void note_progress(Reader *reader, guint64 cursor, guint64 n_read, guint64 n_mapped) {
    RpCrew *crew = reader->crew;
    const double share = cursor == 0 ? 1.0 : (double)reverse_bits(cursor) / 18446744073709551616.0;
    g_mutex_lock(&crew->mutex);
    crew->progress.keys_read += n_read;
    if (reader->pass == 0) {
        crew->keys_mapped += n_mapped;
        if (share > 0)
            crew->progress.keys_expected = (guint64)((double)crew->keys_mapped / share);
    }
    g_mutex_unlock(&crew->mutex);
}

/* ---- pages ---- */

static void send_reads(Reader *reader, Page *page) {
    g_array_set_size(page->reads, 0);
    for (guint key = 0; key < rp_key_page_size(&page->keys); key++)
        for (guint entity = 0; entity < reader->crew->options->mapping->entities->len; entity++) {
            const RpSpan span = rp_key_page_get(&page->keys, key);
            if (!is_of_pass(reader, entity) || !rp_pattern_match(entity_at(reader, entity)->keys, span, NULL))
                continue;
            const Read read = {key, entity};
            g_array_append_val(page->reads, read);
            rp_fetch_send_key(reader->fetch, entity_at(reader, entity)->type, FALSE, span);
        }
}

static void adapt_page_size(Reader *reader, gsize n_bytes, guint n_records) {
    if (n_records == 0)
        return;
    const gsize fitting = PAGE_BYTES / MAX(n_bytes / n_records, 1);
    const guint most = MIN(reader->crew->options->batch_rows, MAX_PAGE_KEYS);
    reader->page_keys = (guint)CLAMP(fitting, MIN(MIN_PAGE_KEYS, most), most);
}

static gboolean need_batch(Reader *reader, GError **error) {
    if (open_batch(reader))
        return TRUE;
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "stopped while reading Redis");
    return FALSE;
}

static void set_position(Reader *reader, guint64 cursor, gboolean is_pass_end) {
    reader->batch->position = (RpPosition){reader->pass, cursor, is_pass_end};
}

/* Takes the records of a page into the batch, and into more where they are large. */
static gboolean take_page(Reader *reader, Page *page, GError **error) {
    if (!need_batch(reader, error))
        return FALSE;
    const guint64 mapped_before = reader->batch->keys.mapped;
    gsize n_bytes = 0;
    if (reader->pass == 0)
        for (guint key = 0; key < rp_key_page_size(&page->keys); key++)
            account_for(reader, rp_key_page_get(&page->keys, key));
    const guint64 n_mapped = reader->batch->keys.mapped - mapped_before;
    for (guint i = 0; i < page->reads->len; i++) {
        if (i > 0 && is_full(reader)) {
            set_position(reader, reader->cursor, FALSE);
            close_batch(reader);
            if (!need_batch(reader, error))
                return FALSE;
        }
        const Read *read = &g_array_index(page->reads, Read, i);
        const gsize bytes_before = reader->batch->records.bytes.size;
        if (!rp_fetch_receive_record(reader->fetch, &reader->batch->records, read->entity,
                                     entity_at(reader, read->entity)->type, FALSE,
                                     rp_key_page_get(&page->keys, read->key), error))
            return FALSE;
        n_bytes += reader->batch->records.bytes.size - bytes_before;
    }
    reader->cursor = page->keys.next_cursor;
    set_position(reader, reader->cursor, reader->cursor == 0);
    note_progress(reader, page->keys.next_cursor, page->reads->len, n_mapped);
    adapt_page_size(reader, n_bytes, page->reads->len);
    return TRUE;
}

static gboolean is_stopping(const Reader *reader) {
    return g_atomic_int_get(&reader->crew->is_stopping) != 0;
}

/* Asks for the page after this one, unless it is the last. */
static void request_after(Reader *reader, const Page *page) {
    if (page->keys.next_cursor != 0)
        rp_fetch_send_scan(reader->fetch, page->keys.next_cursor, reader->match, reader->page_keys);
}

static gboolean read_pass(Reader *reader, GError **error) {
    reader->cursor = 0;
    rp_fetch_send_scan(reader->fetch, 0, reader->match, reader->page_keys);
    if (!rp_fetch_receive_page(reader->fetch, &reader->pages[0].keys, error))
        return FALSE;
    request_after(reader, &reader->pages[0]);
    send_reads(reader, &reader->pages[0]);
    for (guint turn = 0;; turn++) {
        Page *page = &reader->pages[turn % 2];
        Page *next = &reader->pages[(turn + 1) % 2];
        const gboolean is_last = page->keys.next_cursor == 0 || is_stopping(reader);
        /* The next page's keys were asked for before this page's records, so they come first. */
        if (page->keys.next_cursor != 0 && !rp_fetch_receive_page(reader->fetch, &next->keys, error))
            return FALSE;
        if (!is_last) {
            request_after(reader, next);
            send_reads(reader, next);
            if (!rp_fetch_flush(reader->fetch, error))
                return FALSE;
        }
        if (!take_page(reader, page, error))
            return FALSE;
        if (is_last || is_full(reader))
            close_batch(reader);
        if (is_last)
            return TRUE;
    }
}

/* ---- passes ---- */

/* What SCAN can be told to leave out: all but the first pass want only their entities' keys, and MATCH takes
 * one pattern. */
static char *match_for(const Reader *reader) {
    if (reader->pass == 0)
        return NULL;
    g_autofree char *match = NULL;
    for (guint i = 0; i < reader->crew->options->mapping->entities->len; i++) {
        if (!is_of_pass(reader, i))
            continue;
        g_autofree char *own = rp_pattern_scan_match(entity_at(reader, i)->keys);
        if (own == NULL || (match != NULL && strcmp(match, own) != 0))
            return NULL;
        g_free(match);
        match = g_steal_pointer(&own);
    }
    return g_steal_pointer(&match);
}

static gboolean has_entities(const Reader *reader) {
    for (guint i = 0; i < reader->crew->options->mapping->entities->len; i++)
        if (is_of_pass(reader, i))
            return TRUE;
    return FALSE;
}

static gboolean read_all(Reader *reader, GError **error) {
    RpCrew *crew = reader->crew;
    for (reader->pass = 0; reader->pass < crew->n_passes && !is_stopping(reader); reader->pass++) {
        if (reader->pass > 0 && !has_entities(reader))
            continue;
        g_free(reader->match);
        reader->match = match_for(reader);
        reader->n_batches = 0;
        if (!read_pass(reader, error))
            return FALSE;
        if (!rp_queue_wait_for(crew->pool, crew->n_batches))
            return TRUE; /* somebody failed, and has said so */
    }
    return TRUE;
}

gpointer rp_reader_thread(gpointer data) {
    RpCrew *crew = data;
    Reader reader = {.crew = crew, .page_keys = MIN(crew->options->batch_rows, MAX_PAGE_KEYS / 4)};
    for (guint i = 0; i < G_N_ELEMENTS(reader.pages); i++) {
        rp_key_page_init(&reader.pages[i].keys);
        reader.pages[i].reads = g_array_new(FALSE, FALSE, sizeof(Read));
    }
    GError *error = NULL;
    reader.fetch =
        rp_fetch_new(crew->options->redis, crew->options->max_value_bytes, &crew->is_cancelled, &error);
    if (reader.fetch == NULL || !read_all(&reader, &error))
        rp_crew_fail(crew, error, FALSE);
    if (reader.batch != NULL) /* broken off inside a page: its records are read again next time */
        rp_queue_push(crew->pool, reader.batch);
    rp_queue_close(crew->to_map);
    rp_fetch_free(reader.fetch);
    g_free(reader.match);
    for (guint i = 0; i < G_N_ELEMENTS(reader.pages); i++) {
        rp_key_page_clear(&reader.pages[i].keys);
        g_array_unref(reader.pages[i].reads);
    }
    return NULL;
}
