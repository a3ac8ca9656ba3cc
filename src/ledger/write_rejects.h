/* Storing the rejects of a batch. */
#pragma once

#include "mapping/mapping.h"
#include "model/batch.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Writes the batch's rejects, inside the transaction that writes its rows. */
gboolean rp_ledger_write_rejects(PGconn *connection, guint64 run, const RpMapping *mapping,
                                 const RpBatch *batch, GError **error);

G_END_DECLS
