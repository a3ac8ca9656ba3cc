/* Writing rows without a merge, on one connection inside one transaction: straight into the target.
 * pipeline/direct.c puts the steps in order. */
#pragma once

#include "model/batch.h"
#include "sink/merge_plan.h"

#include <glib.h>

G_BEGIN_DECLS

/* Sends the tuples of the plan's entity that are RP_ROW_IN straight into its table, and gives how many they
 * were. For entities whose tuples are rows as they stand (plan->raw is NULL). RP_SINK_ERROR_FATAL when
 * PostgreSQL has stored another number of rows: something drops some. */
gboolean rp_bulk_copy(PGconn *connection, const RpMergePlan *plan, const RpBatch *batch, guint64 *n_rows,
                      GError **error);

/* Inserts what is staged (sink/merge.h), which must be that many rows; the same error when it is not. */
gboolean rp_bulk_insert(PGconn *connection, const RpMergePlan *plan, guint64 n_rows, GError **error);

/* The ordinals of what is staged, rising: an array of guint32 for the caller to unref. NULL on failure. */
GArray *rp_bulk_list_staged(PGconn *connection, const RpMergePlan *plan, GError **error);

G_END_DECLS
