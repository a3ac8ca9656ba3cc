/* Undoing a run: unit by unit, each in a transaction, until nothing is left that can be undone. */
#pragma once

#include "ledger/rollback.h"

#include <glib.h>

G_BEGIN_DECLS

/* How far a rollback has come; a snapshot. */
typedef struct {
    guint64 rows_undone;
    guint64 rows_kept;
    double seconds;
} RpRollbackProgress;

typedef void (*RpRollbackObserver)(const RpRollbackProgress *progress, gpointer data);

/* All borrowed. */
typedef struct {
    const char *postgres;       /* conninfo */
    guint64 run;                /* to undo */
    gboolean is_dry_run;        /* do it all in one transaction, and roll that back */
    guint retry_seconds;        /* how long a trouble that may pass is waited out */
    guint timeout_seconds;      /* how long an answer of PostgreSQL may take */
    RpRollbackObserver observe; /* called from the calling thread a few times a second; may be NULL */
    gpointer observe_data;
} RpRollbackOptions;

/* Undoes the run, or goes on with a rollback of it that did not come to its end. The ledger's tables must be
 * there. Blocks SIGINT and SIGTERM while it works: the first lets the transaction in hand commit, and ends
 * waiting for what stands against it; the second aborts it. TRUE: done; rows may be kept (*summary tells).
 * FALSE: error says why; RP_STOP_ERROR when it was interrupted: what is committed stands, and the same call
 * goes on. *summary may be NULL then; the caller owns it. */
gboolean rp_roll_back(const RpRollbackOptions *options, RpRollbackSummary **summary, GError **error);

G_END_DECLS
