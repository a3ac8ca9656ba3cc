/* Back-off with full jitter. */
#include "base/retry.h"

#define FIRST_WAIT_US (20 * 1000)
#define MAX_WAIT_US   (5 * G_USEC_PER_SEC)
#define SLICE_US      (50 * 1000) /* how soon a cancellation is seen */

void rp_retry_init(RpRetry *retry, guint seconds) {
    *retry = (RpRetry){.limit_us = (gint64)seconds * G_USEC_PER_SEC};
}

void rp_retry_reset(RpRetry *retry) {
    retry->since_us = 0;
    retry->n_waits = 0;
}

static gboolean is_set(const gint *flag) {
    return flag != NULL && g_atomic_int_get(flag) != 0;
}

/* At least half of a wait is waited: a random one of almost nothing would be lost on a server that starts. */
static gint64 next_wait_us(RpRetry *retry) {
    const gint64 most = MIN(FIRST_WAIT_US << MIN(retry->n_waits, 16), MAX_WAIT_US);
    retry->n_waits++;
    return most / 2 + g_random_int_range(0, (gint32)(most / 2) + 1);
}

gboolean rp_retry_wait(RpRetry *retry, const gint *is_cancelled) {
    const gint64 now = g_get_monotonic_time();
    if (retry->since_us == 0)
        retry->since_us = now;
    const gint64 end = retry->since_us + retry->limit_us;
    if (now >= end || is_set(is_cancelled))
        return FALSE;
    const gint64 until = MIN(now + next_wait_us(retry), end);
    for (gint64 left; (left = until - g_get_monotonic_time()) > 0;) {
        g_usleep((gulong)MIN(left, SLICE_US));
        if (is_set(is_cancelled))
            return FALSE;
    }
    return TRUE;
}
