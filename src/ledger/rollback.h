/* A rollback in the ledger: whether a run may be undone, opening, going on, closing.
 *
 * A rollback is a run of its own: its undo log is what a rollback of it goes by. */
#pragma once

#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* A rollback that is open. Plain data. */
typedef struct {
    guint64 run;    /* its own number */
    guint64 undoes; /* the run that it undoes */
    guint attempt;
    gboolean is_continued;
    gboolean is_of_deletes; /* what it undoes is a rollback that deleted rows */
    gboolean is_dry_run;    /* the caller's: units are savepoints of one transaction */
    /* Where it stands: after the batch before next_batch of a pass, come to cursor in it. */
    gboolean has_position;
    guint pass;
    guint64 cursor;
    guint64 next_batch;
} RpRollback;

/* Opens a rollback of the run, or another attempt of one that did not come to its end. Call it with the
 * target's lock, inside a transaction. RP_USAGE_ERROR: there is no such run; RP_GUARD_ERROR: it was rolled
 * back already, or the ledger does not hold what is needed, or transaction ids may mean something else by
 * now. */
gboolean rp_rollback_open(PGconn *connection, guint64 undoes, RpRollback *rollback, GError **error);

/* Where a pass stands: the cursor and the number of the batch after its last one. Neither is touched when it
 * has none. */
gboolean rp_rollback_position(PGconn *connection, const RpRollback *rollback, guint pass, guint64 *cursor,
                              guint64 *next_batch, GError **error);

/* Whether the rollback has been closed as completed. */
gboolean rp_rollback_is_complete(PGconn *connection, const RpRollback *rollback, gboolean *is_complete,
                                 GError **error);

/* Whether the rollback is still this process's: open, and no later attempt has begun. RP_GUARD_ERROR when
 * not. */
gboolean rp_rollback_check(PGconn *connection, const RpRollback *rollback, GError **error);

/* Closes the rollback as completed and the run as rolled back; what that had undone, if it was a rollback,
 * holds again. Opens the rejects that the run had settled. Inside a transaction. */
gboolean rp_rollback_close(PGconn *connection, const RpRollback *rollback, GError **error);

/* How many kept rows a result lists, and are looked at more closely. */
#define RP_KEPT_LISTED 1000

/* Rows that a rollback has dealt with, of a table. */
typedef struct {
    char *table;
    guint64 deleted;
    guint64 restored;
    guint64 reinserted;
    guint64 kept;
} RpUndoneTable;

typedef struct {
    char *table;
    char *key; /* a JSON object */
    char *reason;
    char **changed; /* or NULL: not known */
} RpKeptRow;

typedef struct {
    guint64 run;
    guint64 undoes;
    char *status;
    double seconds;
    char *error;       /* or NULL */
    GPtrArray *tables; /* of RpUndoneTable */
    GPtrArray *kept;   /* of RpKeptRow, at most RP_KEPT_LISTED */
    guint64 n_kept;
} RpRollbackSummary;

void rp_rollback_summary_free(RpRollbackSummary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpRollbackSummary, rp_rollback_summary_free)

/* What the ledger says of a rollback; *summary is NULL when the run is none. */
gboolean rp_rollback_read(PGconn *connection, guint64 run, RpRollbackSummary **summary, GError **error);

G_END_DECLS
