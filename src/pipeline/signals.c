/* Waiting for signals. */
#include "pipeline/signals.h"

#include <time.h>

void rp_signals_block(RpSignals *signals) {
    sigemptyset(&signals->watched);
    sigaddset(&signals->watched, SIGINT);
    sigaddset(&signals->watched, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals->watched, &signals->before);
}

gboolean rp_signals_wait(const RpSignals *signals, guint milliseconds) {
    const struct timespec interval = {.tv_nsec = milliseconds * 1000000L};
    return sigtimedwait(&signals->watched, NULL, &interval) > 0;
}

void rp_signals_unblock(const RpSignals *signals) {
    while (rp_signals_wait(signals, 0))
        ;
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
}
