/* A connection on which commands are sent ahead of their replies. What was sent and not yet answered is
 * remembered, so that a connection which was lost is opened again and asked for the rest. */
#pragma once

#include "source/connection.h"
#include "source/reply.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpChannel RpChannel;

/* How patiently Redis is read. */
typedef struct {
    gsize max_value_bytes;    /* a single value of more is not waited for */
    guint timeout_seconds;    /* how long an answer may take; not 0 */
    guint retry_seconds;      /* how long a lost connection, or a server that is busy, is tried again */
    const gint *is_cancelled; /* atomic: waiting calls fail with RP_STOP_ERROR */
    const gint *is_pressed;   /* atomic: a server that is away is waited for no longer; may be NULL */
    const char *run_id;       /* of the process that must answer; NULL or empty: the first that does */
} RpPatience;

/* Connects. The address is borrowed and must outlive the channel, which belongs to one thread. Of all calls
 * that talk to the server: what passes with time is waited out, and asked for again;
 * RP_SOURCE_ERROR_RESTARTED when another process answers at the address then. */
RpChannel *rp_channel_new(const RpRedisAddress *address, const RpPatience *patience, GError **error);
void rp_channel_free(RpChannel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpChannel, rp_channel_free)

/* Queues a command; sizes NULL: the words are C strings. */
void rp_channel_send(RpChannel *channel, int argc, const char *const *argv, const gsize *sizes);

/* Writes what is queued to the socket. rp_channel_receive does it too. */
gboolean rp_channel_flush(RpChannel *channel, GError **error);

/* Takes the reply to the oldest unanswered command into target, whose error_text is set when Redis refused.
 * FALSE: the connection failed. */
gboolean rp_channel_receive(RpChannel *channel, RpReplyTarget *target, GError **error);

/* Turns the target's error_text, which it takes, into an error. Always FALSE. */
gboolean rp_channel_refuse(RpChannel *channel, RpReplyTarget *target, GError **error);

/* Sets error for an answer that makes no sense (RP_SOURCE_ERROR_PROTOCOL). Always FALSE. */
gboolean rp_channel_doubt(const RpChannel *channel, const char *what, GError **error);

/* The server's version as major * 100 + minor; 0 when it does not tell. */
guint rp_channel_get_version(const RpChannel *channel);

/* Asks a side question (TYPE, EXISTS) on a second connection, made at first use; the caller owns the reply,
 * which is of that type (REDIS_REPLY_INTEGER). */
redisReply *rp_channel_ask(RpChannel *channel, int type, int argc, const char *const *argv,
                           const gsize *sizes, GError **error);

G_END_DECLS
