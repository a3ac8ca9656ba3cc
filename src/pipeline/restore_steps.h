/* Doing the pieces of work of a restore (pipeline/restore_plan.h) on a connection. */
#pragma once

#include "pipeline/restore_plan.h"

#include <glib.h>

G_BEGIN_DECLS

/* Borrowed. */
typedef struct {
    PGconn *connection;
    guint64 run;
    guint64 by_run; /* as in RpRestore */
    guint by_attempt;
    const RpRestorePlan *plan; /* for what does not change: its entries */
} RpRestoreSession;

/* Sets a new connection up for the work. */
gboolean rp_restore_session_prepare(PGconn *connection, GError **error);

/* What came of a unit. refusal, to be taken by whoever tells the plan, as rp_restore_plan_end has it. */
typedef struct {
    RpRestoreOutcome outcome;
    guint64 n_taken_out;
    GError *refusal;
} RpRestoreResult;

/* Does a unit whole; it may be done again after it failed: what stands already is left alone. A transaction
 * may be open afterwards when it failed. */
gboolean rp_restore_unit_do(RpRestoreSession *session, const RpRestoreUnit *unit, RpRestoreResult *result,
                            GError **error);

/* "putting index a of public.b back", … of a unit, for messages. The caller frees it. */
char *rp_restore_unit_describe(const RpRestoreUnit *unit);

G_END_DECLS
