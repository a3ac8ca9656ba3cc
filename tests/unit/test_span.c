/* Spans: bytes shown to people, and bytes that are text. */
#include "base/span.h"

#include <criterion/criterion.h>
#include <glib.h>

static void assert_shown(RpSpan span, gsize max_bytes, const char *expected) {
    g_autofree char *shown = rp_span_show(span, max_bytes);
    cr_assert(strcmp(shown, expected) == 0, "gave %s, not %s", shown, expected);
    cr_assert(g_utf8_validate(shown, -1, NULL), "what is shown is always UTF-8");
}

Test(span, is_shown_as_redis_cli_shows_it) {
    assert_shown(RP_SPAN_OF(""), 10, "");
    assert_shown((RpSpan){NULL, 0}, 10, "");
    assert_shown(RP_SPAN_OF("order:1"), 10, "order:1");
    assert_shown(RP_SPAN_OF("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), 100,
                 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_shown(RP_SPAN_OF("a\\b\n\r\t\a\b"), 100, "a\\\\b\\n\\r\\t\\a\\b");
    assert_shown(RP_SPAN_OF("\0\x01\x1b\x7f"), 100, "\\x00\\x01\\x1b\\x7f");
    assert_shown(RP_SPAN_OF("\xff\xc3\x28\xe2\x82"), 100, "\\xff\\xc3(\\xe2\\x82");
    assert_shown(RP_SPAN_OF("a\0b\xff"
                            "c"),
                 100, "a\\x00b\\xffc");
    assert_shown(RP_SPAN_OF("\xed\xa0\x80"), 100, "\\xed\\xa0\\x80");
}

Test(span, is_shown_up_to_a_limit) {
    assert_shown(RP_SPAN_OF("abcdef"), 6, "abcdef");
    assert_shown(RP_SPAN_OF("abcdef"), 5, "abcde…");
    assert_shown(RP_SPAN_OF("abcdef"), 0, "…");
    assert_shown(RP_SPAN_OF("\n\n\n"), 2, "\\n\\n…");
    /* a character is not torn: bytes that are fine are not shown as broken ones */
    assert_shown(RP_SPAN_OF("ab\xc3\xa9"
                            "cd"),
                 3, "ab…");
    assert_shown(RP_SPAN_OF("ab\xc3\xa9"
                            "cd"),
                 4, "ab\xc3\xa9…");
    assert_shown(RP_SPAN_OF("\xf0\x9f\x98\x80\xf0\x9f\x98\x80"), 7, "\xf0\x9f\x98\x80…");
    assert_shown(RP_SPAN_OF("\xff\xff\xff\xff"), 3, "\\xff\\xff\\xff…");
    assert_shown(RP_SPAN_OF("\x80\x80\x80\x80\x80\x80"), 5, "\\x80\\x80\\x80\\x80\\x80…");
}

static void assert_text(RpSpan span, gboolean expected) {
    cr_assert(rp_span_is_text(span) == expected, "%s", span.data);
}

Test(span, text_is_utf8_without_nul) {
    static const char *const GOOD[] = {"",
                                       "a",
                                       "12345678",
                                       "123456789012345678901234",
                                       "\xc3\xa9",
                                       "1234567\xc3\xa9",
                                       "12345678\xc3\xa9 89",
                                       "\xef\xbf\xbf",
                                       "\xf4\x8f\xbf\xbf",
                                       "\x01\x1f\x7f"};
    static const char *const BAD[] = {"\xff",
                                      "\x80",
                                      "\xc3",
                                      "1234567\xc3",
                                      "12345678\xc3",
                                      "\xc0\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "12345678901234567\xfe"};
    for (guint i = 0; i < G_N_ELEMENTS(GOOD); i++)
        assert_text(rp_span(GOOD[i]), TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        assert_text(rp_span(BAD[i]), FALSE);
}

Test(span, a_nul_or_a_bad_byte_shows_at_every_place) {
    for (gsize size = 1; size <= 40; size++)
        for (gsize place = 0; place < size; place++) {
            g_autofree char *bytes = g_strnfill(size, '\x01'); /* 1 is what a NUL's borrow is drawn from */
            cr_assert(rp_span_is_text((RpSpan){bytes, size}));
            bytes[place] = '\0';
            cr_assert(!rp_span_is_text((RpSpan){bytes, size}), "NUL at %zu of %zu", place, size);
            bytes[place] = '\xe9';
            cr_assert(!rp_span_is_text((RpSpan){bytes, size}), "e9 at %zu of %zu", place, size);
        }
}

Test(span, equality_is_of_bytes) {
    cr_assert(rp_span_equal(RP_SPAN_OF("a\0b"), RP_SPAN_OF("a\0b")));
    cr_assert(!rp_span_equal(RP_SPAN_OF("a\0b"), RP_SPAN_OF("a\0c")));
    cr_assert(!rp_span_equal(RP_SPAN_OF("a"), RP_SPAN_OF("ab")));
    cr_assert(rp_span_equal(RP_SPAN_OF(""), (RpSpan){NULL, 0}));
}
