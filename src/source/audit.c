/* Asking Redis what the judgement in judge.c rests on. */
#include "source/audit.h"

#include "source/info.h"
#include "source/judge.h"

/* Between the two looks from which the rate of writes is taken. */
#define WATCH_MS 500

static const char *const SETTINGS[] = {
    "save",
    "stop-writes-on-bgsave-error",
    "repl-backlog-ttl",
    "client-output-buffer-limit",
    "notify-keyspace-events",
};

/* One name at a time: before version 7 CONFIG GET takes no more. NULL when the first is refused. */
static GHashTable *read_settings(redisContext *redis) {
    g_autoptr(GHashTable) settings = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    for (guint i = 0; i < G_N_ELEMENTS(SETTINGS); i++) {
        const char *const argv[] = {"CONFIG", "GET", SETTINGS[i]};
        g_autoptr(redisReply) reply = rp_redis_command(redis, 3, argv, NULL, NULL);
        if (reply == NULL && i == 0)
            return NULL;
        if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
            reply->element[1]->type == REDIS_REPLY_STRING)
            g_hash_table_insert(settings, (gpointer)SETTINGS[i],
                                g_utf8_make_valid(reply->element[1]->str, -1));
    }
    return g_steal_pointer(&settings);
}

static gboolean is_alive(const redisContext *redis, GError **error) {
    if (redis->err == 0)
        return TRUE;
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "Redis: looking at the server: %s",
                redis->errstr);
    return FALSE;
}

/* The server's version, 0 where INFO is refused. */
static guint read_major_version(redisContext *redis) {
    g_autoptr(GHashTable) info = rp_redis_info_read(redis, NULL);
    return info != NULL ? rp_redis_major_version(info) : 0;
}

/* Nothing but the looks themselves is sent while the rate of writes is taken. */
static void watch(redisContext *redis, RpRedisFacts *facts) {
    const gint64 start = g_get_monotonic_time();
    facts->info = rp_redis_info_read(redis, NULL);
    if (facts->info == NULL)
        return;
    g_usleep(WATCH_MS * G_TIME_SPAN_MILLISECOND);
    facts->later = rp_redis_info_read(redis, NULL);
    facts->elapsed_ms = (g_get_monotonic_time() - start) / G_TIME_SPAN_MILLISECOND;
}

static void note_reachable(redisContext *redis, const RpRedisAddress *address, RpFindings *findings) {
    const char *const argv[] = {"DBSIZE"};
    g_autofree char *place = rp_redis_address_show(address);
    g_autofree char *version = rp_redis_info_field(redis, "server", "redis_version", NULL);
    g_autoptr(redisReply) size = rp_redis_command(redis, 1, argv, NULL, NULL);
    g_autofree char *keys =
        size != NULL ? g_strdup_printf(", %lld keys", size->integer) : g_strdup(", which tells no size");
    rp_findings_add(findings, RP_SEVERITY_NOTE, "redis_reachable", "Redis", NULL, "version %s at %s%s",
                    version != NULL ? version : "unknown", place, keys);
}

gboolean rp_redis_audit(redisContext *redis, const RpRedisAddress *address, const RpRedisNeed *needs,
                        guint n_needs, guint64 *data_bytes, RpFindings *findings, GError **error) {
    RpRedisFacts facts = {0};
    note_reachable(redis, address, findings);
    const guint major = read_major_version(redis);
    facts.may_not_follow = !rp_redis_probe(redis, address->user, major, needs, n_needs, findings);
    facts.settings = read_settings(redis);
    watch(redis, &facts);
    g_autoptr(GHashTable) settings = facts.settings;
    g_autoptr(GHashTable) info = facts.info;
    g_autoptr(GHashTable) later = facts.later;
    *data_bytes = info != NULL ? rp_redis_info_number(info, "used_memory_dataset") : 0;
    if (!is_alive(redis, error))
        return FALSE;
    if (info != NULL)
        rp_redis_judge(&facts, findings);
    return TRUE;
}
