/* Nearest-word suggestions by edit distance. */
#include "base/suggest.h"

#include <string.h>

#define MAX_WORD 64

static guint edit_distance(const char *a, const char *b) {
    const gsize a_size = strlen(a);
    const gsize b_size = strlen(b);
    if (a_size > MAX_WORD || b_size > MAX_WORD)
        return G_MAXUINT;
    guint row[MAX_WORD + 1];
    for (gsize j = 0; j <= b_size; j++)
        row[j] = (guint)j;
    for (gsize i = 1; i <= a_size; i++) {
        guint diagonal = row[0];
        row[0] = (guint)i;
        for (gsize j = 1; j <= b_size; j++) {
            const guint substituted = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = MIN(substituted, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_size];
}

const char *rp_suggest_nearest(const char *word, const char *const *candidates) {
    const guint limit = MIN(2u, (guint)strlen(word) * 2 / 3);
    const char *best = NULL;
    guint best_distance = limit + 1;
    for (; *candidates != NULL; candidates++) {
        const guint distance = edit_distance(word, *candidates);
        if (distance < best_distance) {
            best = *candidates;
            best_distance = distance;
        }
    }
    return best;
}

char *rp_suggest_hint(const char *word, const char *const *candidates) {
    const char *nearest = rp_suggest_nearest(word, candidates);
    return nearest != NULL ? g_strdup_printf(" (did you mean \"%s\"?)", nearest) : g_strdup("");
}
