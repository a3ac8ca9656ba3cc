/* The escaping writer: whatever the data holds, the page has the elements that we wrote. */
#include "report/html.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

static void assert_written(RpHtml *html, const char *expected) {
    g_autofree char *text = rp_html_take(html);
    cr_assert_str_eq(text, expected);
}

Test(html, escapes_text) {
    g_autoptr(RpHtml) html = rp_html_new();
    rp_html_text(html, "<script>alert('1' & \"2\")</script>");
    assert_written(html, "&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;");
}

Test(html, escapes_attributes) {
    g_autoptr(RpHtml) html = rp_html_new();
    rp_html_open(html, "p", "title", "\"'><img src=x onerror=alert(1)>\n", "class", NULL, NULL);
    rp_html_close(html, "p");
    assert_written(html, "<p title=\"&quot;&#39;&gt;&lt;img src=x onerror=alert(1)&gt;\\n\"></p>\n");
}

Test(html, sets_data_apart_and_marks_what_is_spelled) {
    g_autoptr(RpHtml) html = rp_html_new();
    rp_html_data(html, RP_SPAN_OF("a<\u202e\0\xff"));
    assert_written(html, "<bdi class=\"data\">a&lt;<span class=\"spelled\">\\u202e</span><span "
                         "class=\"spelled\">\\x00</span><span class=\"spelled\">\\xff</span></bdi>");
}

Test(html, tells_null_from_empty) {
    g_autoptr(RpHtml) html = rp_html_new();
    rp_html_data(html, (RpSpan){NULL, 0});
    rp_html_data(html, RP_SPAN_OF(""));
    assert_written(html, "<span class=\"nothing\">NULL</span><span class=\"nothing\">empty text</span>");
}

Test(html, cuts_long_data_and_says_how_long_it_is) {
    g_autoptr(RpHtml) html = rp_html_new();
    g_autofree char *value = g_strnfill(100000, '<');
    rp_html_data(html, rp_span(value));
    g_autofree char *text = rp_html_take(html);
    cr_assert(strlen(text) < 2000);
    cr_assert(strstr(text, "&lt;…</bdi>") != NULL, "%s", text);
    cr_assert(strstr(text, "(100000 characters)") != NULL, "%s", text);
}

Test(html, marks_the_difference) {
    g_autoptr(RpHtml) html = rp_html_new();
    rp_html_difference(html, RP_SPAN_OF("<19.90>"), RP_SPAN_OF("<19.09>"));
    assert_written(html, "<bdi class=\"data\">&lt;19.<mark>90</mark>&gt;</bdi>");
}

/* "paid" and "pending" share a letter by chance. */
Test(html, marks_words_that_have_little_in_common_whole) {
    g_autoptr(RpHtml) html = rp_html_new();
    rp_html_difference(html, RP_SPAN_OF("paid"), RP_SPAN_OF("pending"));
    assert_written(html, "<bdi class=\"data\"><mark>paid</mark></bdi>");
}

Test(html, shows_a_difference_far_inside_of_a_long_value) {
    g_autoptr(RpHtml) html = rp_html_new();
    g_autofree char *same = g_strnfill(5000, 'x');
    g_autofree char *mine = g_strconcat(same, "mine", same, NULL);
    g_autofree char *other = g_strconcat(same, "other", same, NULL);
    rp_html_difference(html, rp_span(mine), rp_span(other));
    g_autofree char *text = rp_html_take(html);
    cr_assert(strstr(text, "…x") != NULL, "%s", text);
    cr_assert(strstr(text, "x<mark>mine</mark>x") != NULL, "%s", text);
    cr_assert(strlen(text) < 1000);
}

Test(html, groups_digits) {
    g_autoptr(RpHtml) html = rp_html_new();
    rp_html_number(html, 1234567);
    rp_html_sentence(html, "of 1 600 rows in run 2 000 3");
    assert_written(
        html, "<data value=\"1234567\">1\u202f234\u202f567</data>of 1\u202f600 rows in run 2\u202f000 3");
}

Test(html, elements_close_in_order, .signal = SIGABRT) {
    g_autoptr(RpHtml) html = rp_html_new();
    rp_html_open(html, "p", NULL);
    rp_html_open(html, "b", NULL);
    rp_html_close(html, "p");
}

Test(html, nothing_stays_open, .signal = SIGABRT) {
    g_autoptr(RpHtml) html = rp_html_new();
    rp_html_open(html, "p", NULL);
    g_autofree char *text = rp_html_take(html);
}
