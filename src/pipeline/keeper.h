/* The supervisor's connection: it holds the lock that keeps other runs out, and is opened again when it was
 * lost. */
#pragma once

#include "pipeline/crew.h"
#include "pipeline/signals.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpCrew *crew;
    const RpSignals *signals;
    PGconn *connection;
    gint64 next_look;    /* monotonic time */
    gint64 lost_at;      /* 0: the connection stands */
    gboolean is_closing; /* the run may be closed already, by a transaction whose answer was lost */
} RpKeeper;

/* Takes the connection, which has the lock. */
void rp_keeper_init(RpKeeper *keeper, RpCrew *crew, const RpSignals *signals, PGconn *connection);
void rp_keeper_clear(RpKeeper *keeper);

/* Looks after the connection when it is time to, without waiting for long: to be called again and again. What
 * could not be mended within the time for it, or a lock that is another's, fails the crew. */
void rp_keeper_look(RpKeeper *keeper);

/* After the connection failed with a trouble, which it takes: waits until it
 * stands and has the lock. FALSE: the trouble does not pass, has lasted too long, or a signal came. */
gboolean rp_keeper_recover(RpKeeper *keeper, GError *trouble, GError **error);

/* What was asked was answered. */
void rp_keeper_note_success(RpKeeper *keeper);

G_END_DECLS
