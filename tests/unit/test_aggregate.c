/* Aggregates of wire values made by hand: what counts, what is malformed, and what is equal. */
#include "canonicals.h"
#include "reconcile/aggregate.h"

#define WIRE(literal) RP_SPAN_OF(literal)

static RpAggregate *aggregate_of(RpTypeKind kind, guint n_values, const RpSpan *values) {
    const RpColumn column = canonicals_column(kind);
    RpAggregate *aggregate = rp_aggregate_new(&column);
    cr_assert(aggregate != NULL);
    for (guint i = 0; i < n_values; i++)
        rp_aggregate_add(aggregate, values[i]);
    return aggregate;
}

#define AGGREGATE(kind, ...)                                                                                 \
    aggregate_of(kind, G_N_ELEMENTS(((const RpSpan[]){__VA_ARGS__})), (const RpSpan[]){__VA_ARGS__})

static void assert_shown(const RpAggregate *aggregate, guint result, const char *expected) {
    g_autofree char *shown = rp_aggregate_show(aggregate, result);
    cr_expect(g_strcmp0(shown, expected) == 0, "%s, not %s", shown, expected);
}

Test(aggregate, is_of_numbers_and_times) {
    static const RpTypeKind WITHOUT[] = {RP_TYPE_OTHER, RP_TYPE_BOOL, RP_TYPE_TEXT,
                                         RP_TYPE_BYTEA, RP_TYPE_UUID, RP_TYPE_JSON,
                                         RP_TYPE_JSONB, RP_TYPE_ENUM, RP_TYPE_ARRAY};
    for (guint i = 0; i < G_N_ELEMENTS(WITHOUT); i++) {
        const RpColumn column = canonicals_column(WITHOUT[i]);
        cr_expect(rp_aggregate_new(&column) == NULL, "%d", WITHOUT[i]);
    }
    g_autoptr(RpAggregate) sum = aggregate_of(RP_TYPE_NUMERIC, 0, NULL);
    cr_expect(rp_aggregate_n_results(sum) == 1 && strcmp(rp_aggregate_name(sum, 0), "sum") == 0);
    assert_shown(sum, 0, NULL);
    g_autoptr(RpAggregate) date = aggregate_of(RP_TYPE_DATE, 0, NULL);
    cr_expect(rp_aggregate_n_results(date) == 2);
    cr_expect(strcmp(rp_aggregate_name(date, 0), "min") == 0 &&
              strcmp(rp_aggregate_name(date, 1), "max") == 0);
    assert_shown(date, 0, NULL);
    assert_shown(date, 1, NULL);
}

Test(aggregate, of_integers_does_not_overflow) {
    g_autoptr(RpAggregate) great =
        AGGREGATE(RP_TYPE_INT8, WIRE("\x7f\xff\xff\xff\xff\xff\xff\xff"),
                  WIRE("\x7f\xff\xff\xff\xff\xff\xff\xff"), WIRE("\0\0\0\0\0\0\0\2"));
    assert_shown(great, 0, "18446744073709551616");
    g_autoptr(RpAggregate) least =
        AGGREGATE(RP_TYPE_INT8, WIRE("\x80\0\0\0\0\0\0\0"), WIRE("\x80\0\0\0\0\0\0\0"));
    assert_shown(least, 0, "-18446744073709551616");
    g_autoptr(RpAggregate) small = AGGREGATE(RP_TYPE_INT2, WIRE("\xff\xff"), WIRE("\0\1"));
    assert_shown(small, 0, "0");
}

Test(aggregate, counts_what_is_malformed_and_is_unequal_then) {
    static const struct {
        RpTypeKind kind;
        RpSpan sound;
        RpSpan malformed[3];
    } KINDS[] = {
        {RP_TYPE_INT2, WIRE("\0\1"), {WIRE(""), WIRE("\1"), WIRE("\0\0\1")}},
        {RP_TYPE_INT4, WIRE("\0\0\0\1"), {WIRE(""), WIRE("\0\1"), WIRE("\0\0\0\0\1")}},
        {RP_TYPE_INT8, WIRE("\0\0\0\0\0\0\0\1"), {WIRE(""), WIRE("\0\0\0\1"), WIRE("\0\0\0\0\0\0\0\0\1")}},
        {RP_TYPE_DATE, WIRE("\0\0\0\1"), {WIRE(""), WIRE("\0\0\1"), WIRE("\0\0\0\0\0\0\0\1")}},
        {RP_TYPE_TIME, /* below 0, and beyond 24:00 */
         WIRE("\0\0\0\0\0\0\0\1"),
         {WIRE(""), WIRE("\xff\xff\xff\xff\xff\xff\xff\xff"), WIRE("\0\0\0\x14\x1d\xd7\x60\1")}},
        {RP_TYPE_FLOAT8, WIRE("\0\0\0\0\0\0\0\1"), {WIRE(""), WIRE("\0\0\0\1"), WIRE("\0\0\0\0\0\0\0")}},
        {RP_TYPE_NUMERIC, /* half a group, and a place that numeric does not have */
         WIRE("\0\1\0\0\0\0\0\0\0\1"),
         {WIRE(""), WIRE("\0\1\0\0\0\0\0\0\0"), WIRE("\0\1\x80\0\0\0\0\0\0\1")}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++) {
        g_autoptr(RpAggregate) sound = AGGREGATE(KINDS[i].kind, KINDS[i].sound);
        g_autoptr(RpAggregate) same = AGGREGATE(KINDS[i].kind, KINDS[i].sound);
        cr_expect(rp_aggregate_is_equal(sound, same) && rp_aggregate_n_malformed(same) == 0);
        g_autofree char *before = rp_aggregate_show(same, 0);
        for (guint j = 0; j < 3; j++)
            rp_aggregate_add(same, KINDS[i].malformed[j]);
        cr_expect(rp_aggregate_n_malformed(same) == 3, "kind %d", KINDS[i].kind);
        cr_expect(!rp_aggregate_is_equal(sound, same) && !rp_aggregate_is_equal(same, sound));
        assert_shown(same, 0, before);
        rp_aggregate_merge(sound, same);
        cr_expect(rp_aggregate_n_malformed(sound) == 3);
    }
}

#define NUMERIC_ONE    WIRE("\0\1\0\0\0\0\0\0\0\1")
#define NUMERIC_ONE_00 WIRE("\0\1\0\0\0\0\0\2\0\1")
#define NUMERIC_TWO    WIRE("\0\1\0\0\0\0\0\0\0\2")
#define NUMERIC_TINY   WIRE("\0\1\xff\xff\0\0\0\4\0\1")
#define NUMERIC_BIG    WIRE("\0\1\x40\0\0\0\0\0\0\1")
#define NUMERIC_MINUS  WIRE("\0\1\x40\0\x40\0\0\0\0\1")

Test(aggregate, of_numerics_is_exact_at_any_size) {
    g_autoptr(RpAggregate) sum = AGGREGATE(RP_TYPE_NUMERIC, NUMERIC_BIG, NUMERIC_TINY, NUMERIC_MINUS);
    assert_shown(sum, 0, "0.0001");
    g_autoptr(RpAggregate) one = AGGREGATE(RP_TYPE_NUMERIC, NUMERIC_ONE);
    g_autoptr(RpAggregate) one_00 = AGGREGATE(RP_TYPE_NUMERIC, NUMERIC_ONE_00);
    g_autoptr(RpAggregate) two = AGGREGATE(RP_TYPE_NUMERIC, NUMERIC_TWO);
    assert_shown(one_00, 0, "1.00");
    cr_expect(rp_aggregate_is_equal(one, one_00) && !rp_aggregate_is_equal(one, two));
    rp_aggregate_merge(one, one_00);
    assert_shown(one, 0, "2.00");
    cr_expect(rp_aggregate_is_equal(one, two));
    rp_aggregate_merge(two, sum);
    assert_shown(two, 0, "2.0001");
    rp_aggregate_merge(sum, one);
    assert_shown(sum, 0, "2.0001");
}

Test(aggregate, of_nothing_is_equal_to_nothing_only) {
    static const RpTypeKind KINDS[] = {RP_TYPE_INT8, RP_TYPE_NUMERIC, RP_TYPE_TIMESTAMP, RP_TYPE_FLOAT8};
    static const RpSpan ZEROS = WIRE("\0\0\0\0\0\0\0\0"); /* zero of each */
    for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++) {
        g_autoptr(RpAggregate) nothing = aggregate_of(KINDS[i], 0, NULL);
        g_autoptr(RpAggregate) other = aggregate_of(KINDS[i], 0, NULL);
        g_autoptr(RpAggregate) zero = AGGREGATE(KINDS[i], ZEROS);
        cr_expect(rp_aggregate_is_equal(nothing, other));
        cr_expect(!rp_aggregate_is_equal(nothing, zero) && !rp_aggregate_is_equal(zero, nothing));
        rp_aggregate_merge(zero, nothing);
        rp_aggregate_merge(nothing, zero);
        cr_expect(rp_aggregate_is_equal(nothing, zero));
    }
}

Test(aggregate, of_extremes_does_not_mix_up_the_ends) {
    g_autoptr(RpAggregate) left = AGGREGATE(RP_TYPE_DATE, WIRE("\0\0\0\1"), WIRE("\0\0\0\3"));
    g_autoptr(RpAggregate) right = AGGREGATE(RP_TYPE_DATE, WIRE("\0\0\0\1"), WIRE("\0\0\0\2"));
    cr_expect(!rp_aggregate_is_equal(left, right));
    assert_shown(left, 0, "2000-01-02");
    assert_shown(left, 1, "2000-01-04");
    g_autoptr(RpAggregate) nan = AGGREGATE(RP_TYPE_FLOAT4, WIRE("\x7f\xc0\0\0"), WIRE("\x7f\x80\0\0"));
    g_autoptr(RpAggregate) infinity = AGGREGATE(RP_TYPE_FLOAT4, WIRE("\x7f\x80\0\0"));
    cr_expect(!rp_aggregate_is_equal(nan, infinity));
    assert_shown(nan, 0, "Infinity");
    assert_shown(nan, 1, "NaN");
    g_autoptr(RpAggregate) zero = AGGREGATE(RP_TYPE_FLOAT4, WIRE("\x80\0\0\0"), WIRE("\0\0\0\0"));
    assert_shown(zero, 0, "0"); /* whichever came first */
    assert_shown(zero, 1, "0");
}
