/* No key makes a pattern take long, or be wrong: keys of a megabyte against patterns that try much. */
#include "mapping/pattern.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <time.h>

static RpPattern *compile(const char *text) {
    g_autofree char *problem = NULL;
    RpPattern *pattern = rp_pattern_new(text, &problem);
    cr_assert(pattern != NULL, "%s: %s", text, problem);
    return pattern;
}

#define MEGABYTE (1024 * 1024)

/* A key of a megabyte, by repeating unit, then tail. */
static char *long_key(const char *unit, const char *tail) {
    GString *key = g_string_sized_new(MEGABYTE + 64);
    while (key->len < MEGABYTE)
        g_string_append(key, unit);
    g_string_append(key, tail);
    return g_string_free(key, FALSE);
}

Test(pattern_steps, takes_no_more_steps_than_key_times_pattern) {
    static const struct {
        const char *pattern;
        const char *unit;
        const char *tail;
        gboolean is_match;
    } CASES[] = {
        {"{a+}:{b+}:{c+}", ":", "", TRUE},
        {"{a+}:{b+}:{c+}:{d+}x", ":", "", FALSE},
        {"{a+}:{b+}:{c+}:{d+}x", ":", "x", TRUE},
        {"{a+}:{b}:{c+}:{d}", "a:", "", FALSE},
        {"{a+}:{b}:{c+}:{d}", "a:", "a", TRUE},
        {"{a}-{b}-{c}-{d}x", "-", "", FALSE},
        {"{a}-{b}-{c}-{d}x", "-", "x", TRUE},
        {"{a+}-{b}-{c+}-{d}x", "-:-", "", FALSE},
        {"x{a+}:{b}", "x", ":y", TRUE},
        {"x{a+}:{b}", "x:", "y", TRUE},
        {"x{a+}y:{b+}", "xy:", "", TRUE},
        {"x{a+}y:{b+}z", "xy:", "", FALSE},
        {"{a+}::{b+}", "x", "::y", TRUE},
        {"x::{a+}y::{b}", "x::y", "", FALSE},
        {"{a}:{b}", "x", ":y", TRUE},
        {"x:{a}z{b+}", "x", "z", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *key = long_key(CASES[i].unit, CASES[i].tail);
        g_autoptr(RpPattern) pattern = compile(CASES[i].pattern);
        const clock_t start = clock(); /* of the processor: the machine may be busy with other tests */
        const gboolean is_match = rp_pattern_match(pattern, rp_span(key), NULL);
        const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        cr_assert(is_match == CASES[i].is_match, "%s against a megabyte of %s and %s", CASES[i].pattern,
                  CASES[i].unit, CASES[i].tail);
        cr_assert(seconds < 2, "%s took %f s", CASES[i].pattern, seconds);
    }
}

Test(pattern_steps, long_keys_meet_globs_too) {
    g_autofree char *key = long_key("a", "");
    g_autofree char *stars = long_key("*a", "");
    g_autoptr(RpPattern) endless = rp_pattern_new_glob("*a*a*a*a*a*a*a*a*b");
    g_autoptr(RpPattern) inside = rp_pattern_new_glob("a*a*a*");
    g_autoptr(RpPattern) many = rp_pattern_new_glob(stars);
    const clock_t start = clock();
    cr_assert(!rp_pattern_match(endless, rp_span(key), NULL));
    cr_assert(rp_pattern_match(inside, rp_span(key), NULL));
    cr_assert(rp_pattern_match(many, rp_span(key), NULL), "a star for each second byte is no deep recursion");
    cr_assert((double)(clock() - start) / CLOCKS_PER_SEC < 2);
}
