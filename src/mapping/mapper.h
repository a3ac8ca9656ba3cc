/* The mapper: records of a batch to tuples and rejects. One for each mapper thread; the mapping is shared. */
#pragma once

#include "mapping/mapping.h"
#include "model/batch.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpMapper RpMapper;

/* The mapping is borrowed, must be bound without errors, and must outlive the mapper. */
RpMapper *rp_mapper_new(const RpMapping *mapping);
void rp_mapper_free(RpMapper *mapper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpMapper, rp_mapper_free)

/* Maps every record of the batch: appends tuples, rejects and counts (read, vanished, rejected), and seals
 * the batch's map stage. */
void rp_mapper_map(RpMapper *mapper, RpBatch *batch);

G_END_DECLS
