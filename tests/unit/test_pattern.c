/* Key patterns: what matches, what is captured, and what SCAN is told. */
#include "mapping/pattern.h"

#include <criterion/criterion.h>
#include <glib.h>

static RpPattern *compile(const char *text) {
    g_autofree char *problem = NULL;
    RpPattern *pattern = rp_pattern_new(text, &problem);
    cr_assert(pattern != NULL, "%s: %s", text, problem);
    cr_assert(strcmp(rp_pattern_get_text(pattern), text) == 0);
    return pattern;
}

/* The captures joined with '|', or NULL where nothing matches. */
static char *match(const RpPattern *pattern, RpSpan key) {
    RpSpan captures[RP_PATTERN_MAX_CAPTURES];
    const gboolean is_match = rp_pattern_match(pattern, key, captures);
    cr_assert(rp_pattern_match(pattern, key, NULL) == is_match);
    if (!is_match)
        return NULL;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < rp_pattern_n_captures(pattern); i++) {
        g_autofree char *shown = rp_span_show(captures[i], 100);
        g_string_append_printf(text, "%s%s", i > 0 ? "|" : "", shown);
    }
    return g_string_free(text, FALSE);
}

static void assert_match(const char *text, RpSpan key, const char *expected) {
    g_autoptr(RpPattern) pattern = compile(text);
    g_autofree char *got = match(pattern, key);
    cr_assert(g_strcmp0(got, expected) == 0, "%s against %s gave %s, not %s", text, key.data,
              got != NULL ? got : "nothing", expected != NULL ? expected : "nothing");
}

Test(pattern, captures_what_holes_take) {
    static const struct {
        const char *pattern;
        const char *key;
        const char *captures;
    } CASES[] = {
        {"order:{id}", "order:o1", "o1"},
        {"order:{id}", "order:", NULL},
        {"order:{id}", "order", NULL},
        {"order:{id}", "orders:o1", NULL},
        {"order:{id}", "Order:o1", NULL},
        {"order:{id}", "order:o1:items", NULL},
        {"order:{id}", "order:o1:", NULL},
        {"order:{id}", "xorder:o1", NULL},
        {"order:{id+}", "order:o1:items", "o1:items"},
        {"order:{id+}", "order::", ":"},
        {"order:{id+}", "order:", NULL},
        {"customer:{c}:orders", "customer:c1:orders", "c1"},
        {"customer:{c}:orders", "customer:c1:orders:x", NULL},
        {"customer:{c}:orders", "customer:a:b:orders", NULL},
        {"customer:{c+}:orders", "customer:a:b:orders", "a:b"},
        {"customer:{c+}:orders", "customer:orders:orders", "orders"},
        {"{a}", "x", "x"},
        {"{a}", "", NULL},
        {"{a}", "x:y", NULL},
        {"{a+}", "x:y", "x:y"},
        {"{a}:{b}", "x:y", "x|y"},
        {"{a}:{b}", "x:y:z", NULL},
        {"{a+}:{b}", "x:y:z", "x:y|z"},
        {"{a+}:{b+}", "x:y:z", "x:y|z"}, /* the first takes as much as it can */
        {"{a}:{b+}", "x:y:z", "x|y:z"},
        {"{a}-{b}", "x-y-z", "x-y|z"},
        {"{a}-{b}", "x:y-z", NULL},
        {"{a}--{b}", "x---y", "x-|y"},
        {"{a+}b{c}d{e}", "abbcdbd:bcdd", "abbcdbd:|c|d"},
        {"p{a}x", "pxx", "x"},
        {"p{a}x", "px", NULL},
        {"literal", "literal", ""},
        {"literal", "literally", NULL},
        {"a*b:{c}", "a*b:1", "1"}, /* * is no wildcard here */
        {"a*b:{c}", "axb:1", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_match(CASES[i].pattern, rp_span(CASES[i].key), CASES[i].captures);
}

Test(pattern, matches_bytes) {
    assert_match("k:{a}", RP_SPAN_OF("k:\xff\xfe"), "\\xff\\xfe");
    assert_match("k:{a}", RP_SPAN_OF("k:\0x"), "\\x00x");
    assert_match("k:{a}", RP_SPAN_OF("k\0:x"), NULL);
    assert_match("k:{a}:\xc3\xa9", RP_SPAN_OF("k:1:\xc3\xa9"), "1");
    assert_match("k:{a}", ((RpSpan){NULL, 0}), NULL);
}

Test(pattern, says_why_it_cannot_be) {
    static const struct {
        const char *text;
        const char *problem;
    } BAD[] = {
        {"", "empty"},
        {"a{", "without \"}\""},
        {"a}", "without \"{\""},
        {"{}", "no capture"},
        {"{+}", "no capture"},
        {"{a b}", "no capture"},
        {"{a{b}", "no capture"},
        {"{a-b}", "no capture"},
        {"{\xc3\xa9}", "no capture"},
        {"{a++}", "no capture"},
        {"{a}:{a}", "twice"},
        {"{a}:{a+}", "twice"},
        {"{a}{b}", "between them"},
        {"{a+}{b}", "between them"},
        {"{a}:{b}:{c}:{d}:{e}:{f}:{g}:{h}:{i}:{j}:{k}:{l}:{m}:{n}:{o}:{p}:{q}", "more than 16"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++) {
        g_autofree char *problem = NULL;
        g_autoptr(RpPattern) pattern = rp_pattern_new(BAD[i].text, &problem);
        cr_assert(pattern == NULL && problem != NULL, "%s", BAD[i].text);
        cr_assert(strstr(problem, BAD[i].problem) != NULL, "%s: %s", BAD[i].text, problem);
    }
}

Test(pattern, finds_captures_by_name) {
    g_autoptr(RpPattern) pattern = compile("a:{first}:{rest_2+}");
    cr_assert(rp_pattern_n_captures(pattern) == 2);
    cr_assert(rp_pattern_find_capture(pattern, "first") == 0);
    cr_assert(rp_pattern_find_capture(pattern, "rest_2") == 1);
    cr_assert(rp_pattern_find_capture(pattern, "rest_2+") == -1);
    cr_assert(rp_pattern_find_capture(pattern, "") == -1);
}

Test(pattern, globs_take_anything_at_their_stars) {
    static const struct {
        const char *glob;
        const char *key;
        gboolean is_match;
    } CASES[] = {
        {"session:*", "session:", TRUE},
        {"session:*", "session:a:b", TRUE},
        {"session:*", "session", FALSE},
        {"*", "", TRUE},
        {"*", "a:b", TRUE},
        {"", "", TRUE},
        {"", "a", FALSE},
        {"*:tmp", "a:tmp", TRUE},
        {"*:tmp", ":tmp", TRUE},
        {"*:tmp", "a:tmpx", FALSE},
        {"a*b*c", "abc", TRUE},
        {"a*b*c", "a:b:b:c", TRUE},
        {"a*b*c", "acb", FALSE},
        {"a**b", "ab", TRUE},
        {"exact", "exact", TRUE},
        {"exact", "exactly", FALSE},
        {"a?c", "abc", FALSE},
        {"a?c", "a?c", TRUE},
        {"[ab]", "a", FALSE},
        {"{x}", "y", FALSE},
        {"{x}", "{x}", TRUE},
        {"*ab", "aab", TRUE},
        {"*aab*", "aaab", TRUE},
        {"a*a", "a", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(RpPattern) glob = rp_pattern_new_glob(CASES[i].glob);
        cr_assert(rp_pattern_match(glob, rp_span(CASES[i].key), NULL) == CASES[i].is_match, "%s against %s",
                  CASES[i].glob, CASES[i].key);
        cr_assert(rp_pattern_n_captures(glob) == 0);
    }
}

Test(pattern, tells_scan_its_prefix) {
    static const char *const CASES[][2] = {
        {"order:{id}", "order:*"},
        {"c:{a}:orders", "c:*"},
        {"exact", "exact"},
        {"a*b:{c}", "a\\*b:*"},
        {"[x]?:{c}", "\\[x\\]\\?:*"},
        {"a\\b^c-d:{e}", "a\\\\b\\^c\\-d:*"},
        {"{a}:x", NULL},
        {"{a+}", NULL},
        {"\xc3\xa9:{a}", "\xc3\xa9:*"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(RpPattern) pattern = compile(CASES[i][0]);
        g_autofree char *match_text = rp_pattern_scan_match(pattern);
        cr_assert(g_strcmp0(match_text, CASES[i][1]) == 0, "%s gave %s", CASES[i][0], match_text);
    }
}

Test(pattern, shape_of_a_key_leaves_ids_out) {
    static const char *const CASES[][2] = {
        {"session:ab12:data", "session:*:*"},
        {"foo:bar", "foo:*"},
        {"foo", "foo"},
        {"foo1", "*"},
        {"", ""},
        {"a:b:c", "a:b:*"},
        {"a:", "a:*"},
        {":a", ":*"},
        {"caf\xc3\xa9:x", "*:*"},
        {"a b:c", "*:*"},
        {"abcdefghijklmnopqrst:x", "abcdefghijklmnopqrst:*"},
        {"abcdefghijklmnopqrstu:x", "*:*"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *shape = rp_pattern_shape(rp_span(CASES[i][0]));
        cr_assert(strcmp(shape, CASES[i][1]) == 0, "%s gave %s", CASES[i][0], shape);
    }
    g_autofree char *binary = rp_pattern_shape(RP_SPAN_OF("a\0b:c:d"));
    cr_assert(strcmp(binary, "*:c:*") == 0, "%s", binary);
}

/* The same pattern as a regular expression, whose greedy groups are to take the same. */
static char *regex_of(const char *pattern) {
    GString *regex = g_string_new("\\A");
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at != '{') {
            g_string_append_printf(regex, "\\x%02x", (guchar)*at);
            continue;
        }
        const char *end = strchr(at, '}');
        g_string_append(regex, end[-1] == '+' ? "(.+)" : "([^:]+)");
        at = end;
    }
    g_string_append(regex, "\\z");
    return g_string_free(regex, FALSE);
}

Test(pattern, takes_what_a_regular_expression_takes) {
    static const char *const PATTERNS[] = {
        "{a}",           "{a+}",       "{a+}:{b}",        "{a}-{b}",
        "{a+}-{b}:{c+}", "a{a}a{b+}a", "{a}:{b+}:{c}",    "{a+}a{b}a{c+}a{d}",
        "{a}:-{b+}a",    "{a+}::{b}",  "a:{a+}-{b}-{c+}", "{a+}-{b}-{c}:{d+}a"};
    g_autoptr(GRand) random = g_rand_new_with_seed(20250103);
    for (guint i = 0; i < G_N_ELEMENTS(PATTERNS); i++) {
        g_autoptr(RpPattern) pattern = compile(PATTERNS[i]);
        g_autofree char *source = regex_of(PATTERNS[i]);
        g_autoptr(GRegex) regex = g_regex_new(source, G_REGEX_RAW | G_REGEX_DOTALL, 0, NULL);
        for (guint round = 0; round < 3000; round++) {
            char key[16] = "";
            for (gint length = g_rand_int_range(random, 0, 15); length > 0; length--)
                key[length - 1] = "a:-"[g_rand_int_range(random, 0, 3)];
            g_autoptr(GMatchInfo) info = NULL;
            GString *expected = g_string_new(NULL);
            const gboolean is_match = g_regex_match(regex, key, 0, &info);
            for (guint group = 1; is_match && group <= rp_pattern_n_captures(pattern); group++) {
                g_autofree char *text = g_match_info_fetch(info, (gint)group);
                g_string_append_printf(expected, "%s%s", group > 1 ? "|" : "", text);
            }
            g_autofree char *taken = g_string_free(expected, FALSE);
            g_autofree char *got = match(pattern, rp_span(key));
            cr_assert(g_strcmp0(got, is_match ? taken : NULL) == 0, "%s against %s gave %s, not %s",
                      PATTERNS[i], key, got != NULL ? got : "nothing", is_match ? taken : "nothing");
        }
    }
}
