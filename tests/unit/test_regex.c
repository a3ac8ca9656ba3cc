/* Regular expressions: whole values, replacements with groups, and an end to those that cost too much. */
#include "mapping/regex.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>
#include <time.h>

#define MANY     RP_REGEX_MAX_TEXT
#define MAX_MADE 1000

static RpRegex *regex_of(const char *text) {
    g_autofree char *problem = NULL;
    RpRegex *regex = rp_regex_new(text, &problem);
    cr_assert(regex != NULL && problem == NULL, "%s: %s", text, problem);
    return regex;
}

Test(regex, the_whole_value_fits) {
    static const struct {
        const char *regex, *text;
        gboolean fits;
    } CASES[] = {
        {"[a-z]+", "abc", TRUE},
        {"[a-z]+", "abc1", FALSE},
        {"[a-z]+", "1abc", FALSE},
        {"[a-z]+", "abc\n", FALSE},
        {"[a-z]*", "", TRUE},
        {"[a-z]+", "", FALSE},
        {"a|ab", "ab", TRUE}, /* the end is looked for behind every alternative */
        {"^a$", "a", TRUE},
        {"^a$", "a\n", FALSE},
        {"a.c",
         "a\xc3\xa9"
         "c",
         TRUE}, /* a character, not a byte */
        {"..", "\xc3\xa9", FALSE},
        {"\\w+", "\xc3\xa9t\xc3\xa9", TRUE},
        {"\\d", "\xd9\xa3", TRUE}, /* digits of other scripts too */
        {"(?i)\xc3\xa9", "\xc3\x89", TRUE},
        {"\\p{Lu}+", "\xc3\x84\xc3\x96", TRUE},
        {"a.c", "a\nc", FALSE},
        {"(?s)a.c", "a\nc", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(RpRegex) regex = regex_of(CASES[i].regex);
        cr_assert(rp_regex_matches(regex, rp_span(CASES[i].text)) ==
                      (CASES[i].fits ? RP_REGEX_YES : RP_REGEX_NO),
                  "%s on %s", CASES[i].regex, CASES[i].text);
    }
}

Test(regex, what_does_not_compile_is_explained) {
    static const char *const CASES[][2] = {
        {"(", "at byte 1"},  {"[a", "at byte 2"}, {"a**b(", "at byte"},       {"*", "at byte 0"},
        {"\\", "at byte 1"}, {"\\C", "\\C"},      {"(?<n>a)(?<n>b)", "name"}, {"\xff", "UTF-8"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *problem = NULL;
        cr_assert(rp_regex_new(CASES[i][0], &problem) == NULL, "%s", CASES[i][0]);
        cr_assert(problem != NULL && strstr(problem, CASES[i][1]) != NULL, "%s: %s", CASES[i][0], problem);
    }
    g_autofree char *longest = g_strnfill(8000, 'a');
    g_autofree char *too_long = g_strnfill(8001, 'a');
    g_autofree char *problem = NULL;
    g_autoptr(RpRegex) regex = regex_of(longest);
    cr_assert(rp_regex_new(too_long, &problem) == NULL && strstr(problem, "longer than 8000 bytes") != NULL);
}

/* expected NULL: nothing matches. */
static void assert_replaced(const char *expression, const char *text, const char *with,
                            const char *expected) {
    g_autoptr(RpRegex) regex = regex_of(expression);
    g_auto(RpBuffer) out = {0};
    rp_buffer_append(&out, "before:", 7);
    g_autofree char *problem = rp_regex_check_replacement(regex, with);
    cr_assert(problem == NULL, "%s: %s", with, problem);
    const RpRegexOutcome outcome = rp_regex_replace(regex, rp_span(text), with, MAX_MADE, &out);
    cr_assert(outcome == (expected == NULL ? RP_REGEX_NO : RP_REGEX_YES), "%s on %s", expression, text);
    g_autofree char *got = g_strndup(out.data + 7, out.size - 7);
    cr_assert(strcmp(got, expected == NULL ? "" : expected) == 0, "%s on %s with %s gives %s", expression,
              text, with, got);
}

Test(regex, every_match_is_replaced) {
    static const char *const CASES[][4] = {
        {"-", "a-b-c", "", "abc"},
        {"-", "abc", "+", NULL},
        {"[^0-9]", "+49 (30) 1", "", "49301"},
        {"(\\w+), (\\w+)", "Doe, Jane", "$2 ${1}", "Jane Doe"},
        {"(?<day>\\d\\d)\\.(?<month>\\d\\d)", "24.12", "${month}/$day", "12/24"},
        {"a", "banana", "$0$0", "baanaanaa"},
        {"a", "banana", "$$", "b$n$n$"},
        {"(a)|b", "ab", "<$1>", "<a><>"}, /* a group that took no part is empty */
        {"a", "a", "\\n\\u", "\\n\\u"},   /* a backslash is nothing special */
        {"^", "x", "y", "yx"},
        {"x*", "abc", "-", "-a-b-c-"},
        {"\xc3\xa9", "caf\xc3\xa9", "e", "cafe"},
        {".", "\xf0\x9f\x98\x80\xc3\xa9", "x", "xx"},
        {"a", "", "b", NULL},
        {".+", "all", "", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_replaced(CASES[i][0], CASES[i][1], CASES[i][2], CASES[i][3]);
}

Test(regex, a_replacement_names_groups_that_are_there) {
    static const struct {
        const char *with, *problem; /* NULL: it is fine */
    } CASES[] = {
        {"", NULL},
        {"$$", NULL},
        {"$0", NULL},
        {"${1}x", NULL},
        {"$1$name", NULL},
        {"$2", NULL},
        {"$$9", NULL},
        {"$3", "no group \"3\""},
        {"${3}", "\"3\""},
        {"$nome", "\"nome\""},
        {"${nome}", "\"nome\""},
        {"a$", "stands a group"},
        {"$ 1", "a group"},
        {"${1", "a group"},
        {"${}", "a group"},
        {"$-", "a group"},
        {"$1x", "\"1x\""},
        {"$99999999999999999999", "no group"},
    };
    g_autoptr(RpRegex) regex = regex_of("(a)(?<name>b)");
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *problem = rp_regex_check_replacement(regex, CASES[i].with);
        cr_assert((problem == NULL) == (CASES[i].problem == NULL), "%s: %s", CASES[i].with, problem);
        cr_assert(problem == NULL || strstr(problem, CASES[i].problem) != NULL, "%s: %s", CASES[i].with,
                  problem);
    }
}

/* What passes the check is taken by PCRE2 too. */
Test(regex, a_checked_replacement_is_never_refused) {
    static const char *const WITHS[] = {"$1x",  "$1_",  "${1}_",  "$01",      "$name1", "$1$",
                                        "$$$",  "$$$1", "$_",     "${_}",     "$n",     "${name}}",
                                        "{$1}", "$1}",  "$*MARK", "${*MARK}", "$<",     "$&"};
    g_autoptr(RpRegex) regex = regex_of("(a)(?<name>b)?");
    for (guint i = 0; i < G_N_ELEMENTS(WITHS); i++) {
        g_autofree char *problem = rp_regex_check_replacement(regex, WITHS[i]);
        g_auto(RpBuffer) out = {0};
        const RpRegexOutcome outcome = rp_regex_replace(regex, RP_SPAN_OF("a"), WITHS[i], MAX_MADE, &out);
        cr_assert(problem != NULL || outcome == RP_REGEX_YES, "%s: %s, %d", WITHS[i], problem, outcome);
    }
}

Test(regex, a_replacement_grows_to_its_limit_and_no_further) {
    g_autoptr(RpRegex) regex = regex_of("a");
    g_autofree char *text = g_strnfill(100, 'a');
    g_auto(RpBuffer) out = {0};
    cr_assert(rp_regex_replace(regex, rp_span(text), "1234567890", 1001, &out) == RP_REGEX_YES &&
              out.size == 1000);
    out.size = 0;
    cr_assert(rp_regex_replace(regex, rp_span(text), "1234567890", 999, &out) == RP_REGEX_TOO_LONG &&
              out.size == 0);
    cr_assert(rp_regex_replace(regex, rp_span(text), "12345678901", 1001, &out) == RP_REGEX_TOO_LONG);
    out.size = 0;
    cr_assert(rp_regex_replace(regex, rp_span(text), "", 1001, &out) == RP_REGEX_YES && out.size == 0);
}

Test(regex, has_at_most_99_groups) {
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < 99; i++)
        g_string_append(text, "(a)?");
    g_autoptr(RpRegex) most = regex_of(text->str);
    g_autofree char *fine = rp_regex_check_replacement(most, "$99");
    cr_assert(fine == NULL, "%s", fine);
    g_string_append(text, "(a)?");
    g_autofree char *problem = NULL;
    cr_assert(rp_regex_new(text->str, &problem) == NULL);
    cr_assert(strcmp(problem, "it has more than 99 groups") == 0, "%s", problem);
    g_string_free(text, TRUE);
}

/* Expressions that take exponential time where nothing stops them, */
static const char *const EXPENSIVE[] = {"(a+)+$",     "(a|aa)+$",         "(a|a?)+$",
                                        "(.*a){25}$", "(?:a?){60}a{60}$", "^(([a-z])+.)+[A-Z]([a-z])+$"};

/* and quadratic or cubic time, in few steps that each run over much of the text. */
static const char *const QUADRATIC[] = {"[a-z]+[0-9]",       ".*[a-z]+[0-9]",
                                        "[a-z]+[a-z]+[0-9]", "\\w+\\s",
                                        "\\p{L}+\\d",        "(?i)[a-z]+[0-9]",
                                        "(.+)\\1b",          "(?=[a-z]*[0-9])b|a",
                                        "(?=.*b)",           "(?:\\w+ |\\w+,|\\w+;|\\w+:|\\w+!)+"};

/* Of the processor: the machine may be busy with other tests. */
static void assert_quick(clock_t begin, const char *expression) {
    const double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    cr_assert(seconds < 3, "%s took %f s", expression, seconds);
}

Test(regex, no_match_takes_forever, .timeout = 150) {
    g_autofree char *text = g_strnfill(60, 'a');
    text[59] = '!';
    for (guint i = 0; i < G_N_ELEMENTS(EXPENSIVE); i++) {
        g_autoptr(RpRegex) regex = regex_of(EXPENSIVE[i]);
        const clock_t begin = clock();
        cr_assert(rp_regex_matches(regex, rp_span(text)) != RP_REGEX_YES, "%s", EXPENSIVE[i]);
        assert_quick(begin, EXPENSIVE[i]);
    }
    g_autoptr(RpRegex) worst = regex_of("(a+)+[bc]");
    cr_assert(rp_regex_matches(worst, rp_span(text)) == RP_REGEX_GAVE_UP);
    cr_assert(rp_regex_matches(worst, RP_SPAN_OF("aab")) == RP_REGEX_YES,
              "the next value has all its steps again");
}

Test(regex, no_replacement_takes_forever, .timeout = 150) {
    g_autofree char *text = g_strnfill(MANY, 'a');
    text[MANY - 1] = '!';
    for (guint i = 0; i < G_N_ELEMENTS(EXPENSIVE); i++) {
        g_autoptr(RpRegex) regex = regex_of(EXPENSIVE[i]);
        g_auto(RpBuffer) out = {0};
        const clock_t begin = clock();
        rp_regex_replace(regex, rp_span(text), "", 2 * MANY, &out);
        assert_quick(begin, EXPENSIVE[i]);
    }
}

Test(regex, no_step_runs_over_the_text_forever, .timeout = 120) {
    g_autofree char *text = g_strnfill(MANY, 'a');
    for (guint i = 0; i < G_N_ELEMENTS(QUADRATIC); i++) {
        g_autoptr(RpRegex) regex = regex_of(QUADRATIC[i]);
        g_auto(RpBuffer) out = {0};
        const clock_t begin = clock();
        cr_assert(rp_regex_matches(regex, rp_span(text)) != RP_REGEX_YES, "%s", QUADRATIC[i]);
        assert_quick(begin, QUADRATIC[i]);
        const clock_t middle = clock();
        cr_assert(rp_regex_replace(regex, rp_span(text), "", 2 * MANY, &out) != RP_REGEX_YES && out.size == 0,
                  "%s", QUADRATIC[i]);
        assert_quick(middle, QUADRATIC[i]);
    }
}

/* The longest text is seen, a longer one is told. */
Test(regex, a_text_has_a_longest_size) {
    g_autoptr(RpRegex) regex = regex_of("a*");
    g_auto(RpBuffer) out = {0};
    g_autofree char *text = g_strnfill(MANY + 1, 'a');
    cr_assert(rp_regex_matches(regex, (RpSpan){text, MANY}) == RP_REGEX_YES);
    cr_assert(rp_regex_matches(regex, (RpSpan){text, MANY + 1}) == RP_REGEX_TOO_LONG);
    cr_assert(rp_regex_replace(regex, (RpSpan){text, MANY}, "b", MAX_MADE, &out) == RP_REGEX_YES);
    out.size = 0;
    cr_assert(rp_regex_replace(regex, (RpSpan){text, MANY + 1}, "b", MAX_MADE, &out) == RP_REGEX_TOO_LONG);
    cr_assert(out.size == 0);
}

/* A sound expression over a large value does not run out of steps. */
Test(regex, sound_expressions_take_large_values, .timeout = 150) {
    g_autofree char *text = g_strnfill(MANY, 'a');
    text[MANY / 2] = ' ';
    g_autoptr(RpRegex) letters = regex_of("[a-z ]*");
    g_autoptr(RpRegex) blank = regex_of("\\s+");
    g_auto(RpBuffer) out = {0};
    cr_assert(rp_regex_matches(letters, rp_span(text)) == RP_REGEX_YES);
    cr_assert(rp_regex_replace(blank, rp_span(text), "", 2 * MANY, &out) == RP_REGEX_YES &&
              out.size == MANY - 1);
}

static gpointer match_often(gpointer regex) {
    guint n_fitting = 0;
    for (guint i = 0; i < 10000; i++)
        n_fitting +=
            rp_regex_matches(regex, i % 2 == 0 ? RP_SPAN_OF("abc") : RP_SPAN_OF("ab1")) == RP_REGEX_YES;
    return GUINT_TO_POINTER(n_fitting);
}

Test(regex, threads_share_an_expression) {
    g_autoptr(RpRegex) regex = regex_of("([a-z])+");
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("match", match_often, regex);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        cr_assert(GPOINTER_TO_UINT(g_thread_join(threads[i])) == 5000);
}
