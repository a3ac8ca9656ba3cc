/* Arrays: their wire form, and why one is refused. test_encoding_arrays compares with PostgreSQL. */
#include "converting.h"

#define INT4_ELEMENT  SIZED(RP_TYPE_INT4, "integer", .type_oid = 23)
#define TEXT_ELEMENT  SIZED(RP_TYPE_TEXT, "text", .type_oid = 25, .max_characters = -1)
#define JSONB_ELEMENT SIZED(RP_TYPE_JSONB, "jsonb", .type_oid = 3802)
#define ARRAY(element_)                                                                                      \
    SIZED(RP_TYPE_ARRAY, "array", .max_characters = -1, .precision = -1, .element = (RpColumn *)(element_))

#define ONE   "00000001"
#define ZERO  "00000000"
#define INT4  "00000017"
#define TEXT  "00000019"
#define JSONB "00000eda"
/* dimensions, nulls, element type, and, where there are elements, their number and the first index */
#define EMPTY(type)             ZERO ZERO type
#define HEAD(nulls, type, size) ONE nulls type size ONE

Test(convert_array, of_json) {
    ASSERT_CASES(ARRAY(INT4_ELEMENT), {"[]", EMPTY(INT4)}, {" [ ] ", EMPTY(INT4)},
                 {"[7]", HEAD(ZERO, INT4, ONE) "00000004"
                                               "00000007"},
                 {"[\"7\"]", HEAD(ZERO, INT4, ONE) "00000004"
                                                   "00000007"},
                 {" [ 1 , null ,\t2 ] ", HEAD(ONE, INT4, "00000003") "00000004"
                                                                     "00000001"
                                                                     "ffffffff"
                                                                     "00000004"
                                                                     "00000002"},
                 {"[null]", HEAD(ONE, INT4, ONE) "ffffffff"});
    ASSERT_CASES(ARRAY(TEXT_ELEMENT),
                 {"[\"a\", 1.50, true, \"\", \"\\u00e9\\n\\\"\"]", HEAD(ZERO, TEXT, "00000005") "00000001"
                                                                                                "61"
                                                                                                "00000004"
                                                                                                "312e3530"
                                                                                                "00000004"
                                                                                                "74727565"
                                                                                                "00000000"
                                                                                                "00000004"
                                                                                                "c3a90a22"},
                 {"[\"null\"]", HEAD(ZERO, TEXT, ONE) "00000004"
                                                      "6e756c6c"});
    /* elements that are JSON stay as they are written */
    ASSERT_CASES(ARRAY(JSONB_ELEMENT),
                 {"[{\"a\":[1]}, [2], \"x\", null]", HEAD(ONE, JSONB, "00000004") "0000000a"
                                                                                  "017b2261223a5b315d7d"
                                                                                  "00000004"
                                                                                  "015b325d"
                                                                                  "00000004"
                                                                                  "01227822"
                                                                                  "ffffffff"});
}

Test(convert_array, of_separated_text) {
    const RpConversion numbers = {.column = ARRAY(INT4_ELEMENT), .separator = ","};
    ASSERT_REFINED(&numbers, {"", EMPTY(INT4)},
                   {"7", HEAD(ZERO, INT4, ONE) "00000004"
                                               "00000007"},
                   {"1,2", HEAD(ZERO, INT4, "00000002") "00000004"
                                                        "00000001"
                                                        "00000004"
                                                        "00000002"},
                   {"1,", "invalid_integer"}, {",", "invalid_integer"}, {"1, 2", "invalid_integer"},
                   {"[1]", "invalid_integer"});
    const RpConversion words = {.column = ARRAY(TEXT_ELEMENT), .separator = "::"};
    ASSERT_REFINED(&words, {"", EMPTY(TEXT)}, {"::", HEAD(ZERO, TEXT, "00000002") ZERO ZERO},
                   {"a:b::", HEAD(ZERO, TEXT, "00000002") "00000003"
                                                          "613a62" ZERO},
                   {"null", HEAD(ZERO, TEXT, ONE) "00000004"
                                                  "6e756c6c"},
                   {"a::\xff", "invalid_encoding"});
    const RpConversion nul = {.column = ARRAY(TEXT_ELEMENT), .separator = ","};
    assert_conversion(&nul, RP_SPAN_OF("a,\0"), "invalid_encoding");
}

Test(convert_array, elements_are_read_as_the_mapping_says) {
    const RpColumn *numeric =
        SIZED(RP_TYPE_NUMERIC, "numeric(5,2)", .type_oid = 1700, .precision = 5, .scale = 2);
    const RpConversion cents = {.column = ARRAY(numeric), .divisor = 100};
    ASSERT_REFINED(&cents,
                   {"[1999]", HEAD(ZERO, "000006a4", ONE) "0000000c"
                                                          "0002000000000002001326ac"},
                   {"[0.5]", "scale_exceeded"});
    const RpColumn *bytea = SIZED(RP_TYPE_BYTEA, "bytea", .type_oid = 17);
    const RpConversion hex = {.column = ARRAY(bytea), .encoding = RP_ENCODING_HEX, .separator = " "};
    ASSERT_REFINED(&hex, {"00ff 41", HEAD(ZERO, "00000011", "00000002") "00000002"
                                                                        "00ff"
                                                                        "00000001"
                                                                        "41"});
}

Test(convert_array, refuses_what_is_no_array) {
    ASSERT_CASES(
        ARRAY(INT4_ELEMENT), {"", "invalid_json"}, {"1,2", "invalid_json"}, {"{1,2}", "invalid_json"},
        {"{}", "invalid_json"}, {"null", "invalid_json"}, {"[1,]", "invalid_json"},
        {"[1] [2]", "invalid_json"}, {"[1", "invalid_json"}, {"[\"\\u0000\"]", "invalid_json"},
        {"[\"\xff\"]", "invalid_encoding"}, {"[1.5]", "invalid_integer"}, {"[true]", "invalid_integer"},
        {"[2147483648]", "out_of_range"}, {"[[1],[2]]", "invalid_value"}, {"[{\"a\":1}]", "invalid_value"});
}

static void assert_message(const RpConversion *conversion, const char *text, RpRejectCode code,
                           const char *message) {
    g_auto(RpBuffer) out = {0};
    RpConverted converted;
    RpProblem problem;
    cr_assert(!rp_converter_for(RP_TYPE_ARRAY)(conversion, rp_span(text), &out, &converted, &problem));
    cr_assert(problem.code == code, "%s: %s", text, rp_reject_code_name(problem.code));
    cr_assert(strcmp(problem.message, message) == 0, "%s: %s", text, problem.message);
}

Test(convert_array, names_the_element_that_fails) {
    const RpConversion json = {.column = ARRAY(INT4_ELEMENT)};
    assert_message(&json, "[1, null, \"x\"]", RP_REJECT_INVALID_INTEGER, "element 3 is no whole number");
    assert_message(&json, "[1, []]", RP_REJECT_INVALID_VALUE,
                   "element 2 is a JSON array, which integer cannot hold");
    const RpConversion parts = {.column = ARRAY(INT4_ELEMENT), .separator = ";"};
    assert_message(&parts, "1;2;99999999999", RP_REJECT_OUT_OF_RANGE,
                   "element 3 is out of the range of integer");
    const RpConversion domain = {
        .column = ARRAY(SIZED(RP_TYPE_INT4, "integer", .type_oid = 99, .is_not_null = TRUE))};
    assert_message(&domain, "[1, null]", RP_REJECT_NOT_NULL, "element 2 is null, and integer is NOT NULL");
    const RpConversion limited = {
        .column = ARRAY(SIZED(RP_TYPE_TEXT, "character varying(3)", .max_characters = 3))};
    assert_message(&limited, "[\"abcd\"]", RP_REJECT_TOO_LONG,
                   "element 1 has 4 characters, character varying(3) holds 3");
}

/* A few bytes of text, and 2 GB of blanks behind them. */
Test(convert_array, is_bounded) {
    const RpConversion conversion = {.column = ARRAY(SIZED(RP_TYPE_TEXT, "character(10485760)",
                                                           .max_characters = 10485760, .is_padded = TRUE)),
                                     .separator = ","};
    g_autofree char *commas = g_strnfill(200, ',');
    assert_message(&conversion, commas, RP_REJECT_TOO_LARGE, "makes an array of more than 1 GB");
}
