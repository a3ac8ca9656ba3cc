/* JSON that a jsonb column takes. test_encoding asks PostgreSQL the same questions. */
#include "mapping/json.h"

#include <criterion/criterion.h>
#include <glib.h>

static void assert_refused(RpSpan text, RpJsonShape shape, const char *part) {
    const char *problem = rp_json_check(text, shape);
    cr_assert(problem != NULL, "%.60s was taken", text.data);
    cr_assert(strstr(problem, part) != NULL, "%.60s: \"%s\" lacks \"%s\"", text.data, problem, part);
}

static void assert_taken(RpSpan text, RpJsonShape shape) {
    const char *problem = rp_json_check(text, shape);
    cr_assert(problem == NULL, "%.60s: %s", text.data, problem);
}

Test(json, takes_every_value) {
    static const char *const GOOD[] = {"null",
                                       "true",
                                       "false",
                                       "0",
                                       "-0",
                                       "-1.5e+10",
                                       "1E400",
                                       "\"\"",
                                       "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                                       "\"\\u00e9\\uD83D\\uDE00\"",
                                       "\"\xc3\xa9\x7f\"",
                                       "{}",
                                       "[]",
                                       " \t\r\n[ 1 , 2 ] \n",
                                       "{\"a\":{\"b\":[{},[],{\"c\":null}]},\"a\":1,\"\":2}",
                                       "[[[[]]],{}]"};
    for (guint i = 0; i < G_N_ELEMENTS(GOOD); i++)
        assert_taken(rp_span(GOOD[i]), RP_JSON_ANY);
}

Test(json, says_what_is_wrong) {
    static const struct {
        const char *text;
        const char *problem;
    } BAD[] = {
        {"", "ends before a value"},
        {"  ", "ends before a value"},
        {"nul", "unexpected"},
        {"nulls", "follows"},
        {"True", "unexpected"},
        {"NaN", "unexpected"},
        {"'a'", "unexpected"},
        {"+1", "unexpected"},
        {"-", "unexpected"},
        {".5", "unexpected"},
        {"01", "begins with 0"},
        {"-01", "begins with 0"},
        {"1.", "decimal point"},
        {"1.e5", "decimal point"},
        {"1e", "exponent without"},
        {"1e+", "exponent without"},
        {"1e1001", "exponent is too large"},
        {"1e99999999999999999999", "exponent is too large"},
        {"1 2", "follows"},
        {"{} x", "follows"},
        {"[1,]", "unexpected"},
        {"[,1]", "unexpected"},
        {"[1 2]", "missing between"},
        {"[1}", "missing between"},
        {"[", "ends before a value"},
        {"[1", "inside an array"},
        {"[1,", "ends before a value"},
        {"{", "inside an object"},
        {"{\"a\"", "inside an object"},
        {"{\"a\":", "ends before a value"},
        {"{\"a\":1", "inside an object"},
        {"{\"a\":1,", "inside an object"},
        {"{\"a\":1,}", "name is missing"},
        {"{a:1}", "name is missing"},
        {"{1:1}", "name is missing"},
        {"{\"a\" 1}", "\":\" is missing"},
        {"{\"a\":1]", "missing between"},
        {"\"a", "inside a string"},
        {"\"a\\", "inside a string"},
        {"\"\\x41\"", "unknown escape"},
        {"\"a\nb\"", "control character"},
        {"\"\\u12\"", "four hex"},
        {"\"\\u12g4\"", "four hex"},
        {"\"\\u0000\"", "\\u0000"},
        {"\"\\ud800\"", "high surrogate"},
        {"\"\\ud800x\"", "high surrogate"},
        {"\"\\ud800\\u0041\"", "high surrogate"},
        {"\"\\ud800\\ud800\"", "high surrogate"},
        {"\"\\udc00\"", "low surrogate"},
        {"\xef\xbb\xbf{}", "unexpected"},
        {"// c\n1", "unexpected"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        assert_refused(rp_span(BAD[i].text), RP_JSON_ANY, BAD[i].problem);
    assert_refused(RP_SPAN_OF("\"\\\0\""), RP_JSON_ANY, "unknown escape");
}

Test(json, has_the_shape_that_is_asked_for) {
    assert_taken(RP_SPAN_OF(" {\"a\":[]} "), RP_JSON_OBJECT);
    assert_taken(RP_SPAN_OF("\n[{}]"), RP_JSON_ARRAY);
    assert_refused(RP_SPAN_OF("[]"), RP_JSON_OBJECT, "not an object");
    assert_refused(RP_SPAN_OF("null"), RP_JSON_OBJECT, "not an object");
    assert_refused(RP_SPAN_OF("{}"), RP_JSON_ARRAY, "not an array");
    assert_refused(RP_SPAN_OF("\"[]\""), RP_JSON_ARRAY, "not an array");
    assert_refused(RP_SPAN_OF("{"), RP_JSON_ARRAY, "inside an object");
}

/* depth brackets, and as many that close. */
static char *nested(guint depth, const char *open, const char *inside, const char *close) {
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < depth; i++)
        g_string_append(text, open);
    g_string_append(text, inside);
    for (guint i = 0; i < depth; i++)
        g_string_append(text, close);
    return g_string_free(text, FALSE);
}

Test(json, is_nested_512_deep_at_most) {
    g_autofree char *lists = nested(RP_JSON_MAX_DEPTH, "[", "1", "]");
    g_autofree char *objects = nested(RP_JSON_MAX_DEPTH, "{\"a\":", "1", "}");
    g_autofree char *deeper = nested(RP_JSON_MAX_DEPTH + 1, "[", "1", "]");
    g_autofree char *bomb = g_strnfill(10 * 1000 * 1000, '[');
    assert_taken(rp_span(lists), RP_JSON_ANY);
    assert_taken(rp_span(objects), RP_JSON_OBJECT);
    assert_refused(rp_span(deeper), RP_JSON_ANY, "too deeply");
    assert_refused(rp_span(bomb), RP_JSON_ANY, "too deeply");
}

Test(json, has_numbers_of_1000_digits_at_most) {
    g_autofree char *digits = g_strnfill(1000, '9');
    g_autofree char *long_number = g_strdup_printf("-%s.%se-1000", digits, digits);
    g_autofree char *whole = g_strconcat(digits, "9", NULL);
    g_autofree char *places = g_strconcat("0.", digits, "9", NULL);
    assert_taken(rp_span(long_number), RP_JSON_ANY);
    assert_refused(rp_span(whole), RP_JSON_ANY, "too many digits");
    assert_refused(rp_span(places), RP_JSON_ANY, "too many digits");
}

/* Every byte that may stand in a string as it is, next to every one that may not, at every place: strings are
 * passed over eight bytes at a time. */
Test(json, a_byte_that_ends_a_string_is_seen_at_every_place) {
    static const char *const plain[] = {" ", "!", "#", "[", "]", "~", "\x7f", "\x80", "\xa2", "\xdc", "\xff"};
    for (guint filler = 0; filler < G_N_ELEMENTS(plain); filler++)
        for (gsize size = 1; size <= 26; size++)
            for (gsize place = 0; place < size; place++) {
                g_autofree char *inside = g_strnfill(size, plain[filler][0]);
                g_autofree char *whole = g_strdup_printf("\"%s\"", inside);
                assert_taken(rp_span(whole), RP_JSON_ANY);
                whole[place + 1] = '"';
                cr_assert(rp_json_check(rp_span(whole), RP_JSON_ANY) != NULL, "quote: %s", whole);
                whole[place + 1] = '\x1f';
                assert_refused(rp_span(whole), RP_JSON_ANY, "control character");
                whole[place + 1] = '\0';
                assert_refused((RpSpan){whole, size + 2}, RP_JSON_ANY, "control character");
                whole[place + 1] = '\\';
                cr_assert(rp_json_check(rp_span(whole), RP_JSON_ANY) != NULL, "backslash: %s", whole);
            }
}
