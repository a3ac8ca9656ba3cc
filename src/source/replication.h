/* Capture by the replication stream: a session as a replica that keeps no data, and tells a taker which keys
 * of one database are touched.
 *
 *     attach (where to go on, or NULL) → the place at which the stream begins
 *     follow → until it is told to stop, or the connection is lost: attach again from the last place reached
 *
 * All calls on one thread, from which the taker is called too, by follow alone. What is_stopping, and the
 * patience's is_cancelled and is_pressed, point to may be set from any thread. */
#pragma once

#include "source/capture.h"
#include "source/channel.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpReplication RpReplication;

typedef enum {
    RP_REPLICATION_CONTINUED, /* the stream goes on right behind the place that was given: nothing is missing
                               */
    RP_REPLICATION_FULL, /* it begins anew: what changed before the place that attach gives is to be found out
                          * by reading all keys, from this server, after attach has returned */
} RpReplicationOutcome;

/* Connects to nothing yet. The address and what the patience points to are borrowed and must stay; the taker
 * is copied. Of the patience max_value_bytes and run_id are not looked at. Touches are told of the address's
 * database. */
RpReplication *rp_replication_new(const RpRedisAddress *address, const RpPatience *patience,
                                  const RpCaptureTaker *taker);

/* Leaves the server. Fine for NULL. */
void rp_replication_free(RpReplication *replication);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpReplication, rp_replication_free)

/* Becomes a replica from the place on, or, from NULL or a place that is not set, from now on (then the
 * outcome is FULL). On return the server holds the stream for us from *place on, and nothing has been told
 * yet; follow soon, for what is not read piles up at the server and it drops us. The place has the server's
 * newest replication id, and database -1 where it is not known. A snapshot that the server sends before is
 * received and dropped, which may take as long as its data takes to be sent. What passes with time (away,
 * LOADING, a replica without its master) is tried again for retry_seconds. Errors: RP_SOURCE_ERROR (REFUSED:
 * what cannot be, with what to grant or do), RP_STOP_ERROR when it was cancelled. May be called again at any
 * time; a session that stands is left. */
gboolean rp_replication_attach(RpReplication *replication, const RpStreamPlace *from,
                               RpReplicationOutcome *outcome, RpStreamPlace *place, GError **error);

/* Tells the taker what comes, acknowledging each second, until *is_stopping (atomic) is set: TRUE, and it may
 * be called again soon. It waits for the socket alone, and for the taker. Only after attach. FALSE ends the
 * session: RP_SOURCE_ERROR_LOST, where attach from the last place that was reached goes on; RP_STOP_ERROR
 * when it was cancelled; or what rp_stream_touches_feed says, the taker's own error included. Of a command or
 * transaction that did not come whole some touches may have been told; they are told again. */
gboolean rp_replication_follow(RpReplication *replication, const gint *is_stopping, GError **error);

/* The run_id of the process that the session is one with, as INFO on its own connection gave it; NULL: not
 * attached. Borrowed until the next call. */
const char *rp_replication_get_run_id(const RpReplication *replication);

G_END_DECLS
