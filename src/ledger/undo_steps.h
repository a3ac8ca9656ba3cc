/* The steps of a unit of a rollback: staging keys, setting rows aside. */
#pragma once

#include "ledger/undo_unit.h"

#include <glib.h>

G_BEGIN_DECLS

/* The state of one unit's work. */
typedef struct {
    PGconn *connection;
    const RpRollback *rollback;
    const RpUndoUnit *unit;
    const RpUndoTable *table;
    const char *ours; /* condition: t, of the staged row s, is as the run left it. Not pulled up into a join,
                         but hashed */
    char *image;      /* of t */
    char *row;        /* "run, pass, batch, entity, target" of the rollback's undo log, as literals */
    const char *parameters[5]; /* the same, for RP_LEDGER_KEEP_INSERTED */
    RpUndone *undone;
} RpUndoWork;

/* Runs a statement without parameters; *n_rows, unless NULL, gets the number in its one row, or else the
 * number of rows that it touched. The second formats it: only for numbers, and pieces that are quoted. */
gboolean rp_undo_run(RpUndoWork *work, const char *sql, guint64 *n_rows, GError **error);
gboolean rp_undo_runf(RpUndoWork *work, guint64 *n_rows, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* The columns of an image, as json_to_record gives them, and how to use them: those that JSON would misread
 * come as text. */
typedef struct {
    GString *definitions;
    GString *names;
    GString *values;
    GString *sets;
} RpImageSql;

/* For columns that both the images of what is staged and the table have: the oldest and the newest image
 * tell. To be cleared in any case. */
gboolean rp_image_sql_make(RpUndoWork *work, RpImageSql *sql, GError **error);
void rp_image_sql_clear(RpImageSql *sql);

/* Puts the keys of the unit's rows into the stage; counts them in n_staged. */
gboolean rp_undo_stage(RpUndoWork *work, GError **error);

/* Looks, once for a connection, for rows that are as the run left them again, because what later runs had
 * changed was undone; notes their writer in the stage, where it counts as the run. */
gboolean rp_undo_overlap_prepare(PGconn *connection, const RpRollback *rollback, const GPtrArray *tables,
                                 GError **error);
gboolean rp_undo_overlap_find(RpUndoWork *work, GError **error);

/* The following set rows of the stage aside: they are kept, and counted as that. rp_undo_write_kept tells the
 * ledger of all of them. */

/* from is "USING … WHERE …" after DELETE FROM stage s, writer an xid or NULL, reason an SQL text or NULL for
 * "changed since". *n_taken may be NULL. */
gboolean rp_undo_take_aside(RpUndoWork *work, const char *from, const char *writer, const char *reason,
                            gboolean is_blocked, guint64 *n_taken, GError **error);

/* All but the newest image of each row. */
gboolean rp_undo_keep_newest(RpUndoWork *work, const char *reason, GError **error);
/* Rows that are not as the run left them; that are gone; whose key is there. */
gboolean rp_undo_keep_changed(RpUndoWork *work, GError **error);
gboolean rp_undo_keep_missing(RpUndoWork *work, GError **error);
gboolean rp_undo_keep_returned(RpUndoWork *work, GError **error);
/* Rows that others refer to, as far as they have to be looked at before a delete. */
gboolean rp_undo_keep_referred(RpUndoWork *work, GError **error);

/* Locks the staged rows that are as the run left them. */
gboolean rp_undo_lock_rows(RpUndoWork *work, GError **error);

/* Deletes the staged rows that are as they were left, but for those that something refers to: each has its
 * image in the undo log then. RP_SINK_ERROR_DATA when a row stands against it that has to be searched for. */
gboolean rp_undo_delete_rows(RpUndoWork *work, GError **error);

gboolean rp_undo_write_kept(RpUndoWork *work, GError **error);

G_END_DECLS
