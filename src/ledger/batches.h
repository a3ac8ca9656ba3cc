/* What the ledger keeps of a batch. All calls belong inside the transaction that writes the batch's rows. */
#pragma once

#include "ledger/attempts.h"
#include "mapping/mapping.h"
#include "model/batch.h"
#include "sink/merge_plan.h"

#include <glib.h>

G_BEGIN_DECLS

/* Keeps the target rows that an update is about to change, as they are. Rows that this run itself wrote have
 * no earlier image: there is nothing to go back to. Call it before rp_merge_update. */
gboolean rp_ledger_keep_before_images(PGconn *connection, const RpMergePlan *plan, guint64 run,
                                      const RpBatch *batch, GError **error);

/* Writes position, key counts, row counts and rejects of the batch. RP_GUARD_ERROR when the run was closed,
 * or another attempt at it has begun: then this process has lost it. */
gboolean rp_ledger_write_batch(PGconn *connection, const RpAttempt *attempt, const RpMapping *mapping,
                               const RpBatch *batch, GError **error);

/* What the merge asks the ledger about; for rp_merge_plan_new. */
extern const RpMergeLedger RP_LEDGER_FOR_MERGE;

/* The same for a replay. It meets a few keys only: where an identity does not follow from the key, whose row
 * it is that stands in the target nobody can say then, and another key's must not be overwritten. A run,
 * which meets all keys, can tell. */
extern const RpMergeLedger RP_LEDGER_FOR_REPLAY;

/* The same for a sync, which meets the same keys again and again: which key a row is of is kept. */
extern const RpMergeLedger RP_LEDGER_FOR_SYNC;

G_END_DECLS
