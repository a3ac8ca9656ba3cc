/* Capturing changes by keyspace notifications
 * (https://redis.io/docs/latest/develop/pubsub/keyspace-notifications/), for servers that take no replica.
 * They are sent at most once, and not again to whoever was away: each connection that was lost is a gap. */
#pragma once

#include "source/capture.h"
#include "source/channel.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpNotifications RpNotifications;

/* Nothing is asked yet. configures: where the server's flags (notify-keyspace-events) lack some, they are
 * set, and put back by rp_notifications_free. address, and what patience points to, are borrowed and must
 * live as long; the taker is copied. It belongs to the thread that attaches or follows: one at a time. */
RpNotifications *rp_notifications_new(const RpRedisAddress *address, const RpPatience *patience,
                                      gboolean configures, const RpCaptureTaker *taker);
/* Puts flags back that it had set, on a connection of its own: not those that somebody else has set since,
 * and not where the server cannot be reached within 5 s; that is logged then. A program that is killed leaves
 * them. */
void rp_notifications_free(RpNotifications *notifications);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpNotifications, rp_notifications_free)

/* Subscribes to the events of the address's database, and proves with keys of its own (redis2pg:probe:…, of
 * which nothing is told) that they arrive. TRUE: every event from now on is heard; what was before is not
 * known. RP_SOURCE_ERROR_REFUSED in words that say what to set or to grant, when flags are missing, the key
 * may not be written, or no event comes; RP_SOURCE_ERROR_RETRY at a replica. Not to be called while it
 * follows. */
gboolean rp_notifications_attach(RpNotifications *notifications, GError **error);

/* Tells the taker what is touched, with places that are not set (reach is not called), until *is_stopping
 * (atomic): TRUE, and it may be called again; or until the connection is lost (RP_SOURCE_ERROR_LOST): attach
 * again. So ends also a reader that is too slow for the server, and one whose events somebody has switched
 * off. FLUSHDB, FLUSHALL and SWAPDB send no event: what a look at INFO sees of them, about every second, is
 * told as a barrier. */
gboolean rp_notifications_follow(RpNotifications *notifications, const gint *is_stopping, GError **error);

/* The run_id of the process that is heard; NULL: not attached. Borrowed until the next call. */
const char *rp_notifications_get_run_id(const RpNotifications *notifications);

G_END_DECLS
