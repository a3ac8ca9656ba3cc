/* Pipelined commands in bounded memory: at most two batches are under way. */
#include "demo/pipe.h"

#include "source/connection.h"

#define BATCH_BYTES ((gsize)256 * 1024)

void rp_pipe_init(RpPipe *pipe, redisContext *redis) {
    *pipe = (RpPipe){.redis = redis};
}

void rp_pipe_clear(RpPipe *pipe) {
    rp_buffer_clear(&pipe->out);
    rp_buffer_clear(&pipe->arguments);
}

/* "<kind><number>\r\n": the head of a RESP array or bulk string. */
static void append_head(RpBuffer *buffer, char kind, gsize number) {
    char head[32];
    gsize at = sizeof head;
    head[--at] = '\n';
    head[--at] = '\r';
    do {
        head[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    head[--at] = kind;
    rp_buffer_append(buffer, head + at, sizeof head - at);
}

void rp_pipe_argument(RpPipe *pipe, const char *data, gsize size) {
    append_head(&pipe->arguments, '$', size);
    rp_buffer_append(&pipe->arguments, data, size);
    rp_buffer_append(&pipe->arguments, "\r\n", 2);
    pipe->n_arguments++;
}

void rp_pipe_end(RpPipe *pipe) {
    append_head(&pipe->out, '*', pipe->n_arguments);
    rp_buffer_append(&pipe->out, pipe->arguments.data, pipe->arguments.size);
    rp_buffer_reset(&pipe->arguments, BATCH_BYTES);
    pipe->n_arguments = 0;
    pipe->n_built++;
    pipe->n_commands++;
}

gboolean rp_pipe_is_full(const RpPipe *pipe) {
    return pipe->out.size >= BATCH_BYTES;
}

static gboolean set_lost(RpPipe *pipe, GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "Redis: writing the data: %s",
                pipe->redis->errstr[0] != '\0' ? pipe->redis->errstr : "connection lost");
    return FALSE;
}

static gboolean read_replies(RpPipe *pipe, guint64 n_replies, GError **error) {
    for (guint64 i = 0; i < n_replies; i++) {
        void *pointer = NULL;
        if (redisGetReply(pipe->redis, &pointer) != REDIS_OK)
            return set_lost(pipe, error);
        g_autoptr(redisReply) reply = pointer;
        if (reply->type == REDIS_REPLY_ERROR) {
            g_set_error(error, RP_SOURCE_ERROR, (int)rp_redis_reply_classify(reply->str),
                        "Redis: writing the data: %s", reply->str);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean rp_pipe_flush(RpPipe *pipe, GError **error) {
    if (pipe->out.size > 0 &&
        redisAppendFormattedCommand(pipe->redis, pipe->out.data, pipe->out.size) != REDIS_OK)
        return set_lost(pipe, error);
    rp_buffer_reset(&pipe->out, 2 * BATCH_BYTES);
    int is_sent = 0;
    while (!is_sent)
        if (redisBufferWrite(pipe->redis, &is_sent) != REDIS_OK)
            return set_lost(pipe, error);
    if (!read_replies(pipe, pipe->n_awaiting, error))
        return FALSE;
    pipe->n_awaiting = pipe->n_built;
    pipe->n_built = 0;
    return TRUE;
}

gboolean rp_pipe_finish(RpPipe *pipe, GError **error) {
    return rp_pipe_flush(pipe, error) && rp_pipe_flush(pipe, error);
}
