/* Rows of a bulk load that its run is to read again. */
#pragma once

#include "ledger/attempts.h"

#include <glib.h>

G_BEGIN_DECLS

/* Whether the run loads in bulk. FALSE when PostgreSQL could not be asked. */
gboolean rp_ledger_is_bulk(PGconn *connection, guint64 run, gboolean *is_bulk, GError **error);

/* Of a run whose first pass goes on, in bulk, at the attempt's place: what batches beyond it loaded is
 * deleted, with its undo entries and its account. Where no key is unique a row that is loaded twice would
 * stand twice. Inside the transaction that begins the attempt, before the batches are superseded. */
gboolean rp_ledger_unload(PGconn *connection, const RpAttempt *attempt, GError **error);

G_END_DECLS
