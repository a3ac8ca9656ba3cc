/* A reconciliation under way. */
#pragma once

#include "reconcile/differences.h"
#include "reconcile/pulse.h"
#include "reconcile/reconcile.h"
#include "reconcile/sides.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    const RpReconcileOptions *options;
    RpReconcileResult *result;
    PGconn *connection;
    RpUnits *units;
    RpLoadOptions load; /* of surveys */
    RpSurvey survey;
    RpPulse pulse;
    gint is_cancelled;
    RpSourceSide source; /* the first reading */
    RpSide target;
    RpDifferences differences;
    RpLookPlace place;
    guint64 *n_source; /* by unit: rows of the buckets that were settled */
    guint64 *n_equal;
    guint64 *n_kept;        /* by unit that keeps them */
    gboolean has_come_back; /* of a row that is kept the key is in Redis; see RpLook */
    guint64 **n_different;  /* by unit and column; counted at level fields */
    /* Aggregates of the rows that were looked at, and of the target's other rows. */
    gboolean has_looked;
    RpTotals looked_source;
    RpTotals looked_target;
    RpTotals rest;
    const RpTotals *source_totals; /* those that are told */
    const RpTotals *target_totals;
} RpReconciliation;

/* ---- rounds.c ---- */

/* Looks at the buckets that differ, and fills in what was found. */
gboolean rp_rounds_look(RpReconciliation *own, GError **error);

/* Notes in the result when the source has changed since the beginning, or a run changes the target. */
gboolean rp_rounds_feel_pulse(RpReconciliation *own, GError **error);

/* ---- conclude.c ---- */

/* Makes the result of what was found. */
gboolean rp_conclude(RpReconciliation *own, GError **error);

G_END_DECLS
