/* What a sync does in the transaction of a batch besides merging its rows. */
#pragma once

#include "pipeline/crew.h"

#include <glib.h>

G_BEGIN_DECLS

/* For a feed of one pass with one writer, whose batches have each key once, with its time of expiry: deletes
 * rows of keys that are gone or give fewer, parks what waits for other rows, settles open rejects, keeps
 * times of expiry, and writes the batch's checkpoint. The merge's ledger is to be RP_LEDGER_FOR_SYNC. */
extern const RpFeedSteps RP_SYNC_STEPS;

/* For the reading of all keys before, in several passes with any number of writers: the same without
 * deletions. */
extern const RpFeedSteps RP_SYNC_LOAD_STEPS;

/* How long a key waits for other rows before it is on record as a reject; 60 unless it is set. Before threads
 * start. */
void rp_sync_set_park_seconds(guint seconds);

G_END_DECLS
