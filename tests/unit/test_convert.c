/* Converters: the bytes of good values, and the code of each bad one. test_encoding compares with PostgreSQL.
 */
#include "mapping/convert.h"

#include <criterion/criterion.h>
#include <glib.h>

static char *LABELS[] = {"pending", "paid", "d\xc3\xa9j\xc3\xa0", NULL};

typedef struct {
    const char *text;
    const char *expected; /* bytes in hex, or a reject code */
} Case;

static char *hex(const RpBuffer *buffer) {
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < buffer->size; i++)
        g_string_append_printf(text, "%02x", (guchar)buffer->data[i]);
    return g_string_free(text, FALSE);
}

static void assert_conversion(const RpConversion *conversion, RpSpan text, const char *expected) {
    g_auto(RpBuffer) out = {0};
    RpConverted converted;
    RpProblem problem = {.code = RP_N_REJECT_CODES};
    g_autofree char *got = NULL;
    if (rp_converter_for(conversion->column->kind)(conversion, text, &out, &converted, &problem)) {
        g_autofree char *bytes = hex(&out);
        g_autofree char *size = g_strndup(bytes, MIN(strlen(bytes), 8));
        cr_assert(g_ascii_strtoull(size, NULL, 16) == out.size - 4, "%s: the size is wrong", text.data);
        got = g_strdup(bytes + 8);
    } else {
        got = g_strdup(rp_reject_code_name(problem.code));
        cr_assert(problem.message[0] != '\0');
        cr_assert(text.size < 6 || strstr(problem.message, text.data) == NULL, "the message shows the value");
    }
    cr_assert(strcmp(got, expected) == 0, "\"%s\" as %s gave %s, not %s", text.data,
              conversion->column->type_name, got, expected);
}

static void assert_cases(const RpConversion *conversion, const Case *cases, gsize n_cases) {
    for (gsize i = 0; i < n_cases; i++)
        assert_conversion(conversion, rp_span(cases[i].text), cases[i].expected);
}

#define ASSERT_CASES(column_, ...)                                                                           \
    do {                                                                                                     \
        static const Case cases_[] = {__VA_ARGS__};                                                          \
        const RpConversion conversion_ = {.column = (column_)};                                              \
        assert_cases(&conversion_, cases_, G_N_ELEMENTS(cases_));                                            \
    } while (0)

#define SIZED(kind_, name_, ...)                                                                             \
    (&(const RpColumn){.kind = (kind_), .type_name = (char *)(name_), __VA_ARGS__})
#define COLUMN(kind_, name_) SIZED(kind_, name_, .max_characters = -1, .precision = -1)

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
        {RP_TYPE_DATE, "1999-12-31", "2000-01-01"},
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
    static const RpTypeKind UNORDERED[] = {RP_TYPE_OTHER, RP_TYPE_BOOL,  RP_TYPE_TEXT, RP_TYPE_UUID,
                                           RP_TYPE_JSON,  RP_TYPE_JSONB, RP_TYPE_ENUM};
    for (guint i = 0; i < G_N_ELEMENTS(UNORDERED); i++)
        cr_assert(!rp_converted_is_ordered(UNORDERED[i]));
}

Test(convert, counts_characters) {
    cr_assert(rp_text_characters(RP_SPAN_OF("")) == 0);
    cr_assert(rp_text_characters(RP_SPAN_OF("abc")) == 3);
    cr_assert(rp_text_characters(RP_SPAN_OF("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")) == 3);
}
