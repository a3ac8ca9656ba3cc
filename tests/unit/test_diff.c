/* Unified diffs: what is said is right, and as little as can be. */
#include "report/diff.h"
#include "report/tap.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <glib.h>
#include <string.h>

static void assert_diff(const char *before, const char *after, const char *hunks) {
    g_autofree char *diff = rp_diff_unified("f", before, after);
    g_autofree char *expected = hunks[0] != '\0' ? g_strconcat("--- f\n+++ f\n", hunks, NULL) : g_strdup("");
    cr_assert(strcmp(diff, expected) == 0, "\n%s\nnot\n%s", diff, expected);
}

Test(diff, of_equal_texts_is_empty) {
    assert_diff("", "", "");
    assert_diff("a\nb\n", "a\nb\n", "");
}

Test(diff, shows_changes_with_three_lines_around) {
    assert_diff("a\n", "b\n", "@@ -1,1 +1,1 @@\n-a\n+b\n");
    assert_diff("", "a\n", "@@ -0,0 +1,1 @@\n+a\n");
    assert_diff("a\n", "", "@@ -1,1 +0,0 @@\n-a\n");
    assert_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
                "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
}

Test(diff, joins_changes_that_are_near_and_parts_those_that_are_not) {
    assert_diff("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
                "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
    assert_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\nc\n",
                "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,5 @@\n 5\n 6\n 7\n-b\n+B\n+c\n");
}

/* Whatever was changed, before and after can be read out of the lines. */
Test(diff, of_random_texts_holds_both) {
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (guint round = 0; round < 300; round++) {
        GString *texts[2] = {g_string_new(NULL), g_string_new(NULL)};
        for (guint side = 0; side < 2; side++)
            for (gint32 i = g_rand_int_range(random, 0, 6); i > 0; i--)
                g_string_append_printf(texts[side], "%d\n", g_rand_int_range(random, 0, 3));
        g_autofree char *diff = rp_diff_unified("f", texts[0]->str, texts[1]->str);
        g_auto(GStrv) lines = g_strsplit(diff, "\n", -1);
        g_autoptr(GString) before = g_string_new(NULL);
        g_autoptr(GString) after = g_string_new(NULL);
        for (guint i = 3; g_strv_length(lines) > 3 && lines[i] != NULL && lines[i][0] != '\0'; i++) {
            if (lines[i][0] != '+')
                g_string_append_printf(before, "%s\n", lines[i] + 1);
            if (lines[i][0] != '-')
                g_string_append_printf(after, "%s\n", lines[i] + 1);
        }
        if (diff[0] != '\0') {
            cr_assert(strcmp(before->str, texts[0]->str) == 0, "%s", diff);
            cr_assert(strcmp(after->str, texts[1]->str) == 0, "%s", diff);
        } else
            cr_assert(strcmp(texts[0]->str, texts[1]->str) == 0);
        g_string_free(texts[0], TRUE);
        g_string_free(texts[1], TRUE);
    }
}

Test(diff, of_much_is_no_more_than_both) {
    g_autoptr(GString) before = g_string_new(NULL);
    g_autoptr(GString) after = g_string_new(NULL);
    for (guint i = 0; i < 5000; i++) {
        g_string_append_printf(before, "a%u\n", i);
        g_string_append_printf(after, "b%u\n", i);
    }
    g_autofree char *diff = rp_diff_unified("f", before->str, after->str);
    cr_assert(strstr(diff, "@@ -1,5000 +1,5000 @@\n") != NULL);
}

Test(tap, escapes_what_would_mean_something) {
    g_autoptr(GString) tap = g_string_new(NULL);
    rp_tap_append_plan(tap, 2);
    rp_tap_append_test(tap, TRUE, 1, "a # skip\nb\\");
    rp_tap_append_test(tap, FALSE, 2, "c");
    cr_assert(strcmp(tap->str, "TAP version 14\n1..2\nok 1 - a \\# skip b\\\\\nnot ok 2 - c\n") == 0, "%s",
              tap->str);
    g_string_truncate(tap, 0);
    rp_tap_append_quoted(tap, "a\"\\\n\t\x01\xff");
    rp_tap_append_quoted(tap, NULL);
    cr_assert(strcmp(tap->str, "\"a\\\"\\\\\\n\\t\\u0001\xef\xbf\xbd\"null") == 0, "%s", tap->str);
}
