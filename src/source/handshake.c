/* Becoming a replica (https://redis.io/docs/latest/operate/oss_and_stack/management/replication/). */
#include "source/handshake.h"

#include "source/info.h"

#include <string.h>

#define FIRST_MAJOR         5 /* before it scripts are replicated as text */
#define DEFAULT_PING_PERIOD 10
#define MAX_PING_PERIOD     3600
#define MAX_LINE_BYTES      256

static gboolean refuse(const RpReplicaLink *link, const char *why, GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED, "Redis at %s: %s", link->place, why);
    return FALSE;
}

static gboolean doubt(const RpReplicaLink *link, const char *why, GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "Redis at %s: PSYNC: %s", link->place, why);
    return FALSE;
}

static GHashTable *read_info(RpReplicaLink *link, GError **error) {
    const char *const argv[] = {"INFO"};
    g_autoptr(redisReply) reply = rp_replica_link_ask(link, REDIS_REPLY_STRING, 1, argv, error);
    return reply != NULL ? rp_redis_info_parse(reply->str) : NULL;
}

static gboolean check_server(const RpReplicaLink *link, GHashTable *info, GError **error) {
    const guint64 major = g_ascii_strtoull(rp_redis_info_text(info, "redis_version"), NULL, 10);
    if (rp_redis_info_number(info, "cluster_enabled") == 1)
        return refuse(link,
                      "it is a node of a cluster, which has only part of the keys: sync follows single "
                      "servers and their replicas",
                      error);
    if (major == 0)
        return refuse(link, "INFO does not tell its version: it is not Redis, or it hides it", error);
    return major >= FIRST_MAJOR ||
           refuse(link,
                  "it is older than Redis 5, which replicates scripts as text: --capture notify, or a newer "
                  "replica of it",
                  error);
}

/* The master's pings are what comes when nothing else does. */
static void learn_ping_period(RpReplicaLink *link) {
    const char *const argv[] = {"CONFIG", "GET", "repl-ping-replica-period"};
    g_autoptr(redisReply) reply = rp_replica_link_ask(link, REDIS_REPLY_ARRAY, 3, argv, NULL);
    guint64 seconds = DEFAULT_PING_PERIOD;
    if (reply != NULL && reply->elements == 2 && reply->element[1]->type == REDIS_REPLY_STRING)
        g_ascii_string_to_unsigned(reply->element[1]->str, 10, 1, MAX_PING_PERIOD, &seconds, NULL);
    link->silent_seconds = MAX(link->wait.seconds, 2 * (guint)seconds + 1);
}

/* A filter that lets nothing through makes the snapshot an empty one; servers before 7.0 do not know it. */
static gboolean introduce(RpReplicaLink *link, GError **error) {
    const char *const port[] = {"REPLCONF", "listening-port", "0"};
    const char *const abilities[] = {"REPLCONF", "capa", "eof", "capa", "psync2"};
    const char *const filter[] = {"REPLCONF", "rdb-filter-only", ""};
    g_autoptr(GError) unknown = NULL;
    g_autoptr(redisReply) first = rp_replica_link_ask(link, REDIS_REPLY_STATUS, 3, port, error);
    if (first == NULL)
        return FALSE;
    g_autoptr(redisReply) second = rp_replica_link_ask(link, REDIS_REPLY_STATUS, 5, abilities, error);
    if (second == NULL)
        return FALSE;
    g_autoptr(redisReply) third = rp_replica_link_ask(link, REDIS_REPLY_STATUS, 3, filter, &unknown);
    if (third != NULL || !rp_redis_error_passes(unknown))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&unknown));
    return FALSE;
}

static gboolean is_id(const char *text) {
    return strlen(text) == RP_REPLICATION_ID_SIZE &&
           strspn(text, "0123456789abcdefABCDEF") == RP_REPLICATION_ID_SIZE;
}

/* Where the server is now: it goes on from there without a snapshot if it has a backlog. It does not say
 * again which database is selected. */
static gboolean is_place_known(GHashTable *info, RpStreamPlace *place) {
    const char *id = rp_redis_info_text(info, "master_replid");
    if (rp_redis_info_number(info, "repl_backlog_active") != 1 || !is_id(id))
        return FALSE;
    *place = (RpStreamPlace){.offset = rp_redis_info_number(info, "master_repl_offset"), .database = -1};
    g_strlcpy(place->replication_id, id, sizeof place->replication_id);
    return TRUE;
}

static gboolean send_psync(RpReplicaLink *link, const RpStreamPlace *place, GError **error) {
    g_autofree char *offset = place != NULL ? g_strdup_printf("%" G_GUINT64_FORMAT, place->offset + 1) : NULL;
    const char *id = place != NULL ? place->replication_id : "?";
    const char *number = place != NULL ? offset : "-1";
    g_autofree char *command = g_strdup_printf("*3\r\n$5\r\nPSYNC\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n",
                                               strlen(id), id, strlen(number), number);
    return rp_replica_link_send(link, rp_span(command), error);
}

/* The answer's line, before which newlines keep the connection alive. */
static gboolean read_line(RpReplicaLink *link, char line[MAX_LINE_BYTES], GError **error) {
    gsize size = 0;
    for (;;) {
        if (!rp_replica_link_read(link, NULL, error))
            return FALSE;
        const char byte = *link->rest.data++;
        link->rest.size--;
        if (byte == '\n' && size == 0)
            continue;
        if (byte == '\0' || size + 1 == MAX_LINE_BYTES)
            return doubt(link, "the answer has no end", error);
        if (byte == '\n')
            break;
        line[size++] = byte;
    }
    line[size - (line[size - 1] == '\r' ? 1 : 0)] = '\0';
    return TRUE;
}

static gboolean take_refusal(const RpReplicaLink *link, const char *text, GError **error) {
    const RpSourceError meaning = rp_redis_reply_classify(text);
    const gboolean is_unknown = strstr(text, "unknown command") != NULL;
    g_set_error(error, RP_SOURCE_ERROR,
                (int)(meaning == RP_SOURCE_ERROR_REPLY ? RP_SOURCE_ERROR_REFUSED : meaning),
                "Redis at %s: PSYNC: %s%s", link->place, text,
                is_unknown ? " (a service that forbids replicas: --capture notify)" : "");
    return FALSE;
}

static gboolean take_full(const RpReplicaLink *link, char **words, RpStreamPlace *place, GError **error) {
    *place = (RpStreamPlace){.database = -1};
    if (g_strv_length(words) != 3 || !is_id(words[1]) ||
        !g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXINT64, &place->offset, NULL))
        return doubt(link, "+FULLRESYNC without a history's id and an offset", error);
    g_strlcpy(place->replication_id, words[1], sizeof place->replication_id);
    return TRUE;
}

/* A promoted replica continues the history under an id of its own; the offset goes on. */
static gboolean take_continue(const RpReplicaLink *link, char **words, RpStreamPlace *place, GError **error) {
    if (!rp_stream_place_is_set(place))
        return doubt(link, "+CONTINUE, and nothing was there to be continued", error);
    if (words[1] == NULL)
        return TRUE;
    if (!is_id(words[1]))
        return doubt(link, "+CONTINUE with what is no history's id", error);
    g_strlcpy(place->replication_id, words[1], sizeof place->replication_id);
    return TRUE;
}

static gboolean take_answer(const RpReplicaLink *link, const char *line, RpStreamPlace *place,
                            gboolean *is_full, GError **error) {
    if (line[0] == '-')
        return take_refusal(link, line + 1, error);
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    *is_full = words[0] != NULL && strcmp(words[0], "+FULLRESYNC") == 0;
    if (*is_full)
        return take_full(link, words, place, error);
    if (words[0] != NULL && strcmp(words[0], "+CONTINUE") == 0)
        return take_continue(link, words, place, error);
    return doubt(link, "the answer is neither +FULLRESYNC nor +CONTINUE", error);
}

gboolean rp_handshake(RpReplicaLink *link, const RpStreamPlace *from, RpStreamPlace *place, gboolean *is_full,
                      char **run_id, GError **error) {
    char line[MAX_LINE_BYTES];
    g_autoptr(GHashTable) info = read_info(link, error);
    if (info == NULL || !check_server(link, info, error))
        return FALSE;
    *run_id = g_strdup(rp_redis_info_text(info, "run_id"));
    learn_ping_period(link);
    if (!introduce(link, error))
        return FALSE;
    *place = from != NULL ? *from : (RpStreamPlace){.database = -1};
    const gboolean has_place = rp_stream_place_is_set(place) || is_place_known(info, place);
    return send_psync(link, has_place ? place : NULL, error) && read_line(link, line, error) &&
           take_answer(link, line, place, is_full, error);
}
