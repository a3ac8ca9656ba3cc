/* How things stand in the ledger: asked after a connection was lost, when it is not known what came of the
 * last transaction, or what others did meanwhile. */
#pragma once

#include "model/batch.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Whether the batch, or the portion of it that it is at, is committed. An earlier session of ours may still
 * be about to commit it: then writing it again fails, and rp_ledger_is_written says so of the error. */
gboolean rp_ledger_has_batch(PGconn *connection, guint64 run, const RpBatch *batch, gboolean *has_it,
                             GError **error);

/* Whether an error of rp_ledger_write_batch says that the batch stands already. */
gboolean rp_ledger_is_written(const GError *error);

/* How many batches of the run are committed, portions of one counted each. */
gboolean rp_ledger_count_batches(PGconn *connection, guint64 run, guint64 *n_batches, GError **error);

/* Whether the run is open, and this process's: whoever took the target's lock meanwhile has closed it, or
 * goes on with it. */
gboolean rp_ledger_is_ours(PGconn *connection, guint64 run, gboolean *is_ours, GError **error);

G_END_DECLS
