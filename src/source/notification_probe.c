/* Keys that are written for their events, and the waiting for them.
 *
 * 1. The key's name is new, so that no event of anybody else passes for ours.
 * 2. What can stay behind, if we end in between, expires: keys without an expiry are written and deleted by
 * what is sent at once. */
#include "source/notification_probe.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>

#define MAX_SECONDS 10u
#define POLL_MS     200
#define MAX_WORDS   6

/* Stands in the table for the key. */
static const char KEY[] = "{key}";

typedef struct {
    char class;        /* the flag of notify-keyspace-events */
    const char *event; /* that must come */
    const char *words[MAX_WORDS + 1];
} Step;

/* The first one is enough where the flags are known. */
static const Step STEPS[] = {
    {'$', "set", {"SET", KEY, "1", "PX", "10000"}},
    {'g', "del", {"DEL", KEY}},
    {'h', "hset", {"HSET", KEY, "f", "1"}},
    {0, NULL, {"DEL", KEY}},
    {'l', "rpush", {"RPUSH", KEY, "1"}},
    {0, NULL, {"DEL", KEY}},
    {'s', "sadd", {"SADD", KEY, "1"}},
    {0, NULL, {"DEL", KEY}},
    {'z', "zadd", {"ZADD", KEY, "1", "1"}},
    {0, NULL, {"DEL", KEY}},
    {'t', "xadd", {"XADD", KEY, "1-1", "f", "1"}},
    {0, NULL, {"DEL", KEY}},
    {'x', "expired", {"SET", KEY, "1", "PX", "1"}}, /* goes by being looked at when its time is over */
};
#define N_STEPS_ONE 2

/* What all of them take. */
#define GRANT_ONE     "+set +del"
#define GRANT_CLASSES GRANT_ONE " +get +hset +rpush +sadd +zadd +xadd"

typedef struct {
    RpSubscription *subscription;
    redisContext *redis;
    const char *user;
    const RpRedisWait *wait;
    char *key;
    guint n_steps;
    gboolean has_come[G_N_ELEMENTS(STEPS)]; /* its event, or none is awaited */
} Trial;

/* ---- writing ---- */

static gboolean refuse(const Trial *trial, const Step *step, const char *text, GError **error) {
    const RpSourceError meaning = rp_redis_reply_classify(text);
    g_autofree char *grant = g_strdup_printf("ACL SETUSER %s ~" RP_NOTIFICATION_PROBE_PREFIX "* %s",
                                             trial->user != NULL ? trial->user : "default",
                                             trial->n_steps > N_STEPS_ONE ? GRANT_CLASSES : GRANT_ONE);
    if (meaning == RP_SOURCE_ERROR_REFUSED)
        g_set_error(
            error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
            "Redis: %s: %s: nothing proves that keyspace events arrive as long as no key can be written for "
            "it: %s",
            step->words[0], text, grant);
    else /* a memory that is full may have room again */
        g_set_error(error, RP_SOURCE_ERROR,
                    (int)(g_str_has_prefix(text, "OOM ") ? RP_SOURCE_ERROR_RETRY : meaning),
                    "Redis: %s: %s: no key could be written that would prove that keyspace events arrive",
                    step->words[0], text);
    return FALSE;
}

static void send_step(const Trial *trial, const Step *step) {
    const char *argv[MAX_WORDS];
    int n = 0;
    for (; step->words[n] != NULL; n++)
        argv[n] = step->words[n] == KEY ? trial->key : step->words[n];
    redisAppendCommandArgv(trial->redis, n, argv, NULL);
}

static gboolean lose(const Trial *trial, GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "Redis: writing a key for its event: %s",
                trial->redis->errstr);
    return FALSE;
}

/* The next answer to what was sent. NULL with error. */
static redisReply *receive(const Trial *trial, GError **error) {
    void *reply = NULL;
    for (;;) {
        if (redisGetReplyFromReader(trial->redis, &reply) != REDIS_OK) {
            lose(trial, error);
            return NULL;
        }
        if (reply != NULL)
            return reply;
        if (!rp_ask_await(trial->redis, trial->wait, error))
            return NULL;
        if (redisBufferRead(trial->redis) != REDIS_OK) {
            lose(trial, error);
            return NULL;
        }
    }
}

/* A server of before Redis 5 has no streams, and no event of theirs. */
static gboolean is_unknown(const Step *step, const redisReply *reply) {
    return step->class == 't' && g_str_has_prefix(reply->str, "ERR unknown command");
}

static gboolean write_keys(Trial *trial, GError **error) {
    int is_written = 0;
    for (guint i = 0; i < trial->n_steps; i++)
        send_step(trial, &STEPS[i]);
    while (!is_written)
        if (redisBufferWrite(trial->redis, &is_written) != REDIS_OK)
            return lose(trial, error);
    for (guint i = 0; i < trial->n_steps; i++) {
        g_autoptr(redisReply) reply = receive(trial, error);
        if (reply == NULL)
            return FALSE;
        if (reply->type == REDIS_REPLY_ERROR && !is_unknown(&STEPS[i], reply))
            return refuse(trial, &STEPS[i], reply->str, error);
        trial->has_come[i] |= reply->type == REDIS_REPLY_ERROR || STEPS[i].event == NULL;
    }
    return TRUE;
}

/* ---- hearing ---- */

static gboolean hear(const RpNotification *notification, gpointer data, GError **error) {
    Trial *trial = data;
    (void)error;
    if (notification->kind != RP_NOTIFICATION_PROBE || !rp_span_equal(notification->key, rp_span(trial->key)))
        return TRUE;
    for (guint i = 0; i < trial->n_steps; i++)
        if (STEPS[i].event != NULL && rp_span_equal(notification->event, rp_span(STEPS[i].event)))
            trial->has_come[i] = TRUE;
    return TRUE;
}

static gboolean has_all(const Trial *trial) {
    for (guint i = 0; i < trial->n_steps; i++)
        if (!trial->has_come[i])
            return FALSE;
    return TRUE;
}

/* Reading a key whose time is over makes it expire at once. */
static gboolean press_expiry(const Trial *trial, GError **error) {
    static const Step look = {0, NULL, {"GET", KEY}};
    const char *const argv[] = {"GET", trial->key};
    if (trial->n_steps <= N_STEPS_ONE)
        return TRUE;
    GError *why = NULL;
    g_autoptr(redisReply) reply = rp_ask_once(trial->redis, trial->wait, 2, argv, NULL, &why);
    if (why != NULL) {
        g_propagate_error(error, why);
        return FALSE;
    }
    if (reply == NULL)
        return lose(trial, error);
    return reply->type != REDIS_REPLY_ERROR || refuse(trial, &look, reply->str, error);
}

static gboolean await_events(Trial *trial, GError **error) {
    const gint64 end =
        g_get_monotonic_time() + (gint64)MIN(trial->wait->seconds, MAX_SECONDS) * G_USEC_PER_SEC;
    struct pollfd pollfd = {.fd = rp_subscription_get_fd(trial->subscription), .events = POLLIN};
    int wait_ms = 1; /* after the first time: the key's time is over then */
    while (!has_all(trial) && g_get_monotonic_time() < end) {
        if (g_atomic_int_get(trial->wait->is_cancelled)) {
            g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "stopped while reading Redis");
            return FALSE;
        }
        const int n_ready = poll(&pollfd, 1, wait_ms);
        if (n_ready > 0 && !rp_subscription_read(trial->subscription, hear, trial, error))
            return FALSE;
        if (n_ready == 0 && !press_expiry(trial, error))
            return FALSE;
        if (n_ready == 0)
            wait_ms = MIN(wait_ms * 2, POLL_MS);
    }
    return TRUE;
}

/* ---- the verdict ---- */

static gboolean judge(const Trial *trial, GError **error) {
    g_autoptr(GString) missing = g_string_new(NULL);
    gboolean is_any = FALSE;
    for (guint i = 0; i < trial->n_steps; i++) {
        if (!trial->has_come[i])
            g_string_append_printf(missing, "%s%s (%c)", missing->len > 0 ? ", " : "", STEPS[i].event,
                                   STEPS[i].class);
        is_any = is_any || (trial->has_come[i] && STEPS[i].event != NULL);
    }
    if (missing->len == 0)
        return TRUE;
    if (is_any)
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
                    "Redis: of a key that was written some keyspace events came, and not these: %s. Set "
                    "notify-keyspace-events to \"KA\"; of a managed service, where its settings are",
                    missing->str);
    else
        g_set_error(
            error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
            "Redis: a key was written, and no keyspace event of it came: they are not sent, or not to this "
            "connection (a proxy, another node). Set notify-keyspace-events to \"KA\"; of a managed "
            "service, where its settings are");
    return FALSE;
}

gboolean rp_notification_probe(RpSubscription *subscription, redisContext *redis, const char *user,
                               const RpRedisWait *wait, RpNotificationProbe probe, GError **error) {
    g_autofree char *name = g_uuid_string_random();
    g_autofree char *key = g_strconcat(RP_NOTIFICATION_PROBE_PREFIX, name, NULL);
    Trial trial = {.subscription = subscription,
                   .redis = redis,
                   .user = user,
                   .wait = wait,
                   .key = key,
                   .n_steps = probe == RP_NOTIFICATION_PROBE_ONE ? N_STEPS_ONE : G_N_ELEMENTS(STEPS)};
    return write_keys(&trial, error) && await_events(&trial, error) && judge(&trial, error);
}
