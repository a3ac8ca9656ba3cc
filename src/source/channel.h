/* A connection on which commands are sent ahead of their replies. Commands that were sent and not yet
 * answered are remembered, so that a connection which had to be dropped (a value over the limit was on its
 * way) is opened again and asked for the rest. */
#pragma once

#include "source/connection.h"
#include "source/reply.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpChannel RpChannel;

/* Connects. A single value of more than max_value_bytes is not waited for. Whoever sets *is_cancelled to TRUE
 * (atomically, from any thread) makes waiting calls fail with RP_STOP_ERROR. The address is borrowed and must
 * outlive the channel, which belongs to one thread. */
RpChannel *rp_channel_new(const RpRedisAddress *address, gsize max_value_bytes, const gint *is_cancelled,
                          GError **error);
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

/* Sets error for a connection that is of no more use. Always FALSE. */
gboolean rp_channel_lost(RpChannel *channel, const char *what, GError **error);

/* The server's version as major * 100 + minor; 0 when it does not tell. */
guint rp_channel_get_version(const RpChannel *channel);

/* For side questions (TYPE, EXISTS): a second connection, made at first use; borrowed. */
redisContext *rp_channel_aside(RpChannel *channel, GError **error);

G_END_DECLS
