/* Connections to Redis: addresses, entering, error replies. */
#include "source/connection.h"

#include "base/error.h"
#include "base/log.h"
#include "base/retry.h"

#include <string.h>

G_DEFINE_QUARK(rp_source_error, rp_source_error)

#define DEFAULT_PORT  6379
#define ENTER_SECONDS 10u /* for each step of connecting */
#define NO_ROOM       "ERR max number of clients reached"

void rp_redis_address_free(RpRedisAddress *address) {
    if (address == NULL)
        return;
    g_free(address->host);
    g_free(address->socket_path);
    g_free(address->user);
    g_free(address->password);
    g_free(address);
}

static gboolean parse_database(const char *text, int *database, GError **error) {
    guint64 number;
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "Redis address: a database number is expected at its end (special characters of a "
                    "password are written as %%XX)");
        return FALSE;
    }
    *database = (int)number;
    return TRUE;
}

static gboolean parse_unix(RpRedisAddress *address, const char *path, const char *query, GError **error) {
    address->socket_path = g_strdup(path);
    if (query == NULL || query[0] == '\0')
        return TRUE;
    if (!g_str_has_prefix(query, "db=")) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "Redis address: only ?db=N may follow the path of a unix:// address");
        return FALSE;
    }
    return parse_database(query + strlen("db="), &address->database, error);
}

RpRedisAddress *rp_redis_address_parse(const char *url, GError **error) {
    g_autoptr(GError) uri_error = NULL;
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_HAS_PASSWORD, &uri_error);
    if (uri == NULL) {
        g_set_error(
            error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
            "the Redis address is no URL: redis://[user:password@]host:port/db or unix:///path.sock?db=N "
            "is expected (special characters of a password are written as %%XX)");
        return NULL;
    }
    g_autoptr(RpRedisAddress) address = g_new0(RpRedisAddress, 1);
    const char *user = g_uri_get_user(uri);
    const char *password = g_uri_get_password(uri);
    address->user = user != NULL && user[0] != '\0' ? g_strdup(user) : NULL;
    address->password = password != NULL && password[0] != '\0' ? g_strdup(password) : NULL;

    if (address->user != NULL && address->password == NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "Redis address: what stands before the @ has no password: redis://user:password@host, or "
                    "redis://:password@host for the default user");
        return NULL;
    }
    const char *scheme = g_uri_get_scheme(uri);
    const char *path = g_uri_get_path(uri);
    if (strcmp(scheme, "rediss") == 0) {
        g_set_error(
            error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
            "rediss:// needs TLS, and this build has none: connect through a tunnel (stunnel, ssh -L) "
            "with redis://");
        return NULL;
    }
    if (g_uri_get_fragment(uri) != NULL || (strcmp(scheme, "redis") == 0 && g_uri_get_query(uri) != NULL)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "Redis address: what follows \"%s\" has no meaning (special characters of a password are "
                    "written as %%XX)",
                    g_uri_get_fragment(uri) != NULL ? "#" : "?");
        return NULL;
    }
    if (strcmp(scheme, "unix") == 0 && (path[0] == '\0' || g_strcmp0(g_uri_get_host(uri), "") > 0)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "Redis address: a path is expected, as in unix:///path.sock?db=N");
        return NULL;
    }
    if (strcmp(scheme, "unix") == 0)
        return parse_unix(address, path, g_uri_get_query(uri), error) ? g_steal_pointer(&address) : NULL;
    if (strcmp(scheme, "redis") != 0) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "Redis address: \"%s://\" is unknown; redis:// and unix:// are known", scheme);
        return NULL;
    }
    const char *host = g_uri_get_host(uri);
    if (host != NULL && strchr(host, '@') != NULL) { /* the end of a password, which is not to be shown */
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "Redis address: more than one @ stands in it: one in a password is written as %%40");
        return NULL;
    }
    address->host = g_strdup(host != NULL && host[0] != '\0' ? host : "127.0.0.1");
    address->port = g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : DEFAULT_PORT;
    if (path[0] == '/' && path[1] != '\0' && !parse_database(path + 1, &address->database, error))
        return NULL;
    return g_steal_pointer(&address);
}

char *rp_redis_address_show(const RpRedisAddress *address) {
    if (address->socket_path != NULL)
        return g_strdup_printf("%s db %d", address->socket_path, address->database);
    return g_strdup_printf("%s:%d db %d", address->host, address->port, address->database);
}

typedef struct {
    const char *word;
    RpSourceError meaning;
} ReplyClass;

static const ReplyClass REPLY_CLASSES[] = {
    {"WRONGTYPE", RP_SOURCE_ERROR_WRONG_TYPE}, {"NOAUTH", RP_SOURCE_ERROR_REFUSED},
    {"WRONGPASS", RP_SOURCE_ERROR_REFUSED},    {"NOPERM", RP_SOURCE_ERROR_REFUSED},
    {"LOADING", RP_SOURCE_ERROR_RETRY},        {"BUSY", RP_SOURCE_ERROR_RETRY},
    {"MISCONF", RP_SOURCE_ERROR_RETRY},        {"READONLY", RP_SOURCE_ERROR_RETRY},
    {"MASTERDOWN", RP_SOURCE_ERROR_RETRY},     {"TRYAGAIN", RP_SOURCE_ERROR_RETRY},
    {"CLUSTERDOWN", RP_SOURCE_ERROR_RETRY},    {"NOMASTERLINK", RP_SOURCE_ERROR_RETRY},
};

RpSourceError rp_redis_reply_classify(const char *text) {
    const gsize word_size = strcspn(text, " ");
    for (guint i = 0; i < G_N_ELEMENTS(REPLY_CLASSES); i++)
        if (strlen(REPLY_CLASSES[i].word) == word_size &&
            strncmp(text, REPLY_CLASSES[i].word, word_size) == 0)
            return REPLY_CLASSES[i].meaning;
    return g_str_has_prefix(text, NO_ROOM) ? RP_SOURCE_ERROR_RETRY : RP_SOURCE_ERROR_REPLY;
}

gboolean rp_redis_error_passes(const GError *error) {
    switch ((RpSourceError)error->code) {
    case RP_SOURCE_ERROR_CONNECT:
    case RP_SOURCE_ERROR_RETRY:
    case RP_SOURCE_ERROR_LOST:
        return TRUE;
    case RP_SOURCE_ERROR_REFUSED:
    case RP_SOURCE_ERROR_WRONG_TYPE:
    case RP_SOURCE_ERROR_PROTOCOL:
    case RP_SOURCE_ERROR_REPLY:
    case RP_SOURCE_ERROR_RESTARTED:
        return FALSE;
    }
    g_assert_not_reached();
}

static redisReply *command(redisContext *redis, const RpRedisWait *wait, int argc, const char *const *argv,
                           const gsize *argv_sizes, GError **error) {
    GError *trouble = NULL;
    g_autoptr(redisReply) reply = rp_ask_once(redis, wait, argc, argv, argv_sizes, &trouble);
    if (trouble != NULL) {
        g_propagate_prefixed_error(error, trouble, "Redis: %s: ", argv[0]);
        return NULL;
    }
    if (reply == NULL) {
        g_set_error(error, RP_SOURCE_ERROR,
                    redis->err == REDIS_ERR_PROTOCOL ? RP_SOURCE_ERROR_PROTOCOL : RP_SOURCE_ERROR_LOST,
                    "Redis: %s: %s", argv[0], redis->errstr[0] != '\0' ? redis->errstr : "connection lost");
        return NULL;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        g_set_error(error, RP_SOURCE_ERROR, (int)rp_redis_reply_classify(reply->str), "Redis: %s: %s",
                    argv[0], reply->str);
        return NULL;
    }
    return g_steal_pointer(&reply);
}

redisReply *rp_redis_command(redisContext *redis, int argc, const char *const *argv, const gsize *argv_sizes,
                             GError **error) {
    return command(redis, NULL, argc, argv, argv_sizes, error);
}

redisReply *rp_redis_command_for(redisContext *redis, const RpRedisWait *wait, int type, int argc,
                                 const char *const *argv, const gsize *argv_sizes, GError **error) {
    g_autoptr(redisReply) reply = command(redis, wait, argc, argv, argv_sizes, error);
    if (reply == NULL || reply->type == type)
        return g_steal_pointer(&reply);
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL,
                "Redis: %s: the answer is not of the kind that the command has", argv[0]);
    return NULL;
}

/* Entering fails for reasons that the operator must mend: whatever Redis says, it refused. */
static gboolean enter(redisContext *redis, const RpRedisWait *wait, int argc, const char *const *argv,
                      const char *secret, GError **error) {
    g_autoptr(GError) why = NULL;
    g_autoptr(redisReply) reply = command(redis, wait, argc, argv, NULL, &why);
    if (reply != NULL)
        return TRUE;
    if (g_error_matches(why, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REPLY))
        why->code = RP_SOURCE_ERROR_REFUSED;
    /* Where AUTH was renamed, Redis answers with the arguments of the command that it does not know. */
    char *arguments = strstr(why->message, ", with args");
    if (secret != NULL && arguments != NULL)
        *arguments = '\0';
    if (secret != NULL && strstr(why->message, secret) != NULL) {
        g_clear_error(&why);
        g_set_error(&why, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED, "Redis: %s: refused", argv[0]);
    }
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean authenticate(redisContext *redis, const RpRedisWait *wait, const RpRedisAddress *address,
                             GError **error) {
    if (address->password == NULL)
        return TRUE;
    const char *const with_user[] = {"AUTH", address->user, address->password};
    const char *const without_user[] = {"AUTH", address->password};
    return address->user != NULL ? enter(redis, wait, 3, with_user, address->password, error)
                                 : enter(redis, wait, 2, without_user, address->password, error);
}

static gboolean select_database(redisContext *redis, const RpRedisWait *wait, const RpRedisAddress *address,
                                GError **error) {
    if (address->database == 0)
        return TRUE;
    g_autofree char *number = g_strdup_printf("%d", address->database);
    const char *const argv[] = {"SELECT", number};
    return enter(redis, wait, 2, argv, NULL, error);
}

/* Shows that we are let in. Where Redis cannot write its snapshots it refuses PING like a write, with
 * MISCONF: reading goes on. */
static gboolean greet(redisContext *redis, const RpRedisWait *wait, GError **error) {
    const char *const ping[] = {"PING"};
    g_autoptr(GError) why = NULL;
    if (enter(redis, wait, 1, ping, NULL, &why) || strstr(why->message, "PING: MISCONF ") != NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static redisContext *connect_to(const RpRedisAddress *address, guint timeout_seconds,
                                const gint *is_cancelled, GError **error) {
    const RpRedisWait entering = {MIN(timeout_seconds, ENTER_SECONDS), is_cancelled};
    const RpRedisWait *wait = is_cancelled != NULL ? &entering : NULL;
    const struct timeval patience = {.tv_sec = (time_t)timeout_seconds};
    const struct timeval timeout = {.tv_sec = (time_t)entering.seconds};
    g_autofree char *place = rp_redis_address_show(address);
    g_autoptr(redisContext) redis = address->socket_path != NULL
                                        ? redisConnectUnixWithTimeout(address->socket_path, timeout)
                                        : redisConnectWithTimeout(address->host, address->port, timeout);
    if (redis == NULL || redis->err != 0) {
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_CONNECT, "Redis at %s: %s", place,
                    redis != NULL ? redis->errstr : "out of memory");
        return NULL;
    }
    redisSetTimeout(redis, timeout);
    if (address->socket_path == NULL)
        redisEnableKeepAlive(redis);
    if (!authenticate(redis, wait, address, error) || !select_database(redis, wait, address, error) ||
        !greet(redis, wait, error)) {
        g_prefix_error(error, "Redis at %s: ", place);
        return NULL;
    }
    redisSetTimeout(redis, patience);
    return g_steal_pointer(&redis);
}

redisContext *rp_redis_connect(const RpRedisAddress *address, guint timeout_seconds, GError **error) {
    return connect_to(address, timeout_seconds, NULL, error);
}

redisContext *rp_redis_enter(const RpRedisAddress *address, const RpRedisWait *wait, GError **error) {
    return connect_to(address, wait->seconds, wait->is_cancelled, error);
}

redisContext *rp_redis_await(const RpRedisAddress *address, guint timeout_seconds, guint retry_seconds,
                             GError **error) {
    RpRetry retry;
    rp_retry_init(&retry, retry_seconds);
    for (;;) {
        g_autoptr(GError) trouble = NULL;
        redisContext *redis = rp_redis_connect(address, timeout_seconds, &trouble);
        if (redis != NULL)
            return redis;
        const gboolean is_busy = g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RETRY);
        if (is_busy && retry.n_waits == 0 && retry_seconds > 0)
            rp_log(RP_LOG_WARNING, "%s: it is waited for, for up to %u s", trouble->message, retry_seconds);
        if (!is_busy || !rp_retry_wait(&retry, NULL)) {
            g_propagate_error(error, g_steal_pointer(&trouble));
            return NULL;
        }
    }
}
