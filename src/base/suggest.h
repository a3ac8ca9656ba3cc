/* The nearest of a set of words, for "did you mean". */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The candidate that is fewest edits away from word, or NULL when none is near (more than two edits, or
 * more than two thirds of the word). candidates is NULL-terminated; the result is borrowed from it. */
const char *rp_suggest_nearest(const char *word, const char *const *candidates);

/* " (did you mean "x"?)" or an empty string. The caller frees it. */
char *rp_suggest_hint(const char *word, const char *const *candidates);

G_END_DECLS
