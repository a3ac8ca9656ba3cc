/* A connection that has subscribed to the keyspace events of a database. */
#pragma once

#include "source/notification_events.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpSubscription RpSubscription;

/* Who hears events: all but answers. A call that fails ends the reading with its error. */
typedef gboolean (*RpSubscriptionHear)(const RpNotification *notification, gpointer data, GError **error);

/* Connects and subscribes to the events of the address's database: all from now on are heard.
 * RP_SOURCE_ERROR_REFUSED in words that say what to grant. Belongs to one thread. */
RpSubscription *rp_subscription_new(const RpRedisAddress *address, const RpRedisWait *wait, GError **error);
void rp_subscription_free(RpSubscription *subscription);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpSubscription, rp_subscription_free)

/* For poll. */
int rp_subscription_get_fd(const RpSubscription *subscription);

/* The run_id of the process at the other end. Borrowed. */
const char *rp_subscription_get_run_id(const RpSubscription *subscription);

/* Hears what is there: call it when poll says that there is something. RP_SOURCE_ERROR_LOST when the server
 * has closed the connection. */
gboolean rp_subscription_read(RpSubscription *subscription, RpSubscriptionHear hear, gpointer data,
                              GError **error);

/* To be called now and then: asks a server that is silent for a sign of life. RP_SOURCE_ERROR_LOST when none
 * came within timeout_seconds. */
gboolean rp_subscription_tend(RpSubscription *subscription, guint timeout_seconds, GError **error);

G_END_DECLS
