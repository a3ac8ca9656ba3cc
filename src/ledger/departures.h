/* Rows that Redis has no more: of keys that are gone, and of keys that give fewer rows than before. They are
 * deleted by their entity's policy, in the transaction of the batch that met the keys.
 *
 * 1. A row goes only when its key is known, and known not to give it: what is refused, or read in part,
 * leaves its rows alone.
 * 2. No row of anybody else is deleted or changed, not by a foreign key's action either.
 * 3. What stood before the run is in its undo log before the deletion commits. */
#pragma once

#include "ledger/attempts.h"
#include "ledger/met_keys.h"
#include "mapping/mapper.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpDepartures RpDepartures;

/* For sessions of one writer; the mapping is borrowed, and bound. */
RpDepartures *rp_departures_new(const RpMapping *mapping, const RpOccasion *occasion);
void rp_departures_free(RpDepartures *departures);

/* Begins with a session: reads what refers to the tables, and makes temporary tables. RP_USAGE_ERROR when the
 * role may not delete, or may not see what refers to a row. */
gboolean rp_departures_prepare(RpDepartures *departures, PGconn *connection, GError **error);

/* Deletes what can go before the batch's rows are merged, children first. met: with is_expired judged; gets
 * blocked and stays. Counts what is deleted. */
gboolean rp_departures_delete_first(RpDepartures *departures, PGconn *connection, const RpAttempt *attempt,
                                    RpBatch *batch, const RpMetKeys *met, GError **error);

/* The same after the merges, which may have set rows free: of keys that were blocked, that the batch has met
 * twice, or of which `where` has filtered rows. */
gboolean rp_departures_delete_last(RpDepartures *departures, PGconn *connection, const RpAttempt *attempt,
                                   RpBatch *batch, const RpMetKeys *met, GError **error);

/* The batch is committed: remembers what it had of a key that goes on in the next. */
void rp_departures_note_written(RpDepartures *departures, const RpBatch *batch, const RpMetKeys *met);

G_END_DECLS
