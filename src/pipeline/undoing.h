/* What the parts of a rollback share. */
#pragma once

#include "base/retry.h"
#include "ledger/undo_unit.h"
#include "pipeline/rollback.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    const RpRollbackOptions *options;
    PGconn *connection; /* NULL: lost */
    RpRollback rollback;
    GPtrArray *tables; /* of RpUndoTable, parents first */
    RpRetry retry;
    guint pass; /* where it stands */
    guint64 batch;
    gboolean is_opened;  /* the rollback stands in the ledger */
    gboolean is_closing; /* the units are done */
    gboolean is_of_rows; /* errors that are no data errors were found to be of some rows only */
    gint is_stopping;    /* atomic: do no further unit */
    gint is_cancelled;   /* atomic: give up what is in hand */
    GMutex mutex;        /* guards what follows */
    PGcancel *cancel;
    RpRollbackProgress progress;
} RpUndoing;

/* Connects and takes the target's lock. */
gboolean rp_undoing_connect(RpUndoing *undoing, GError **error);

/* RP_STOP_ERROR once a signal came. */
gboolean rp_undoing_is_stopped(RpUndoing *undoing, GError **error);

/* Units, in which constraints are checked at once; in a dry run they are savepoints (sink/unit.h). */
gboolean rp_undoing_begin(RpUndoing *undoing, GError **error);
gboolean rp_undoing_commit(RpUndoing *undoing, GError **error);
void rp_undoing_abort(RpUndoing *undoing);

/* After a trouble: TRUE when it may pass, and was waited out; the connection stands again, with the lock, and
 * the rollback is still ours. Else *trouble is what to end with. */
gboolean rp_undoing_recover(RpUndoing *undoing, GError **trouble);

/* Undoes a unit; rows that PostgreSQL refuses are searched for, and kept. cursor: what the ledger is to say
 * that the rollback has come to, when the unit is done. */
gboolean rp_undoing_do_unit(RpUndoing *undoing, const RpUndoUnit *unit, guint64 cursor, GError **error);

/* Undoes everything, in the order of undo_walks.c. */
gboolean rp_undo_walks_do(RpUndoing *undoing, GError **error);

G_END_DECLS
