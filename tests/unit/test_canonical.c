/* Canonical forms of wire values made by hand: what is equal, what is not, and what is no value. */
#include "canonicals.h"

#define WIRE(literal) RP_SPAN_OF(literal)

static void assert_same(const RpColumn *column, RpSpan a, RpSpan b) {
    for (int i = 0; i < 4; i++)
        cr_expect(canonicals_is_same(column, a, i & 1, b, i & 2), "kind %d", column->kind);
}

static void assert_other(const RpColumn *column, RpSpan a, RpSpan b) {
    for (int i = 0; i < 4; i++)
        cr_expect(!canonicals_is_same(column, a, i & 1, b, i & 2), "kind %d", column->kind);
}

/* The bytes as they are, behind a zero. */
static void assert_malformed(const RpColumn *column, RpSpan wire) {
    g_autoptr(GBytes) bytes = canonicals_of(column, wire, TRUE);
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    cr_expect(size == wire.size + 1 && data[0] == 0, "kind %d, %zu bytes", column->kind, wire.size);
    cr_expect(wire.size == 0 || memcmp(data + 1, wire.data, wire.size) == 0);
}

Test(canonical, of_numerics_is_without_what_does_not_count) {
    const RpColumn column = canonicals_column(RP_TYPE_NUMERIC);
#define ONE "\0\1\0\0\0\0\0\0\0\1"
    assert_same(&column, WIRE(ONE), WIRE("\0\1\0\0\0\0\0\5\0\1"));              /* display scale */
    assert_same(&column, WIRE(ONE), WIRE("\0\3\0\1\0\0\0\0\0\0\0\1\0\0"));      /* zero groups around it */
    assert_other(&column, WIRE(ONE), WIRE("\0\1\0\0\x40\0\0\0\0\1"));           /* -1 */
    assert_other(&column, WIRE(ONE), WIRE("\0\1\0\1\0\0\0\0\0\1"));             /* 10000 */
    assert_other(&column, WIRE(ONE), WIRE("\0\1\xff\xff\0\0\0\4\0\1"));         /* 0.0001 */
    assert_same(&column, WIRE("\0\0\0\0\0\0\0\0"), WIRE("\0\0\0\0\x40\0\0\2")); /* -0.00 */
    assert_same(&column, WIRE("\0\0\0\0\0\0\0\0"), WIRE("\0\1\0\7\0\0\0\2\0\0"));
    assert_same(&column, WIRE("\0\0\0\0\xc0\0\0\0"), WIRE("\0\0\0\3\xc0\0\0\2")); /* NaN */
    assert_other(&column, WIRE("\0\0\0\0\xc0\0\0\0"), WIRE("\0\0\0\0\xd0\0\0\0"));
    assert_other(&column, WIRE("\0\0\0\0\xf0\0\0\0"), WIRE("\0\0\0\0\xd0\0\0\0"));
    assert_other(&column, WIRE("\0\0\0\0\xd0\0\0\0"), WIRE("\0\0\0\0\0\0\0\0"));
}

Test(canonical, of_floats_has_one_zero_and_one_nan) {
    const RpColumn f4 = canonicals_column(RP_TYPE_FLOAT4), f8 = canonicals_column(RP_TYPE_FLOAT8);
    assert_same(&f4, WIRE("\0\0\0\0"), WIRE("\x80\0\0\0"));
    assert_same(&f4, WIRE("\x7f\xc0\0\0"), WIRE("\xff\xc0\0\1"));
    assert_other(&f4, WIRE("\x7f\x80\0\0"), WIRE("\xff\x80\0\0")); /* infinities */
    assert_other(&f4, WIRE("\0\0\0\1"), WIRE("\0\0\0\0"));         /* not flushed to zero */
    assert_same(&f8, WIRE("\0\0\0\0\0\0\0\0"), WIRE("\x80\0\0\0\0\0\0\0"));
    assert_same(&f8, WIRE("\x7f\xf8\0\0\0\0\0\0"), WIRE("\xff\xf0\0\0\0\0\0\1"));
    assert_other(&f8, WIRE("\x7f\xf0\0\0\0\0\0\0"), WIRE("\xff\xf0\0\0\0\0\0\0"));
}

Test(canonical, of_texts_drops_padding_only_of_char) {
    RpColumn column = canonicals_column(RP_TYPE_TEXT);
    assert_other(&column, WIRE("a"), WIRE("a "));
    assert_other(&column, WIRE(""), WIRE("\1"));
    column.is_padded = TRUE;
    assert_same(&column, WIRE("a"), WIRE("a   "));
    assert_same(&column, WIRE(""), WIRE("  "));
    assert_other(&column, WIRE(" a"), WIRE("a"));
    assert_other(&column, WIRE("a\t"), WIRE("a"));
}

#define HEAD       "\0\0\0\1\0\0\0\0\0\0\0\x15" /* one dimension, no nulls, a type */
#define OTHER_HEAD "\0\0\0\1\0\0\0\1\0\0\7\7"   /* flags and type differ */

Test(canonical, of_arrays_is_of_shape_and_elements) {
    RpColumn element = canonicals_column(RP_TYPE_TEXT), column = canonicals_column(RP_TYPE_ARRAY);
    column.element = &element;
    const RpSpan ab = WIRE(HEAD "\0\0\0\2\0\0\0\1\0\0\0\1a\0\0\0\1b");
    assert_same(&column, ab, WIRE(OTHER_HEAD "\0\0\0\2\0\0\0\1\0\0\0\1a\0\0\0\1b"));
    assert_other(&column, ab, WIRE(HEAD "\0\0\0\2\0\0\0\0\0\0\0\1a\0\0\0\1b"));        /* bound */
    assert_other(&column, ab, WIRE(HEAD "\0\0\0\2\0\0\0\1\0\0\0\1a\xff\xff\xff\xff")); /* null */
    assert_other(&column, ab, WIRE(HEAD "\0\0\0\2\0\0\0\1\0\0\0\2ab\0\0\0\0"));
    assert_other(&column, ab, WIRE(HEAD "\0\0\0\1\0\0\0\1\0\0\0\1a"));
    assert_same(&column, WIRE("\0\0\0\0\0\0\0\0\0\0\0\x15"), WIRE(OTHER_HEAD "\0\0\0\0\0\0\0\1"));
    element.is_padded = TRUE;
    assert_same(&column, ab, WIRE(HEAD "\0\0\0\2\0\0\0\1\0\0\0\2a \0\0\0\1b"));
}

Test(canonical, of_what_is_no_value_is_marked) {
    static const struct {
        RpTypeKind kind;
        gsize size_bytes;
    } FIXED[] = {{RP_TYPE_BOOL, 1},   {RP_TYPE_INT2, 2},      {RP_TYPE_INT4, 4},       {RP_TYPE_INT8, 8},
                 {RP_TYPE_FLOAT4, 4}, {RP_TYPE_FLOAT8, 8},    {RP_TYPE_UUID, 16},      {RP_TYPE_DATE, 4},
                 {RP_TYPE_TIME, 8},   {RP_TYPE_TIMESTAMP, 8}, {RP_TYPE_TIMESTAMPTZ, 8}};
    static const char ZEROS[20];
    for (guint i = 0; i < G_N_ELEMENTS(FIXED); i++) {
        const RpColumn column = canonicals_column(FIXED[i].kind);
        assert_malformed(&column, (RpSpan){ZEROS, FIXED[i].size_bytes - 1});
        assert_malformed(&column, (RpSpan){ZEROS, FIXED[i].size_bytes + 1});
        assert_malformed(&column, (RpSpan){NULL, 0});
        assert_other(&column, (RpSpan){ZEROS, FIXED[i].size_bytes - 1}, (RpSpan){ZEROS, FIXED[i].size_bytes});
    }
}

Test(canonical, of_malformed_numerics_is_marked) {
    const RpColumn column = canonicals_column(RP_TYPE_NUMERIC);
    assert_malformed(&column, WIRE("\0\1\0\0\0\0\0"));
    assert_malformed(&column, WIRE("\0\2\0\0\0\0\0\0\0\1"));     /* a group is missing */
    assert_malformed(&column, WIRE("\0\1\0\0\0\0\0\0\0\1\0"));   /* half a group too many */
    assert_malformed(&column, WIRE("\xff\xff\0\0\0\0\0\0"));     /* -1 groups */
    assert_malformed(&column, WIRE("\0\1\0\0\0\0\0\0\x27\x10")); /* a group of 10000 */
    assert_malformed(&column, WIRE("\0\1\0\0\x80\0\0\0\0\1"));   /* a sign that there is not */
    assert_malformed(&column, WIRE("\0\1\0\0\xc0\0\0\0\0\1"));   /* NaN with digits */
    assert_malformed(&column, WIRE("\0\1\0\0\0\0\x40\0\0\1"));   /* a scale beyond 16383 */
}

Test(canonical, of_malformed_arrays_is_marked) {
    RpColumn element = canonicals_column(RP_TYPE_INT4), column = canonicals_column(RP_TYPE_ARRAY);
    column.element = &element;
    assert_malformed(&column, WIRE(""));
    assert_malformed(&column, WIRE("\0\0\0\0\0\0\0\0\0\0\0"));
    assert_malformed(&column, WIRE("\0\0\0\7\0\0\0\0\0\0\0\0")); /* dimensions */
    assert_malformed(&column, WIRE("\xff\xff\xff\xff\0\0\0\0\0\0\0\0"));
    assert_malformed(&column, WIRE(HEAD "\0\0\0\1\0\0\0"));                   /* no whole bound */
    assert_malformed(&column, WIRE(HEAD "\0\0\0\1\0\0\0\1"));                 /* no element */
    assert_malformed(&column, WIRE(HEAD "\xff\xff\xff\xff\0\0\0\1"));         /* -1 elements */
    assert_malformed(&column, WIRE(HEAD "\x7f\xff\xff\xff\0\0\0\1\0\0\0\0")); /* as many as can be */
    assert_malformed(&column, WIRE(HEAD "\0\0\0\1\0\0\0\1\0\0\0\5abcd"));     /* longer than the rest */
    assert_malformed(&column, WIRE(HEAD "\0\0\0\1\0\0\0\1\xff\xff\xff\xfe")); /* size -2 */
    assert_malformed(&column, WIRE(HEAD "\0\0\0\1\0\0\0\1\0\0\0\4abcd\0"));   /* something follows */
    assert_malformed(&column, WIRE("\0\0\0\2\0\0\0\0\0\0\0\x15\x7f\xff\xff\xff\0\0\0\1\x7f\xff\xff\xff"
                                   "\0\0\0\1\0\0\0\4abcd"));
    /* 2^30 times 2^30 times 16: nothing, in 64 bits */
    assert_malformed(&column, WIRE("\0\0\0\3\0\0\0\0\0\0\0\x15\x40\0\0\0\0\0\0\1\x40\0\0\0\0\0\0\1"
                                   "\0\0\0\x10\0\0\0\1"));
    /* An element that is none does not hide that another one differs. */
    assert_other(&column, WIRE(HEAD "\0\0\0\2\0\0\0\1\0\0\0\1a\0\0\0\4abcd"),
                 WIRE(HEAD "\0\0\0\2\0\0\0\1\0\0\0\1a\0\0\0\4abce"));
}

Test(canonical, of_malformed_jsonb_is_marked) {
    const RpColumn column = canonicals_column(RP_TYPE_JSONB);
    assert_malformed(&column, WIRE(""));
    assert_malformed(&column, WIRE("\2{}"));
    assert_malformed(&column, WIRE("{}"));
}
