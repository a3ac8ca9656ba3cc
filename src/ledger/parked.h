/* Keys of which rows could not be written, or not deleted, because of other rows. They are tried again.
 *
 * 1. A key that is parked is on record as a reject once, when it has waited too long; it is tried on all the
 * same.
 * 2. What a key leaves open is settled by the transaction in which it comes through. */
#pragma once

#include "ledger/attempts.h"
#include "ledger/met_keys.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_PARK_SECONDS 60 /* unless a setting says otherwise: how long a key waits before it is a reject */

/* What a session knows of the ledger: without parked keys and open rejects nothing is asked. */
typedef struct {
    gboolean is_known;
    gboolean has_parked;
    gboolean has_open; /* rejects of the same source */
} RpParking;

/* Parks the keys of the batch whose rejects, or departed rows, wait for other rows, takes the others out, and
 * settles what was open of them. Changes the batch's rejects and counts accordingly. After the merges, inside
 * the batch's transaction. */
gboolean rp_parking_settle(RpParking *parking, PGconn *connection, const RpAttempt *attempt,
                           const RpMapping *mapping, RpBatch *batch, const RpMetKeys *met, guint park_seconds,
                           GError **error);

/* Takes up to limit keys that are to be tried again by now: an array of GBytes that frees them. They are due
 * again in some seconds, unless they come through or are parked anew. NULL with the error of PostgreSQL. */
GPtrArray *rp_parked_take_due(PGconn *connection, guint limit, GError **error);

G_END_DECLS
