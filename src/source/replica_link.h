/* The connection of a replica: entered like any other, then a run of bytes one way and acknowledgements the
 * other. */
#pragma once

#include "base/span.h"
#include "source/channel.h"
#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_REPLICA_PIECE_BYTES (64 * 1024)

/* Belongs to one thread. */
typedef struct {
    redisContext *redis;  /* NULL: there is none */
    char *place;          /* for messages */
    RpRedisWait wait;     /* of questions */
    char *bytes;          /* RP_REPLICA_PIECE_BYTES */
    RpSpan rest;          /* of them, what nobody has taken yet */
    guint silent_seconds; /* how long nothing may come */
    gint64 heard_us;
    gint64 acknowledge_us; /* when next, in monotonic time; 0: not yet */
    gboolean is_flowing;   /* something has come since */
} RpReplicaLink;

/* Connects and authenticates; selects no database. A link that was open is closed before. */
gboolean rp_replica_link_open(RpReplicaLink *link, const RpRedisAddress *address, const RpPatience *patience,
                              GError **error);

/* Fine when it is closed already. */
void rp_replica_link_close(RpReplicaLink *link);

/* Asks what has one answer (REPLCONF, INFO), before any bytes; the caller owns the reply, which is no error.
 */
redisReply *rp_replica_link_ask(RpReplicaLink *link, int type, int argc, const char *const *argv,
                                GError **error);

/* Sends what is answered by bytes. */
gboolean rp_replica_link_send(RpReplicaLink *link, RpSpan command, GError **error);

/* From now on the server is told that we are there: often until it sends something, then each second. */
void rp_replica_link_begin_acknowledging(RpReplicaLink *link);

/* Returns when there is a rest; acknowledges meanwhile. RP_STOP_ERROR when *is_stopping (atomic; may be
 * NULL), or what the patience names, is set; RP_SOURCE_ERROR_LOST when the connection ended, or nothing came
 * for too long. */
gboolean rp_replica_link_read(RpReplicaLink *link, const gint *is_stopping, GError **error);

G_END_DECLS
