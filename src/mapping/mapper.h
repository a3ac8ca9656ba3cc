/* The mapper: records of a batch to tuples and rejects. One for each mapper thread; the mapping is shared. */
#pragma once

#include "mapping/mapping.h"
#include "mapping/reading.h"
#include "model/batch.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpMapper RpMapper;

/* The mapping is borrowed, must be bound without errors, and must outlive the mapper. The arrays that `each`
 * walks over may give more rows than a batch should hold: then it is mapped in portions of at most about
 * portion_rows rows and rejects, or portion_bytes of tuples. */
RpMapper *rp_mapper_new(const RpMapping *mapping, const RpOccasion *occasion, guint portion_rows,
                        gsize portion_bytes);
void rp_mapper_free(RpMapper *mapper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpMapper, rp_mapper_free)

/* Maps the records of the batch: appends tuples, rejects and counts (read, vanished, rejected), and seals
 * the batch's map stage. batch->is_whole is FALSE when it stopped at a portion's limit: once that is written,
 * rp_batch_next_portion and another call go on with the same batch. */
void rp_mapper_map(RpMapper *mapper, RpBatch *batch);

G_END_DECLS
