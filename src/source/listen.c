/* Taking answers off a connection without waiting for them. */
#include "source/listen.h"

#include <poll.h>

gboolean rp_listen_fill(redisContext *redis, GError **error) {
    if (redisBufferRead(redis) == REDIS_OK)
        return TRUE;
    g_set_error(error, RP_SOURCE_ERROR,
                redis->err == REDIS_ERR_PROTOCOL ? RP_SOURCE_ERROR_PROTOCOL : RP_SOURCE_ERROR_LOST, "%s",
                redis->errstr[0] != '\0' ? redis->errstr : "connection lost");
    return FALSE;
}

gboolean rp_listen_has_more(const redisContext *redis) {
    struct pollfd pollfd = {.fd = redis->fd, .events = POLLIN};
    return poll(&pollfd, 1, 0) > 0;
}

gboolean rp_listen_take(redisContext *redis, gsize max_bytes, redisReply **reply, GError **error) {
    void *answer = NULL;
    if (redisGetReplyFromReader(redis, &answer) != REDIS_OK) {
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "%s", redis->errstr);
        return FALSE;
    }
    *reply = answer;
    /* Whole answers are out of the reader's buffer: what is left of it is the beginning of one. */
    if (answer != NULL || redis->reader->len - redis->reader->pos <= max_bytes)
        return TRUE;
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
                "an answer of more than %" G_GSIZE_FORMAT " bytes", max_bytes);
    return FALSE;
}
