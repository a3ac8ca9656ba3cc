/* What the ledger keeps of runs that last: before-images and batches are dropped after a time. */
#pragma once

#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Drops what batches of syncs left that were committed more than so many days ago: their before-images, and
 * the batches themselves, whose accounts are added up in the newest of them. A run of which something was
 * dropped can no longer be rolled back; runs of other kinds keep everything. *n_batches: how many were
 * dropped. In a transaction of its own. */
gboolean rp_retention_apply(PGconn *connection, guint days, guint64 *n_batches, GError **error);

G_END_DECLS
