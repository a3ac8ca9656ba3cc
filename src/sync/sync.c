/* A sync from its beginning to its end: all keys where they have to be read, then changes, and again.
 *
 * 1. The capture is attached before anything is read, and stays attached while all keys are read.
 * 2. That there is a gap is on record before the checkpoint could pass it, and until all keys were read.
 * 3. A checkpoint is good for the mapping that it was made with, and for the history that it is a place in.
 * 4. What fails for a trouble that passes is done again, whole: reading all keys as well as following them.
 */
#include "sync/sync.h"

#include "base/error.h"
#include "base/log.h"
#include "base/outage.h"
#include "ledger/following.h"
#include "ledger/lock.h"
#include "pipeline/signals.h"
#include "sink/trouble.h"
#include "source/info.h"
#include "sync/parts.h"
#include "sync/steps.h"

#include <string.h>

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
    RpFollowing following;
    char *source;
} Sync;

static gboolean is_interrupted(GError **error) {
    if (!rp_signals_were_seen())
        return FALSE;
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                "interrupted by a signal; what is committed stands, and sync goes on from its checkpoint");
    return TRUE;
}

/* ---- the ledger ---- */

/* The lock is looked at, and left to the runs: nobody else follows while this is written. */
static gboolean put_on_record(Sync *sync, const char *reason, GError **error) {
    const RpLoadOptions *load = sync->parts.options->load;
    g_autoptr(PGconn) connection = rp_postgres_await(load->postgres, load->retry_seconds, error);
    if (connection == NULL || !rp_ledger_lock(connection, error))
        return FALSE;
    const gboolean is_written =
        reason != NULL ? rp_following_begin(connection, load->mapping, sync->source, sync->result->capture,
                                            reason, error)
                       : rp_following_take_over(connection, sync->source, sync->result->capture, error);
    rp_ledger_unlock(connection);
    return is_written;
}

static gboolean read_record(Sync *sync, GError **error) {
    const RpLoadOptions *load = sync->parts.options->load;
    g_autoptr(PGconn) connection = rp_postgres_await(load->postgres, load->retry_seconds, error);
    if (connection == NULL || !rp_ledger_lock(connection, error))
        return FALSE;
    const gboolean is_read = rp_following_read(connection, &sync->following, error);
    rp_ledger_unlock(connection);
    return is_read;
}

/* Whoever captures waits for a Redis that is away, for as long as troubles may last. */
static gboolean await_capture(Sync *sync, GError **error) {
    RpSyncParts *parts = &sync->parts;
    for (;;) {
        g_mutex_lock(&parts->mutex);
        GError *trouble = parts->error != NULL ? g_error_copy(parts->error) : NULL;
        const gboolean is_attached = parts->run_id != NULL;
        g_mutex_unlock(&parts->mutex);
        if (trouble != NULL) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        if (is_attached)
            return TRUE;
        if (is_interrupted(error))
            return FALSE;
        g_usleep(SETTLE_MS * 1000);
    }
}

/* ---- gaps ---- */

static gboolean note_gap(const Sync *sync, const char *reason, GError **error) {
    const RpLoadOptions *load = sync->parts.options->load;
    g_autoptr(PGconn) connection = rp_postgres_await(load->postgres, load->retry_seconds, error);
    return connection != NULL && rp_following_has_gap(connection, reason, error);
}

static gboolean note_all_read(Sync *sync, const RpStreamPlace *place, GError **error) {
    const RpLoadOptions *load = sync->parts.options->load;
    g_autoptr(PGconn) connection = rp_postgres_await(load->postgres, load->retry_seconds, error);
    if (connection == NULL || !rp_following_has_read_all(connection, place, error))
        return FALSE;
    g_mutex_lock(&sync->parts.mutex);
    sync->parts.committed = *place;
    g_mutex_unlock(&sync->parts.mutex);
    return TRUE;
}

static gboolean read_all(Sync *sync, const char *reason, guint64 number, const RpStreamPlace *place,
                         GError **error) {
    RpSyncParts *parts = &sync->parts;
    rp_log(RP_LOG_INFO, "all keys are read: %s", reason);
    if (!note_gap(sync, reason, error))
        return FALSE;
    g_clear_pointer(&sync->result->load, rp_run_summary_free);
    g_atomic_int_set(&parts->is_loading, TRUE);
    const gboolean is_read = rp_rescan(parts, &sync->result->load, error);
    g_atomic_int_set(&parts->is_loading, FALSE);
    if (!is_read || !note_all_read(sync, place, error))
        return FALSE;
    rp_touched_close_gap(parts->touched, number);
    sync->result->n_rescans++;
    return TRUE;
}

/* The process that was read is gone: the capture attaches to the new one, and opens another gap where it has
 * to. */
static gboolean is_restart(const GError *trouble) {
    return g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RESTARTED) ||
           g_error_matches(trouble, RP_STOP_ERROR, RP_STOP_ERROR_RESTARTED);
}

static gboolean close_gaps(Sync *sync, GError **error) {
    for (;;) {
        guint64 number;
        RpStreamPlace place;
        g_autofree char *reason = rp_touched_find_gap(sync->parts.touched, &number, &place);
        if (reason == NULL)
            return TRUE;
        GError *trouble = NULL;
        if (is_interrupted(error))
            return FALSE;
        if (read_all(sync, reason, number, &place, &trouble))
            continue;
        if (!is_restart(trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        g_error_free(trouble);
        if (!await_capture(sync, error))
            return FALSE;
    }
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
static gboolean recover(RpOutage *outage, GError *trouble, GError **error) {
    if (rp_trouble_passes(trouble))
        return rp_outage_wait(outage, trouble, TRUE, NULL, error);
    g_propagate_error(error, trouble);
    return FALSE;
}

static gboolean follow_on(Sync *sync, GError **error) {
    gboolean is_caught_up = FALSE, is_fine = TRUE;
    RpOutage outage;
    rp_outage_init(&outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK,
                   sync->parts.options->load->retry_seconds);
    while (is_fine && !is_caught_up) {
        GError *trouble = NULL;
        is_fine = await_capture(sync, error);
        if (!is_fine)
            break;
        if (read_and_follow(sync, &is_caught_up, &trouble))
            rp_outage_end(&outage);
        else
            is_fine = recover(&outage, trouble, error);
        is_fine = is_fine && !is_interrupted(error);
        if (is_fine &&
            !is_caught_up) /* another process may have taken the place of the one that is captured */
            g_usleep(SETTLE_MS * 1000);
    }
    rp_outage_clear(&outage);
    return is_fine;
}

static gboolean run(Sync *sync, const RpStreamPlace *place, const char *reason, GError **error) {
    RpSyncParts *parts = &sync->parts;
    g_autoptr(RpWatch) watch =
        rp_watch_new(parts, place, reason, &sync->result->capture, &sync->result->why, error);
    if (watch == NULL || !put_on_record(sync, reason, error))
        return FALSE;
    g_autoptr(RpBeat) beat = rp_beat_new(parts);
    const gboolean is_fine = follow_on(sync, error);
    sync->result->n_parked = parts->n_parked;
    return is_fine;
}

/* ---- the whole ---- */

static void parts_init(RpSyncParts *parts, const RpSyncOptions *options) {
    *parts = (RpSyncParts){.options = options, .in_hand = g_queue_new()};
    parts->touched = rp_touched_new(options->waiting_bytes);
    parts->committed.database = parts->reached.database = -1;
    g_mutex_init(&parts->mutex);
}

static void parts_clear(RpSyncParts *parts) {
    rp_touched_free(parts->touched);
    g_queue_free_full(parts->in_hand, g_free);
    g_free(parts->run_id);
    g_clear_error(&parts->error);
    g_mutex_clear(&parts->mutex);
}

gboolean rp_sync(const RpSyncOptions *options, RpSyncResult *result, GError **error) {
    Sync sync = {.result = result};
    RpStreamPlace place;
    const char *reason = NULL;
    RpSignals signals;
    *result = (RpSyncResult){0};
    rp_sync_set_park_seconds(options->park_seconds);
    parts_init(&sync.parts, options);
    sync.source = rp_redis_address_show(options->load->redis);
    rp_signals_block(&signals);
    gboolean is_fine = read_record(&sync, error) &&
                       rp_place_find(options, &sync.following, sync.source, &place, &reason, error);
    if (is_fine) {
        sync.parts.committed = place;
        is_fine = run(&sync, &place, reason, error);
    }
    rp_signals_unblock(&signals);
    parts_clear(&sync.parts);
    rp_following_clear(&sync.following);
    g_free(sync.source);
    return is_fine;
}
