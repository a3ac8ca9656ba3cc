/* Keeping to a pace while Redis is read: waiting, and a PING beside the load that tells how busy Redis is. */
#pragma once

#include "pipeline/load.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpThrottle RpThrottle;

/* NULL when the options set no limit: the other functions take it, and hold nobody back. Where they limit the
 * latency a thread begins to send PINGs, on a connection of its own, which it opens itself: what fails there
 * counts as slow and is said in the log; whether Redis is away is for the load's connections to find out.
 * Call it where SIGINT and SIGTERM are blocked. Waiting ends when *is_stopping (atomic) is set. Both are
 * borrowed. */
RpThrottle *rp_throttle_new(const RpLoadOptions *options, const gint *is_stopping);

/* Says for how long the reading was held back, if it was. */
void rp_throttle_free(RpThrottle *throttle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpThrottle, rp_throttle_free)

/* How many of n_keys may be asked for at once. From the reading thread, as all that follows. */
guint rp_throttle_fit(RpThrottle *throttle, guint n_keys);

/* Waits until keys may be asked for, or the load stops, and counts those that will be. */
void rp_throttle_await(RpThrottle *throttle, guint n_keys);

/* Counts keys, or elements of keys, that came beside those that were asked for. */
void rp_throttle_count(RpThrottle *throttle, guint n_keys);

/* Whether fewer keys are asked for than may be, because Redis is slow. */
gboolean rp_throttle_is_holding_back(RpThrottle *throttle);

G_END_DECLS
