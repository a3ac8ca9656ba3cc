/* A unit of a rollback: some entries of a run's undo log, undone by one transaction. */
#pragma once

#include "ledger/rollback.h"
#include "ledger/undo_tables.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_UNDO_INSERT, /* the rows go */
    RP_UNDO_UPDATE, /* the rows get their images back */
    RP_UNDO_DELETE, /* the images are inserted again */
} RpUndoOperation;

/* Plain data. */
typedef struct {
    RpUndoTable *table;
    RpUndoOperation operation;
    gboolean is_again; /* of rows that were blocked before: numbers are of kept, else of undo */
    guint64 first;     /* numbers of its entries */
    guint64 last;
    guint64
        from_row; /* RP_UNDO_INSERT, first time: which keys of each entry, from 1; all, unless it is one */
    guint64 to_row;
} RpUndoUnit;

/* What a unit did. */
typedef struct {
    guint64 n_staged;
    guint64 n_deleted;
    guint64 n_restored;
    guint64 n_reinserted;
    guint64 n_kept;
} RpUndone;

/* How many entries with an image make a unit; how many keys of inserted rows. */
#define RP_UNDO_UNIT_ROWS 5000
#define RP_UNDO_UNIT_KEYS 10000

/* What is to be worked through, and how far it is: entries of a table, from the newest to the oldest; or what
 * was blocked of them, from the first that was kept. */
typedef struct {
    RpUndoTable *table;
    const char *operations; /* that it is about: a list of SQL literals */
    gboolean is_again;
    guint64 cursor; /* entries below it (again: above it) are still to come */
    guint64 end;    /* again: the last one of this round */
} RpUndoWalk;

/* Creates the session's temporary tables. Once for a connection. */
gboolean rp_undo_stage_prepare(PGconn *connection, const RpRollback *rollback, const GPtrArray *tables,
                               GError **error);

/* The next unit of the walk; *is_found is FALSE at its end. */
gboolean rp_undo_unit_next(PGconn *connection, const RpRollback *rollback, const RpUndoWalk *walk,
                           RpUndoUnit *unit, gboolean *is_found, GError **error);

/* Splits a unit in two that together are it, the one to be undone first in *one; FALSE when it is about a
 * single row. */
gboolean rp_undo_unit_split(const RpUndoUnit *unit, RpUndoUnit *one, RpUndoUnit *two);

/* Undoes what can be undone, inside a transaction. What cannot is kept, with its reason, in the ledger.
 * RP_SINK_ERROR_DATA when a row stands against it that has to be searched for. */
gboolean rp_undo_unit_work(PGconn *connection, const RpRollback *rollback, const RpUndoUnit *unit, guint pass,
                           guint64 batch, RpUndone *undone, GError **error);

/* Keeps all of a unit as blocked, for the reason. */
gboolean rp_undo_unit_keep(PGconn *connection, const RpRollback *rollback, const RpUndoUnit *unit,
                           const char *reason, RpUndone *undone, GError **error);

/* Writes the unit's batch: pass, number and cursor say where the rollback stands after it. RP_GUARD_ERROR
 * when the rollback is not this process's any more. */
gboolean rp_undo_unit_account(PGconn *connection, const RpRollback *rollback, const RpUndoUnit *unit,
                              const RpUndone *undone, guint pass, guint64 batch, guint64 cursor,
                              GError **error);

/* Whether that batch stands in the ledger. */
gboolean rp_undo_unit_is_done(PGconn *connection, const RpRollback *rollback, guint pass, guint64 batch,
                              gboolean *is_done, GError **error);

/* The newest kept row that is blocked, 0 for none, and how many there are. */
gboolean rp_undo_count_blocked(PGconn *connection, const RpRollback *rollback, guint64 *newest,
                               guint64 *n_blocked, GError **error);

/* Looks at kept rows for which that was not done yet, as many as a result lists: which of their columns
 * differ. */
gboolean rp_undo_compare_kept(PGconn *connection, const RpRollback *rollback, const GPtrArray *tables,
                              GError **error);

G_END_DECLS
