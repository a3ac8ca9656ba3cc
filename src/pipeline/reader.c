/* The reader: SCAN pages to batches of records.
 *
 * 1. Two pages are under way: while the records of one are taken, Redis already works on those of the next,
 *    and the SCAN after it is asked before them.
 * 2. A batch ends with a page, unless the page is far larger than the one before: then the rest of it goes
 * into the next batch, and the position of the first one is the cursor before the page.
 * 3. The first pass sees every key and accounts for it; later passes ask SCAN only for their entities' keys.
 * 4. A pass begins when every batch of the one before is committed: children find their parents. */
#include "pipeline/again.h"
#include "pipeline/key_reader.h"
#include "pipeline/restore.h"

#include "base/error.h"
#include "base/event.h"

#include <string.h>

#define MIN_PAGE_KEYS 10

/* A page under way. */
typedef struct {
    RpKeyPage keys;
    GArray *wishes; /* of RpWish: what is read for it */
    guint n_asked;  /* keys that SCAN was asked for */
} Page;

#define N_PAGES 2

typedef struct {
    RpCrew *crew;
    RpFilling filling;
    RpKeyReader keys;
    RpFetch *fetch; /* the keys' */
    Page pages[N_PAGES];
    guint pass;
    char *match;     /* for SCAN, or NULL */
    guint page_keys; /* COUNT of the next SCAN */
} Reader;

static const RpEntity *entity_at(const Reader *reader, guint entity) {
    return g_ptr_array_index(reader->crew->options->mapping->entities, entity);
}

static gboolean is_of_pass(const Reader *reader, guint entity) {
    return rp_crew_is_of_pass(reader->crew, entity, reader->pass);
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
            const RpWish wish = {key, entity, rp_key_reader_send(&reader->keys, entity, span)};
            g_array_append_val(page->wishes, wish);
        }
    if (page->wishes->len > page->n_asked)
        rp_throttle_count(reader->keys.throttle, page->wishes->len - page->n_asked);
}

static void adapt_page_size(Reader *reader, gsize n_bytes, guint n_records) {
    if (n_records == 0)
        return;
    const gsize fitting = rp_filling_page_bytes(reader->crew->options) / MAX(n_bytes / n_records, 1);
    const guint most = MIN(reader->crew->options->batch_rows, RP_MAX_PAGE_KEYS);
    reader->page_keys = (guint)CLAMP(fitting, MIN(MIN_PAGE_KEYS, most), most);
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
        RpWish *wish = &g_array_index(page->wishes, RpWish, i);
        const RpSpan key = rp_key_page_get(&page->keys, wish->key);
        gsize n_key_bytes;
        if ((i > 0 && !rp_filling_make_room_in_page(&reader->filling, error)) ||
            !rp_key_reader_take(&reader->keys, wish->entity, &wish->window, key, &n_key_bytes, error))
            return FALSE;
        n_bytes += n_key_bytes;
    }
    if (is_stopping(reader) && reader->keys.rest != NULL) /* perhaps in the middle of a key */
        return TRUE;
    rp_filling_reach(&reader->filling, page->keys.next_cursor);
    rp_filling_note_progress(&reader->filling, page->keys.next_cursor, page->wishes->len, n_mapped);
    adapt_page_size(reader, n_bytes, page->wishes->len);
    return TRUE;
}

static void request(Reader *reader, guint64 cursor, Page *page) {
    page->n_asked = rp_throttle_fit(reader->keys.throttle, reader->page_keys);
    rp_key_reader_await(&reader->keys, page->n_asked);
    rp_fetch_send_scan(reader->fetch, cursor, reader->match, page->n_asked);
}

/* Asks for the page after this one, unless it is the last. */
static void request_after(Reader *reader, const Page *page, Page *after) {
    if (page->keys.next_cursor != 0)
        request(reader, page->keys.next_cursor, after);
}

static gboolean read_pass(Reader *reader, guint64 cursor, GError **error) {
    request(reader, cursor, &reader->pages[0]);
    if (!rp_fetch_receive_page(reader->fetch, &reader->pages[0].keys, error))
        return FALSE;
    request_after(reader, &reader->pages[0], &reader->pages[1]);
    send_reads(reader, &reader->pages[0]);
    for (guint turn = 0;; turn++) {
        Page *page = &reader->pages[turn % N_PAGES];
        Page *next = &reader->pages[(turn + 1) % N_PAGES];
        const gboolean is_last = page->keys.next_cursor == 0;
        /* The next page's keys were asked for before this page's records, so they come first. */
        if (!is_last && !rp_fetch_receive_page(reader->fetch, &next->keys, error))
            return FALSE;
        if (!is_last) {
            request_after(reader, next, page); /* whose records are taken before it comes */
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

/* After the first pass of a bulk load the tables get their keys back, and what did not fit is merged. */
static gboolean read_keys_of_pass(Reader *reader, guint64 cursor, GError **error) {
    const RpCrew *crew = reader->crew;
    const gboolean is_again = crew->strategy == RP_STRATEGY_BULK && reader->pass > 0;
    return is_again ? rp_again_read(reader->crew, &reader->keys, reader->pass, cursor, error)
                    : read_pass(reader, cursor, error);
}

static gboolean restore(const Reader *reader, GError **error) {
    RpCrew *crew = reader->crew;
    const RpLoadOptions *options = crew->options;
    const RpRestore restore = {.postgres = options->postgres,
                               .mapping = options->mapping,
                               .n_connections = options->n_writers,
                               .by_run = crew->attempt.run,
                               .by_attempt = crew->attempt.number,
                               .timeout_seconds = options->timeout_seconds,
                               .retry_seconds = options->retry_seconds,
                               .is_stopping = &crew->is_stopping,
                               .is_cancelled = &crew->is_cancelled};
    RpRestored restored;
    if (!rp_restore_run(&restore, crew->attempt.run, &restored, error))
        return FALSE;
    g_mutex_lock(&crew->mutex);
    crew->progress.rejects = restored.n_rejects;
    g_mutex_unlock(&crew->mutex);
    return TRUE;
}

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

/* The process that the attempt was begun for must answer. */
static gboolean open_keys(Reader *reader, GError **error) {
    if (reader->fetch != NULL)
        return TRUE;
    const gboolean is_open = rp_key_reader_open(&reader->keys, reader->crew, &reader->filling, error);
    reader->fetch = reader->keys.fetch;
    return is_open;
}

/* Redis was started anew: what it has now is read from the beginning of the pass, by another attempt. Nothing
 * is under way then. */
static gboolean begin_again(Reader *reader, GError **error) {
    RpCrew *crew = reader->crew;
    if (reader->filling.batch != NULL)
        rp_queue_push(crew->pool, g_steal_pointer(&reader->filling.batch));
    rp_key_reader_clear(&reader->keys);
    reader->keys = (RpKeyReader){0};
    reader->fetch = NULL;
    if (!rp_queue_wait_for(crew->pool, crew->n_batches))
        return TRUE; /* somebody failed, and has said so */
    return rp_crew_begin_again(crew, error);
}

/* Reads the pass, from the place where the attempt begins if that is in it. */
static gboolean read_pass_of(Reader *reader, GError **error) {
    const RpAttempt *attempt = &reader->crew->attempt;
    while (!is_stopping(reader)) {
        g_autoptr(GError) trouble = NULL;
        const gboolean is_here = attempt->pass == reader->pass;
        const guint64 cursor = is_here ? attempt->cursor : 0;
        rp_filling_begin(&reader->filling, reader->pass, cursor, is_here ? attempt->first_batch : 0);
        if (open_keys(reader, &trouble) && read_keys_of_pass(reader, cursor, &trouble))
            return TRUE;
        if (reader->crew->feed->is_survey ||
            !g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RESTARTED)) {
            g_propagate_error(error, g_steal_pointer(&trouble));
            return FALSE;
        }
        if (!begin_again(reader, error))
            return FALSE;
    }
    return TRUE;
}

/* Called before each pass: those before it are committed. */
static gboolean prepare_pass(Reader *reader, gboolean *is_restored, GError **error) {
    if (reader->crew->strategy != RP_STRATEGY_BULK || reader->pass == 0 || *is_restored)
        return TRUE;
    return *is_restored = restore(reader, error);
}

static gboolean read_all(Reader *reader, GError **error) {
    RpCrew *crew = reader->crew;
    gboolean is_restored = FALSE;
    for (reader->pass = crew->attempt.pass; reader->pass < crew->n_passes && !is_stopping(reader);
         reader->pass++) {
        if (!prepare_pass(reader, &is_restored, error))
            return FALSE;
        if (reader->pass > 0 && !has_entities(reader))
            continue;
        g_free(reader->match);
        reader->match = match_for(reader);
        if (!read_pass_of(reader, error))
            return FALSE;
        if (!rp_queue_wait_for(crew->pool, crew->n_batches))
            return TRUE; /* somebody failed, and has said so */
        if (is_stopping(reader))
            return TRUE;
        rp_event_note(RP_EVENT_PASS_ENDED);
    }
    return TRUE;
}

static void reader_init(Reader *reader, RpCrew *crew) {
    *reader = (Reader){.crew = crew,
                       .filling = {.crew = crew},
                       .page_keys = MIN(crew->options->batch_rows, RP_MAX_PAGE_KEYS / 4)};
    for (guint i = 0; i < N_PAGES; i++) {
        rp_key_page_init(&reader->pages[i].keys);
        reader->pages[i].wishes = g_array_new(FALSE, FALSE, sizeof(RpWish));
    }
}

static void reader_clear(Reader *reader) {
    rp_key_reader_clear(&reader->keys);
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
    if (!read_all(&reader, &error))
        rp_crew_fail(crew, error, FALSE);
    if (reader.filling.batch != NULL) /* broken off by an error: its records are read again next time */
        rp_queue_push(crew->pool, reader.filling.batch);
    rp_queue_close(crew->to_map);
    reader_clear(&reader);
    return NULL;
}
