/* SIGINT and SIGTERM as answers to a question instead of interruptions. */
#pragma once

#include <glib.h>
#include <signal.h>

G_BEGIN_DECLS

typedef struct {
    sigset_t watched;
    sigset_t before;
} RpSignals;

/* Blocks them in this thread and those that it starts from now on. */
void rp_signals_block(RpSignals *signals);

/* Waits for one for at most so many milliseconds (less than 1,000); whether one came. */
gboolean rp_signals_wait(const RpSignals *signals, guint milliseconds);

/* Whether any was taken here since the program began: whoever does several loads asks it between them. */
gboolean rp_signals_were_seen(void);

/* Lets them through again, but for those that came since. */
void rp_signals_unblock(const RpSignals *signals);

G_END_DECLS
