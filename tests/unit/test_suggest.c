/* "did you mean": near words are found, far ones are not. */
#include "base/suggest.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

static const char *const WORDS[] = {"from",      "trim",       "lower",      "upper", "required",
                                    "timestamp", "min_length", "max_length", "to",    NULL};

Test(suggest, finds_the_nearest) {
    static const char *const CASES[][2] = {
        {"from", "from"},
        {"form", "from"},
        {"fron", "from"},
        {"rom", "from"},
        {"fromm", "from"},
        {"require", "required"},
        {"requird", "required"},
        {"timstamp", "timestamp"},
        {"tiemstamp", "timestamp"},
        {"minlength", "min_length"},
        {"lowercase", NULL},
        {"uper", "upper"},
        {"", NULL},
        {"t", NULL},
        {"xx", NULL},
        {"tx", "to"},
        {"completely", NULL},
        {"timest", NULL},
        {"FROM", NULL},
        {"max_lenght", "max_length"},
        {"tr", "to"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const char *nearest = rp_suggest_nearest(CASES[i][0], WORDS);
        cr_assert(g_strcmp0(nearest, CASES[i][1]) == 0, "%s gave %s", CASES[i][0],
                  nearest != NULL ? nearest : "none");
    }
}

Test(suggest, prefers_fewer_edits_and_then_the_first) {
    static const char *const CANDIDATES[] = {"abcd", "abce", "abc", NULL};
    cr_assert(strcmp(rp_suggest_nearest("abc", CANDIDATES), "abc") == 0);
    cr_assert(strcmp(rp_suggest_nearest("abcx", CANDIDATES), "abcd") == 0);
}

Test(suggest, long_words_have_no_neighbour) {
    g_autofree char *long_word = g_strnfill(100000, 'a');
    const char *const candidates[] = {"from", long_word, NULL};
    cr_assert(rp_suggest_nearest(long_word, WORDS) == NULL);
    cr_assert(rp_suggest_nearest("from", candidates) == candidates[0]);
    g_autofree char *widest = g_strnfill(64, 'a');
    g_autofree char *near_widest = g_strnfill(63, 'a');
    const char *const wide[] = {widest, NULL};
    cr_assert(rp_suggest_nearest(near_widest, wide) == widest);
}

Test(suggest, hint_is_a_phrase_or_nothing) {
    static const char *const NONE[] = {NULL};
    g_autofree char *hint = rp_suggest_hint("form", WORDS);
    g_autofree char *no_hint = rp_suggest_hint("elephant", WORDS);
    g_autofree char *nothing = rp_suggest_hint("from", NONE);
    cr_assert(strcmp(hint, " (did you mean \"from\"?)") == 0, "%s", hint);
    cr_assert(strcmp(no_hint, "") == 0 && strcmp(nothing, "") == 0);
}
