/* Asking Redis one thing at a time, such that waiting for the answer can be ended. */
#pragma once

#include <glib.h>
#include <hiredis/hiredis.h>

G_BEGIN_DECLS

/* How an answer is waited for. */
typedef struct {
    guint seconds;            /* how long it may take; not 0 */
    const gint *is_cancelled; /* atomic: waiting fails with RP_STOP_ERROR */
} RpRedisWait;

/* Waits until there is something to read, since a read that times out inside hiredis ends the context. FALSE
 * with RP_SOURCE_ERROR_LOST, whose words name no place, or RP_STOP_ERROR. */
gboolean rp_ask_await(const redisContext *redis, const RpRedisWait *wait, GError **error);

/* Sends a command and takes its reply, which the caller owns and which may be an error reply. Not on a
 * context that has unanswered commands. NULL: without error set hiredis says why in the context. wait NULL:
 * as long as the context's own time-out lets it. */
redisReply *rp_ask_once(redisContext *redis, const RpRedisWait *wait, int argc, const char *const *argv,
                        const gsize *argv_sizes, GError **error);

G_END_DECLS
