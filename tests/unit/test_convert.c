/* Converters: the bytes of good values, and the code of each bad one. test_encoding compares with PostgreSQL.
 */
#include "converting.h"

static char *LABELS[] = {"pending", "paid", "d\xc3\xa9j\xc3\xa0", NULL};

Test(convert, booleans) {
    ASSERT_CASES(COLUMN(RP_TYPE_BOOL, "boolean"), {"true", "01"}, {"T", "01"}, {"yes", "01"}, {"Y", "01"},
                 {"ON", "01"}, {"1", "01"}, {"false", "00"}, {"f", "00"}, {"No", "00"}, {"n", "00"},
                 {"off", "00"}, {"0", "00"}, {"", "invalid_boolean"}, {"tru", "invalid_boolean"},
                 {"truely", "invalid_boolean"}, {"2", "invalid_boolean"}, {" true", "invalid_boolean"},
                 {"01", "invalid_boolean"}, {"null", "invalid_boolean"});
    const RpConversion conversion = {.column = COLUMN(RP_TYPE_BOOL, "boolean")};
    assert_conversion(&conversion, RP_SPAN_OF("no\0"), "invalid_boolean");
    assert_conversion(&conversion, RP_SPAN_OF("n\0"), "invalid_boolean");
}

Test(convert, integers) {
    ASSERT_CASES(COLUMN(RP_TYPE_INT2, "smallint"), {"0", "0000"}, {"-0", "0000"}, {"32767", "7fff"},
                 {"-32768", "8000"}, {"+1", "0001"}, {"007", "0007"}, {"32768", "out_of_range"},
                 {"-32769", "out_of_range"}, {"99999999999999999999", "out_of_range"});
    ASSERT_CASES(COLUMN(RP_TYPE_INT4, "integer"), {"2147483647", "7fffffff"}, {"-2147483648", "80000000"},
                 {"-1", "ffffffff"}, {"2147483648", "out_of_range"}, {"-2147483649", "out_of_range"},
                 {"", "invalid_integer"}, {"-", "invalid_integer"}, {"+", "invalid_integer"},
                 {" 1", "invalid_integer"}, {"1 ", "invalid_integer"}, {"12abc", "invalid_integer"},
                 {"1.0", "invalid_integer"}, {"1e3", "invalid_integer"}, {"0x10", "invalid_integer"},
                 {"1_000", "invalid_integer"}, {"--1", "invalid_integer"},
                 {"99999999999999999999x", "invalid_integer"}, {"\xef\xbc\x91", "invalid_integer"});
    ASSERT_CASES(COLUMN(RP_TYPE_INT8, "bigint"), {"9223372036854775807", "7fffffffffffffff"},
                 {"-9223372036854775808", "8000000000000000"}, {"9223372036854775808", "out_of_range"},
                 {"-9223372036854775809", "out_of_range"},
                 {"99999999999999999999999999999999999999", "out_of_range"},
                 {"000000000000000000000000000000000000000001", "0000000000000001"});
    const RpConversion conversion = {.column = COLUMN(RP_TYPE_INT4, "integer")};
    assert_conversion(&conversion, RP_SPAN_OF("1\0"), "invalid_integer");
}

Test(convert, numerics) {
    ASSERT_CASES(SIZED(RP_TYPE_NUMERIC, "numeric(5,2)", .precision = 5, .scale = 2),
                 {"999.99", "000200000000000203e726ac"}, {"0", "0000000000000002"}, {"1000", "out_of_range"},
                 {"0.001", "scale_exceeded"}, {"1,5", "invalid_decimal"}, {"", "invalid_decimal"});
    ASSERT_CASES(COLUMN(RP_TYPE_NUMERIC, "numeric"), {"nan", "00000000c0000000"},
                 {"Infinity", "invalid_decimal"});
}

Test(convert, text) {
    ASSERT_CASES(COLUMN(RP_TYPE_TEXT, "text"), {"", ""}, {"a\xc3\xa9", "61c3a9"}, {" a ", "206120"},
                 {"\xff", "invalid_encoding"}, {"\xc3", "invalid_encoding"},
                 {"\xed\xa0\x80", "invalid_encoding"}, {"\xf4\x90\x80\x80", "invalid_encoding"},
                 {"\xc0\x80", "invalid_encoding"}, {"12345678\xff", "invalid_encoding"},
                 {"12345678901234567\xc3\xa9", "3132333435363738393031323334353637c3a9"});
    ASSERT_CASES(SIZED(RP_TYPE_TEXT, "character varying(3)", .max_characters = 3), {"abc", "616263"},
                 {"\xc3\xa9\xc3\xa9\xc3\xa9", "c3a9c3a9c3a9"}, {"abcd", "too_long"}, {"ab  ", "too_long"},
                 {"\xff\xff\xff\xff", "invalid_encoding"});
    ASSERT_CASES(SIZED(RP_TYPE_TEXT, "character(4)", .max_characters = 4, .is_padded = TRUE),
                 {"ab", "61622020"}, {"", "20202020"}, {"abcd", "61626364"}, {"\xc3\xa9", "c3a9202020"},
                 {"abcde", "too_long"});
    const RpConversion conversion = {.column = COLUMN(RP_TYPE_TEXT, "text")};
    assert_conversion(&conversion, RP_SPAN_OF("\0"), "invalid_encoding");
    assert_conversion(&conversion, RP_SPAN_OF("abcdefg\0abcdefgh"), "invalid_encoding");
    ASSERT_CASES(COLUMN(RP_TYPE_OTHER, "inet"), {"10.0.0.1", "31302e302e302e31"},
                 {"x\xff", "invalid_encoding"});
}

Test(convert, uuids_and_enums) {
    ASSERT_CASES(COLUMN(RP_TYPE_UUID, "uuid"),
                 {"00112233-4455-6677-8899-AABBCCDDEEFF", "00112233445566778899aabbccddeeff"},
                 {"00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff"},
                 {"", "invalid_uuid"}, {"00112233-4455-6677-8899-aabbccddeefx", "invalid_uuid"});
    ASSERT_CASES(SIZED(RP_TYPE_ENUM, "mood", .labels = LABELS), {"pending", "70656e64696e67"},
                 {"d\xc3\xa9j\xc3\xa0", "64c3a96ac3a0"}, {"Paid", "invalid_value"}, {"pai", "invalid_value"},
                 {"", "invalid_value"}, {"\xff", "invalid_encoding"});
    const RpConversion conversion = {.column = SIZED(RP_TYPE_ENUM, "mood", .labels = LABELS)};
    assert_conversion(&conversion, RP_SPAN_OF("paid\0"), "invalid_encoding");
}

Test(convert, dates_and_times) {
    ASSERT_CASES(COLUMN(RP_TYPE_DATE, "date"), {"2000-01-02", "00000001"}, {"1999-12-31", "ffffffff"},
                 {"2024-02-30", "invalid_timestamp"}, {"2024-02-01T00:00", "invalid_timestamp"});
    ASSERT_CASES(COLUMN(RP_TYPE_TIMESTAMPTZ, "timestamptz"), {"2000-01-01T00:00:01Z", "00000000000f4240"},
                 {"1999-12-31T23:59:59.999999", "ffffffffffffffff"},
                 {"2000-01-01T01:00:00+01:00", "0000000000000000"}, {"yesterday", "invalid_timestamp"},
                 {"2000-01-01T00:00:00.0000001Z", "scale_exceeded"});
    g_autoptr(GTimeZone) kathmandu = g_time_zone_new_identifier("Asia/Kathmandu"); /* +05:45 */
    RpConversion conversion = {.column = COLUMN(RP_TYPE_TIMESTAMP, "timestamp"), .zone = kathmandu};
    assert_conversion(&conversion, RP_SPAN_OF("2000-01-01T00:00:00"),
                      "0000000000000000"); /* wall clock in, and out */
    assert_conversion(&conversion, RP_SPAN_OF("1999-12-31T18:15:00Z"), "0000000000000000");
    conversion.column = COLUMN(RP_TYPE_TIMESTAMPTZ, "timestamptz");
    assert_conversion(&conversion, RP_SPAN_OF("2000-01-01T05:45:00"), "0000000000000000");
    conversion =
        (RpConversion){.column = COLUMN(RP_TYPE_TIMESTAMP, "timestamp"), .time_format = RP_TIME_UNIX_MS};
    assert_conversion(&conversion, RP_SPAN_OF("946684800001"), "00000000000003e8");
    assert_conversion(&conversion, RP_SPAN_OF("999999999999999999"), "out_of_range");
    assert_conversion(&conversion, RP_SPAN_OF("2000-01-01"), "invalid_timestamp");
}

Test(convert, json) {
    ASSERT_CASES(COLUMN(RP_TYPE_JSON, "json"), {"[1]", "5b315d"}, {"", "invalid_json"},
                 {"[1", "invalid_json"}, {"\"\xff\"", "invalid_encoding"});
    ASSERT_CASES(COLUMN(RP_TYPE_JSONB, "jsonb"), {"[1]", "015b315d"}, {"{a:1}", "invalid_json"});
    const RpConversion conversion = {.column = COLUMN(RP_TYPE_JSONB, "jsonb"), .json_shape = RP_JSON_OBJECT};
    assert_conversion(&conversion, RP_SPAN_OF("{}"), "017b7d");
    assert_conversion(&conversion, RP_SPAN_OF("[]"), "invalid_json");
}

Test(convert, ordered_kinds_compare) {
    static const struct {
        RpTypeKind kind;
        const char *less, *more;
    } CASES[] = {
        {RP_TYPE_INT2, "-5", "3"},
        {RP_TYPE_INT4, "9", "10"},
        {RP_TYPE_INT8, "-9223372036854775808", "9223372036854775807"},
        {RP_TYPE_NUMERIC, "9.5", "10.25"},
        {RP_TYPE_FLOAT4, "-inf", "-1e38"},
        {RP_TYPE_FLOAT4, "0.1", "0.10000001"},
        {RP_TYPE_FLOAT8, "9.5", "10.25"},
        {RP_TYPE_FLOAT8, "inf", "NaN"},
        {RP_TYPE_DATE, "1999-12-31", "2000-01-01"},
        {RP_TYPE_TIME, "09:59:59.999999", "10:00"},
        {RP_TYPE_TIMESTAMP, "1999-12-31T00:00", "2000-01-01T00:00"},
        {RP_TYPE_TIMESTAMPTZ, "2000-01-01T00:00+01", "2000-01-01T00:00"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const RpConversion conversion = {.column = COLUMN(CASES[i].kind, "")};
        g_auto(RpBuffer) out = {0};
        RpConverted less, more;
        RpProblem problem;
        const RpConverter convert = rp_converter_for(CASES[i].kind);
        cr_assert(rp_converted_is_ordered(CASES[i].kind));
        cr_assert(convert(&conversion, rp_span(CASES[i].less), &out, &less, &problem));
        cr_assert(convert(&conversion, rp_span(CASES[i].more), &out, &more, &problem));
        cr_assert(rp_converted_compare(CASES[i].kind, &less, &more) == -1, "%s", CASES[i].less);
        cr_assert(rp_converted_compare(CASES[i].kind, &more, &less) == 1);
        cr_assert(rp_converted_compare(CASES[i].kind, &more, &more) == 0);
    }
    static const RpTypeKind UNORDERED[] = {RP_TYPE_OTHER, RP_TYPE_BOOL, RP_TYPE_TEXT,
                                           RP_TYPE_BYTEA, RP_TYPE_UUID, RP_TYPE_JSON,
                                           RP_TYPE_JSONB, RP_TYPE_ENUM, RP_TYPE_ARRAY};
    for (guint i = 0; i < G_N_ELEMENTS(UNORDERED); i++)
        cr_assert(!rp_converted_is_ordered(UNORDERED[i]));
}

Test(convert, every_kind_has_a_converter) {
    for (RpTypeKind kind = RP_TYPE_OTHER; kind <= RP_TYPE_ARRAY; kind++)
        cr_assert(rp_converter_for(kind) != NULL, "kind %d", kind);
}

Test(convert, knows_what_is_no_number) {
    static const struct {
        RpTypeKind kind;
        const char *text;
        gboolean is_nan;
    } CASES[] = {
        {RP_TYPE_NUMERIC, "NaN", TRUE},  {RP_TYPE_FLOAT4, "nan", TRUE}, {RP_TYPE_FLOAT8, "NaN", TRUE},
        {RP_TYPE_FLOAT8, "-inf", FALSE}, {RP_TYPE_NUMERIC, "0", FALSE}, {RP_TYPE_INT4, "0", FALSE},
        {RP_TYPE_TEXT, "NaN", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const RpConversion conversion = {.column = COLUMN(CASES[i].kind, "")};
        g_auto(RpBuffer) out = {0};
        RpConverted converted;
        RpProblem problem;
        cr_assert(
            rp_converter_for(CASES[i].kind)(&conversion, rp_span(CASES[i].text), &out, &converted, &problem));
        cr_assert(rp_converted_is_nan(CASES[i].kind, &converted) == CASES[i].is_nan, "%s", CASES[i].text);
    }
}

Test(convert, counts_characters) {
    cr_assert(rp_text_characters(RP_SPAN_OF("")) == 0);
    cr_assert(rp_text_characters(RP_SPAN_OF("abc")) == 3);
    cr_assert(rp_text_characters(RP_SPAN_OF("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")) == 3);
}
