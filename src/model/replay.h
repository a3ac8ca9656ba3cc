/* What a batch replays: rejects of earlier runs, and what came of the records that stand for them. */
#pragma once

#include "model/reject.h"

#include <glib.h>

G_BEGIN_DECLS

/* A reject of an earlier run, and the records of the batch that it is tried again with. */
typedef struct {
    guint64 reject;      /* its number in the ledger */
    guint32 record;      /* the first of them */
    guint32 n_records;   /* one, unless the whole key was read anew */
    gint64 element;      /* of the record's array, when the reject was about one of it; else -1 */
    gint64 read_at_us;   /* when they were read: Unix time in microseconds; 0: just now */
    gboolean has_failed; /* in a portion of the batch that is written already */
} RpReplay;

/* Which of the replays fail with these rejects (of RpReject): a GArray of gboolean, by replay. One that has
 * failed before fails. The caller unrefs it. */
GArray *rp_replays_judge(const GArray *replays, const GArray *rejects);

/* The first replay that a record of the batch stands for; NULL: none. Replays are in the order of their
 * records.
 */
const RpReplay *rp_replays_find(const GArray *replays, guint32 record);

/* Notes for the portions to come which have failed in this one. */
void rp_replays_note_failures(GArray *replays, const GArray *rejects);

G_END_DECLS
