/* A private server, and a session as its replica whose log says what was told. */
#pragma once

#include "base/event.h"
#include "sandbox/sandbox.h"
#include "source/info.h"
#include "source/replication.h"
#include "streaming.h"

#define LIMIT_SECONDS 30

/* A server, and a session with it. */
typedef struct {
    RpSandbox *sandbox;
    RpRedisAddress *address;
    redisContext *redis;
    StreamLog log;
    RpReplication *replication;
    RpStreamPlace place;
} Source;

static const gint never;

static inline void source_clear(Source *source) {
    rp_replication_free(source->replication);
    stream_log_clear(&source->log);
    if (source->redis != NULL)
        redisFree(source->redis);
    g_clear_pointer(&source->address, rp_redis_address_free);
    g_clear_pointer(&source->sandbox, rp_sandbox_stop);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Source, source_clear)

static inline void start(Source *source) {
    static const char *const SETTINGS[] = {"repl-diskless-sync-delay=0", "repl-diskless-load=disabled", NULL};
    const RpSandboxOptions options = {
        .is_without_postgres = TRUE, .redis_databases = 4, .extra_redis_settings = SETTINGS};
    const RpPatience patience = {
        .timeout_seconds = LIMIT_SECONDS, .retry_seconds = 10, .is_cancelled = &never};
    g_autoptr(GError) error = NULL;
    source->sandbox = rp_sandbox_start(&options, &error);
    cr_assert(source->sandbox != NULL, "%s", error != NULL ? error->message : "");
    source->address = rp_redis_address_parse(rp_sandbox_get_redis_url(source->sandbox), NULL);
    source->redis = rp_redis_connect(source->address, LIMIT_SECONDS, &error);
    cr_assert(source->redis != NULL, "%s", error != NULL ? error->message : "");
    const RpCaptureTaker taker = stream_log_taker(&source->log);
    source->replication = rp_replication_new(source->address, &patience, &taker);
}

static inline void command(Source *source, const char *text) {
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    redisReply *reply =
        redisCommandArgv(source->redis, (int)g_strv_length(words), (const char **)words, NULL);
    cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s: %s", text,
              reply != NULL ? reply->str : source->redis->errstr);
    freeReplyObject(reply);
}

static inline GHashTable *info_of(Source *source) {
    GHashTable *info = rp_redis_info_read(source->redis, NULL);
    cr_assert(info != NULL);
    return info;
}

static inline RpReplicationOutcome attach(Source *source, const RpStreamPlace *from) {
    g_autoptr(GError) error = NULL;
    RpReplicationOutcome attachment;
    cr_assert(rp_replication_attach(source->replication, from, &attachment, &source->place, &error), "%s",
              error != NULL ? error->message : "");
    source->log.place = source->place;
    return attachment;
}

/* Follows up to where the server is now, and gives what was told since the last time; the caller frees it. */
static inline char *follow(Source *source) {
    g_autoptr(GHashTable) info = info_of(source);
    g_autoptr(GError) error = NULL;
    StreamLog *log = &source->log;
    log->stops_at = rp_redis_info_number(info, "master_repl_offset");
    log->is_stopping = log->place.offset >= log->stops_at;
    cr_assert(rp_replication_follow(source->replication, &log->is_stopping, &error), "%s",
              error != NULL ? error->message : "");
    char *told = g_strdelimit(g_strdup(g_strchomp(log->text->str)), "\n", ',');
    g_string_truncate(log->text, 0);
    return told;
}

static inline void assert_told(Source *source, const char *what, const char *expected) {
    g_autofree char *told = follow(source);
    cr_assert(strcmp(told, expected) == 0, "%s: %s, not %s", what, told, expected);
}
