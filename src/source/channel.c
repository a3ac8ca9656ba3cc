/* Pipelined reading. Commands that were sent and not yet answered are remembered, so that a connection
 * which had to be dropped (a value over the limit was on its way) is opened again and asked for the rest. */
#include "source/channel.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_SECONDS    60
#define CANCEL_POLL_MS     200
#define READER_SLACK_BYTES (64 * 1024)
#define FORGET_EVERY       4096

struct RpChannel {
    const RpRedisAddress *address;
    const gint *is_cancelled;
    gsize max_value_bytes;
    redisContext *redis;
    redisContext *aside;
    RpBuffer sent;     /* the bytes of all commands since the last time that none was unanswered */
    GArray *sent_ends; /* gsize: where each command ends in sent */
    guint n_answered;  /* how many of them were answered */
    gsize n_written;   /* how many bytes of sent were written to the socket */
    char *run_id;      /* of the process that was connected to first; NULL: it does not tell */
    guint version;     /* of the server: major * 100 + minor */
};

/* ---- connection ---- */

gboolean rp_channel_lost(RpChannel *channel, const char *what, GError **error) {
    g_autofree char *place = rp_redis_address_show(channel->address);
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "Redis at %s: %s", place, what);
    return FALSE;
}

static void read_version(RpChannel *channel) {
    g_autofree char *text = rp_redis_info_field(channel->redis, "server", "redis_version", NULL);
    guint major = 0, minor = 0;
    if (text != NULL && sscanf(text, "%3u.%2u", &major, &minor) == 2)
        channel->version = major * 100 + minor;
}

guint rp_channel_get_version(const RpChannel *channel) {
    return channel->version;
}

/* A cursor is good for one process only: another one behind the same address ends the reading. */
static gboolean check_process(RpChannel *channel, GError **error) {
    g_autofree char *run_id = rp_redis_info_field(channel->redis, "server", "run_id", NULL);
    if (channel->run_id != NULL && run_id != NULL && strcmp(run_id, channel->run_id) != 0) {
        g_autofree char *place = rp_redis_address_show(channel->address);
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RESTARTED,
                    "Redis at %s: the server was started anew while it was being read", place);
        return FALSE;
    }
    if (channel->run_id != NULL)
        return TRUE;
    channel->run_id = g_steal_pointer(&run_id);
    read_version(channel);
    return TRUE;
}

static gboolean connect_again(RpChannel *channel, GError **error) {
    g_clear_pointer(&channel->redis, redisFree);
    channel->redis = rp_redis_connect(channel->address, TIMEOUT_SECONDS, error);
    if (channel->redis == NULL || !check_process(channel, error))
        return FALSE;
    channel->redis->reader->fn = &RP_REPLY_FUNCTIONS;
    /* What was sent after the last answer has to be asked again. */
    channel->n_written =
        channel->n_answered == 0 ? 0 : g_array_index(channel->sent_ends, gsize, channel->n_answered - 1);
    return TRUE;
}

/* Whether the server has closed its side: it does so to connections that are idle for longer than its
 * `timeout`. */
static gboolean is_closed(const redisContext *redis) {
    struct pollfd pollfd = {.fd = redis->fd, .events = POLLRDHUP};
    return poll(&pollfd, 1, 0) > 0;
}

RpChannel *rp_channel_new(const RpRedisAddress *address, gsize max_value_bytes, const gint *is_cancelled,
                          GError **error) {
    g_autoptr(RpChannel) channel = g_new0(RpChannel, 1);
    channel->address = address;
    channel->max_value_bytes = max_value_bytes;
    channel->is_cancelled = is_cancelled;
    channel->sent_ends = g_array_new(FALSE, FALSE, sizeof(gsize));
    return connect_again(channel, error) ? g_steal_pointer(&channel) : NULL;
}

void rp_channel_free(RpChannel *channel) {
    if (channel == NULL)
        return;
    g_clear_pointer(&channel->redis, redisFree);
    g_clear_pointer(&channel->aside, redisFree);
    rp_buffer_clear(&channel->sent);
    g_clear_pointer(&channel->sent_ends, g_array_unref);
    g_free(channel->run_id);
    g_free(channel);
}

redisContext *rp_channel_aside(RpChannel *channel, GError **error) {
    if (channel->aside != NULL && (channel->aside->err != 0 || is_closed(channel->aside)))
        g_clear_pointer(&channel->aside, redisFree);
    if (channel->aside == NULL)
        channel->aside = rp_redis_connect(channel->address, TIMEOUT_SECONDS, error);
    return channel->aside;
}

/* ---- sending ---- */

void rp_channel_send(RpChannel *channel, int argc, const char *const *argv, const gsize *sizes) {
    char *command = NULL;
    const int size = redisFormatCommandArgv(&command, argc, (const char **)argv, sizes);
    g_assert(size > 0); /* fails only when memory is out */
    rp_buffer_append(&channel->sent, command, (gsize)size);
    redisFreeCommand(command);
    g_array_append_val(channel->sent_ends, channel->sent.size);
}

gboolean rp_channel_flush(RpChannel *channel, GError **error) {
    if (channel->n_written == channel->sent.size)
        return TRUE;
    int is_done = 0;
    /* Written to, a closed connection would drop the answers that it still holds: they are asked for again.
     */
    if (is_closed(channel->redis) && !connect_again(channel, error))
        return FALSE;
    if (redisAppendFormattedCommand(channel->redis, channel->sent.data + channel->n_written,
                                    channel->sent.size - channel->n_written) != REDIS_OK)
        return rp_channel_lost(channel, channel->redis->errstr, error);
    channel->n_written = channel->sent.size;
    while (!is_done)
        if (redisBufferWrite(channel->redis, &is_done) != REDIS_OK)
            return rp_channel_lost(channel, channel->redis->errstr, error);
    return TRUE;
}

/* ---- receiving ---- */

/* Waits until the socket can be read: a read that times out inside hiredis would end the context. */
static gboolean wait_readable(RpChannel *channel, GError **error) {
    struct pollfd pollfd = {.fd = channel->redis->fd, .events = POLLIN};
    for (gint waited_ms = 0; waited_ms < TIMEOUT_SECONDS * 1000; waited_ms += CANCEL_POLL_MS) {
        if (g_atomic_int_get(channel->is_cancelled)) {
            g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "stopped while reading Redis");
            return FALSE;
        }
        const int ready = poll(&pollfd, 1, CANCEL_POLL_MS);
        if (ready > 0)
            return TRUE;
        if (ready < 0 && errno != EINTR)
            return rp_channel_lost(channel, g_strerror(errno), error);
    }
    return rp_channel_lost(channel, "no answer within 60 seconds", error);
}

/* Forgets commands that were answered, now and then, since there is always one that was not. */
static void note_answered(RpChannel *channel) {
    channel->n_answered++;
    if (channel->n_answered < FORGET_EVERY && channel->n_answered < channel->sent_ends->len)
        return;
    const gsize done = g_array_index(channel->sent_ends, gsize, channel->n_answered - 1);
    g_array_remove_range(channel->sent_ends, 0, channel->n_answered);
    for (guint i = 0; i < channel->sent_ends->len; i++)
        g_array_index(channel->sent_ends, gsize, i) -= done;
    memmove(channel->sent.data, channel->sent.data + done, channel->sent.size - done);
    channel->sent.size -= done;
    channel->n_written -= done;
    channel->n_answered = 0;
}

/* Takes one reply into target. A single value over the limit is never waited for: the connection is
 * dropped, opened again, and asked for what comes after it. */
gboolean rp_channel_receive(RpChannel *channel, RpReplyTarget *target, GError **error) {
    g_assert(channel->n_answered < channel->sent_ends->len);
    if (!rp_channel_flush(channel, error))
        return FALSE;
    redisReader *reader = channel->redis->reader;
    reader->privdata = target;
    for (;;) {
        void *reply = NULL;
        if (redisReaderGetReply(reader, &reply) != REDIS_OK)
            return rp_channel_lost(channel, reader->errstr, error);
        if (reply != NULL) {
            note_answered(channel);
            return !target->is_odd ||
                   rp_channel_lost(channel, "an answer is not made up as its command's answers are", error);
        }
        if (reader->len - reader->pos > channel->max_value_bytes + READER_SLACK_BYTES) {
            target->is_too_large = TRUE;
            note_answered(channel);
            return connect_again(channel, error);
        }
        if (!wait_readable(channel, error))
            return FALSE;
        if (redisBufferRead(channel->redis) != REDIS_OK)
            return rp_channel_lost(channel, channel->redis->errstr, error);
    }
}

/* Turns an error reply into an error; takes the text. */
gboolean rp_channel_refuse(RpChannel *channel, RpReplyTarget *target, GError **error) {
    g_autofree char *text = g_steal_pointer(&target->error_text);
    g_autofree char *place = rp_redis_address_show(channel->address);
    g_set_error(error, RP_SOURCE_ERROR, (int)rp_redis_reply_classify(text), "Redis at %s: %s", place, text);
    return FALSE;
}
