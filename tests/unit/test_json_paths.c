/* Paths into JSON: what stands at each, as JSON and as text, in one walk. */
#include "mapping/json_paths.h"

#include "mapping/json.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#define MAX_SLOTS 20

/* What stands at the slots, as text: joined with '|', null as NULL; what is no string as its JSON. */
static char *texts_of(const RpJsonPaths *paths, RpSpan json) {
    RpSpan values[MAX_SLOTS] = {{0}};
    g_auto(RpBuffer) scratch = {0};
    cr_assert(rp_json_check(json, RP_JSON_ANY) == NULL, "%s is no JSON", json.data);
    rp_json_paths_find(paths, json, values);
    rp_buffer_reserve(&scratch, json.size);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < rp_json_paths_size(paths); i++) {
        const RpSpan found = rp_json_value_text(values[i], &scratch);
        g_string_append_printf(text, "%s%.*s", i > 0 ? "|" : "", found.data == NULL ? 4 : (int)found.size,
                               found.data == NULL ? "NULL" : found.data);
    }
    return g_string_free(text, FALSE);
}

/* paths: "a.b c" are two paths; "" is the whole text. */
static void assert_found(const char *wanted, const char *json, const char *expected) {
    g_auto(GStrv) texts = g_strsplit(wanted, " ", -1);
    RpJsonPaths *paths = rp_json_paths_new();
    for (char **text = texts; *text != NULL; text++) {
        g_auto(GStrv) segments = g_strsplit(*text, ".", -1);
        rp_json_paths_add(paths, (const char *const *)segments);
    }
    if (texts[0] == NULL)
        rp_json_paths_add(paths, (const char *const[]){NULL});
    /* In a buffer of its own size, so that a step beyond it is seen by a sanitizer. */
    g_autofree char *exact = g_memdup2(json, strlen(json));
    g_autofree char *got = texts_of(paths, (RpSpan){exact, strlen(json)});
    cr_assert(strcmp(got, expected) == 0, "%s of %s gives %s, not %s", wanted, json, got, expected);
    rp_json_paths_free(paths);
}

typedef struct {
    const char *paths;
    const char *json;
    const char *expected;
} Case;

static void assert_cases(const Case *cases, guint n_cases) {
    for (guint i = 0; i < n_cases; i++)
        assert_found(cases[i].paths, cases[i].json, cases[i].expected);
}

#define ASSERT_FOUND(...)                                                                                    \
    do {                                                                                                     \
        static const Case cases_[] = {__VA_ARGS__};                                                          \
        assert_cases(cases_, G_N_ELEMENTS(cases_));                                                          \
    } while (0)

Test(json_paths, members_and_what_is_below_them) {
    ASSERT_FOUND({"a", "{\"a\":\"x\"}", "x"}, {"a b", "{\"b\":\"y\",\"a\":\"x\"}", "x|y"},
                 {"a.b.c", "{\"a\":{\"b\":{\"c\":1}}}", "1"}, {"a.b.c", "{\"a\":{\"b\":2}}", "NULL"},
                 {"a.b", "{\"a\":[1]}", "NULL"}, {"a", "{}", "NULL"}, {"a", "[]", "NULL"},
                 {"a", "\"a\"", "NULL"}, {"a", "7", "NULL"}, {"a", "null", "NULL"},
                 {"a", "{\"ab\":1,\"\":2,\"A\":3}", "NULL"}, {"a a.b", "{\"a\":{\"b\":1}}", "{\"b\":1}|1"},
                 {"a.b a.c d", "{\"a\":{\"c\":true,\"b\":false},\"d\":-1.50e+3}", "false|true|-1.50e+3"},
                 {"a.a.a a.a a", "{\"a\":{\"a\":{\"a\":\"deep\"}}}",
                  "deep|{\"a\":\"deep\"}|{\"a\":{\"a\":\"deep\"}}"});
}

Test(json_paths, numbers_are_indexes_of_arrays_and_names_of_members) {
    ASSERT_FOUND({"0 1 2", "[\"a\",\"b\"]", "a|b|NULL"}, {"1.x", "[0,{\"x\":5},{\"x\":6}]", "5"},
                 {"0", "{\"0\":\"member\"}", "member"},
                 {"00 01 -1 +1 1.0", "[\"a\",\"b\"]", "NULL|NULL|NULL|NULL|NULL"},
                 {"00", "{\"00\":\"name\"}", "name"},
                 {"a.10", "{\"a\":[0,1,2,3,4,5,6,7,8,9,\"ten\"]}", "ten"},
                 {"99999999999999999999", "[1]", "NULL"}, {"2147483648", "[1]", "NULL"}, {"x", "[1]", "NULL"},
                 {"0.0.0", "[[[\"deep\"]]]", "deep"}, {"1 0", "[1,2]", "2|1"});
}

Test(json_paths, the_last_of_two_members_counts) {
    ASSERT_FOUND(
        {"a", "{\"a\":1,\"a\":2}", "2"}, {"a", "{\"a\":1,\"a\":null}", "NULL"},
        {"a.b", "{\"a\":{\"b\":1},\"a\":{\"c\":2}}", "NULL"}, {"a.b", "{\"a\":{\"b\":1},\"a\":3}", "NULL"},
        {"a.b", "{\"a\":{\"b\":1,\"b\":4},\"a\":{\"b\":2},\"x\":0}", "2"},
        {"a", "{\"a\":1,\"\\u0061\":2}", "2"}, {"a.b a.c", "{\"a\":{\"b\":1},\"a\":{\"c\":2}}", "NULL|2"},
        {"a.b a.c", "{\"a\":{\"b\":1},\"a\":{\"c\":2},\"a\":{\"b\":3}}", "3|NULL"},
        {"a.b.c d", "{\"a\":{\"b\":{\"c\":1}},\"d\":5,\"a\":{\"b\":{}}}", "NULL|5"},
        {"a.b.c a.d", "{\"a\":{\"b\":{\"c\":1},\"d\":2,\"b\":{\"c\":3}},\"a\":{\"d\":4}}", "NULL|4"},
        {"a.0.b a.1.b", "{\"a\":[{\"b\":1},{\"b\":2}],\"a\":[{\"b\":3}]}", "3|NULL"});
}

/* Many names, and a text that names one of them again and again. */
Test(json_paths, cost_no_more_for_many_names_and_for_repeated_members, .timeout = 150) {
    enum { N_NAMES = 10000, N_TIMES = 300000 };
    static const char *const UNITS[] = {"\"x\":{\"n%u\":1}", "\"n%u\":0", "\"no%u\":0", "\"x\":{}"};
    RpJsonPaths *paths = rp_json_paths_new();
    for (guint i = 0; i < N_NAMES; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i);
        cr_assert(rp_json_paths_add(paths, (const char *const[]){"x", name, NULL}) == 2 * i);
        cr_assert(rp_json_paths_add(paths, (const char *const[]){name, NULL}) == 2 * i + 1);
    }
    g_autofree RpSpan *values = g_new(RpSpan, rp_json_paths_size(paths));
    for (guint unit = 0; unit < G_N_ELEMENTS(UNITS); unit++) {
        GString *text = g_string_new("{\"x\":0");
        for (guint i = 0; i < N_TIMES; i++) {
            g_string_append_c(text, ',');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
            g_string_append_printf(text, UNITS[unit], i % N_NAMES);
#pragma GCC diagnostic pop
        }
        g_string_append(text, "}");
        const clock_t begin = clock();
        rp_json_paths_find(paths, (RpSpan){text->str, text->len}, values);
        const double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
        cr_assert(seconds < 1, "%s took %f s", UNITS[unit], seconds);
        g_string_free(text, TRUE);
    }
    rp_json_paths_free(paths);
}

Test(json_paths, positions_are_found_in_any_order_of_their_naming) {
    ASSERT_FOUND({"7 0 3 x 5", "[10,11,12,13,14,15,16,17]", "17|10|13|NULL|15"},
                 {"3 1 a.3 a.1 1.x", "[0,{\"x\":1},2,3]", "3|{\"x\":1}|NULL|NULL|1"});
}

Test(json_paths, null_and_absent_are_nothing_and_empty_is_empty) {
    ASSERT_FOUND({"a", "{\"a\":null}", "NULL"}, {"a", "{\"a\":\"\"}", ""}, {"a", "{\"a\":\"null\"}", "null"},
                 {"a b", "{\"a\":{},\"b\":[]}", "{}|[]"}, {"a", "{\"a\":[null]}", "[null]"});
}

Test(json_paths, blanks_are_no_part_of_a_value) {
    ASSERT_FOUND({"a b", " \t\r\n{ \"a\" : 1 , \"b\" :\n\"x y\" } \n", "1|x y"},
                 {"0 1", " [ 1 , [ 2 ] ] ", "1|[ 2 ]"}, {"a", "{\"b\" : { } , \"a\" : true }", "true"},
                 {"0", "[ ]", "NULL"}, {"a", "{ }", "NULL"},
                 {"a", "{\"a\":{ \"b\" : 1 } }", "{ \"b\" : 1 }"});
}

Test(json_paths, brackets_and_quotes_inside_strings_are_text) {
    ASSERT_FOUND({"b", "{\"a\":\"}]{[,:\",\"b\":1}", "1"}, {"b", "{\"a\":\"\\\"\",\"b\":1}", "1"},
                 {"b", "{\"a\":\"\\\\\",\"b\":1}", "1"}, {"b", "{\"a\":[\"]\",{\"x\":\"}\"}],\"b\":1}", "1"},
                 {"b", "{\"}\":{\"\\\"b\\\":2\":0},\"b\":1}", "1"});
}

Test(json_paths, names_may_be_written_with_escapes) {
    ASSERT_FOUND({"a", "{\"\\u0061\":1}", "1"}, {"a/b", "{\"a\\/b\":1}", "1"},
                 {"\xc3\xa9", "{\"\\u00e9\":1}", "1"}, {"\xc3\xa9", "{\"\xc3\xa9\":1}", "1"},
                 {"\xf0\x9f\x98\x80", "{\"\\ud83d\\ude00\":1}", "1"}, {"a\"b", "{\"a\\\"b\":1}", "1"},
                 {"a\\b", "{\"a\\\\b\":1}", "1"}, {"a", "{\"\\u0061\\u0062\\u0063\\u0064\":2}", "NULL"},
                 {"abc", "{\"\\u0061\\u0062\\u0063\":2}", "2"});
}

Test(json_paths, strings_are_unescaped) {
    ASSERT_FOUND({"a", "{\"a\":\"\\b\\f\\n\\r\\t\\\"\\\\\\/\"}", "\b\f\n\r\t\"\\/"},
                 {"a", "{\"a\":\"x\\u00e9y\"}", "x\xc3\xa9y"}, {"a", "{\"a\":\"\\u20AC\"}", "\xe2\x82\xac"},
                 {"a", "{\"a\":\"\\uD83D\\uDE00!\"}", "\xf0\x9f\x98\x80!"},
                 {"a", "{\"a\":\"\\ud800\\udc00\\udbff\\udfff\"}", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
                 {"a", "{\"a\":\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"}",
                  "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
                 {"a b c", "{\"a\":\"\\u0061\",\"b\":\"\\u0062\\u0062\",\"c\":\"plain\"}", "a|bb|plain"},
                 {"a", "{\"a\":{\"b\":\"\\n\"}}", "{\"b\":\"\\n\"}"});
}

Test(json_paths, no_segments_are_the_whole_text) {
    ASSERT_FOUND({"", "\"x\\ty\"", "x\ty"}, {"", " {\"a\":1} ", "{\"a\":1}"}, {"", "null", "NULL"},
                 {"", " 5", "5"}, {"", "[1, 2]", "[1, 2]"});
    RpJsonPaths *paths = rp_json_paths_new();
    cr_assert(rp_json_paths_add(paths, (const char *const[]){NULL}) == 0);
    cr_assert(rp_json_paths_add(paths, (const char *const[]){"a", NULL}) == 1);
    cr_assert(rp_json_paths_add(paths, (const char *const[]){"a", "0", NULL}) == 2);
    cr_assert(rp_json_paths_add(paths, (const char *const[]){"a", NULL}) == 1, "a path keeps its slot");
    cr_assert(rp_json_paths_add(paths, (const char *const[]){NULL}) == 0 && rp_json_paths_size(paths) == 3);
    g_autofree char *got = texts_of(paths, RP_SPAN_OF("{\"a\":[true]}"));
    cr_assert(strcmp(got, "{\"a\":[true]}|[true]|true") == 0, "%s", got);
    rp_json_paths_free(paths);
}

/* The depth of the text costs no stack. */
Test(json_paths, deep_texts_are_walked) {
    g_autoptr(GString) text = g_string_new("{\"x\":");
    for (guint i = 0; i < 500; i++)
        g_string_append(text, i % 2 == 0 ? "[" : "{\"a\":");
    g_string_append(text, "1");
    for (guint i = 500; i-- > 0;)
        g_string_append(text, i % 2 == 0 ? "]" : "}");
    g_string_append(text, ",\"a\":\"found\"}");
    assert_found("a", text->str, "found");
}

static void assert_elements(const char *json, const char *expected) {
    g_autofree char *exact = g_memdup2(json, strlen(json));
    g_autoptr(GString) got = g_string_new(NULL);
    RpJsonElements elements;
    RpSpan element;
    rp_json_elements_init(&elements, (RpSpan){exact, strlen(json)});
    while (rp_json_elements_next(&elements, &element))
        g_string_append_printf(got, "<%.*s>", (int)element.size, element.data);
    cr_assert(strcmp(got->str, expected) == 0, "%s gives %s, not %s", json, got->str, expected);
    cr_assert(!rp_json_elements_next(&elements, &element), "the end stays the end");
}

Test(json_paths, elements_come_one_after_the_other) {
    static const char *const CASES[][2] = {
        {"[]", ""},
        {"[ ]", ""},
        {"[1]", "<1>"},
        {" [ 1 , \"a,]\" ,[2,3],{ \"b\":[ ] } ,null ]", "<1><\"a,]\"><[2,3]><{ \"b\":[ ] }><null>"},
        {"[[],{},\"\"]", "<[]><{}><\"\">"},
        {"[true,false,-1.5e3]", "<true><false><-1.5e3>"},
        {"[\"\\\"\",\"\\\\\"]", "<\"\\\"\"><\"\\\\\">"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_elements(CASES[i][0], CASES[i][1]);
}
