/* Floating point, and whole numbers that are divided and rounded. */
#include "converting.h"

#define FLOAT4 COLUMN(RP_TYPE_FLOAT4, "real")
#define FLOAT8 COLUMN(RP_TYPE_FLOAT8, "double precision")

Test(convert_number, float8) {
    ASSERT_CASES(FLOAT8, {"0", "0000000000000000"}, {"-0", "8000000000000000"}, {"1", "3ff0000000000000"},
                 {"+1.5", "3ff8000000000000"}, {"-2.5e3", "c0a3880000000000"}, {".5", "3fe0000000000000"},
                 {"5.", "4014000000000000"}, {"1E-2", "3f847ae147ae147b"}, {"007", "401c000000000000"},
                 {"0.1", "3fb999999999999a"}, {"NaN", "7ff8000000000000"}, {"nan", "7ff8000000000000"},
                 {"Infinity", "7ff0000000000000"}, {"+infinity", "7ff0000000000000"},
                 {"-INFINITY", "fff0000000000000"}, {"inf", "7ff0000000000000"}, {"+Inf", "7ff0000000000000"},
                 {"-inf", "fff0000000000000"});
    /* limits: the largest number, the smallest, what is beyond; halfway cases */
    ASSERT_CASES(FLOAT8, {"1.7976931348623157e308", "7fefffffffffffff"},
                 {"1.7976931348623158e308", "7fefffffffffffff"}, {"1.7976931348623159e308", "out_of_range"},
                 {"-1e309", "out_of_range"}, {"1e999999999999", "out_of_range"},
                 {"2.2250738585072014e-308", "0010000000000000"}, {"4.9e-324", "0000000000000001"},
                 {"1e-324", "out_of_range"}, {"-1e-999999999999", "out_of_range"},
                 {"0e999999999999", "0000000000000000"}, {"0.000e-400", "0000000000000000"},
                 {"9007199254740993", "4340000000000000"}, {"9007199254740993.0000001", "4340000000000001"},
                 {"2.2250738585072011e-308", "000fffffffffffff"});
    ASSERT_CASES(FLOAT8, {"", "invalid_decimal"}, {"-", "invalid_decimal"}, {".", "invalid_decimal"},
                 {"e5", "invalid_decimal"}, {"1e", "invalid_decimal"}, {"1e+", "invalid_decimal"},
                 {"1e1.5", "invalid_decimal"}, {"1.2.3", "invalid_decimal"}, {"1,5", "invalid_decimal"},
                 {" 1", "invalid_decimal"}, {"1 ", "invalid_decimal"}, {"0x1p3", "invalid_decimal"},
                 {"0x10", "invalid_decimal"}, {"--1", "invalid_decimal"}, {"1_000", "invalid_decimal"},
                 {"1f", "invalid_decimal"}, {"-nan", "invalid_decimal"}, {"nan(1)", "invalid_decimal"},
                 {"infin", "invalid_decimal"}, {"infinityx", "invalid_decimal"}, {"\xff", "invalid_decimal"});
    const RpConversion conversion = {.column = FLOAT8};
    assert_conversion(&conversion, RP_SPAN_OF("1\0"), "invalid_decimal");
    assert_conversion(&conversion, RP_SPAN_OF("inf\0"), "invalid_decimal");
}

Test(convert_number, float4) {
    ASSERT_CASES(FLOAT4, {"1", "3f800000"}, {"-0", "80000000"}, {"0.1", "3dcccccd"}, {"NaN", "7fc00000"},
                 {"-Infinity", "ff800000"}, {"3.4028235e38", "7f7fffff"}, {"3.4028236e38", "out_of_range"},
                 {"1e39", "out_of_range"}, {"1e-45", "00000001"}, {"1e-46", "out_of_range"},
                 {"0e-99", "00000000"}, {"1.5x", "invalid_decimal"},
                 /* through double this would be 3f800000: rounded twice */
                 {"1.00000005960464477539062500000000000000000000000000000000001", "3f800001"});
}

Test(convert_number, floats_have_a_longest_text) {
    g_autofree char *zeros = g_strnfill(RP_DECIMAL_MAX_DIGITS, '0');
    g_autofree char *fits = g_strconcat("1.", zeros, NULL);
    g_autofree char *over = g_strconcat(fits, zeros, NULL);
    const RpConversion conversion = {.column = FLOAT8};
    assert_conversion(&conversion, rp_span(fits), "3ff0000000000000");
    assert_conversion(&conversion, rp_span(over), "out_of_range");
}

Test(convert_number, numeric_divides_and_rounds) {
    const RpColumn *column = SIZED(RP_TYPE_NUMERIC, "numeric(5,2)", .precision = 5, .scale = 2);
    const RpConversion cents = {.column = column, .divisor = 100};
    ASSERT_REFINED(&cents, {"1999", "0002000000000002001326ac"}, {"99999", "000200000000000203e726ac"},
                   {"100000", "out_of_range"}, {"0.5", "scale_exceeded"}, {"12x", "invalid_decimal"});
    const RpConversion thirds = {.column = column, .divisor = 3, .rounding = RP_ROUND_HALF_EVEN};
    ASSERT_REFINED(&thirds, {"1", "0001ffff000000020ce4"}, {"0", "0000000000000002"},
                   {"3000", "out_of_range"});
}

Test(convert_number, integers_divide_and_round) {
    const RpConversion cents = {.column = COLUMN(RP_TYPE_INT4, "integer"), .divisor = 100};
    ASSERT_REFINED(&cents, {"100", "00000001"}, {"-500", "fffffffb"}, {"0", "00000000"}, {"1e2", "00000001"},
                   {"100.0", "00000001"}, {"150", "scale_exceeded"}, {"214748364700", "7fffffff"},
                   {"214748364800", "out_of_range"}, {"-214748364800", "80000000"}, {"1e30", "out_of_range"},
                   {"x", "invalid_decimal"}, {"NaN", "invalid_decimal"}, {"", "invalid_decimal"});
    const RpConversion even = {.column = COLUMN(RP_TYPE_INT2, "smallint"), .rounding = RP_ROUND_HALF_EVEN};
    ASSERT_REFINED(&even, {"0.5", "0000"}, {"1.5", "0002"}, {"-2.5", "fffe"}, {"32767.4", "7fff"},
                   {"32767.5", "out_of_range"}, {"7", "0007"});
    const RpConversion up = {.column = COLUMN(RP_TYPE_INT8, "bigint"), .rounding = RP_ROUND_HALF_UP};
    ASSERT_REFINED(&up, {"-2.5", "fffffffffffffffd"}, {"9223372036854775807.4", "7fffffffffffffff"},
                   {"9223372036854775807.5", "out_of_range"}, {"-9223372036854775808.5", "out_of_range"},
                   {"9999999999999999999", "out_of_range"}, {"99999999999999999999", "out_of_range"});
    const RpConversion down = {
        .column = COLUMN(RP_TYPE_INT4, "integer"), .divisor = 1000, .rounding = RP_ROUND_DOWN};
    ASSERT_REFINED(&down, {"1999", "00000001"}, {"-1999", "ffffffff"}, {"999", "00000000"},
                   {"2147483647999", "7fffffff"}, {"2147483648000", "out_of_range"});
}
