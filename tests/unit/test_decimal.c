/* Decimals: exact, or refused with the code that says why. */
#include "decimals.h"

static void assert_parse(RpSpan text, int precision, int scale, const char *expected) {
    RpDecimal decimal;
    RpRejectCode code = RP_N_REJECT_CODES;
    g_autofree char *got = rp_decimal_parse(text, precision, scale, &decimal, &code)
                               ? decimals_show(&decimal)
                               : g_strdup(rp_reject_code_name(code));
    cr_assert(strcmp(got, expected) == 0, "%.60s as numeric(%d,%d) gave %s, not %s", text.data, precision,
              scale, got, expected);
}

typedef struct {
    const char *text;
    const char *expected;
} Case;

Test(decimal, becomes_groups_of_four_digits) {
    static const Case CASES[] = {
        {"0", "+w0 d0:"},
        {"1", "+w0 d0: 1"},
        {"+7", "+w0 d0: 7"},
        {"-12", "-w0 d0: 12"},
        {"9999", "+w0 d0: 9999"},
        {"10000", "+w1 d0: 1"},
        {"10001", "+w1 d0: 1 1"},
        {"000123", "+w0 d0: 123"},
        {"12345.678", "+w1 d3: 1 2345 6780"},
        {"100000000", "+w2 d0: 1"},
        {"100000001", "+w2 d0: 1 0 1"},
        {"0.5", "+w-1 d1: 5000"},
        {".5", "+w-1 d1: 5000"},
        {"5.", "+w0 d0: 5"},
        {"1.50", "+w0 d2: 1 5000"},
        {"-0.0001", "-w-1 d4: 1"},
        {"0.00001", "+w-2 d5: 1000"},
        {"0.00000001", "+w-2 d8: 1"},
        {"0.000000001", "+w-3 d9: 1000"},
        {"-0", "+w0 d0:"},
        {"-0.00", "+w0 d2:"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_parse(rp_span(CASES[i].text), -1, 0, CASES[i].expected);
}

Test(decimal, takes_exponents_and_nan) {
    static const Case CASES[] = {
        {"1e4", "+w1 d0: 1"},
        {"1E+4", "+w1 d0: 1"},
        {"1.5E-3", "+w-1 d4: 15"},
        {"1.50e1", "+w0 d1: 15"},
        {"12.5e2", "+w0 d0: 1250"},
        {"1e-5", "+w-2 d5: 1000"},
        {"0e-5", "+w0 d5:"},
        {"123e-2", "+w0 d2: 1 2300"},
        {"0e99999999999999999999", "+w0 d0:"},
        {"nan", "nan"},
        {"NaN", "nan"},
        {"NAN", "nan"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_parse(rp_span(CASES[i].text), -1, 0, CASES[i].expected);
}

Test(decimal, refuses_what_is_no_number) {
    static const char *const BAD[] = {"",     "+",    "-",   ".",     "e5",  "1e",       "1e+",      "1.2.3",
                                      "1,5",  " 1",   "1 ",  "0x10",  "--1", "+-1",      "1_000",    "1e1.5",
                                      "nan ", "-nan", "12a", "1e5e5", "\n1", "Infinity", "\xd9\xa1", "\xff"};
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        assert_parse(rp_span(BAD[i]), -1, 0, "invalid_decimal");
    assert_parse(RP_SPAN_OF("1\0"), -1, 0, "invalid_decimal");
    assert_parse(RP_SPAN_OF("1\0002"), -1, 0, "invalid_decimal");
}

Test(decimal, keeps_to_precision_and_scale) {
    static const struct {
        int precision, scale;
        Case cases[9];
    } TYPES[] = {
        {5,
         2,
         {{"999.99", "+w0 d2: 999 9900"},
          {"-999.99", "-w0 d2: 999 9900"},
          {"1000", "out_of_range"},
          {"999.999", "scale_exceeded"},
          {"1000.001", "out_of_range"},
          {"1.500", "+w0 d2: 1 5000"},
          {"1e2", "+w0 d2: 100"},
          {"1e-3", "scale_exceeded"},
          {"NaN", "nan"}}},
        {4,
         0,
         {{"9999", "+w0 d0: 9999"},
          {"10000", "out_of_range"},
          {"1.0", "+w0 d0: 1"},
          {"0.1", "scale_exceeded"}}},
        {2, 2, {{"0", "+w0 d2:"}, {"0.99", "+w-1 d2: 9900"}, {"1", "out_of_range"}}},
        /* a scale over the precision, and one below zero: PostgreSQL 15 and later */
        {2,
         5,
         {{"0", "+w0 d5:"},
          {"0.00099", "+w-1 d5: 9 9000"},
          {"0.001", "out_of_range"},
          {"0.000001", "scale_exceeded"}}},
        {3,
         -2,
         {{"0", "+w0 d0:"},
          {"-99900", "-w1 d0: 9 9900"},
          {"1e2", "+w0 d0: 100"},
          {"12345", "scale_exceeded"},
          {"100000", "out_of_range"}}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(TYPES); i++)
        for (guint j = 0; j < G_N_ELEMENTS(TYPES[i].cases) && TYPES[i].cases[j].text != NULL; j++)
            assert_parse(rp_span(TYPES[i].cases[j].text), TYPES[i].precision, TYPES[i].scale,
                         TYPES[i].cases[j].expected);
}

static gboolean is_held(const char *text, RpRejectCode *code) {
    RpDecimal decimal;
    return rp_decimal_parse(rp_span(text), -1, 0, &decimal, code);
}

Test(decimal, has_at_most_2000_digits) {
    g_autofree char *nines = g_strnfill(RP_DECIMAL_MAX_DIGITS, '9');
    g_autofree char *more = g_strconcat(nines, "9", NULL);
    g_autofree char *split = g_strdup_printf("%.1000s.%.1000s", nines, nines);
    RpRejectCode code;
    cr_assert(is_held(nines, &code) && is_held(split, &code));
    cr_assert(!is_held(more, &code) && code == RP_REJECT_OUT_OF_RANGE);
    cr_assert(is_held("1e1999", &code) && is_held("1e-2000", &code));
    cr_assert(!is_held("1e2000", &code) && code == RP_REJECT_OUT_OF_RANGE);
    cr_assert(!is_held("1e99999999999999999999", &code) && code == RP_REJECT_OUT_OF_RANGE);
    cr_assert(!is_held("1e-2001", &code) && code == RP_REJECT_SCALE_EXCEEDED);
    cr_assert(!is_held("1e-99999999999999999999", &code) && code == RP_REJECT_SCALE_EXCEEDED);
}

Test(decimal, is_sent_with_its_size) {
    RpDecimal decimal;
    RpRejectCode code;
    g_auto(RpBuffer) out = {0};
    cr_assert(rp_decimal_parse(RP_SPAN_OF("-12345.678"), -1, 0, &decimal, &code));
    rp_decimal_append(&decimal, &out);
    static const char EXPECTED[] = "\0\0\0\16"
                                   "\0\3"
                                   "\0\1"
                                   "\100\0"
                                   "\0\3"
                                   "\0\1"
                                   "\x09\x29"
                                   "\x1a\x7c";
    cr_assert(out.size == sizeof EXPECTED - 1 && memcmp(out.data, EXPECTED, out.size) == 0);
}

Test(decimal, compares_as_numbers) {
    static const char *const ASCENDING[] = {"-1e10", "-100",    "-99.5",  "-99",   "-0.5",  "-0.0001",
                                            "0",     "0.00001", "0.0001", "0.5",   "1",     "1.5",
                                            "1.51",  "9999",    "1e4",    "10001", "1e300", "NaN"};
    for (guint i = 0; i < G_N_ELEMENTS(ASCENDING); i++)
        for (guint j = 0; j < G_N_ELEMENTS(ASCENDING); j++) {
            RpDecimal a, b;
            RpRejectCode code;
            cr_assert(rp_decimal_parse(rp_span(ASCENDING[i]), -1, 0, &a, &code));
            cr_assert(rp_decimal_parse(rp_span(ASCENDING[j]), -1, 0, &b, &code));
            const int expected = (i > j) - (i < j);
            cr_assert(rp_decimal_compare(&a, &b) == expected, "%s against %s", ASCENDING[i], ASCENDING[j]);
        }
    RpDecimal a, b;
    RpRejectCode code;
    cr_assert(rp_decimal_parse(RP_SPAN_OF("1.50"), -1, 0, &a, &code));
    cr_assert(rp_decimal_parse(RP_SPAN_OF("15e-1"), -1, 0, &b, &code));
    cr_assert(rp_decimal_compare(&a, &b) == 0, "the display scale does not count");
}

Test(decimal, becomes_an_integer) {
    static const struct {
        const char *text;
        gboolean is_integer;
        gint64 integer;
    } CASES[] = {
        {"0", TRUE, 0},
        {"-0.00", TRUE, 0},
        {"1", TRUE, 1},
        {"-123456789", TRUE, -123456789},
        {"10000", TRUE, 10000},
        {"1e18", TRUE, G_GINT64_CONSTANT(1000000000000000000)},
        {"9223372036854775807", TRUE, G_MAXINT64},
        {"-9223372036854775808", TRUE, G_MININT64},
        {"9223372036854775808", FALSE, 0},
        {"-9223372036854775809", FALSE, 0},
        {"1e1999", FALSE, 0},
        {"1.5", FALSE, 0},
        {"0.0001", FALSE, 0},
        {"1e-1000", FALSE, 0},
        {"NaN", FALSE, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        RpDecimal decimal;
        RpRejectCode code;
        gint64 integer = 0;
        cr_assert(rp_decimal_parse(rp_span(CASES[i].text), -1, 0, &decimal, &code));
        cr_assert(rp_decimal_to_integer(&decimal, &integer) == CASES[i].is_integer, "%s", CASES[i].text);
        cr_assert(!CASES[i].is_integer || integer == CASES[i].integer, "%s", CASES[i].text);
    }
}
