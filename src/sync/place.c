/* From where a sync goes on, and whether the checkpoint is one of this mapping and this Redis. */
#include "base/error.h"
#include "ledger/following.h"
#include "sink/trouble.h"
#include "source/info.h"
#include "sync/parts.h"

#include <string.h>

static gboolean check_mapping(const RpSyncOptions *options, const RpFollowing *following, GError **error) {
    const RpMapping *mapping = options->load->mapping;
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
static gboolean check_source(const RpSyncOptions *options, const RpFollowing *following, const char *source,
                             GError **error) {
    const RpLoadOptions *load = options->load;
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

gboolean rp_place_find(const RpSyncOptions *options, const RpFollowing *following, const char *source,
                       RpStreamPlace *place, const char **reason, GError **error) {
    *place = (RpStreamPlace){.database = -1};
    if (!following->exists || options->begins_anew) {
        *reason = following->exists ? "--rescan asked for it" : "nothing was read yet";
        return TRUE;
    }
    if (!check_mapping(options, following, error) || !check_source(options, following, source, error))
        return FALSE;
    *reason = following->rescan_reason;
    if (*reason == NULL && !rp_stream_place_is_set(&following->place))
        *reason = "changes were not captured while no sync was running";
    if (*reason == NULL)
        *place = following->place;
    return TRUE;
}
