/* The feed of a replay: records that earlier runs have refused.
 *
 * 1. All rejects that a record stands for are settled with it: they are in its batch.
 * 2. The list is what stood open when the replay began, less what was settled before it had the lock.
 * 3. A pass begins when every batch of the one before is committed: children find their parents. */
#include "pipeline/replay.h"

#include "base/error.h"
#include "base/event.h"
#include "ledger/batches.h"
#include "pipeline/load_from.h"
#include "pipeline/replay_feed.h"
#include "sink/wait.h"

const RpEntity *rp_replay_feed_entity(const RpReplayFeed *feed) {
    return g_ptr_array_index(feed->crew->options->mapping->entities, feed->entity);
}

gboolean rp_replay_feed_is_stopping(const RpReplayFeed *feed) {
    return g_atomic_int_get(&feed->crew->is_stopping) != 0;
}

/* ---- entries ---- */

static gboolean is_same_key(const RpReplayFeed *feed, RpSpan key) {
    return feed->has_key && rp_span_equal((RpSpan){feed->key.data, feed->key.size}, key);
}

static void note_progress(RpReplayFeed *feed) {
    RpCrew *crew = feed->crew;
    g_mutex_lock(&crew->mutex);
    crew->progress.keys_read++;
    crew->progress.keys_expected = feed->source->selection->n_records;
    g_mutex_unlock(&crew->mutex);
}

void rp_replay_feed_begin(RpReplayFeed *feed, RpSpan key) {
    RpBatch *batch = feed->filling.batch;
    if (!is_same_key(feed, key) && !feed->is_left) {
        batch->keys.scanned++;
        batch->keys.mapped++;
    }
    feed->has_key = !feed->is_left;
    feed->key.size = 0;
    rp_buffer_append(&feed->key, key.data, key.size);
    feed->record = batch->records.index->len;
    note_progress(feed);
}

void rp_replay_feed_add(RpReplayFeed *feed, const RpReplayEntry *entry, gint64 element) {
    guint64 *left = feed->source->selection->left;
    RpBatch *batch = feed->filling.batch;
    const RpSpan key = {feed->key.data, feed->key.size};
    if (!rp_span_equal(key, entry->key)) { /* the record of its key is not in the list */
        left[RP_LEFT_DAMAGED]++;
        return;
    }
    if (feed->is_left)
        left[feed->left]++;
    if (!feed->is_taken)
        return;
    const RpReplay replay = {.reject = entry->reject,
                             .record = feed->record,
                             .n_records = batch->records.index->len - feed->record,
                             .element = element,
                             .read_at_us = feed->source->is_from_source ? 0 : feed->read_at_us};
    g_array_append_val(batch->replays, replay);
}

/* ---- passes ---- */

static gboolean take_entity(RpReplayFeed *feed, GError **error) {
    const gboolean is_anew = feed->source->is_from_source;
    RpReplayPage page = {0};
    gboolean is_fine = TRUE, is_end = FALSE;
    feed->key.size = 0;
    feed->has_key = feed->is_taken = feed->is_left = FALSE;
    while (is_fine && !is_end && !rp_replay_feed_is_stopping(feed)) {
        is_fine = rp_replay_read(feed->source->connection, rp_replay_feed_entity(feed)->name, !is_anew, &page,
                                 error);
        is_end = is_fine && rp_replay_page_size(&page) == 0;
        is_fine = is_fine && (is_anew ? rp_replay_take_keys(feed, &page, error)
                                      : rp_replay_take_records(feed, &page, error));
    }
    rp_replay_page_clear(&page);
    return is_fine;
}

static gboolean take_pass(RpReplayFeed *feed, guint pass, GError **error) {
    const RpCrew *crew = feed->crew;
    rp_filling_begin(&feed->filling, pass, 0, 0);
    for (feed->entity = 0; feed->entity < crew->passes->len; feed->entity++)
        if (g_array_index(crew->passes, guint32, feed->entity) == pass && !take_entity(feed, error))
            return FALSE;
    if (feed->filling.batch == NULL)
        return TRUE;
    if (!rp_replay_feed_is_stopping(feed))
        rp_filling_reach(&feed->filling, 0);
    rp_filling_close(&feed->filling);
    return TRUE;
}

static gboolean take_all(RpReplayFeed *feed, GError **error) {
    const RpCrew *crew = feed->crew;
    PGconn *connection = feed->source->connection;
    if (!rp_replay_refresh(connection, error))
        return FALSE;
    for (guint pass = 0; pass < crew->n_passes && !rp_replay_feed_is_stopping(feed); pass++) {
        if (!take_pass(feed, pass, error))
            return FALSE;
        if (!rp_queue_wait_for(crew->pool, crew->n_batches))
            return TRUE; /* somebody failed, and has said so */
        /* After a stop some batches may have been given up. */
        if (feed->source->is_from_source && !rp_replay_feed_is_stopping(feed) &&
            !rp_replay_settle_late(connection, crew->attempt.run, error))
            return FALSE;
        rp_event_note(RP_EVENT_PASS_ENDED);
    }
    return TRUE;
}

/* An answer of PostgreSQL is waited for as the load says, and no longer than it goes on. */
static gpointer replay_thread(gpointer data) {
    RpCrew *crew = data;
    RpReplayFeed feed = {.crew = crew, .source = crew->feed->data, .filling = {.crew = crew}};
    GError *error = NULL;
    rp_wait_limit(feed.source->connection, crew->options->timeout_seconds, &crew->is_cancelled);
    const gboolean is_open =
        !feed.source->is_from_source || rp_key_reader_open(&feed.keys, crew, &feed.filling, &error);
    if (!is_open || !take_all(&feed, &error))
        rp_crew_fail(crew, error, FALSE);
    if (feed.filling.batch != NULL) /* broken off by an error */
        rp_queue_push(crew->pool, feed.filling.batch);
    rp_wait_limit(feed.source->connection, crew->options->timeout_seconds, NULL);
    rp_queue_close(crew->to_map);
    rp_key_reader_clear(&feed.keys);
    rp_buffer_clear(&feed.key);
    return NULL;
}

gboolean rp_replay(const RpLoadOptions *options, const RpReplaySource *source, RpRunSummary **summary,
                   GError **error) {
    const RpFeed feed = {.kind = "replay",
                         .way_on = "rejects replay goes on with the rest",
                         .read = replay_thread,
                         .data = source,
                         .ledger = &RP_LEDGER_FOR_REPLAY,
                         .source = source->is_from_source ? NULL : source->selection->source};
    return rp_load_from(options, &feed, summary, error);
}
