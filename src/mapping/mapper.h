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

/* The identity that the row of a record (of that element, where the mapping says `each`) would have: maps its
 * key columns alone. values: room for as many as entity->key has, in its order, in PostgreSQL's binary form,
 * data NULL for null; borrowed until the next call. FALSE when it is not known: a key column is refused
 * itself, or PostgreSQL makes it (a look-up, a cast), or the record stands for an unknown number of rows.
 * Elements of a record are found fastest in their order. For a mapper that does nothing else, or between two
 * batches. */
gboolean rp_mapper_identify(RpMapper *mapper, const RpBatch *batch, guint32 record, guint32 element,
                            RpSpan *values);

/* What the record's key alone tells of the identity of its rows: the values of the columns of entity->key for
 * which rp_identity_is_of_key holds, in the order and the form of rp_mapper_identify; without data for the
 * others. FALSE when no row can be of this key: a value is refused. */
gboolean rp_mapper_identify_key(RpMapper *mapper, const RpBatch *batch, guint32 record, RpSpan *values);

G_END_DECLS
