#include "reconcile/buckets.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* Units 0 and 1 lead themselves, 2 follows 0. */
#define N_UNITS 3

static RpUnit members[N_UNITS];
static RpUnits units;
static RpBuckets source, target;

static void init(void) {
    units.units = g_ptr_array_new();
    for (guint i = 0; i < N_UNITS; i++) {
        members[i] = (RpUnit){.number = i, .leader = i == 2 ? 0 : i};
        g_ptr_array_add(units.units, &members[i]);
    }
    rp_buckets_init(&source, N_UNITS);
    rp_buckets_init(&target, N_UNITS);
}

static void clear(void) {
    rp_buckets_clear(&source);
    rp_buckets_clear(&target);
    g_ptr_array_unref(units.units);
}

TestSuite(buckets, .init = init, .fini = clear);

static void add(RpBuckets *buckets, guint unit, guint64 identity, guint64 low, guint64 high) {
    const RpDigest digest = {{0, identity}, {low, high}};
    rp_buckets_add(buckets, &members[unit], &digest);
}

Test(buckets, are_equal_whatever_the_order) {
    add(&source, 0, 7, 1, 2);
    add(&source, 2, 7, G_MAXUINT64, 5);
    add(&target, 0, 7, G_MAXUINT64, 5);
    add(&target, 0, 7, 1, 2);
    cr_assert(rp_buckets_is_equal(&source, &target, &units, 0, 7));
    cr_assert(eq(u64, rp_buckets_count(&source, 2, 7), 1));
}

Test(buckets, differ_where_a_row_does) {
    add(&source, 0, 7, 1, 2);
    add(&target, 0, 7, 1, 3);
    add(&source, 1, 7, 1, 2);
    add(&target, 1, 7, 1, 2);
    cr_assert(not(rp_buckets_is_equal(&source, &target, &units, 0, 7)));
    cr_assert(rp_buckets_is_equal(&source, &target, &units, 0, 8));
    cr_assert(rp_buckets_is_equal(&source, &target, &units, 1, 7));
}

/* Sums that agree by chance: hashes of all zero, or that add up to nothing. */
Test(buckets, differ_where_only_the_number_of_rows_does) {
    add(&source, 0, 7, 0, 0);
    cr_assert(not(rp_buckets_is_equal(&source, &target, &units, 0, 7)));
}

/* The carry goes from the low half to the high one. */
Test(buckets, add_up_128_bits) {
    add(&source, 0, 7, G_MAXUINT64, 0);
    add(&source, 0, 7, 1, 0);
    add(&target, 0, 7, 0, 0);
    add(&target, 0, 7, 0, 0);
    cr_assert(not(rp_buckets_is_equal(&source, &target, &units, 0, 7)));
    add(&source, 0, 7, 0, 0);
    add(&target, 0, 7, 0, 1);
    cr_assert(rp_buckets_is_equal(&source, &target, &units, 0, 7));
}

Test(buckets, of_many_units_are_fewer) {
    cr_assert(eq(u32, rp_buckets_number(1), 65536));
    for (guint n_units = 1; n_units < 5000; n_units += 7) {
        const guint32 n = rp_buckets_number(n_units);
        cr_assert(n > 0 && (n & (n - 1)) == 0);
        cr_assert(le(u64, (guint64)n * n_units * 24, 64u << 20));
    }
}
