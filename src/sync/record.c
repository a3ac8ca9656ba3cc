/* The checkpoint between two runs.
 *
 * 1. A checkpoint is good for the mapping that it was made with, and for the history that it is a place in.
 * 2. The target's lock is looked at before the record is touched, and left to the runs. */
#include "sync/record.h"

#include "base/error.h"
#include "base/outage.h"
#include "ledger/following.h"
#include "ledger/lock.h"
#include "pipeline/session.h"
#include "sink/trouble.h"
#include "source/info.h"

#include <string.h>

static PGconn *reach(RpSyncParts *parts, GError **error) {
    const RpLoadOptions *load = parts->options->load;
    PGconn *connection = NULL;
    RpOutage outage;
    rp_outage_init(&outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK,
                   load->retry_seconds);
    for (gboolean goes_on = TRUE; goes_on && connection == NULL;) {
        GError *trouble = NULL;
        connection = rp_postgres_connect(load->postgres, &trouble);
        if (connection != NULL) {
            rp_outage_end(&outage);
        } else if (rp_trouble_passes(trouble)) {
            goes_on = rp_outage_wait(&outage, trouble, TRUE, &parts->is_stopping, error);
        } else {
            g_propagate_error(error, trouble);
            goes_on = FALSE;
        }
    }
    rp_outage_clear(&outage);
    if (connection != NULL && !rp_session_make_durable(connection, error))
        g_clear_pointer(&connection, PQfinish);
    return connection;
}

/* Nobody else follows while the record is read or written. */
static PGconn *reach_alone(RpSyncParts *parts, GError **error) {
    g_autoptr(PGconn) connection = reach(parts, error);
    return connection != NULL && rp_ledger_lock(connection, error) ? g_steal_pointer(&connection) : NULL;
}

/* ---- whose checkpoint it is ---- */

static gboolean check_mapping(const RpFollowing *following, const RpMapping *mapping, GError **error) {
    if (strcmp(following->mapping_digest, mapping->digest) == 0)
        return TRUE;
    g_set_error(
        error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
        "the mapping %s is not the one that the checkpoint was made with (%s%s): rows written so far may "
        "not be what it gives. `sync --rescan` reads all keys with the new mapping and goes on from there; "
        "the old mapping goes on without that",
        mapping->path, following->mapping,
        strcmp(following->mapping, mapping->path) == 0 ? ", before it was changed" : "");
    return FALSE;
}

/* A server that follows no earlier history says 0000… (redis: replication.c, clearReplicationId2). */
static gboolean is_same_history(GHashTable *info, const char *replication_id) {
    const gboolean is_none = strspn(replication_id, "0") == strlen(replication_id);
    return !is_none && (strcmp(rp_redis_info_text(info, "master_replid"), replication_id) == 0 ||
                        strcmp(rp_redis_info_text(info, "master_replid2"), replication_id) == 0);
}

/* A promoted replica has another address, and knows the history of the master that it followed. */
static gboolean check_source(const RpFollowing *following, const RpLoadOptions *load, const char *source,
                             GError **error) {
    if (strcmp(following->source, source) == 0)
        return TRUE;
    g_autoptr(redisContext) redis =
        rp_redis_await(load->redis, load->timeout_seconds, load->retry_seconds, error);
    g_autoptr(GHashTable) info = redis != NULL ? rp_redis_info_read(redis, error) : NULL;
    if (info == NULL)
        return FALSE;
    if (rp_stream_place_is_set(&following->place) && is_same_history(info, following->place.replication_id))
        return TRUE;
    g_set_error(
        error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
        "the checkpoint is one of Redis at %s, and %s is another server that does not know its history. If "
        "this is the right one now: `sync --rescan` reads all its keys and goes on from there",
        following->source, source);
    return FALSE;
}

static gboolean find_place(const RpSyncParts *parts, const RpFollowing *following, const char *source,
                           RpStreamPlace *place, char **reason, GError **error) {
    const RpLoadOptions *load = parts->options->load;
    if (!following->exists || parts->options->begins_anew) {
        *reason = g_strdup(following->exists ? "--rescan asked for it" : "nothing was read yet");
        return TRUE;
    }
    if (!check_mapping(following, load->mapping, error) || !check_source(following, load, source, error))
        return FALSE;
    *reason = g_strdup(following->rescan_reason);
    if (*reason == NULL && !rp_stream_place_is_set(&following->place))
        *reason = g_strdup("changes were not captured while no sync was running");
    if (*reason == NULL)
        *place = following->place;
    return TRUE;
}

gboolean rp_record_read(RpSyncParts *parts, const char *source, RpStreamPlace *place, char **reason,
                        GError **error) {
    g_auto(RpFollowing) following = {0};
    g_autoptr(PGconn) connection = reach_alone(parts, error);
    *place = (RpStreamPlace){.database = -1};
    *reason = NULL;
    if (connection == NULL || !rp_following_read(connection, &following, error))
        return FALSE;
    g_atomic_int_set(&parts->is_to_pause, following.is_to_pause);
    rp_ledger_unlock(connection);
    return find_place(parts, &following, source, place, reason, error);
}

/* ---- writing ---- */

gboolean rp_record_begin(RpSyncParts *parts, const char *source, const char *capture, const char *reason,
                         GError **error) {
    const RpMapping *mapping = parts->options->load->mapping;
    g_autoptr(PGconn) connection = reach_alone(parts, error);
    if (connection == NULL ||
        (reason != NULL ? !rp_following_begin(connection, mapping, source, capture, reason, error)
                        : !rp_following_take_over(connection, source, capture, error)))
        return FALSE;
    rp_ledger_unlock(connection);
    return TRUE;
}

gboolean rp_record_gap(RpSyncParts *parts, const char *reason, GError **error) {
    g_autoptr(PGconn) connection = reach(parts, error);
    return connection != NULL && rp_following_has_gap(connection, reason, error);
}

gboolean rp_record_all_read(RpSyncParts *parts, const RpStreamPlace *place, GError **error) {
    g_autoptr(PGconn) connection = reach(parts, error);
    if (connection == NULL || !rp_following_has_read_all(connection, place, error))
        return FALSE;
    g_mutex_lock(&parts->mutex);
    parts->committed = *place;
    g_mutex_unlock(&parts->mutex);
    return TRUE;
}
