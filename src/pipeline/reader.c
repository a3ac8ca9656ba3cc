/* The reader: SCAN pages to batches of records.
 *
 * 1. Two pages are under way: while the records of one are taken, Redis already works on those of the next,
 *    and the SCAN after it is asked before them.
 * 2. A batch ends with a page, unless the page is far larger than the one before: then the rest of it goes
 * into the next batch, and the position of the first one is the cursor before the page.
 * 3. The first pass sees every key and accounts for it; later passes ask SCAN only for their entities' keys.
 * 4. What a key holds beyond its first window is read on a connection of its own, window after window.
 * 5. A pass begins when every batch of the one before is committed: children find their parents. */
#include "pipeline/filling.h"
#include "pipeline/wanted.h"

#include "base/error.h"
#include "base/event.h"

#include <string.h>

#define MIN_PAGE_KEYS 10
#define MAX_WINDOW    1000 /* elements: later ones may be far larger than those that came before */

/* A page under way. */
typedef struct {
    RpKeyPage keys;
    GArray *wishes; /* of RpWish: what is read for it */
} Page;

#define N_PAGES 2

typedef struct {
    RpCrew *crew;
    RpFilling filling;
    RpFetch *fetch;
    RpFetch *rest; /* for what keys hold beyond their first window; made at first use */
    RpRead *reads; /* by entity */
    guint *counts; /* by entity: elements to ask for at once */
    Page pages[N_PAGES];
    guint pass;
    char *match;     /* for SCAN, or NULL */
    guint page_keys; /* COUNT of the next SCAN */
} Reader;

static const RpEntity *entity_at(const Reader *reader, guint entity) {
    return g_ptr_array_index(reader->crew->options->mapping->entities, entity);
}

static gboolean is_of_pass(const Reader *reader, guint entity) {
    return g_array_index(reader->crew->passes, guint32, entity) == reader->pass &&
           rp_crew_wants(reader->crew, entity);
}

static gboolean is_stopping(const Reader *reader) {
    return g_atomic_int_get(&reader->crew->is_stopping) != 0;
}

/* ---- pages ---- */

/* Asks for what the entities of the pass read of the page's keys. */
static void send_reads(Reader *reader, Page *page) {
    g_array_set_size(page->wishes, 0);
    for (guint key = 0; key < rp_key_page_size(&page->keys); key++)
        for (guint entity = 0; entity < reader->crew->options->mapping->entities->len; entity++) {
            const RpSpan span = rp_key_page_get(&page->keys, key);
            if (!is_of_pass(reader, entity) || !rp_pattern_match(entity_at(reader, entity)->keys, span, NULL))
                continue;
            const RpWish wish = {key, entity, {.count = reader->counts[entity]}};
            g_array_append_val(page->wishes, wish);
            rp_fetch_send_read(reader->fetch, &reader->reads[entity], &wish.window, span);
        }
}

/* Elements are asked for by as many as a page holds. */
static void adapt_window(Reader *reader, guint entity, gsize n_bytes, guint n_records) {
    if (n_records > 0)
        reader->counts[entity] = (guint)CLAMP(
            rp_filling_page_bytes(reader->crew->options) / MAX(n_bytes / n_records, 1), 1, MAX_WINDOW);
}

static void adapt_page_size(Reader *reader, gsize n_bytes, guint n_records) {
    if (n_records == 0)
        return;
    const gsize fitting = rp_filling_page_bytes(reader->crew->options) / MAX(n_bytes / n_records, 1);
    const guint most = MIN(reader->crew->options->batch_rows, RP_MAX_PAGE_KEYS);
    reader->page_keys = (guint)CLAMP(fitting, MIN(MIN_PAGE_KEYS, most), most);
}

/* Reads on in a key of which only a window has come. A stop breaks off between two windows. */
static gboolean read_rest(Reader *reader, const RpWish *wish, RpSpan key, GError **error) {
    const RpLoadOptions *options = reader->crew->options;
    RpWindow window = wish->window;
    if (reader->rest == NULL)
        reader->rest =
            rp_fetch_new(options->redis, options->max_value_bytes, &reader->crew->is_cancelled, error);
    if (reader->rest == NULL)
        return FALSE;
    for (gboolean is_complete = FALSE; !is_complete && !is_stopping(reader);) {
        if (!rp_filling_make_room(&reader->filling, error))
            return FALSE;
        RpRecords *records = &reader->filling.batch->records;
        const gsize bytes_before = records->bytes.size;
        const guint records_before = records->index->len;
        rp_fetch_send_read(reader->rest, &reader->reads[wish->entity], &window, key);
        if (!rp_fetch_receive_read(reader->rest, &reader->reads[wish->entity], &window, key, records,
                                   &is_complete, error))
            return FALSE;
        const guint n_records = records->index->len - records_before;
        adapt_window(reader, wish->entity, records->bytes.size - bytes_before, n_records);
        if (n_records > 0)
            window.count = reader->counts[wish->entity];
        rp_filling_note_progress(&reader->filling, reader->filling.cursor, n_records, 0);
    }
    return TRUE;
}

/* Takes what was read of a key into the batch; *n_bytes: of its first window. */
static gboolean take_key(Reader *reader, const Page *page, RpWish *wish, gsize *n_bytes, GError **error) {
    RpRecords *records = &reader->filling.batch->records;
    const RpSpan key = rp_key_page_get(&page->keys, wish->key);
    const gsize bytes_before = records->bytes.size;
    const guint records_before = records->index->len;
    gboolean is_complete;
    if (!rp_fetch_receive_read(reader->fetch, &reader->reads[wish->entity], &wish->window, key, records,
                               &is_complete, error))
        return FALSE;
    *n_bytes = records->bytes.size - bytes_before;
    if (rp_record_type_has_elements(reader->reads[wish->entity].type))
        adapt_window(reader, wish->entity, *n_bytes, records->index->len - records_before);
    return is_complete || read_rest(reader, wish, key, error);
}

/* Takes the records of a page into the batch, and into more where they are large. */
static gboolean take_page(Reader *reader, Page *page, GError **error) {
    if (!rp_filling_open(&reader->filling, error))
        return FALSE;
    rp_filling_begin_page(&reader->filling);
    const guint64 mapped_before = reader->filling.batch->keys.mapped;
    gsize n_bytes = 0;
    if (reader->pass == 0)
        for (guint key = 0; key < rp_key_page_size(&page->keys); key++)
            rp_filling_account_for(&reader->filling, rp_key_page_get(&page->keys, key));
    const guint64 n_mapped = reader->filling.batch->keys.mapped - mapped_before;
    for (guint i = 0; i < page->wishes->len; i++) {
        gsize n_key_bytes;
        if ((i > 0 && !rp_filling_make_room_in_page(&reader->filling, error)) ||
            !take_key(reader, page, &g_array_index(page->wishes, RpWish, i), &n_key_bytes, error))
            return FALSE;
        n_bytes += n_key_bytes;
    }
    if (is_stopping(reader) && reader->rest != NULL) /* perhaps in the middle of a key */
        return TRUE;
    rp_filling_reach(&reader->filling, page->keys.next_cursor);
    rp_filling_note_progress(&reader->filling, page->keys.next_cursor, page->wishes->len, n_mapped);
    adapt_page_size(reader, n_bytes, page->wishes->len);
    return TRUE;
}

/* Asks for the page after this one, unless it is the last. */
static void request_after(Reader *reader, const Page *page) {
    if (page->keys.next_cursor != 0)
        rp_fetch_send_scan(reader->fetch, page->keys.next_cursor, reader->match, reader->page_keys);
}

static gboolean read_pass(Reader *reader, guint64 cursor, GError **error) {
    rp_fetch_send_scan(reader->fetch, cursor, reader->match, reader->page_keys);
    if (!rp_fetch_receive_page(reader->fetch, &reader->pages[0].keys, error))
        return FALSE;
    request_after(reader, &reader->pages[0]);
    send_reads(reader, &reader->pages[0]);
    for (guint turn = 0;; turn++) {
        Page *page = &reader->pages[turn % N_PAGES];
        Page *next = &reader->pages[(turn + 1) % N_PAGES];
        const gboolean is_last = page->keys.next_cursor == 0;
        /* The next page's keys were asked for before this page's records, so they come first. */
        if (!is_last && !rp_fetch_receive_page(reader->fetch, &next->keys, error))
            return FALSE;
        if (!is_last) {
            request_after(reader, next);
            send_reads(reader, next);
        }
        if (!rp_fetch_flush(reader->fetch, error) || !take_page(reader, page, error))
            return FALSE;
        const gboolean is_end = is_last || is_stopping(reader);
        if (is_end || rp_filling_is_full(&reader->filling))
            rp_filling_close(&reader->filling);
        if (is_end)
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

static gboolean open_fetch(Reader *reader, GError **error) {
    const RpLoadOptions *options = reader->crew->options;
    reader->fetch =
        rp_fetch_new(options->redis, options->max_value_bytes, &reader->crew->is_cancelled, error);
    return reader->fetch != NULL;
}

/* Redis was started anew in the middle: what it has now is read from the beginning of the pass, by another
 * attempt. Nothing is under way then. */
static gboolean begin_again(Reader *reader, GError **error) {
    RpCrew *crew = reader->crew;
    if (reader->filling.batch != NULL)
        rp_queue_push(crew->pool, g_steal_pointer(&reader->filling.batch));
    rp_fetch_free(g_steal_pointer(&reader->fetch));
    rp_fetch_free(g_steal_pointer(&reader->rest));
    if (!rp_queue_wait_for(crew->pool, crew->n_batches))
        return TRUE; /* somebody failed, and has said so */
    return rp_crew_begin_again(crew, error) && open_fetch(reader, error);
}

/* Reads the pass, from the place where the attempt begins if that is in it. */
static gboolean read_pass_of(Reader *reader, GError **error) {
    const RpAttempt *attempt = &reader->crew->attempt;
    for (;;) {
        g_autoptr(GError) trouble = NULL;
        const gboolean is_here = attempt->pass == reader->pass;
        const guint64 cursor = is_here ? attempt->cursor : 0;
        rp_filling_begin(&reader->filling, reader->pass, cursor, is_here ? attempt->first_batch : 0);
        if (read_pass(reader, cursor, &trouble))
            return TRUE;
        if (!g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RESTARTED)) {
            g_propagate_error(error, g_steal_pointer(&trouble));
            return FALSE;
        }
        if (!begin_again(reader, error))
            return FALSE;
        if (is_stopping(reader))
            return TRUE;
    }
}

static gboolean read_all(Reader *reader, GError **error) {
    RpCrew *crew = reader->crew;
    for (reader->pass = crew->attempt.pass; reader->pass < crew->n_passes && !is_stopping(reader);
         reader->pass++) {
        if (reader->pass > 0 && !has_entities(reader))
            continue;
        g_free(reader->match);
        reader->match = match_for(reader);
        if (!read_pass_of(reader, error))
            return FALSE;
        if (!rp_queue_wait_for(crew->pool, crew->n_batches))
            return TRUE; /* somebody failed, and has said so */
        rp_event_note(RP_EVENT_PASS_ENDED);
    }
    return TRUE;
}

static void reader_init(Reader *reader, RpCrew *crew) {
    const GPtrArray *entities = crew->options->mapping->entities;
    *reader = (Reader){.crew = crew,
                       .filling = {.crew = crew},
                       .page_keys = MIN(crew->options->batch_rows, RP_MAX_PAGE_KEYS / 4)};
    reader->reads = g_new0(RpRead, entities->len);
    reader->counts = g_new0(guint, entities->len);
    for (guint i = 0; i < entities->len; i++) {
        reader->reads[i] = rp_wanted_read(crew->options->mapping, i);
        reader->counts[i] = RP_FIRST_WINDOW;
    }
    for (guint i = 0; i < N_PAGES; i++) {
        rp_key_page_init(&reader->pages[i].keys);
        reader->pages[i].wishes = g_array_new(FALSE, FALSE, sizeof(RpWish));
    }
}

static void reader_clear(Reader *reader) {
    rp_fetch_free(reader->fetch);
    rp_fetch_free(reader->rest);
    g_free(reader->reads);
    g_free(reader->counts);
    g_free(reader->match);
    for (guint i = 0; i < N_PAGES; i++) {
        rp_key_page_clear(&reader->pages[i].keys);
        g_array_unref(reader->pages[i].wishes);
    }
}

gpointer rp_reader_thread(gpointer data) {
    RpCrew *crew = data;
    Reader reader;
    reader_init(&reader, crew);
    GError *error = NULL;
    if (!open_fetch(&reader, &error) || !read_all(&reader, &error))
        rp_crew_fail(crew, error, FALSE);
    if (reader.filling.batch != NULL) /* broken off by an error: its records are read again next time */
        rp_queue_push(crew->pool, reader.filling.batch);
    rp_queue_close(crew->to_map);
    reader_clear(&reader);
    return NULL;
}
