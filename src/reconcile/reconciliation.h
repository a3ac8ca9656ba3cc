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
    gboolean has_ledger;
    RpSourceSide source; /* the first reading */
    RpSide target;
    RpDifferences differences;
    RpLookPlace place;
    guint64 *n_source; /* by unit: rows of the buckets that were settled */
    guint64 *n_equal;
} RpReconciliation;

/* ---- conclude.c ---- */

/* Makes the result of what was found. */
gboolean rp_conclude(RpReconciliation *own, GError **error);

G_END_DECLS
