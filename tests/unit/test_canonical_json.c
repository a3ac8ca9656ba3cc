/* The canonical text of JSON, case by case. */
#include "mapping/json.h"
#include "reconcile/canonical_json.h"

#include <criterion/criterion.h>

/* NULL for a text that is refused. */
static char *canonical(RpSpan text) {
    RpCanonicalJson json = {0};
    g_auto(RpBuffer) out = {0};
    rp_buffer_append(&out, "!", 1);
    g_autofree char *copy = text.size > 0 ? g_memdup2(text.data, text.size) : NULL;
    const gboolean is_sound = rp_canonical_json_append(&json, (RpSpan){copy, text.size}, &out);
    rp_canonical_json_clear(&json);
    cr_assert(out.data[0] == '!' && (is_sound || out.size == 1), "what was there stays");
    return is_sound ? g_strndup(out.data + 1, out.size - 1) : NULL;
}

static char *canonical_stored(RpSpan text) {
    g_auto(RpBuffer) out = {0};
    g_autofree char *copy = text.size > 0 ? g_memdup2(text.data, text.size) : NULL;
    rp_canonical_json_append_stored((RpSpan){copy, text.size}, &out);
    return g_strndup(out.data != NULL ? out.data : "", out.size);
}

static void assert_canonical(const char *text, const char *expected) {
    g_autofree char *got = canonical(rp_span(text));
    cr_expect(got != NULL && strcmp(got, expected) == 0, "%s gives %s, not %s", text, got, expected);
    g_autofree char *again = canonical(rp_span(expected));
    cr_expect(again != NULL && strcmp(again, expected) == 0, "%s gives %s", expected, again);
    g_autofree char *stored = canonical_stored(rp_span(expected));
    cr_expect(strcmp(stored, expected) == 0, "%s gives %s when stored", expected, stored);
}

static const char *const CASES[][2] = {
    /* numbers */
    {"0", "0"},
    {"-0", "0"},
    {"-0.0", "0"},
    {"0e5", "0"},
    {"0.00e-7", "0"},
    {"-1", "-1"},
    {"1e2", "100"},
    {"1E+2", "100"},
    {"1.50", "1.5"},
    {"1.0", "1"},
    {"10.00", "10"},
    {"100", "100"},
    {"1E-3", "0.001"},
    {"1.5e3", "1500"},
    {"-1.2345e2", "-123.45"},
    {"0.05", "0.05"},
    {"0.05e1", "0.5"},
    {"0.05e2", "5"},
    {"10e-1", "1"},
    {"1200e-5", "0.012"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    /* strings */
    {"\"\"", "\"\""},
    {"\"a\\/b\"", "\"a/b\""},
    {"\"\\u0041\\u00e9\\ud83d\\ude00\"", "\"A\xc3\xa9\xf0\x9f\x98\x80\""},
    {"\"\\u0008\\u000c\\u000A\\u000d\\u0009\"", "\"\\b\\f\\n\\r\\t\""},
    {"\"\\u0001\\u001F\\u000b\"", "\"\\u0001\\u001f\\u000b\""},
    {"\"\\u0022\\u005c\\u007f\"", "\"\\\"\\\\\x7f\""},
    {"\"\\\\\\\"0123456789abcdef\\n0123456789\"", "\"\\\\\\\"0123456789abcdef\\n0123456789\""},
    {"\"1.50\"", "\"1.50\""},
    {"\"\\\"1.50\"", "\"\\\"1.50\""},
    /* blanks, words, nesting */
    {" \t\r\n[ ]\n", "[]"},
    {"{ }", "{}"},
    {"[{},[],null,true,false]", "[{}, [], null, true, false]"},
    {"[1.0,[2.50],\"3.0\"]", "[1, [2.5], \"3.0\"]"},
    /* objects */
    {"{\"pages\": 3, \"depth\": \"full\"}", "{\"depth\": \"full\", \"pages\": 3}"},
    {"{\"bb\":1,\"c\":2,\"a\":3}", "{\"a\": 3, \"c\": 2, \"bb\": 1}"},
    {"{\"a\":1,\"a\":2}", "{\"a\": 2}"},
    {"{\"b\":0,\"a\":1,\"a\":{\"z\":1,\"y\":2},\"b\":[1,2]}", "{\"a\": {\"y\": 2, \"z\": 1}, \"b\": [1, 2]}"},
    {"{\"\\u0061\":1,\"a\":2}", "{\"a\": 2}"},
    {"{\"a\":1,\"\\u0061\":2}", "{\"a\": 2}"},
    {"{\"\":1,\"a\":0}", "{\"\": 1, \"a\": 0}"},
    {"{\"\\u00e9\":1,\"zz\":2,\"z\":3}", "{\"z\": 3, \"zz\": 2, \"\xc3\xa9\": 1}"},
    /* in the order of what names say, not of how it is written: a newline is one byte, below a quote */
    {"{\"\\\"\":1,\"\\n\":2,\"!\":3}", "{\"\\n\": 2, \"!\": 3, \"\\\"\": 1}"},
    {"{\"\\\\\":1,\"b\":2,\"A\":3}", "{\"A\": 3, \"\\\\\": 1, \"b\": 2}"},
};

Test(canonical_json, is_the_text_of_postgres_without_zeros) {
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_canonical(CASES[i][0], CASES[i][1]);
}

Test(canonical_json, of_stored_texts_drops_zeros_of_fractions) {
    static const char *const TEXTS[][2] = {
        {"1.50", "1.5"},
        {"0.0", "0"},
        {"[1.0, 2.00, 3.010]", "[1, 2, 3.01]"},
        {"{\"a.0\": 10.0, \"b\": \"\\\"1.0\"}", "{\"a.0\": 10, \"b\": \"\\\"1.0\"}"},
        {"\"1.0\"", "\"1.0\""},
        {"", ""},
        {"1.", "1"}, /* none of these is jsonb */
        {"\"1.0", "\"1.0"},
        {"\"1.0\\", "\"1.0\\"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
        g_autofree char *got = canonical_stored(rp_span(TEXTS[i][0]));
        cr_expect(strcmp(got, TEXTS[i][1]) == 0, "%s gives %s, not %s", TEXTS[i][0], got, TEXTS[i][1]);
    }
}

Test(canonical_json, refuses_what_is_no_json) {
    static const char *const TEXTS[] = {
        "",       " ",         "{",         "[",           "[1",          "[1,",       "[1,]",       "[,1]",
        "{\"a\"", "{\"a",      "{\"a\\",    "{\"a\":",     "{\"a\":1",    "{\"a\":1,", "{\"a\":1,}", "{,}",
        "{a:1}",  "{\"a\" 1}", "{\"a\":1]", "[1}",         "1 2",         "01",        "-",          "1.",
        ".5",     "1e",        "1e+",       "1e1001",      "+1",          "tru",       "nulls",      "\"",
        "\"\\",   "\"\\u00\"", "\"\\x\"",   "\"\\u0000\"", "\"\\ud800\"", "\"\n\"",    "\"a\\\"",    "]",
        "1,",
    };
    for (guint i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
        g_autofree char *got = canonical(rp_span(TEXTS[i]));
        cr_expect(got == NULL, "%s gives %s", TEXTS[i], got);
        cr_expect(rp_json_check(rp_span(TEXTS[i]), RP_JSON_ANY) != NULL, "%s", TEXTS[i]);
    }
}

/* More members than are sorted by insertion, some of them twice. */
Test(canonical_json, puts_many_members_in_order) {
    GString *text = g_string_new("{");
    GString *expected = g_string_new("{");
    for (int i = 0; i < 2000; i++)
        g_string_append_printf(text, "\"k%03d\":%d,", (i * 7919) % 1000, i);
    for (int i = 0; i < 1000; i++) {
        int last = 1999;
        while ((last * 7919) % 1000 != i)
            last--;
        g_string_append_printf(expected, "%s\"k%03d\": %d", i > 0 ? ", " : "", i, last);
    }
    g_string_overwrite(text, text->len - 1, "}");
    g_string_append_c(expected, '}');
    assert_canonical(text->str, expected->str);
    g_string_free(text, TRUE);
    g_string_free(expected, TRUE);
}

Test(canonical_json, goes_as_deep_as_the_check_and_no_deeper) {
    for (int extra = 0; extra < 2; extra++) {
        GString *text = g_string_new(NULL);
        for (int i = 0; i < RP_JSON_MAX_DEPTH + extra; i++)
            g_string_append(text, "{\"b\": 1, \"a\": ");
        g_string_append(text, "0");
        for (int i = 0; i < RP_JSON_MAX_DEPTH + extra; i++)
            g_string_append(text, "}");
        g_autofree char *got = canonical(rp_span(text->str));
        cr_expect((got != NULL) == (extra == 0));
        cr_expect((got != NULL) == (rp_json_check(rp_span(text->str), RP_JSON_ANY) == NULL));
        g_string_free(text, TRUE);
    }
    g_autofree char *deep = g_strnfill(10000000, '[');
    g_autofree char *got = canonical(rp_span(deep));
    cr_expect(got == NULL);
    g_autofree char *stored = canonical_stored(rp_span(deep));
    cr_expect(strcmp(stored, deep) == 0);
}

Test(canonical_json, bounds_what_numbers_grow_to) {
    for (int extra = 0; extra < 2; extra++) {
        RpCanonicalJson json = {.max_bytes = (gsize)(1001 + 2 + 1001 + 2 - extra)};
        g_auto(RpBuffer) out = {0};
        rp_buffer_append(&out, "before", 6);
        cr_expect(rp_canonical_json_append(&json, RP_SPAN_OF("[1e1000,1e1000]"), &out) == !extra);
        cr_expect(out.size == (extra ? 6 : 6 + 2006), "%zu", out.size);
        rp_canonical_json_clear(&json);
    }
}
