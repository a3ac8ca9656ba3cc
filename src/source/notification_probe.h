/* Proving that events arrive: by a key that is written, and whose events must come. */
#pragma once

#include "source/subscription.h"

#include <glib.h>

G_BEGIN_DECLS

/* How much is to be proved. */
typedef enum {
    RP_NOTIFICATION_PROBE_ONE,     /* that any events arrive: the flags are known */
    RP_NOTIFICATION_PROBE_CLASSES, /* that events of each class do, but for evicted, which nobody can cause */
} RpNotificationProbe;

/* Writes keys that begin with RP_NOTIFICATION_PROBE_PREFIX on redis, another connection to the same server
 * and database, and removes them (what is left where that fails expires). Returns when their events have
 * come; events of other keys that come meanwhile are dropped. user is the one that we are there; NULL: the
 * default user. RP_SOURCE_ERROR_REFUSED in words that say what to grant or to set, when they may not be
 * written, or no event comes within the time of wait, but for at most 10 s. */
gboolean rp_notification_probe(RpSubscription *subscription, redisContext *redis, const char *user,
                               const RpRedisWait *wait, RpNotificationProbe probe, GError **error);

G_END_DECLS
