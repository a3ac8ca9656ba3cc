/* The checkpoint of a sync: up to where in the stream of changes the target has everything. */
#pragma once

#include "model/stream.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Sets the checkpoint, where the batch has one; inside the transaction that writes the batch's rows.
 * RP_GUARD_ERROR when the ledger has no sync. */
gboolean rp_checkpoint_write(PGconn *connection, const RpStreamPlace *place, GError **error);

G_END_DECLS
