/* The reader of a repair: the keys of its list, as they are now.
 *
 * 1. Rows are deleted before any is written: one of them may hold what another may have but once.
 * 2. A pass begins when every batch of the one before is committed: children find their parents.
 * 3. A reject that was open is settled with the batch that holds all that was read of its key; where that
 * came in several batches, the next run settles it. */
#include "base/event.h"
#include "pipeline/key_list.h"
#include "pipeline/session.h"
#include "reconcile/explain.h"
#include "reconcile/repair.h"
#include "sink/trouble.h"

#define MOST_KEYS_MET 1000000u /* that are remembered, so as not to be read twice */

typedef struct {
    guint key; /* position in the page */
    guint64 reject;
} Open;

typedef struct {
    RpRepair *repair;
    RpCrew *crew;
    PGconn *connection;
    char *source;
    RpFilling filling;
    RpKeyReader keys;
    RpKeySet met; /* keys of units whose keys give many rows */
    guint pass;
    /* Keys of one entity that were taken from the list together. */
    guint unit;
    RpBuffer bytes;
    RpSpan page[RP_KEYS_AHEAD]; /* offsets while the page is filled */
    gsize offsets[RP_KEYS_AHEAD + 1];
    guint n_keys;
    guint next;
    gboolean has_left; /* an entry that belongs to the next page waits in the list's buffer */
    RpSpoolEntry entry;
    gboolean is_end;
    /* Open rejects of the keys that were given, and are not yet taken, in their order. */
    GQueue *waiting; /* of GArray of guint64 */
} Feed;

static gboolean is_stopping(const Feed *feed) {
    return g_atomic_int_get(&feed->crew->is_stopping) != 0;
}

/* ---- pages ---- */

static gboolean is_of_pass(const Feed *feed, guint unit) {
    return unit < feed->crew->passes->len && g_array_index(feed->crew->passes, guint32, unit) == feed->pass;
}

/* A key that has many rows in the list is read once. Too many keys to remember are forgotten: to read one
 * twice only takes time. */
static gboolean is_new(Feed *feed, const RpSuspicion *suspicion) {
    if (!rp_unit_has_many(rp_units_get(feed->repair->own->units, suspicion->unit)))
        return TRUE;
    if (rp_key_set_get_size(&feed->met) >= MOST_KEYS_MET)
        rp_key_set_empty(&feed->met);
    return rp_key_set_add(&feed->met, suspicion->unit, suspicion->name);
}

static gboolean next_entry(Feed *feed, GError **error) {
    if (feed->has_left) {
        feed->has_left = FALSE;
        return TRUE;
    }
    for (;;) {
        if (!rp_spool_next(feed->repair->own->differences.list, &feed->entry, &feed->is_end, error))
            return FALSE;
        if (feed->is_end)
            return TRUE;
        const RpSuspicion suspicion = rp_differences_entry(&feed->entry);
        if (is_of_pass(feed, suspicion.unit) && rp_repair_writes(feed->repair, &suspicion) &&
            is_new(feed, &suspicion))
            return TRUE;
    }
}

static gboolean fill_page(Feed *feed, GError **error) {
    feed->n_keys = feed->next = 0;
    feed->bytes.size = 0;
    while (feed->n_keys < RP_KEYS_AHEAD && !feed->is_end) {
        if (!next_entry(feed, error))
            return FALSE;
        if (feed->is_end)
            break;
        const RpSuspicion suspicion = rp_differences_entry(&feed->entry);
        if (feed->n_keys > 0 && suspicion.unit != feed->unit) {
            feed->has_left = TRUE;
            break;
        }
        feed->unit = suspicion.unit;
        feed->offsets[feed->n_keys++] = feed->bytes.size;
        rp_buffer_append(&feed->bytes, suspicion.name.data, suspicion.name.size);
    }
    feed->offsets[feed->n_keys] = feed->bytes.size;
    for (guint i = 0; i < feed->n_keys; i++)
        feed->page[i] =
            (RpSpan){feed->bytes.data + feed->offsets[i], feed->offsets[i + 1] - feed->offsets[i]};
    return TRUE;
}

/* ---- open rejects ---- */

static void take_open(guint key, guint64 reject, gpointer data) {
    const Open open = {key, reject};
    g_array_append_val((GArray *)data, open);
}

static gboolean ask_open(Feed *feed, GArray *found, GError **error) {
    const RpUnit *unit = rp_units_get(feed->repair->own->units, feed->unit);
    g_array_set_size(found, 0);
    return rp_explain_list(feed->connection, unit->entity->name, feed->source, feed->page, feed->n_keys,
                           take_open, found, error);
}

static gboolean connect(Feed *feed, GError **error) {
    const RpLoadOptions *options = feed->crew->options;
    g_clear_pointer(&feed->connection, PQfinish);
    feed->connection = rp_postgres_await(options->postgres, options->retry_seconds, error);
    if (feed->connection == NULL)
        return FALSE;
    rp_session_limit(feed->connection, options->timeout_seconds, &feed->crew->is_cancelled);
    return rp_postgres_run(feed->connection, "SET jit = off; SET lock_timeout = '10s'", error);
}

/* A server that was away is waited for once. */
static gboolean find_open(Feed *feed, GArray *found, GError **error) {
    GError *trouble = NULL;
    if (ask_open(feed, found, &trouble))
        return TRUE;
    if (!rp_trouble_passes(trouble)) {
        g_propagate_error(error, trouble);
        return FALSE;
    }
    g_error_free(trouble);
    return connect(feed, error) && ask_open(feed, found, error);
}

static gboolean next_page(Feed *feed, GError **error) {
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Open));
    if (!fill_page(feed, error) || (feed->n_keys > 0 && !find_open(feed, found, error)))
        return FALSE;
    for (guint key = 0, at = 0; key < feed->n_keys; key++) {
        GArray *rejects = g_array_new(FALSE, FALSE, sizeof(guint64));
        for (; at < found->len && g_array_index(found, Open, at).key == key; at++)
            g_array_append_val(rejects, g_array_index(found, Open, at).reject);
        g_queue_push_tail(feed->waiting, rejects);
    }
    return TRUE;
}

/* ---- the list, as it is read ---- */

static gboolean give_key(guint *entity, RpSpan *key, gboolean *is_end, gpointer data, GError **error) {
    Feed *feed = data;
    if (feed->next == feed->n_keys && !next_page(feed, error))
        return FALSE;
    *is_end = feed->next == feed->n_keys;
    if (*is_end)
        return TRUE;
    *entity = feed->unit;
    *key = feed->page[feed->next++];
    return TRUE;
}

static void note_progress(const Feed *feed) {
    RpCrew *crew = feed->crew;
    g_mutex_lock(&crew->mutex);
    crew->progress.keys_read++;
    crew->progress.keys_expected = feed->repair->n_to_write;
    g_mutex_unlock(&crew->mutex);
}

static void settle_key(RpBatch *batch, guint32 first_record, gpointer data) {
    Feed *feed = data;
    g_autoptr(GArray) rejects = g_queue_pop_head(feed->waiting);
    note_progress(feed);
    for (guint i = 0; batch != NULL && i < rejects->len; i++) {
        const RpReplay replay = {.reject = g_array_index(rejects, guint64, i),
                                 .record = first_record,
                                 .n_records = batch->records.index->len - first_record,
                                 .element = -1};
        g_array_append_val(batch->replays, replay);
    }
}

/* ---- passes ---- */

static void begin_pass(Feed *feed, guint pass) {
    feed->pass = pass;
    feed->has_left = feed->is_end = FALSE;
    feed->n_keys = feed->next = 0;
    rp_key_set_empty(&feed->met);
    rp_filling_begin(&feed->filling, pass, 0, 0);
}

static gboolean take_pass(Feed *feed, guint pass, GError **error) {
    const RpKeyList list = {.next = give_key, .taken = settle_key, .data = feed};
    begin_pass(feed, pass);
    if (!rp_spool_rewind(feed->repair->own->differences.list, error) ||
        !rp_key_list_read(&list, &feed->keys, error))
        return FALSE;
    if (feed->filling.batch == NULL)
        return TRUE;
    if (!is_stopping(feed))
        rp_filling_reach(&feed->filling, 0);
    rp_filling_close(&feed->filling);
    return TRUE;
}

static gboolean take_all(Feed *feed, GError **error) {
    RpCrew *crew = feed->crew;
    if (!connect(feed, error) ||
        (feed->repair->n_to_delete > 0 && !rp_extras_delete(feed->repair, crew, feed->connection, error)) ||
        !rp_key_reader_open(&feed->keys, crew, &feed->filling, error))
        return FALSE;
    for (guint pass = 0; pass < crew->n_passes && !is_stopping(feed); pass++) {
        if (!take_pass(feed, pass, error))
            return FALSE;
        if (!rp_queue_wait_for(crew->pool, crew->n_batches))
            return TRUE; /* somebody failed, and has said so */
        rp_event_note(RP_EVENT_PASS_ENDED);
    }
    return TRUE;
}

static void free_array(gpointer array) {
    g_array_unref(array);
}

gpointer rp_repair_thread(gpointer data) {
    RpCrew *crew = data;
    g_autofree Feed *feed = g_new0(Feed, 1);
    GError *error = NULL;
    feed->repair = (RpRepair *)crew->feed->data;
    feed->crew = feed->filling.crew = crew;
    feed->source = rp_redis_address_show(crew->options->redis);
    feed->waiting = g_queue_new();
    rp_key_set_init(&feed->met, feed->repair->own->place.seed);
    if (!take_all(feed, &error))
        rp_crew_fail(crew, error, FALSE);
    if (feed->filling.batch != NULL) /* broken off by an error */
        rp_queue_push(crew->pool, feed->filling.batch);
    rp_queue_close(crew->to_map);
    rp_key_reader_clear(&feed->keys);
    rp_key_set_clear(&feed->met);
    g_queue_free_full(feed->waiting, free_array);
    g_clear_pointer(&feed->connection, PQfinish);
    rp_buffer_clear(&feed->bytes);
    g_free(feed->source);
    return NULL;
}
