/* Rows that were written as they are, without a merge, in the undo log. */
#pragma once

#include "model/batch.h"
#include "sink/merge_plan.h"

#include <glib.h>

G_BEGIN_DECLS

/* The column of the entity's identity of whose type no key can be kept here; NULL when there is none. */
const RpColumn *rp_ledger_loaded_obstacle(const RpEntity *entity);

/* Keeps the identities of the batch's rows of the plan's entity, and the Redis keys that they came from, as
 * one entry of the undo log (operation insert), in the form that a merge writes (ledger/image.h): identities
 * are taken from the tuples. ordinals (of guint32): the rows that were written, in this order; NULL: all that
 * are RP_ROW_IN. Inside the batch's transaction. */
gboolean rp_ledger_keep_loaded(PGconn *connection, const RpMergePlan *plan, guint64 run, const RpBatch *batch,
                               const GArray *ordinals, gboolean has_keys, GError **error);

G_END_DECLS
