/* What a trial has seen, and the findings that it makes of it. */
#pragma once

#include "mapping/mapping.h"
#include "model/batch.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpTally RpTally;

/* The mapping is borrowed. */
RpTally *rp_tally_new(const RpMapping *mapping);
void rp_tally_free(RpTally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpTally, rp_tally_free)

/* Counts a key that SCAN gave; one that nothing covers by its shape. */
void rp_tally_add_key(RpTally *tally, RpSpan key);
guint64 rp_tally_get_keys(const RpTally *tally);

/* Counts the fields of a hash or of a stream's entry, or the members of a JSON object, that no column of any
 * entity with that key reads. */
void rp_tally_add_fields(RpTally *tally, const RpRecords *records, guint record);

/* Counts the rows and the rejects of a batch that was mapped. */
void rp_tally_add_batch(RpTally *tally, const RpBatch *batch);

/* Adds the findings. has_rows: records were mapped. */
void rp_tally_report(const RpTally *tally, gboolean has_rows, RpFindings *findings);

G_END_DECLS
