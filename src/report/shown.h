/* Data as people may be shown it: what would not be seen, or would change what stands beside it, is spelled
 * out. Control characters, marks that turn the direction of writing, invisible characters, and bytes that
 * are no UTF-8. A backslash stays one: keys come here as redis-cli shows them, and must not be spelled twice.
 */
#pragma once

#include "base/span.h"

G_BEGIN_DECLS

/* A piece of a text: either plain, a run of the text itself, or a character spelled out. */
typedef struct {
    gboolean is_plain;
    RpSpan plain;     /* borrowed from the text */
    char spelled[16]; /* "\n", "\xff", "\u202e" */
} RpShownPiece;

/* Takes the next piece off the text; FALSE at its end. */
gboolean rp_shown_next(RpSpan *text, RpShownPiece *piece);

/* At most max_letters letters of the text as it is shown, then "…" when there are more (G_MAXSIZE: all). The
 * caller frees it. */
char *rp_shown(RpSpan text, gsize max_letters);

/* Letters that a text shows; a spelled character is one. */
gsize rp_shown_letters(RpSpan text);

/* The text from a letter on, at most n letters of it. Borrowed. */
RpSpan rp_shown_cut(RpSpan text, gsize from, gsize n);

/* Where two texts differ: how many letters they share at the beginning, and behind that at the end. */
void rp_shown_compare(RpSpan a, RpSpan b, gsize *shared_before, gsize *shared_after);

G_END_DECLS
