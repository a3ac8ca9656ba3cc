/* The buckets' life and their comparison. */
#include "reconcile/buckets.h"

#define MOST_BUCKETS  65536u
#define LEAST_BUCKETS 256u
#define MOST_IN_ALL   (1u << 19) /* 12 MiB for each side */

guint32 rp_buckets_number(guint n_units) {
    guint32 number = MOST_BUCKETS;
    while (number > LEAST_BUCKETS && (guint64)number * n_units > MOST_IN_ALL)
        number /= 2;
    return number;
}

void rp_buckets_init(RpBuckets *buckets, guint n_units) {
    *buckets = (RpBuckets){.n_buckets = rp_buckets_number(n_units), .n_units = n_units};
    buckets->counts = g_new0(guint64, (gsize)n_units * buckets->n_buckets);
    buckets->sums = g_new0(RpHash, (gsize)n_units * buckets->n_buckets);
}

void rp_buckets_clear(RpBuckets *buckets) {
    g_clear_pointer(&buckets->counts, g_free);
    g_clear_pointer(&buckets->sums, g_free);
}

gboolean rp_buckets_is_equal(const RpBuckets *source, const RpBuckets *target, const RpUnits *units,
                             guint leader, guint32 bucket) {
    guint64 n_source = 0;
    for (guint i = leader; i < units->units->len; i++)
        if (rp_units_get(units, i)->leader == leader)
            n_source += rp_buckets_count(source, i, bucket);
    const gsize at = (gsize)leader * source->n_buckets + bucket;
    return n_source == rp_buckets_count(target, leader, bucket) &&
           rp_hash_equal(&source->sums[at], &target->sums[at]);
}
