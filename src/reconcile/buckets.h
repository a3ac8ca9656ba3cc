/* Rows of one side added up by bucket of their identity: a count and a sum of hashes each. Two sides that
 * have the same rows have the same sums; where a bucket's differ, some row in it does. Memory does not grow
 * with the rows. */
#pragma once

#include "reconcile/digest.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    guint32 n_buckets; /* for each unit; a power of two */
    guint n_units;
    guint64 *counts; /* rows, by unit and bucket */
    RpHash *sums;    /* by leader's number and bucket: modulo 2^128 */
} RpBuckets;

/* How many buckets each of so many units has: 65,536, and fewer where there are many units. */
guint32 rp_buckets_number(guint n_units);

void rp_buckets_init(RpBuckets *buckets, guint n_units);
void rp_buckets_clear(RpBuckets *buckets);

static inline guint32 rp_buckets_find(const RpBuckets *buckets, const RpHash *identity) {
    return (guint32)(identity->high & (buckets->n_buckets - 1));
}

static inline void rp_buckets_add(RpBuckets *buckets, const RpUnit *unit, const RpDigest *digest) {
    const guint32 bucket = rp_buckets_find(buckets, &digest->identity);
    RpHash *sum = &buckets->sums[(gsize)unit->leader * buckets->n_buckets + bucket];
    buckets->counts[(gsize)unit->number * buckets->n_buckets + bucket]++;
    sum->low += digest->row.low;
    sum->high += digest->row.high + (sum->low < digest->row.low);
}

static inline guint64 rp_buckets_count(const RpBuckets *buckets, guint unit, guint32 bucket) {
    return buckets->counts[(gsize)unit * buckets->n_buckets + bucket];
}

/* Whether a leader's bucket has the same rows on both sides. source's counts are those of all units that the
 * leader leads. */
gboolean rp_buckets_is_equal(const RpBuckets *source, const RpBuckets *target, const RpUnits *units,
                             guint leader, guint32 bucket);

G_END_DECLS
