/* What the ledger keeps of a batch. All calls belong inside the transaction that writes the batch's rows. */
#pragma once

#include "mapping/mapping.h"
#include "model/batch.h"
#include "sink/merge_plan.h"

#include <glib.h>

G_BEGIN_DECLS

/* Keeps the target rows that an update is about to change, as they are. Rows that this run itself wrote have
 * no earlier image: there is nothing to go back to. Call it before rp_merge_update. */
gboolean rp_ledger_keep_before_images(PGconn *connection, const RpMergePlan *plan, guint64 run,
                                      const RpBatch *batch, GError **error);

/* Writes position, key counts, row counts and rejects of the batch. */
gboolean rp_ledger_write_batch(PGconn *connection, guint64 run, const RpMapping *mapping,
                               const RpBatch *batch, GError **error);

/* What the merge asks the ledger about; for rp_merge_plan_new. */
extern const RpMergeLedger RP_LEDGER_FOR_MERGE;

G_END_DECLS
