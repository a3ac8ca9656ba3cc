/* The load that follows changes: its keys are those that were touched.
 *
 * 1. A key is taken from the set before it is read: what changes after the read touches it again.
 * 2. The place that a flush's last batch carries to the ledger is the one up to which all is written with it.
 * The batches of one writer are committed in their order.
 * 3. What was taken is in hand until it is committed; what a run leaves in hand goes back into the set.
 * 4. Keys are read from the process that is captured, and from no other: one that has taken its place may
 * lack what the stream told. */
#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "ledger/batches.h"
#include "pipeline/key_list.h"
#include "pipeline/load_from.h"
#include "pipeline/writer.h"
#include "sync/parts.h"
#include "sync/steps.h"

#include <string.h>

#define CHECKPOINT_US                                                                                        \
    (5 * G_USEC_PER_SEC) /* how seldom the checkpoint moves when nothing is to be written                    \
                          */
#define IDLE_US (100 * 1000)

/* A key as an entity reads it. */
typedef struct {
    guint key; /* position among those that were taken */
    guint entity;
} Wish;

typedef struct {
    RpSyncParts *parts;
    gboolean is_caught_up;
    RpFeedSteps steps;
    /* Of the reading thread. */
    RpCrew *crew;
    RpFilling filling;
    RpKeyReader reader;
    RpTouchedKeys *keys; /* of the flush that is read: in parts->in_hand */
    guint key;           /* position of the next one to look at, */
    guint entity;        /* the entity to try it with, */
    guint n_wishes;      /* and how many wanted it */
    GArray *wished;      /* of Wish: what was given, in order */
    guint n_taken;       /* of them */
    guint64 n_flushes;
    gint64 checkpoint_us; /* when the last one was given to the writer */
    RpStreamPlace place;  /* that it had */
} Follow;

static gboolean is_stopping(const Follow *follow) {
    return g_atomic_int_get(&follow->crew->is_stopping) != 0;
}

/* ---- keys ---- */

static gboolean wants(const Follow *follow, guint entity, RpSpan key) {
    const RpEntity *wanted = g_ptr_array_index(follow->crew->options->mapping->entities, entity);
    return rp_pattern_match(wanted->keys, key, NULL);
}

/* Whether an entity from follow->entity on wants the key at follow->key. */
static gboolean find_entity(Follow *follow, RpSpan key) {
    const guint n_entities = follow->crew->options->mapping->entities->len;
    while (follow->entity < n_entities && !wants(follow, follow->entity, key))
        follow->entity++;
    return follow->entity < n_entities;
}

/* A key that nothing covers is counted, as in a run. */
static gboolean account_for_unmapped(Follow *follow, RpSpan key, GError **error) {
    if (!rp_filling_open(&follow->filling, error))
        return FALSE;
    rp_filling_account_for(&follow->filling, key);
    return TRUE;
}

static gboolean give_key(guint *entity, RpSpan *key, gboolean *is_end, gpointer data, GError **error) {
    Follow *follow = data;
    for (; follow->key < follow->keys->index->len; follow->key++, follow->entity = follow->n_wishes = 0) {
        *key = rp_touched_keys_get(follow->keys, follow->key);
        if (find_entity(follow, *key)) {
            const Wish wish = {follow->key, follow->entity};
            g_array_append_val(follow->wished, wish);
            *entity = follow->entity++;
            follow->n_wishes++;
            *is_end = FALSE;
            return TRUE;
        }
        if (follow->n_wishes == 0 && !account_for_unmapped(follow, *key, error))
            return FALSE;
    }
    *is_end = TRUE;
    return TRUE;
}

/* A stream may be there without an entry, and gives no record then: its rows are gone as those of a key that
 * was deleted. */
static void note_nothing(RpBatch *batch, guint entity, RpSpan key) {
    RpRecord *record = rp_records_begin(&batch->records, entity, RP_RECORD_STREAM, key);
    record->outcome = RP_READ_VANISHED;
    record->expires_at_ms = RP_EXPIRY_NONE;
}

/* A key that is gone is one that was deleted or one that has expired: the stream may have told. */
static void note_taken(RpBatch *batch, guint32 first_record, gpointer data) {
    Follow *follow = data;
    const Wish *wish = &g_array_index(follow->wished, Wish, follow->n_taken++);
    const RpTouchedKey *key = &g_array_index(follow->keys->index, RpTouchedKey, wish->key);
    if (batch == NULL)
        return;
    if (first_record == batch->records.index->len) {
        note_nothing(batch, wish->entity, rp_touched_keys_get(follow->keys, wish->key));
        return;
    }
    RpRecord *record = &g_array_index(batch->records.index, RpRecord, first_record);
    if (record->outcome == RP_READ_VANISHED && key->expires_at_ms != RP_EXPIRY_UNTOLD)
        record->expires_at_ms = key->expires_at_ms;
}

/* ---- flushes ---- */

/* Gives the flush's last batch to the writer, with the place; there is one also when no key was read. */
static gboolean end_flush(Follow *follow, const RpStreamPlace *place, GError **error) {
    if (!rp_filling_open(&follow->filling, error))
        return FALSE;
    rp_filling_reach(&follow->filling, ++follow->n_flushes);
    follow->filling.batch->checkpoint = *place;
    follow->place = *place;
    follow->checkpoint_us = g_get_monotonic_time();
    rp_filling_close(&follow->filling);
    return TRUE;
}

static gboolean read_keys(Follow *follow, GError **error) {
    const RpKeyList list = {.next = give_key, .taken = note_taken, .data = follow};
    follow->key = follow->entity = follow->n_wishes = follow->n_taken = 0;
    g_array_set_size(follow->wished, 0);
    return rp_key_list_read(&list, &follow->reader, error);
}

static gboolean has_moved(const Follow *follow, const RpStreamPlace *place) {
    return rp_stream_place_is_set(place) &&
           (place->offset != follow->place.offset ||
            strcmp(place->replication_id, follow->place.replication_id) != 0) &&
           g_get_monotonic_time() - follow->checkpoint_us > CHECKPOINT_US;
}

/* What is taken is in hand in the same moment: no place in between seems to be reached. */
static gboolean take(Follow *follow, RpStreamPlace *place, GError **error) {
    RpSyncParts *parts = follow->parts;
    g_autoptr(RpTouchedKeys) keys = rp_touched_keys_new();
    g_mutex_lock(&parts->mutex);
    const gboolean is_taken =
        rp_touched_take(parts->touched, follow->crew->options->batch_rows, keys, place, error);
    follow->keys = NULL;
    if (is_taken && (keys->index->len > 0 || has_moved(follow, place))) {
        follow->keys = g_steal_pointer(&keys);
        g_queue_push_tail(parts->in_hand, follow->keys);
    }
    g_mutex_unlock(&parts->mutex);
    return is_taken;
}

static gboolean flush(Follow *follow, GError **error) {
    RpStreamPlace place;
    if (!take(follow, &place, error))
        return FALSE;
    if (follow->keys == NULL)
        return TRUE;
    if (!read_keys(follow, error))
        return FALSE;
    rp_event_note(RP_EVENT_TOUCHED_READ);
    return is_stopping(follow) || end_flush(follow, &place, error);
}

/* ---- until when ---- */

static gboolean has_gap(const Follow *follow) {
    guint64 number;
    RpStreamPlace place;
    g_autofree char *reason = rp_touched_find_gap(follow->parts->touched, &number, &place);
    return reason != NULL;
}

static gboolean is_captured(const Follow *follow) {
    RpSyncParts *parts = follow->parts;
    g_mutex_lock(&parts->mutex);
    const gboolean is_same = g_strcmp0(parts->run_id, follow->crew->source_run_id) == 0;
    g_mutex_unlock(&parts->mutex);
    return is_same;
}

static gboolean has_nothing_in_hand(RpSyncParts *parts) {
    g_mutex_lock(&parts->mutex);
    const gboolean is_empty = g_queue_is_empty(parts->in_hand);
    g_mutex_unlock(&parts->mutex);
    return is_empty;
}

/* Changes are collected from the first one on. Waits for less when there is nothing to do, so as to see what
 * else may have happened. */
static void await_changes(const Follow *follow) {
    RpTouched *touched = follow->parts->touched;
    const gint64 flush_us = (gint64)follow->parts->options->flush_ms * 1000;
    RpStreamPlace reached;
    gint64 oldest_us;
    if (!rp_touched_wait(touched, 1, g_get_monotonic_time() + IDLE_US))
        return;
    rp_touched_look(touched, &reached, &oldest_us);
    while (oldest_us != 0 && oldest_us + flush_us > g_get_monotonic_time() && !is_stopping(follow)) {
        if (rp_touched_wait(touched, follow->crew->options->batch_rows,
                            MIN(oldest_us + flush_us, g_get_monotonic_time() + IDLE_US)))
            return;
    }
}

static void stay_paused(Follow *follow) {
    RpSyncParts *parts = follow->parts;
    while (g_atomic_int_get(&parts->is_to_pause) && !is_stopping(follow) && !has_gap(follow)) {
        g_atomic_int_set(&parts->is_pausing, has_nothing_in_hand(parts));
        rp_touched_wait(parts->touched, G_MAXUINT64, g_get_monotonic_time() + IDLE_US);
    }
    g_atomic_int_set(&parts->is_pausing, FALSE);
}

static gboolean follow_changes(Follow *follow, GError **error) {
    RpSyncParts *parts = follow->parts;
    rp_filling_begin(&follow->filling, follow->crew->attempt.pass, 0, follow->crew->attempt.first_batch);
    if (!rp_key_reader_open(&follow->reader, follow->crew, &follow->filling, error))
        return FALSE;
    while (!is_stopping(follow) && is_captured(follow) && !has_gap(follow)) {
        stay_paused(follow);
        await_changes(follow);
        if (!flush(follow, error))
            return FALSE;
        if (parts->options->ends_when_caught_up && g_atomic_int_get(&parts->is_caught_up)) {
            follow->is_caught_up = TRUE;
            return TRUE;
        }
    }
    return TRUE;
}

/* ---- the thread ---- */

static gpointer follow_thread(gpointer data) {
    RpCrew *crew = data;
    Follow *follow = (Follow *)crew->feed->data;
    GError *error = NULL;
    follow->crew = follow->filling.crew = crew;
    g_mutex_lock(&follow->parts->mutex);
    follow->parts->run = crew->attempt.run;
    g_mutex_unlock(&follow->parts->mutex);
    if (!follow_changes(follow, &error)) {
        /* Whoever captures will tell what that means. */
        if (g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RESTARTED))
            g_clear_error(&error);
        else
            rp_crew_fail(crew, error, FALSE);
    }
    if (follow->filling.batch != NULL)
        rp_queue_push(crew->pool, follow->filling.batch);
    rp_queue_close(crew->to_map);
    rp_key_reader_clear(&follow->reader);
    return NULL;
}

static void note_written(RpWriter *writer, const RpBatch *batch) {
    RpSyncParts *parts = ((Follow *)writer->crew->feed->data)->parts;
    RP_SYNC_STEPS.written(writer, batch);
    if (!batch->position.is_page_end || !batch->is_whole)
        return;
    g_mutex_lock(&parts->mutex);
    rp_touched_keys_free(g_queue_pop_head(parts->in_hand));
    if (rp_stream_place_is_set(&batch->checkpoint))
        parts->committed = batch->checkpoint;
    if (batch->records.index->len > 0)
        parts->last_commit_us = g_get_real_time();
    g_mutex_unlock(&parts->mutex);
}

/* What was taken and is not committed waits again: the next run begins with it. */
static void give_back(RpSyncParts *parts) {
    g_mutex_lock(&parts->mutex);
    while (!g_queue_is_empty(parts->in_hand)) {
        g_autoptr(RpTouchedKeys) keys = g_queue_pop_tail(parts->in_hand);
        rp_touched_give_back(parts->touched, keys);
    }
    g_mutex_unlock(&parts->mutex);
}

gboolean rp_follow(RpSyncParts *parts, gboolean *is_caught_up, RpRunSummary **summary, GError **error) {
    Follow follow = {.parts = parts, .steps = RP_SYNC_STEPS, .place = parts->committed};
    const RpFeed feed = {.kind = "sync",
                         .way_on = "sync goes on from its checkpoint",
                         .read = follow_thread,
                         .data = &follow,
                         .ledger = &RP_LEDGER_FOR_SYNC,
                         .is_one_pass = TRUE,
                         .needs_expiry = TRUE,
                         .steps = &follow.steps};
    RpLoadOptions load = *parts->options->load;
    load.n_mappers = load.n_writers = 1;
    load.is_resuming = load.is_dry_run = FALSE;
    load.observe = NULL;
    follow.steps.written = note_written;
    follow.wished = g_array_new(FALSE, FALSE, sizeof(Wish));
    g_atomic_int_set(&parts->is_caught_up, FALSE);
    const gboolean is_fine = rp_load_from(&load, &feed, summary, error);
    g_array_unref(follow.wished);
    give_back(parts);
    *is_caught_up = follow.is_caught_up;
    return is_fine;
}
