/* The batch that the reader fills: taken from the pool, closed with its position, given to the mappers. */
#pragma once

#include "pipeline/crew.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpCrew *crew;
    guint pass;
    guint64 cursor;    /* after the last page that was taken whole */
    RpBatch *batch;    /* NULL between two of them */
    guint64 n_batches; /* of this pass */
} RpFilling;

/* Begins a pass. */
void rp_filling_begin(RpFilling *filling, guint pass);

/* Makes sure that there is a batch; waits for one to come back. FALSE with RP_STOP_ERROR when none will. */
gboolean rp_filling_open(RpFilling *filling, GError **error);

/* The same, after the batch was closed when it is full: a page or a key may fill several. */
gboolean rp_filling_make_room(RpFilling *filling, GError **error);

/* These need an open batch. */

/* Says that everything before the cursor is in this batch or an earlier one. */
void rp_filling_reach(RpFilling *filling, guint64 cursor);

gboolean rp_filling_is_full(const RpFilling *filling);
void rp_filling_close(RpFilling *filling);

/* Counts a key that SCAN gave as mapped, ignored or unmapped. */
void rp_filling_account_for(RpFilling *filling, RpSpan key);

/* Notes for the progress line that the scan stands at the cursor, n_read records came, and n_mapped of the
 * keys that it gave are wanted. */
void rp_filling_note_progress(RpFilling *filling, guint64 cursor, guint64 n_read, guint64 n_mapped);

G_END_DECLS
