/* Subscribing, hearing, and knowing whether somebody is still there. */
#include "source/subscription.h"

#include "base/outage.h"
#include "source/info.h"
#include "source/listen.h"

/* A connection is asked for a sign of life after so long a silence. */
#define SILENCE_US (5 * G_USEC_PER_SEC)

/* A message is a key and less than this. */
#define FRAME_BYTES 1024

struct RpSubscription {
    redisContext *redis;
    char *pattern;
    char *run_id;
    gint64 heard_us; /* when something came, in monotonic time */
    gint64 asked_us; /* when a sign of life was asked for; 0: none is awaited */
};

/* Where a pattern is subscribed to, a user's rights must have it letter for letter (redis: acl.c). */
static void explain(const RpRedisAddress *address, const char *pattern, GError **error) {
    if (!g_error_matches(*error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED))
        return;
    GError *why = *error;
    *error = NULL;
    g_set_error(
        error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
        "%s: to hear keyspace events: ACL SETUSER %s +psubscribe +ping &%s (the last since Redis 6.2)",
        why->message, address->user != NULL ? address->user : "default", pattern);
    g_error_free(why);
}

static gboolean subscribe(const RpSubscription *subscription, const RpRedisAddress *address,
                          const RpRedisWait *wait, GError **error) {
    const char *const argv[] = {"PSUBSCRIBE", subscription->pattern};
    GError *why = NULL;
    g_autoptr(redisReply) reply =
        rp_redis_command_for(subscription->redis, wait, REDIS_REPLY_ARRAY, 2, argv, NULL, &why);
    if (reply != NULL)
        return TRUE;
    explain(address, subscription->pattern, &why);
    g_propagate_error(error, why);
    return FALSE;
}

RpSubscription *rp_subscription_new(const RpRedisAddress *address, const RpRedisWait *wait, GError **error) {
    g_autoptr(RpSubscription) subscription = g_new0(RpSubscription, 1);
    subscription->pattern = rp_notification_events_pattern(address->database);
    subscription->redis = rp_redis_enter(address, wait, error);
    if (subscription->redis == NULL)
        return NULL;
    subscription->run_id = rp_redis_info_field_for(subscription->redis, wait, "server", "run_id", error);
    if (subscription->run_id == NULL || !subscribe(subscription, address, wait, error))
        return NULL;
    subscription->heard_us = g_get_monotonic_time();
    return g_steal_pointer(&subscription);
}

void rp_subscription_free(RpSubscription *subscription) {
    if (subscription == NULL)
        return;
    g_clear_pointer(&subscription->redis, redisFree);
    g_free(subscription->pattern);
    g_free(subscription->run_id);
    g_free(subscription);
}

int rp_subscription_get_fd(const RpSubscription *subscription) {
    return subscription->redis->fd;
}

const char *rp_subscription_get_run_id(const RpSubscription *subscription) {
    return subscription->run_id;
}

static gboolean prefix(GError **error) {
    g_prefix_error(error, "Redis: the connection that hears keyspace events: ");
    return FALSE;
}

static gboolean fill(RpSubscription *subscription, GError **error) {
    GError *why = NULL;
    if (rp_listen_fill(subscription->redis, &why))
        return TRUE;
    if (subscription->redis->err == REDIS_ERR_EOF)
        rp_outage_add_words(
            why, " (as it does with who reads too slowly for its client-output-buffer-limit pubsub)");
    g_propagate_error(error, why);
    return prefix(error);
}

gboolean rp_subscription_read(RpSubscription *subscription, RpSubscriptionHear hear, gpointer data,
                              GError **error) {
    if (!fill(subscription, error))
        return FALSE;
    subscription->heard_us = g_get_monotonic_time();
    subscription->asked_us = 0;
    for (;;) {
        g_autoptr(redisReply) reply = NULL;
        RpNotification notification;
        if (!rp_listen_take(subscription->redis, RP_NOTIFICATION_MAX_KEY + FRAME_BYTES, &reply, error))
            return prefix(error);
        if (reply == NULL)
            return TRUE;
        if (!rp_notification_events_parse(reply, subscription->pattern, &notification, error))
            return FALSE;
        if (notification.kind != RP_NOTIFICATION_ANSWER && !hear(&notification, data, error))
            return FALSE;
    }
}

static gboolean ask(RpSubscription *subscription, GError **error) {
    int is_written = 0;
    redisAppendCommand(subscription->redis, "PING");
    while (!is_written)
        if (redisBufferWrite(subscription->redis, &is_written) != REDIS_OK) {
            g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "%s", subscription->redis->errstr);
            return prefix(error);
        }
    subscription->asked_us = g_get_monotonic_time();
    return TRUE;
}

gboolean rp_subscription_tend(RpSubscription *subscription, guint timeout_seconds, GError **error) {
    const gint64 now = g_get_monotonic_time();
    const gint64 timeout_us = (gint64)timeout_seconds * G_USEC_PER_SEC;
    if (subscription->asked_us == 0)
        return now - subscription->heard_us < MIN(SILENCE_US, timeout_us) || ask(subscription, error);
    if (now - subscription->asked_us < timeout_us || rp_listen_has_more(subscription->redis))
        return TRUE;
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "no sign of life within %u s", timeout_seconds);
    return prefix(error);
}
