/* Waiting for signals. */
#include "pipeline/signals.h"

#include <time.h>

static gint n_seen; /* atomic */

void rp_signals_block(RpSignals *signals) {
    sigemptyset(&signals->watched);
    sigaddset(&signals->watched, SIGINT);
    sigaddset(&signals->watched, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals->watched, &signals->before);
}

gboolean rp_signals_wait(const RpSignals *signals, guint milliseconds) {
    const struct timespec interval = {.tv_nsec = milliseconds * 1000000L};
    const gboolean is_seen = sigtimedwait(&signals->watched, NULL, &interval) > 0;
    if (is_seen)
        g_atomic_int_inc(&n_seen);
    return is_seen;
}

gboolean rp_signals_were_seen(void) {
    return g_atomic_int_get(&n_seen) > 0;
}

void rp_signals_unblock(const RpSignals *signals) {
    while (rp_signals_wait(signals, 0))
        ;
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
}
