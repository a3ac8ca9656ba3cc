/* Pipelined reading.
 *
 * 1. Commands that were sent and not yet answered are remembered: a connection that was lost, or had to be
 *    dropped (a value over the limit was on its way), is opened again and asked for the rest.
 * 2. Of an answer of which only half came nothing is kept.
 * 3. An answer that says "not now" (LOADING, BUSY, …) is no answer.
 * 4. Only the process that was read first is read on. */
#include "source/channel.h"

#include "base/error.h"
#include "base/outage.h"
#include "source/info.h"
#include "source/mark.h"
#include "source/pending.h"
#include "source/reply_parser.h"
#include "source/socket.h"

#include <stdio.h>
#include <string.h>

#define RECEIVED_BYTES (64 * 1024) /* at once, at most */

struct RpChannel {
    const RpRedisAddress *address;
    RpPatience patience;
    RpRedisWait wait;
    RpOutage outage;
    redisContext *redis; /* NULL: lost. hiredis enters; what comes after that is parsed by parser */
    redisContext *aside;
    RpPending pending;
    RpReplyParser parser;
    char *run_id;  /* of the process that was connected to first; NULL: it does not tell */
    guint version; /* of the server: major * 100 + minor */
};

/* ---- connection ---- */

static gboolean fail(const RpChannel *channel, RpSourceError code, const char *what, GError **error) {
    g_autofree char *place = rp_redis_address_show(channel->address);
    g_set_error(error, RP_SOURCE_ERROR, (int)code, "Redis at %s: %s", place, what);
    return FALSE;
}

static gboolean lose(const RpChannel *channel, const char *what, GError **error) {
    return fail(channel, RP_SOURCE_ERROR_LOST, what, error);
}

gboolean rp_channel_doubt(const RpChannel *channel, const char *what, GError **error) {
    return fail(channel, RP_SOURCE_ERROR_PROTOCOL, what, error);
}

static void read_version(RpChannel *channel) {
    g_autofree char *text =
        rp_redis_info_field_for(channel->redis, &channel->wait, "server", "redis_version", NULL);
    guint major = 0, minor = 0;
    if (text != NULL && sscanf(text, "%3u.%2u", &major, &minor) == 2)
        channel->version = major * 100 + minor;
}

guint rp_channel_get_version(const RpChannel *channel) {
    return channel->version;
}

/* A cursor is good for one process only. A user who may not ask which it is, is not told of another one. */
static gboolean check_process(RpChannel *channel, redisContext *redis, GError **error) {
    g_autoptr(GError) untold = NULL;
    g_autofree char *run_id = rp_redis_info_field_for(redis, &channel->wait, "server", "run_id", &untold);
    if (run_id == NULL && (untold->domain != RP_SOURCE_ERROR || rp_redis_error_passes(untold))) {
        g_propagate_error(error, g_steal_pointer(&untold));
        return FALSE;
    }
    if (channel->run_id == NULL)
        channel->run_id = g_steal_pointer(&run_id);
    return run_id == NULL || strcmp(run_id, channel->run_id) == 0 ||
           fail(channel, RP_SOURCE_ERROR_RESTARTED, "the server was started anew while it was being read",
                error);
}

static gboolean passes(const GError *trouble) {
    return trouble->domain == RP_FAULT_ERROR ||
           (trouble->domain == RP_SOURCE_ERROR && rp_redis_error_passes(trouble));
}

static redisContext *enter(RpChannel *channel, GError **error) {
    g_autoptr(redisContext) redis = rp_redis_enter(channel->address, &channel->wait, error);
    return redis != NULL && check_process(channel, redis, error) ? g_steal_pointer(&redis) : NULL;
}

static gboolean connect_again(RpChannel *channel, GError **error) {
    g_clear_pointer(&channel->redis, redisFree);
    channel->redis = enter(channel, error);
    if (channel->redis == NULL)
        return FALSE;
    if (channel->version == 0)
        read_version(channel);
    rp_reply_parser_reset(&channel->parser);
    rp_pending_rewind(&channel->pending);
    return TRUE;
}

/* Waits after a trouble, which it takes, unless it does not pass. */
static gboolean wait_out(RpChannel *channel, GError *trouble, GError **error) {
    if (passes(trouble))
        return rp_outage_wait(&channel->outage, trouble, TRUE, channel->patience.is_pressed, error);
    g_propagate_error(error, trouble);
    return FALSE;
}

/* After a trouble, which it takes: the connection is there again. */
static gboolean come_back(RpChannel *channel, GError *trouble, GError **error) {
    do {
        g_clear_pointer(&channel->redis, redisFree);
        if (!wait_out(channel, trouble, error))
            return FALSE;
        trouble = NULL;
    } while (!connect_again(channel, &trouble));
    return TRUE;
}

RpChannel *rp_channel_new(const RpRedisAddress *address, const RpPatience *patience, GError **error) {
    g_autoptr(RpChannel) channel = g_new0(RpChannel, 1);
    channel->address = address;
    channel->run_id =
        patience->run_id != NULL && patience->run_id[0] != '\0' ? g_strdup(patience->run_id) : NULL;
    channel->patience = *patience;
    channel->wait = (RpRedisWait){patience->timeout_seconds, patience->is_cancelled};
    rp_pending_init(&channel->pending);
    rp_reply_parser_init(&channel->parser);
    rp_outage_init(&channel->outage, "Redis", RP_EVENT_REDIS_LOST, RP_EVENT_REDIS_BACK,
                   patience->retry_seconds);
    GError *trouble = NULL;
    if (!connect_again(channel, &trouble) && !come_back(channel, trouble, error))
        return NULL;
    rp_outage_end(&channel->outage);
    return g_steal_pointer(&channel);
}

void rp_channel_free(RpChannel *channel) {
    if (channel == NULL)
        return;
    g_clear_pointer(&channel->redis, redisFree);
    g_clear_pointer(&channel->aside, redisFree);
    rp_outage_clear(&channel->outage);
    rp_pending_clear(&channel->pending);
    rp_reply_parser_clear(&channel->parser);
    g_free(channel->run_id);
    g_free(channel);
}

static redisContext *get_aside(RpChannel *channel, GError **error) {
    if (channel->aside != NULL && (channel->aside->err != 0 || rp_socket_is_closed(channel->aside->fd)))
        g_clear_pointer(&channel->aside, redisFree);
    if (channel->aside == NULL)
        channel->aside = enter(channel, error);
    return channel->aside;
}

/* After an error reply the connection is as good as before. */
redisReply *rp_channel_ask(RpChannel *channel, int type, int argc, const char *const *argv,
                           const gsize *sizes, GError **error) {
    for (;;) {
        GError *trouble = NULL;
        redisContext *aside = get_aside(channel, &trouble);
        redisReply *reply =
            aside != NULL ? rp_redis_command_for(aside, &channel->wait, type, argc, argv, sizes, &trouble)
                          : NULL;
        if (reply != NULL) {
            rp_outage_end(&channel->outage);
            return reply;
        }
        if (passes(trouble) || trouble->domain != RP_SOURCE_ERROR)
            g_clear_pointer(&channel->aside, redisFree);
        if (!wait_out(channel, trouble, error))
            return NULL;
    }
}

/* ---- sending ---- */

void rp_channel_send(RpChannel *channel, int argc, const char *const *argv, const gsize *sizes) {
    rp_pending_add(&channel->pending, argc, argv, sizes);
}

static gboolean flush_once(RpChannel *channel, GError **error) {
    RpPending *pending = &channel->pending;
    if (!rp_pending_has_unwritten(pending))
        return TRUE;
    /* Written to, a closed connection would drop the answers that it still holds: they are asked for again.
     */
    if (rp_socket_is_closed(channel->redis->fd) && !connect_again(channel, error))
        return FALSE;
    const char *trouble;
    if (!rp_socket_send(channel->redis->fd, rp_pending_get_unwritten(pending), &trouble))
        return lose(channel, trouble, error);
    rp_pending_note_written(pending);
    return TRUE;
}

gboolean rp_channel_flush(RpChannel *channel, GError **error) {
    GError *trouble = NULL;
    while (!flush_once(channel, &trouble)) {
        if (!come_back(channel, trouble, error))
            return FALSE;
        trouble = NULL;
    }
    return TRUE;
}

/* ---- receiving ---- */

static gboolean wait_readable(RpChannel *channel, GError **error) {
    g_autoptr(GError) trouble = NULL;
    if (rp_ask_await(channel->redis, &channel->wait, &trouble))
        return TRUE;
    if (trouble->domain == RP_SOURCE_ERROR)
        return lose(channel, trouble->message, error);
    g_propagate_error(error, g_steal_pointer(&trouble));
    return FALSE;
}

/* Judges a reply that is complete: whether it is an answer. */
static gboolean take_answer(RpChannel *channel, RpReplyTarget *target, GError **error) {
    if (target->error_text != NULL && rp_redis_reply_classify(target->error_text) == RP_SOURCE_ERROR_RETRY)
        return rp_channel_refuse(channel, target, error);
    if (target->is_odd)
        return rp_channel_doubt(channel, "an answer is not made up as its command's answers are", error);
    if (target->shape == RP_REPLY_PAGE && !rp_event_pass(RP_EVENT_PAGE_READ, error))
        return FALSE;
    rp_pending_note_answered(&channel->pending);
    return TRUE;
}

/* Receives what has come, and waits when that is nothing. */
static gboolean receive_more(RpChannel *channel, GError **error) {
    for (;;) {
        char *room = rp_reply_parser_reserve(&channel->parser, RECEIVED_BYTES);
        const char *why;
        const gssize n_received = rp_socket_receive(channel->redis->fd, room, RECEIVED_BYTES, &why);
        if (n_received < 0)
            return lose(channel, why, error);
        if (n_received > 0) {
            rp_reply_parser_note_received(&channel->parser, (gsize)n_received);
            return TRUE;
        }
        if (!wait_readable(channel, error))
            return FALSE;
    }
}

/* A single value over the limit is never waited for: the connection is to be dropped then, and *is_cut. */
static gboolean receive_once(RpChannel *channel, RpReplyTarget *target, gboolean *is_cut, GError **error) {
    if (!flush_once(channel, error))
        return FALSE;
    RpReplyParser *parser = &channel->parser;
    for (;;) {
        switch (rp_reply_parser_take(parser, target)) {
        case RP_PARSED_REPLY:
            return take_answer(channel, target, error);
        case RP_PARSED_BAD:
            return rp_channel_doubt(channel, parser->trouble, error);
        case RP_PARSED_PART:
            break;
        }
        if (rp_reply_parser_n_left(parser) > channel->patience.max_value_bytes + RECEIVED_BYTES) {
            target->is_too_large = *is_cut = TRUE;
            rp_pending_note_answered(&channel->pending);
            return TRUE;
        }
        if (!receive_more(channel, error))
            return FALSE;
    }
}

gboolean rp_channel_receive(RpChannel *channel, RpReplyTarget *target, GError **error) {
    g_assert(rp_pending_has_unanswered(&channel->pending));
    gboolean is_cut = FALSE;
    GError *trouble = NULL;
    RpReplyMark mark;
    rp_reply_mark(target, &mark);
    while (!receive_once(channel, target, &is_cut, &trouble)) {
        if (passes(trouble))
            rp_reply_restore(target, &mark);
        if (!come_back(channel, trouble, error))
            return FALSE;
        trouble = NULL;
    }
    if (is_cut && !connect_again(channel, &trouble) && !come_back(channel, trouble, error))
        return FALSE;
    rp_outage_end(&channel->outage);
    return TRUE;
}

/* Turns an error reply into an error; takes the text. */
gboolean rp_channel_refuse(RpChannel *channel, RpReplyTarget *target, GError **error) {
    g_autofree char *text = g_steal_pointer(&target->error_text);
    g_autofree char *place = rp_redis_address_show(channel->address);
    g_set_error(error, RP_SOURCE_ERROR, (int)rp_redis_reply_classify(text), "Redis at %s: %s", place, text);
    return FALSE;
}
