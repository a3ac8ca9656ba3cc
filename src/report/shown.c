/* Spelling out what would not be seen. */
#include "report/shown.h"

/* Marks that order the text around them anew, characters that take no room or look like a blank or like
 * nothing. In order. */
static const struct {
    gunichar first, last;
} DECEPTIVE[] = {{0x00A0, 0x00A0},   {0x00AD, 0x00AD},   {0x034F, 0x034F},  {0x061C, 0x061C},
                 {0x115F, 0x1160},   {0x1680, 0x1680},   {0x17B4, 0x17B5},  {0x180B, 0x180F},
                 {0x2000, 0x200B},   {0x200E, 0x200F},   {0x2028, 0x202F},  {0x205F, 0x206F},
                 {0x2800, 0x2800},   {0x3164, 0x3164},   {0xFDD0, 0xFDEF},  {0xFE00, 0xFE0F},
                 {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF9, 0xFFFB},  {0x1BCA0, 0x1BCA3},
                 {0x1D159, 0x1D159}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};

static gboolean is_deceptive(gunichar letter) {
    for (guint i = 0; i < G_N_ELEMENTS(DECEPTIVE) && letter >= DECEPTIVE[i].first; i++)
        if (letter <= DECEPTIVE[i].last)
            return TRUE;
    return (letter & 0xFFFE) == 0xFFFE;
}

static gboolean is_spelled(gunichar letter) {
    return letter < 0x20 || (letter >= 0x7F && letter < 0xA0) || is_deceptive(letter);
}

static void spell(gunichar letter, char *spelled, gsize size) {
    if (letter == '\n')
        g_strlcpy(spelled, "\\n", size);
    else if (letter == '\r')
        g_strlcpy(spelled, "\\r", size);
    else if (letter == '\t')
        g_strlcpy(spelled, "\\t", size);
    else if (letter < 0x80)
        g_snprintf(spelled, size, "\\x%02x", letter);
    else
        g_snprintf(spelled, size, letter > 0xFFFF ? "\\U%08x" : "\\u%04x", letter);
}

/* The letter at the front and its bytes; FALSE when the first byte begins none. */
static gboolean read_letter(RpSpan text, gunichar *letter, gsize *size) {
    *letter = g_utf8_get_char_validated(text.data, (gssize)text.size);
    if (text.data[0] == '\0')
        *letter = 0;
    if (*letter > 0x10FFFF) {
        *size = 1;
        return FALSE;
    }
    *size = (gsize)g_unichar_to_utf8(*letter, NULL);
    return TRUE;
}

gboolean rp_shown_next(RpSpan *text, RpShownPiece *piece) {
    if (text->size == 0)
        return FALSE;
    gsize at = 0, size = 0;
    gunichar letter = 0;
    gboolean is_letter = TRUE;
    while (at < text->size) {
        is_letter = read_letter((RpSpan){text->data + at, text->size - at}, &letter, &size);
        if (!is_letter || is_spelled(letter))
            break;
        at += size;
    }
    piece->is_plain = at > 0;
    if (piece->is_plain) {
        piece->plain = (RpSpan){text->data, at};
    } else {
        at = size;
        if (is_letter)
            spell(letter, piece->spelled, sizeof piece->spelled);
        else
            g_snprintf(piece->spelled, sizeof piece->spelled, "\\x%02x", (guint)(guchar)text->data[0]);
    }
    *text = (RpSpan){text->data + at, text->size - at};
    return TRUE;
}

/* Bytes of the first letters of a text. */
static gsize bytes_of(RpSpan text, gsize n_letters) {
    gsize at = 0, size;
    gunichar letter;
    for (; n_letters > 0 && at < text.size; n_letters--) {
        read_letter((RpSpan){text.data + at, text.size - at}, &letter, &size);
        at += size;
    }
    return at;
}

gsize rp_shown_letters(RpSpan text) {
    gsize n = 0;
    for (gsize at = 0; at < text.size; n++)
        at += bytes_of((RpSpan){text.data + at, text.size - at}, 1);
    return n;
}

RpSpan rp_shown_cut(RpSpan text, gsize from, gsize n) {
    const gsize start = bytes_of(text, from);
    const RpSpan rest = {text.data + start, text.size - start};
    return (RpSpan){rest.data, bytes_of(rest, n)};
}

char *rp_shown(RpSpan text, gsize max_letters) {
    RpSpan rest = rp_shown_cut(text, 0, max_letters);
    const gboolean is_cut = rest.size < text.size;
    GString *shown = g_string_sized_new(rest.size + 4);
    for (RpShownPiece piece; rp_shown_next(&rest, &piece);)
        if (piece.is_plain)
            g_string_append_len(shown, piece.plain.data, (gssize)piece.plain.size);
        else
            g_string_append(shown, piece.spelled);
    if (is_cut)
        g_string_append(shown, "…");
    return g_string_free(shown, FALSE);
}

/* Whether no letter is torn before or behind a place: both texts are cut at whole letters. */
static gboolean is_boundary(RpSpan text, gsize at) {
    return at >= text.size || ((guchar)text.data[at] & 0xC0) != 0x80;
}

void rp_shown_compare(RpSpan a, RpSpan b, gsize *shared_before, gsize *shared_after) {
    const gsize shorter = MIN(a.size, b.size);
    gsize before = 0, after = 0;
    while (before < shorter && a.data[before] == b.data[before])
        before++;
    while (before > 0 && !(is_boundary(a, before) && is_boundary(b, before)))
        before--;
    while (after < shorter - before && a.data[a.size - after - 1] == b.data[b.size - after - 1])
        after++;
    while (after > 0 && !(is_boundary(a, a.size - after) && is_boundary(b, b.size - after)))
        after--;
    *shared_before = rp_shown_letters((RpSpan){a.data, before});
    *shared_after = rp_shown_letters((RpSpan){a.data + a.size - after, after});
}
