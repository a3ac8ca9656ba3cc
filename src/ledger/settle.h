/* Settling rejects: an open one is resolved by the run in which its record passed, or replaced by the run
 * that refused it again. */
#pragma once

#include "model/batch.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Settles what the batch replays, with its last portion; inside the transaction that writes its rows. */
gboolean rp_ledger_settle_replays(PGconn *connection, guint64 run, const RpBatch *batch, GError **error);

/* Settles what is open of readings that a run which is now complete has overtaken, of the same source and of
 * the entities that it has loaded (all, or those named in only): it has met every key of theirs since, and
 * its own rejects are what is open. Replaying an older reading over what it wrote would bring old data back.
 * Inside the transaction that closes the run. */
gboolean rp_ledger_settle_earlier(PGconn *connection, guint64 run, const char *const *only, GError **error);

G_END_DECLS
