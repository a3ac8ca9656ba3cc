/* Trying again: how long to wait, and when to give up. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One trouble after another, as one thread sees them; rp_retry_init makes it. */
typedef struct {
    gint64 limit_us; /* how long a trouble may last */
    gint64 since_us; /* when it began, in monotonic time; 0: there is none */
    guint n_waits;   /* since then */
} RpRetry;

/* seconds: how long a trouble may last; 0: nothing is tried again. */
void rp_retry_init(RpRetry *retry, guint seconds);

/* Things work again: the next trouble has its own time. */
void rp_retry_reset(RpRetry *retry);

/* Waits before another attempt, for a random time that grows with the number of waits (10 to 20 ms, 20 to 40
 * ms, … 2.5 to 5 s), so that several clients of one server do not come back at the same instant. FALSE, at
 * once or after less time: it has lasted too long, or *is_cancelled (atomic; may be NULL) is set. */
gboolean rp_retry_wait(RpRetry *retry, const gint *is_cancelled);

G_END_DECLS
