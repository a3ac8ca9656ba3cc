/* The batch that the reader fills: taken from the pool, closed with its position, given to the mappers. */
#pragma once

#include "pipeline/crew.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpCrew *crew;
    guint pass;
    guint64 cursor;         /* after the last page that was taken whole */
    RpBatch *batch;         /* NULL between two of them */
    guint64 next_batch;     /* number of the next one in this pass */
    gboolean is_within_key; /* some of a key's elements are read, and others are not */
} RpFilling;

/* Begins a pass, or goes on in it: at the cursor, with the batch of that number. */
void rp_filling_begin(RpFilling *filling, guint pass, guint64 cursor, guint64 first_batch);

/* What the records of a page should weigh at the most. */
gsize rp_filling_page_bytes(const RpLoadOptions *options);

#define RP_MAX_PAGE_KEYS                                                                                     \
    1000 /* SCAN's COUNT: more gains little and lengthens the time that Redis is busy                        \
          */

/* Makes sure that there is a batch; waits for one to come back. FALSE with RP_STOP_ERROR when none will. */
gboolean rp_filling_open(RpFilling *filling, GError **error);

/* The same, after the batch was closed when it is full: a key may fill several. */
gboolean rp_filling_make_room(RpFilling *filling, GError **error);

/* The same between two keys of a page: a batch takes half as much again before the page is spread over two,
 * since reading can go on only where a batch ends with a page. */
gboolean rp_filling_make_room_in_page(RpFilling *filling, GError **error);

/* These need an open batch. */

/* Says that more comes of a page. */
void rp_filling_begin_page(RpFilling *filling);

/* Says that everything before the cursor is in this batch or an earlier one, and nothing else. */
void rp_filling_reach(RpFilling *filling, guint64 cursor);

/* Whether no other page should begin in the batch. */
gboolean rp_filling_is_full(const RpFilling *filling);
void rp_filling_close(RpFilling *filling);

/* Counts a key that SCAN gave as mapped, ignored or unmapped. */
void rp_filling_account_for(RpFilling *filling, RpSpan key);

/* Notes for the progress line that the scan stands at the cursor, n_read records came, and n_mapped of the
 * keys that it gave are wanted. */
void rp_filling_note_progress(RpFilling *filling, guint64 cursor, guint64 n_read, guint64 n_mapped);

G_END_DECLS
