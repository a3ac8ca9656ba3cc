/* Turning messages of pub/sub into touches of keys. */
#include "source/notification_events.h"

/* Of all the events that Redis sends for a key only this one is no change of it: whoever sets flag m has it.
 */
#define MISS "keymiss"

/* After these the key is not there, unless another event says so. */
static const char *const REMOVALS[] = {"del", "expired", "evicted", "rename_from", "move_from"};

char *rp_notification_events_pattern(int database) {
    return g_strdup_printf("__keyspace@%d__:*", database);
}

static gboolean is_word(const redisReply *reply, const char *word) {
    return reply->type == REDIS_REPLY_STRING &&
           rp_span_equal((RpSpan){reply->str, reply->len}, rp_span(word));
}

static gboolean fail(GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL,
                "Redis: a message that is no keyspace event came on the subscribed connection");
    return FALSE;
}

static gboolean is_removal(RpSpan event) {
    for (guint i = 0; i < G_N_ELEMENTS(REMOVALS); i++)
        if (rp_span_equal(event, rp_span(REMOVALS[i])))
            return TRUE;
    return FALSE;
}

static RpNotificationKind judge(RpSpan key, RpSpan event) {
    const RpSpan probe = RP_SPAN_OF(RP_NOTIFICATION_PROBE_PREFIX);
    if (key.size >= probe.size && memcmp(key.data, probe.data, probe.size) == 0)
        return RP_NOTIFICATION_PROBE;
    return rp_span_equal(event, RP_SPAN_OF(MISS)) ? RP_NOTIFICATION_OTHER : RP_NOTIFICATION_TOUCH;
}

/* ["pmessage", pattern, channel, event]; the channel is the pattern with the key in place of its last byte.
 */
static gboolean parse_message(const redisReply *reply, const char *pattern, RpNotification *notification,
                              GError **error) {
    const redisReply *channel = reply->element[2];
    const redisReply *event = reply->element[3];
    const gsize prefix_size = strlen(pattern) - 1;
    if (!is_word(reply->element[1], pattern) || channel->type != REDIS_REPLY_STRING ||
        event->type != REDIS_REPLY_STRING || channel->len < prefix_size ||
        memcmp(channel->str, pattern, prefix_size) != 0)
        return fail(error);
    const RpSpan key = {channel->str + prefix_size, channel->len - prefix_size};
    const RpSpan name = {event->str, event->len};
    if (key.size > RP_NOTIFICATION_MAX_KEY) {
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
                    "Redis: an event of a key of %" G_GSIZE_FORMAT
                    " bytes: keys of more than %d bytes cannot be followed",
                    key.size, RP_NOTIFICATION_MAX_KEY);
        return FALSE;
    }
    *notification = (RpNotification){judge(key, name), key, name, is_removal(name)};
    return TRUE;
}

gboolean rp_notification_events_parse(const redisReply *reply, const char *pattern,
                                      RpNotification *notification, GError **error) {
    *notification = (RpNotification){.kind = RP_NOTIFICATION_ANSWER};
    /* What PING is refused for (MISCONF) does not concern events. */
    if (reply->type == REDIS_REPLY_ERROR)
        return TRUE;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2)
        return fail(error);
    if (reply->elements == 4 && is_word(reply->element[0], "pmessage"))
        return parse_message(reply, pattern, notification, error);
    return (reply->elements == 3 && is_word(reply->element[0], "psubscribe")) ||
           (reply->elements == 2 && is_word(reply->element[0], "pong")) || fail(error);
}

RpTouch rp_notification_events_touch(const RpNotification *notification) {
    const gboolean has_expired = rp_span_equal(notification->event, RP_SPAN_OF("expired"));
    return (RpTouch){.key = notification->key,
                     .expires_at_ms = has_expired ? RP_EXPIRY_NOW : RP_EXPIRY_UNTOLD,
                     .before = {.database = -1}};
}
