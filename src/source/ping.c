/* One PING at a time. */
#include "source/ping.h"

struct RpPing {
    const RpRedisAddress *address;
    RpRedisWait wait;
    redisContext *redis; /* NULL: not open */
};

RpPing *rp_ping_new(const RpRedisAddress *address, guint seconds, const gint *is_cancelled) {
    RpPing *ping = g_new0(RpPing, 1);
    *ping = (RpPing){.address = address, .wait = {seconds, is_cancelled}};
    return ping;
}

void rp_ping_free(RpPing *ping) {
    if (ping == NULL)
        return;
    g_clear_pointer(&ping->redis, redisFree);
    g_free(ping);
}

gboolean rp_ping_ask(RpPing *ping, gint64 *took_us, GError **error) {
    const char *const words[] = {"PING"};
    GError *trouble = NULL;
    if (ping->redis == NULL)
        ping->redis = rp_redis_enter(ping->address, &ping->wait, error);
    if (ping->redis == NULL)
        return FALSE;
    const gint64 sent_us = g_get_monotonic_time();
    g_autoptr(redisReply) reply = rp_ask_once(ping->redis, &ping->wait, 1, words, NULL, &trouble);
    *took_us = g_get_monotonic_time() - sent_us;
    if (reply != NULL)
        return TRUE;
    if (trouble != NULL)
        g_propagate_prefixed_error(error, trouble, "Redis: PING: ");
    else
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "Redis: PING: %s", ping->redis->errstr);
    g_clear_pointer(&ping->redis, redisFree);
    return FALSE;
}
