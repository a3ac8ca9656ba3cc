/* Waiting for an answer in slices. */
#include "source/ask.h"

#include "base/error.h"
#include "source/connection.h"

#include <errno.h>
#include <poll.h>

#define CANCEL_POLL_MS 200

gboolean rp_ask_await(const redisContext *redis, const RpRedisWait *wait, GError **error) {
    struct pollfd pollfd = {.fd = redis->fd, .events = POLLIN};
    const gint64 end = g_get_monotonic_time() + (gint64)wait->seconds * G_USEC_PER_SEC;
    while (g_get_monotonic_time() < end) {
        if (g_atomic_int_get(wait->is_cancelled)) {
            g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "stopped while reading Redis");
            return FALSE;
        }
        const int n_ready = poll(&pollfd, 1, CANCEL_POLL_MS);
        if (n_ready > 0)
            return TRUE;
        if (n_ready < 0 && errno != EINTR) {
            g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "%s", g_strerror(errno));
            return FALSE;
        }
    }
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "no answer within %u s", wait->seconds);
    return FALSE;
}

/* hiredis takes const char ** only because its prototype predates the const that it keeps. */
redisReply *rp_ask_once(redisContext *redis, const RpRedisWait *wait, int argc, const char *const *argv,
                        const gsize *argv_sizes, GError **error) {
    void *reply = NULL;
    int is_written = 0;
    if (wait == NULL)
        return redisCommandArgv(redis, argc, (const char **)argv, argv_sizes);
    if (redisAppendCommandArgv(redis, argc, (const char **)argv, argv_sizes) != REDIS_OK)
        return NULL;
    while (!is_written)
        if (redisBufferWrite(redis, &is_written) != REDIS_OK)
            return NULL;
    for (;;) {
        if (redisGetReplyFromReader(redis, &reply) != REDIS_OK)
            return NULL;
        if (reply != NULL)
            return reply;
        if (!rp_ask_await(redis, wait, error) || redisBufferRead(redis) != REDIS_OK)
            return NULL;
    }
}
