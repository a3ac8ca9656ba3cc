/* Data as people are shown it: nothing that hides, turns, or beeps. */
#include "report/shown.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

static const struct {
    RpSpan text;
    const char *shown;
} CASES[] = {
    {RP_SPAN_OF(""), ""},
    {RP_SPAN_OF("order:17"), "order:17"},
    {RP_SPAN_OF("a\nb\rc\td"), "a\\nb\\rc\\td"},
    {RP_SPAN_OF("\a\033[31m\x7f"), "\\x07\\x1b[31m\\x7f"},
    {RP_SPAN_OF("a\0b"), "a\\x00b"},
    {RP_SPAN_OF("\xff\xfeg\xc3"), "\\xff\\xfeg\\xc3"},
    {RP_SPAN_OF("\xed\xa0\x80"), "\\xed\\xa0\\x80"}, /* half of a pair */
    {RP_SPAN_OF("\u202egnp.exe\u2066\u200b"), "\\u202egnp.exe\\u2066\\u200b"},
    {RP_SPAN_OF("\xc2\x85\u2028\ufeff\ufffe"), "\\u0085\\u2028\\ufeff\\ufffe"},
    {RP_SPAN_OF("a\xc2\xa0z\u034f\u115f\u1160"),
     "a\\u00a0z\\u034f\\u115f\\u1160"}, /* like blanks, or nothing */
    {RP_SPAN_OF("x\ufe0f\U000E0100\u202fy\u2003"), "x\\ufe0f\\U000e0100\\u202fy\\u2003"},
    {RP_SPAN_OF("a\u3000b"), "a\u3000b"}, /* a blank as wide as the letters around it */
    {RP_SPAN_OF("\U000E0041"), "\\U000e0041"},
    {RP_SPAN_OF("grün مرحبا 日本 👩‍🔧"), "grün مرحبا 日本 👩‍🔧"},
    {RP_SPAN_OF("\\xff stays"), "\\xff stays"},
};

Test(shown, spells_out_what_would_not_be_seen) {
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *shown = rp_shown(CASES[i].text, G_MAXSIZE);
        cr_expect_str_eq(shown, CASES[i].shown);
        cr_expect(g_utf8_validate(shown, -1, NULL));
    }
}

Test(shown, cuts_at_letters) {
    g_autofree char *cut = rp_shown(RP_SPAN_OF("größe"), 3);
    cr_assert_str_eq(cut, "grö…");
    g_autofree char *whole = rp_shown(RP_SPAN_OF("größe"), 5);
    cr_assert_str_eq(whole, "größe");
    g_autofree char *broken = rp_shown(RP_SPAN_OF("\xff\xff\xff"), 2);
    cr_assert_str_eq(broken, "\\xff\\xff…");
    cr_assert(eq(sz, rp_shown_letters(RP_SPAN_OF("größe\xff")), 6));
}

Test(shown, compares_by_letters) {
    gsize before, after;
    rp_shown_compare(RP_SPAN_OF("19.90"), RP_SPAN_OF("19.09"), &before, &after);
    cr_expect(eq(sz, before, 3));
    cr_expect(eq(sz, after, 0));
    /* ä and ö share their first byte, not a letter; and é and à end alike in none */
    rp_shown_compare(RP_SPAN_OF("xäy"), RP_SPAN_OF("xöy"), &before, &after);
    cr_expect(eq(sz, before, 1));
    cr_expect(eq(sz, after, 1));
    rp_shown_compare(RP_SPAN_OF("aa"), RP_SPAN_OF("aaa"), &before, &after);
    cr_expect(eq(sz, before, 2));
    cr_expect(eq(sz, after, 0));
    rp_shown_compare(RP_SPAN_OF("\xc3\xa9"), RP_SPAN_OF("\xe0\xa9\xa9"), &before, &after);
    cr_expect(eq(sz, before + after, 0));
}
