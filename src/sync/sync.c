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

/* ---- whose checkpoint it is ---- */

static gboolean check_mapping(const Sync *sync, GError **error) {
    const RpMapping *mapping = sync->parts.options->load->mapping;
    if (strcmp(sync->following.mapping_digest, mapping->digest) == 0)
        return TRUE;
    g_set_error(
        error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
        "the mapping %s is not the one that the checkpoint was made with (%s%s): rows written so far may "
        "not be what it gives. `sync --rescan` reads all keys with the new mapping and goes on from there; "
        "the old mapping goes on without that",
        mapping->path, sync->following.mapping,
        strcmp(sync->following.mapping, mapping->path) == 0 ? ", before it was changed" : "");
    return FALSE;
}

/* A server that follows no earlier history says 0000… (redis: replication.c, clearReplicationId2). */
static gboolean is_same_history(GHashTable *info, const char *replication_id) {
    const gboolean is_none = strspn(replication_id, "0") == strlen(replication_id);
    return !is_none && (strcmp(rp_redis_info_text(info, "master_replid"), replication_id) == 0 ||
                        strcmp(rp_redis_info_text(info, "master_replid2"), replication_id) == 0);
}

/* A promoted replica has another address, and knows the history of the master that it followed. */
static gboolean check_source(const Sync *sync, GError **error) {
    const RpLoadOptions *load = sync->parts.options->load;
    if (strcmp(sync->following.source, sync->source) == 0)
        return TRUE;
    g_autoptr(redisContext) redis =
        rp_redis_await(load->redis, load->timeout_seconds, load->retry_seconds, error);
    g_autoptr(GHashTable) info = redis != NULL ? rp_redis_info_read(redis, error) : NULL;
    if (info == NULL)
        return FALSE;
    if (rp_stream_place_is_set(&sync->following.place) &&
        is_same_history(info, sync->following.place.replication_id))
        return TRUE;
    g_set_error(
        error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
        "the checkpoint is one of Redis at %s, and %s is another server that does not know its history. If "
        "this is the right one now: `sync --rescan` reads all its keys and goes on from there",
        sync->following.source, sync->source);
    return FALSE;
}

/* The place to go on from; unset: there is none, and *reason says why all keys are to be read. */
static gboolean find_place(Sync *sync, RpStreamPlace *place, const char **reason, GError **error) {
    const RpFollowing *following = &sync->following;
    *place = (RpStreamPlace){.database = -1};
    if (!following->exists || sync->parts.options->begins_anew) {
        *reason = following->exists ? "--rescan asked for it" : "nothing was read yet";
        return TRUE;
    }
    if (!check_mapping(sync, error) || !check_source(sync, error))
        return FALSE;
    *reason = following->rescan_reason;
    if (*reason == NULL && !rp_stream_place_is_set(&following->place))
        *reason = "changes were not captured while no sync was running";
    if (*reason == NULL)
        *place = following->place;
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
    gboolean is_fine = read_record(&sync, error) && find_place(&sync, &place, &reason, error);
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
