/* The run's own connection, in a thread of its own: it holds the lock that keeps other runs out, is opened
 * again when it was lost, and closes the run at the end. */
#pragma once

#include "base/outage.h"
#include "pipeline/crew.h"
#include "sink/predecessor.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpKeeper RpKeeper;

/* What the keeper's thread does at last, when nothing is under way any more. */
typedef void (*RpKeeperEnd)(RpKeeper *keeper, gpointer data);

struct RpKeeper {
    RpCrew *crew;
    RpKeeperEnd end;
    gpointer end_data;
    GThread *thread;
    gint has_ended; /* atomic */
    /* The thread's own. */
    PGconn *connection; /* NULL: lost */
    GError *lost;       /* why */
    RpPredecessor session;
    RpOutage outage;
    gboolean is_closing;  /* the run may be closed already, by a transaction whose answer was lost */
    gboolean has_reached; /* since it is being closed */
    GMutex mutex;         /* guards what follows */
    GCond told;
    gboolean is_told; /* to come to the end */
};

/* Takes the connection, which has the lock. */
void rp_keeper_init(RpKeeper *keeper, RpCrew *crew, PGconn *connection, RpKeeperEnd end, gpointer end_data);
/* After its thread has ended. */
void rp_keeper_clear(RpKeeper *keeper);

/* Starts the thread: it looks after the connection every few seconds. What could not be mended within the
 * time for it, or a lock that is another's, fails the crew. */
void rp_keeper_begin(RpKeeper *keeper);

/* Has it come to the end, when no other thread of the crew works any more; without waiting. */
void rp_keeper_tell(RpKeeper *keeper);
gboolean rp_keeper_has_ended(RpKeeper *keeper);
void rp_keeper_join(RpKeeper *keeper);

/* ---- in its thread, at the end ---- */

/* Whether the connection stands. */
gboolean rp_keeper_stands(RpKeeper *keeper, GError **error);

/* After the connection failed with a trouble, which it takes: waits until it stands and has the lock. The
 * first time there is one try whatever else was said, unless it is all to be aborted. FALSE: the trouble does
 * not pass, has lasted too long, or a signal came; or it is a dry run, whose transaction is gone. */
gboolean rp_keeper_recover(RpKeeper *keeper, GError *trouble, GError **error);

/* What was asked was answered. */
void rp_keeper_note_success(RpKeeper *keeper);

G_END_DECLS
