/* Repairing what a reconciliation has found: a run of its own, over the keys and rows in its list. */
#pragma once

#include "pipeline/crew.h"
#include "reconcile/key_set.h"
#include "reconcile/reconciliation.h"

#include <glib.h>

G_BEGIN_DECLS

/* Writes what is missing or different, and deletes what is extra where that was asked for. Makes no run when
 * there is nothing to do. FALSE with the errors of rp_load; what is committed stands then. */
gboolean rp_repair(RpReconciliation *own, const RpRepairOptions *options, RpRepairResult *repaired,
                   GError **error);

/* ---- what its parts share ---- */

typedef struct {
    RpReconciliation *own;
    const RpRepairOptions *options;
    gboolean *deletes;  /* by unit: its extra rows are to be deleted */
    RpKeySet entangled; /* keys that give many rows, and one of them has a twin */
    guint64 n_to_write;
    guint64 n_to_delete;
    guint64 n_left;
} RpRepair;

/* Whether the row is one that the repair writes; FALSE too for what is not to be read at all. */
gboolean rp_repair_writes(RpRepair *repair, const RpSuspicion *suspicion);
gboolean rp_repair_deletes(const RpRepair *repair, const RpSuspicion *suspicion);

/* ---- repair_feed.c ---- */

/* The thread that reads for it (GThreadFunc); data is the crew, whose feed's data is the repair. */
gpointer rp_repair_thread(gpointer crew);

/* ---- extras.c ---- */

/* Deletes the extra rows on a connection of the caller's: children first, each portion of them after a look
 * at all of Redis. What is left is counted and said. */
gboolean rp_extras_delete(RpRepair *repair, RpCrew *crew, PGconn *connection, GError **error);

G_END_DECLS
