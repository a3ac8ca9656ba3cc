/* A sync from its beginning to its end: all keys where they have to be read, then changes, and again.
 *
 * 1. The capture is attached before anything is read, and stays attached while all keys are read.
 * 2. That there is a gap is on record before the checkpoint could pass it, and until all keys were read.
 * 3. What fails for a trouble that passes is done again, whole: reading all keys as well as following them.
 * 4. A signal ends it wherever it is: runs watch for signals themselves, what is between them is a step. */
#include "sync/sync.h"

#include "base/error.h"
#include "base/log.h"
#include "base/outage.h"
#include "pipeline/interrupt.h"
#include "sink/trouble.h"
#include "source/connection.h"
#include "sync/parts.h"
#include "sync/record.h"
#include "sync/steps.h"

#define SETTLE_MS 200

void rp_sync_result_clear(RpSyncResult *result) {
    g_clear_pointer(&result->load, rp_run_summary_free);
    g_clear_pointer(&result->run, rp_run_summary_free);
    g_clear_pointer(&result->why, g_free);
}

/* What is kept while a sync runs. */
typedef struct {
    RpSyncParts parts;
    RpSyncResult *result;
    char *source;
    RpWatch *watch;
    RpBeat *beat;
    RpTidy *tidy;
    RpOutage outage; /* of PostgreSQL, between runs */
    GError *trouble;
    /* The gap that is being closed. */
    char *gap;
    guint64 number;
    RpStreamPlace place;
} Sync;

/* ---- steps ---- */

static gboolean is_interrupted(GError **error) {
    if (!rp_signals_were_seen())
        return FALSE;
    g_clear_error(error);
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                "interrupted by a signal; what is committed stands, and sync goes on from its checkpoint");
    return TRUE;
}

typedef gboolean (*Step)(Sync *sync, GError **error);

static gboolean take_step(Sync *sync, Step step, GError **error) {
    RpInterrupt interrupt;
    rp_interrupt_begin(&interrupt, &sync->parts.is_stopping);
    const gboolean is_done = step(sync, error);
    rp_interrupt_end(&interrupt);
    return !is_interrupted(error) && is_done;
}

/* A server that is not there at the beginning is not waited for. */
static gboolean begin(Sync *sync, GError **error) {
    RpSyncParts *parts = &sync->parts;
    RpSyncResult *result = sync->result;
    const RpLoadOptions *load = parts->options->load;
    g_autofree char *reason = NULL;
    g_autoptr(redisContext) redis =
        rp_redis_await(load->redis, load->timeout_seconds, load->retry_seconds, error);
    if (redis == NULL || !rp_record_read(parts, sync->source, &parts->committed, &reason, error))
        return FALSE;
    sync->watch = rp_watch_new(parts, &parts->committed, reason, &result->capture, &result->why, error);
    if (sync->watch == NULL || !rp_record_begin(parts, sync->source, result->capture, reason, error))
        return FALSE;
    sync->beat = rp_beat_new(parts);
    sync->tidy = rp_tidy_new(parts);
    return TRUE;
}

/* What the capture ended with is final. Takes the trouble. */
static gboolean give_up(GError *trouble, GError **error) {
    if (trouble->domain != RP_SOURCE_ERROR || !rp_redis_error_passes(trouble)) {
        g_propagate_error(error, trouble);
        return FALSE;
    }
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                "%s; what is committed stands, and sync goes on from its checkpoint", trouble->message);
    g_error_free(trouble);
    return FALSE;
}

/* Whoever captures waits for a Redis that is away, for as long as troubles may last. */
static gboolean await_capture(Sync *sync, GError **error) {
    RpSyncParts *parts = &sync->parts;
    while (!g_atomic_int_get(&parts->is_stopping)) {
        g_mutex_lock(&parts->mutex);
        GError *trouble = parts->error != NULL ? g_error_copy(parts->error) : NULL;
        const gboolean is_attached = parts->run_id != NULL;
        g_mutex_unlock(&parts->mutex);
        if (trouble != NULL)
            return give_up(trouble, error);
        if (is_attached)
            return TRUE;
        g_usleep(SETTLE_MS * 1000);
    }
    return TRUE;
}

/* A pause holds for reading all keys as for following them. */
static gboolean stay_paused(Sync *sync, GError **error) {
    RpSyncParts *parts = &sync->parts;
    (void)error;
    while (g_atomic_int_get(&parts->is_to_pause) && !g_atomic_int_get(&parts->is_stopping)) {
        g_atomic_int_set(&parts->is_pausing, TRUE);
        g_usleep(SETTLE_MS * 1000);
    }
    g_atomic_int_set(&parts->is_pausing, FALSE);
    return TRUE;
}

static gboolean note_gap(Sync *sync, GError **error) {
    return rp_record_gap(&sync->parts, sync->gap, error);
}

static gboolean note_all_read(Sync *sync, GError **error) {
    return rp_record_all_read(&sync->parts, &sync->place, error);
}

/* ---- gaps ---- */

static gboolean read_all(Sync *sync, GError **error) {
    RpSyncParts *parts = &sync->parts;
    rp_log(RP_LOG_INFO, "all keys are read: %s", sync->gap);
    if (!take_step(sync, note_gap, error) || !take_step(sync, stay_paused, error))
        return FALSE;
    g_clear_pointer(&sync->result->load, rp_run_summary_free);
    g_atomic_int_set(&parts->is_loading, TRUE);
    const gboolean is_read = rp_rescan(parts, &sync->result->load, error);
    g_atomic_int_set(&parts->is_loading, FALSE);
    if (!is_read || !take_step(sync, note_all_read, error))
        return FALSE;
    rp_touched_close_gap(parts->touched, sync->number);
    sync->result->n_rescans++;
    return TRUE;
}

static gboolean has_gap(Sync *sync) {
    g_free(sync->gap);
    sync->gap = rp_touched_find_gap(sync->parts.touched, &sync->number, &sync->place);
    return sync->gap != NULL;
}

/* The process that was read is gone: the capture attaches to the new one, and opens another gap where it has
 * to. */
static gboolean is_restart(const GError *trouble) {
    return g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RESTARTED) ||
           g_error_matches(trouble, RP_STOP_ERROR, RP_STOP_ERROR_RESTARTED);
}

static gboolean close_gaps(Sync *sync, GError **error) {
    while (has_gap(sync)) {
        GError *trouble = NULL;
        if (read_all(sync, &trouble))
            continue;
        if (!is_restart(trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        g_error_free(trouble);
        if (!take_step(sync, await_capture, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- following ---- */

static gboolean read_and_follow(Sync *sync, gboolean *is_caught_up, GError **error) {
    if (!close_gaps(sync, error))
        return FALSE;
    g_clear_pointer(&sync->result->run, rp_run_summary_free);
    return rp_follow(&sync->parts, is_caught_up, &sync->result->run, error);
}

/* What a run meets once it is open it waits for itself; this is what comes between runs. Redis is waited for
 * by the capture. */
static gboolean recover(Sync *sync, GError **error) {
    GError *trouble = g_steal_pointer(&sync->trouble);
    if (rp_trouble_passes(trouble))
        return rp_outage_wait(&sync->outage, trouble, TRUE, &sync->parts.is_stopping, error);
    g_propagate_error(error, trouble);
    return FALSE;
}

static gboolean follow_on(Sync *sync, GError **error) {
    gboolean is_caught_up = FALSE, is_fine = TRUE;
    while (is_fine && !is_caught_up) {
        is_fine = take_step(sync, await_capture, error);
        if (!is_fine)
            break;
        if (read_and_follow(sync, &is_caught_up, &sync->trouble))
            rp_outage_end(&sync->outage);
        else
            is_fine = take_step(sync, recover, error);
        is_fine = is_fine && !is_interrupted(error);
        if (is_fine &&
            !is_caught_up) /* another process may have taken the place of the one that is captured */
            g_usleep(SETTLE_MS * 1000);
    }
    return is_fine;
}

/* ---- the whole ---- */

static void parts_init(RpSyncParts *parts, const RpSyncOptions *options) {
    *parts = (RpSyncParts){.options = options, .in_hand = g_queue_new()};
    parts->touched = rp_touched_new(options->waiting_bytes);
    parts->committed.database = -1;
    g_mutex_init(&parts->mutex);
}

static void free_keys(gpointer keys) {
    rp_touched_keys_free(keys);
}

static void parts_clear(RpSyncParts *parts) {
    rp_touched_free(parts->touched);
    g_queue_free_full(parts->in_hand, free_keys);
    g_free(parts->run_id);
    g_clear_error(&parts->error);
    g_mutex_clear(&parts->mutex);
}

gboolean rp_sync(const RpSyncOptions *options, RpSyncResult *result, GError **error) {
    Sync sync = {.result = result};
    RpSignals signals;
    *result = (RpSyncResult){0};
    rp_sync_set_park_seconds(options->park_seconds);
    parts_init(&sync.parts, options);
    sync.source = rp_redis_address_show(options->load->redis);
    rp_outage_init(&sync.outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK,
                   options->load->retry_seconds);
    rp_signals_block(&signals);
    const gboolean is_fine = take_step(&sync, begin, error) && follow_on(&sync, error);
    rp_tidy_free(sync.tidy);
    rp_beat_free(sync.beat);
    rp_watch_free(sync.watch);
    rp_signals_unblock(&signals);
    result->n_parked = sync.parts.n_parked;
    rp_outage_clear(&sync.outage);
    g_clear_error(&sync.trouble);
    parts_clear(&sync.parts);
    g_free(sync.source);
    g_free(sync.gap);
    return is_fine;
}
