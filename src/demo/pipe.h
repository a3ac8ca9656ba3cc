/* Commands on their way to Redis: built as protocol bytes, sent in batches, answers counted. */
#pragma once

#include "base/buffer.h"

#include <glib.h>
#include <hiredis/hiredis.h>

G_BEGIN_DECLS

/* Embedded; the redis connection is borrowed. While one batch is being built, Redis works on the one before.
 */
typedef struct {
    redisContext *redis;
    RpBuffer out;       /* whole commands, not yet sent */
    RpBuffer arguments; /* of the command that is being built */
    guint n_arguments;
    guint64 n_built;    /* commands in out */
    guint64 n_awaiting; /* commands sent whose replies were not read yet */
    guint64 n_commands; /* all commands so far */
} RpPipe;

void rp_pipe_init(RpPipe *pipe, redisContext *redis);
void rp_pipe_clear(RpPipe *pipe);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpPipe, rp_pipe_clear)

/* Adds an argument to the command that is being built; binary-safe, the bytes are copied. */
void rp_pipe_argument(RpPipe *pipe, const char *data, gsize size);

/* Ends the command. */
void rp_pipe_end(RpPipe *pipe);

/* Whether enough has been built for a batch to be worth sending. */
gboolean rp_pipe_is_full(const RpPipe *pipe);

/* Sends what was built and reads the replies to the batch before; rp_pipe_finish waits for every reply.
 * Error: RP_SOURCE_ERROR, for a lost connection and for the first error reply; the connection may then
 * owe replies and is of no further use. */
gboolean rp_pipe_flush(RpPipe *pipe, GError **error);
gboolean rp_pipe_finish(RpPipe *pipe, GError **error);

G_END_DECLS
