/* A batch: a whole number of SCAN pages of one pass, on its way from the reader (records) through the
 * mapper (tuples, rejects) to a writer (one transaction). Batches come from a fixed pool and go back to
 * it, so their number bounds the memory of a run. A batch belongs to one thread at a time. */
#pragma once

#include "model/record.h"
#include "model/reject.h"
#include "model/replay.h"
#include "model/stream.h"
#include "model/tuples.h"

#include <glib.h>

G_BEGIN_DECLS

/* Where a scan stands: everything before it was read. */
typedef struct {
    guint32 pass;         /* number of the pass, from 0 */
    guint64 cursor;       /* SCAN cursor to go on with; 0 after the last page of a pass */
    gboolean is_page_end; /* and nothing after it: a reading may go on here */
    gboolean is_pass_end;
} RpPosition;

/* The account of an entity's rows: read = the sum of the ends that follow it, but deleted. */
typedef struct {
    guint64 read;
    guint64 inserted;
    guint64 updated;
    guint64 unchanged;
    guint64 deleted;
    guint64 rejected;
    guint64 filtered;
    guint64 vanished;
    guint64 parked;
    /* Rows among read, unchanged and updated that an earlier attempt of the run has written, and counted. */
    guint64 counted_before;
} RpCounts;

/* The account of keys as SCAN gave them. */
typedef struct {
    guint64 scanned;
    guint64 mapped;
    guint64 ignored; /* by an ignore pattern or because a link covers them */
    guint64 unmapped;
} RpKeyCounts;

typedef struct {
    guint32 pass;
    guint64 number; /* in the order of reading, from 0 within the pass */
    /* A batch whose records give more rows than fit into it is mapped and written in portions. */
    guint32 portion;     /* from 0 */
    gboolean is_whole;   /* this is the last portion */
    guint mapper;        /* number of the mapper that goes on with it when it is not */
    guint64 before;      /* SCAN cursor of the position that the batch begins at */
    RpPosition position; /* after the batch, once its last portion is written */
    RpRecords records;
    guint n_entities;
    RpTuples *tuples; /* by entity; empty for the entities of other passes */
    RpCounts *counts; /* by entity */
    RpKeyCounts keys;
    GHashTable *unmapped; /* pattern (char *) -> RpUnmapped */
    GArray *rejects;      /* of RpReject: first those of the mapper, then those of the writer */
    guint n_map_rejects;
    /* The last record that a reject of an earlier portion was about, and has been stored with; -1: none. */
    gint64 stored_record;
    GArray *replays; /* of RpReplay: the rejects of earlier runs that the records stand for */
    /* Of a sync: all that stands in the stream before this place is in the batch or in earlier ones. Not set
     * in a batch that more has to follow. */
    RpStreamPlace checkpoint;
    /* Keys whose elements came in several batches: the first records go on with what the batch before began,
     * the last ones go on in the next. */
    gboolean begins_within_key;
    gboolean ends_within_key;
    /* What the portion is of: the records from first on, up to end, of the first of which earlier portions or
     * batches may have had a part already, and later ones may have more of the last. Set by the mapper. */
    struct {
        guint32 first;
        guint32 end;
        gboolean begins_within_key;
        gboolean ends_within_key;
    } part;
} RpBatch;

/* Keys of one shape that nothing covers. */
typedef struct {
    guint64 keys;
    char *example; /* as shown text */
} RpUnmapped;

RpBatch *rp_batch_new(guint n_entities);
void rp_batch_free(RpBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpBatch, rp_batch_free)

/* Empties the batch for its next use, keeping up to keep_bytes of each buffer. */
void rp_batch_reset(RpBatch *batch, gsize keep_bytes);

/* After a portion was written: empties all but the records, whose rest is to be mapped. The keys are
 * accounted for with the first portion. */
void rp_batch_next_portion(RpBatch *batch);

/* Unmapped keys are told apart by so many patterns in a batch; further ones are counted under "*". */
#define RP_BATCH_MAX_PATTERNS 100

/* Notes an unmapped key under its pattern. */
void rp_batch_add_unmapped(RpBatch *batch, const char *pattern, RpSpan key);

/* Marks the end of the mapper's work: what a writer adds after it is undone by rp_batch_forget_write. */
void rp_batch_seal_map(RpBatch *batch);

/* Forgets what an attempt to write added, so that the batch can be written again whole. */
void rp_batch_forget_write(RpBatch *batch);

/* Rejects rows or records; counts it. Takes the strings of *reject. One of RP_REJECT_DELETE_BLOCKED is of
 * rows that the record, its key's first, does not give: it is an account of its own, or that of a vanished
 * key. */
void rp_batch_take_reject(RpBatch *batch, const RpReject *reject);

/* Counts the reject of that position as parked; it is no reject of the batch any more. */
void rp_batch_park(RpBatch *batch, guint reject);

/* How many rejects the batch has but for those that are parked. */
guint rp_batch_n_rejects(const RpBatch *batch);

void rp_counts_add(RpCounts *sum, const RpCounts *counts);

/* Whether read equals the sum of what came of it. */
gboolean rp_counts_is_balanced(const RpCounts *counts);

G_END_DECLS
