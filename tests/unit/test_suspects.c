#include "reconcile/suspects.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define N_UNITS 2

static RpSuspects suspects;
static guint64 n_source[N_UNITS], n_equal[N_UNITS];
static GString *found;

static void init(void) {
    rp_suspects_init(&suspects);
    memset(n_source, 0, sizeof n_source);
    memset(n_equal, 0, sizeof n_equal);
    found = g_string_new(NULL);
}

static void clear(void) {
    rp_suspects_clear(&suspects);
    g_string_free(found, TRUE);
}

TestSuite(suspects, .init = init, .fini = clear);

/* identity and row stand for their hashes. */
static RpSuspect make(guint unit, guint64 identity, guint64 row, const char *name, guint64 element) {
    return (RpSuspect){.unit = unit,
                       .digest = {{identity, identity}, {row, row}},
                       .name = {name, strlen(name)},
                       .element = element};
}

static void source(guint unit, guint64 identity, guint64 row, const char *name, guint64 element) {
    const RpSuspect suspect = make(unit, identity, row, name, element);
    rp_suspects_add_source(&suspects, &suspect);
}

static void target(guint64 identity, guint64 row, const char *name) {
    const RpSuspect suspect = make(0, identity, row, name, 0);
    rp_suspects_add_target(&suspects, &suspect);
}

static void take(const RpSuspicion *suspicion, gpointer data) {
    g_assert(data == &suspects);
    g_string_append_printf(found, "%s %u %.*s; ", rp_difference_kind_name(suspicion->kind), suspicion->unit,
                           (int)suspicion->name.size, suspicion->name.data);
}

static void settle(void) {
    rp_suspects_settle(&suspects, n_source, n_equal, take, &suspects);
}

static void assert_settled(guint64 source_rows, guint64 equal, const char *expected) {
    settle();
    cr_assert(eq(str, found->str, (char *)expected));
    cr_assert(eq(u64, n_source[0] + n_source[1], source_rows));
    cr_assert(eq(u64, n_equal[0] + n_equal[1], equal));
}

Test(suspects, pair_by_identity) {
    source(0, 4, 40, "k4", 0);
    target(3, 31, "t3");
    source(0, 1, 10, "k1", 0);
    target(1, 10, "t1");
    source(0, 3, 30, "k3", 0);
    target(2, 20, "t2");
    assert_settled(3, 1, "extra 0 t2; different 0 k3; missing 0 k4; ");
}

Test(suspects, one_thing_that_was_read_twice_counts_once_as_it_was_last) {
    source(0, 1, 9, "k", 0);
    source(0, 1, 10, "k", 0);
    target(1, 10, "t");
    assert_settled(1, 1, "");
}

Test(suspects, elements_of_one_key_are_several_things) {
    source(0, 1, 9, "k", 1);
    source(0, 1, 10, "k", 2);
    target(1, 10, "t");
    assert_settled(2, 1, "missing 0 k; ");
}

Test(suspects, identical_rows_of_several_keys_are_one) {
    source(0, 1, 10, "a", 0);
    source(0, 1, 11, "b", 0);
    source(1, 1, 10, "c", 0);
    source(0, 1, 11, "d", 0);
    assert_settled(2, 0, "missing 0 a; missing 0 b; ");
}

/* Whatever the order of reading. */
Test(suspects, of_one_identity_the_equal_one_meets_the_row) {
    source(0, 1, 12, "c", 0);
    target(1, 11, "t");
    source(0, 1, 11, "b", 0);
    source(0, 1, 10, "a", 0);
    assert_settled(3, 1, "missing 0 a; missing 0 c; ");
}

Test(suspects, of_one_identity_without_an_equal_one_the_first_differs) {
    source(0, 1, 12, "b", 0);
    source(0, 1, 10, "a", 0);
    target(1, 11, "t");
    assert_settled(2, 0, "different 0 a; missing 0 b; ");
}

/* A row without its like does not take another's. */
Test(suspects, of_one_identity_equal_rows_meet_first) {
    target(1, 15, "t1");
    target(1, 10, "t2");
    source(0, 1, 10, "a", 0);
    source(0, 1, 11, "b", 0);
    assert_settled(2, 1, "different 0 b; ");
}

Test(suspects, a_row_that_stands_twice_in_the_table_is_extra_once) {
    target(1, 10, "t");
    target(1, 10, "t");
    source(0, 1, 10, "a", 0);
    assert_settled(1, 1, "extra 0 t; ");
}

Test(suspects, units_are_told_apart) {
    source(1, 1, 10, "a", 0);
    source(0, 2, 20, "b", 0);
    target(1, 10, "t");
    settle();
    cr_assert(eq(u64, n_source[0], 1));
    cr_assert(eq(u64, n_equal[1], 1));
    cr_assert(eq(str, found->str, "missing 0 b; "));
}

Test(suspects, very_many_of_one_identity_take_no_time) {
    for (guint i = 0; i < 200000; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);
        source(0, 1, i / 2, name, 0);
    }
    cr_assert(eq(u32, rp_suspects_get_size(&suspects), 200000));
    rp_suspects_settle(&suspects, n_source, n_equal, take, &suspects);
    cr_assert(eq(u64, n_source[0], 100000));
}

Test(suspects, hashes_of_columns_come_back) {
    const guint64 columns[] = {1, 2}, others[] = {1, 3};
    RpSuspect left = make(0, 1, 10, "odd", 0), right = make(0, 1, 11, "t", 0);
    left.columns = columns;
    right.columns = others;
    left.n_columns = right.n_columns = 2;
    rp_suspects_add_source(&suspects, &left);
    rp_suspects_add_target(&suspects, &right);
    assert_settled(1, 0, "different 0 odd; ");
    rp_suspects_reset(&suspects);
    cr_assert(eq(u32, rp_suspects_get_size(&suspects), 0));
}
