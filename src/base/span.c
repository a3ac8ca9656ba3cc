/* Bytes of unknown content, shown to people and checked for being text. */
#include "base/span.h"

static void append_escaped(GString *text, guchar byte) {
    switch (byte) {
    case '\n':
        g_string_append(text, "\\n");
        break;
    case '\r':
        g_string_append(text, "\\r");
        break;
    case '\t':
        g_string_append(text, "\\t");
        break;
    case '\a':
        g_string_append(text, "\\a");
        break;
    case '\b':
        g_string_append(text, "\\b");
        break;
    case '\\':
        g_string_append(text, "\\\\");
        break;
    default:
        g_string_append_printf(text, "\\x%02x", byte);
    }
}

/* size, or a little less where a character would be torn there. */
static gsize whole_characters(RpSpan span, gsize size) {
    gsize start = size;
    while (start > 0 && start < span.size && size - start < 3 && ((guchar)span.data[start] & 0xC0) == 0x80)
        start--;
    if (start == size || g_utf8_get_char_validated(span.data + start, (gssize)(span.size - start)) > 0x10FFFF)
        return size;
    return g_utf8_next_char(span.data + start) > span.data + size ? start : size;
}

char *rp_span_show(RpSpan span, gsize max_bytes) {
    const gsize shown = whole_characters(span, MIN(span.size, max_bytes));
    GString *text = g_string_sized_new(shown + 8);
    const char *at = span.data;
    const char *end = span.data + shown;
    while (at < end) {
        const char *stop = at;
        g_utf8_validate_len(at, (gsize)(end - at), &stop);
        for (const char *p = at; p < stop; p = g_utf8_next_char(p)) {
            const gunichar character = g_utf8_get_char(p);
            if (character == '\\' || character < 0x20 || character == 0x7f)
                append_escaped(text, (guchar)character);
            else if (character >= 0x80 && character < 0xa0) /* a terminal would obey these */
                g_string_append_printf(text, "\\u%04x", character);
            else
                g_string_append_unichar(text, character);
        }
        if (stop < end)
            append_escaped(text, (guchar)*stop++);
        at = stop;
    }
    if (shown < span.size)
        g_string_append(text, "…");
    return g_string_free(text, FALSE);
}

gboolean rp_span_is_text(RpSpan span) {
    const char *at = span.data;
    gsize left = span.size;
    while (left >= sizeof(guint64)) {
        guint64 word;
        memcpy(&word, at, sizeof word);
        /* No byte over 127 and, because a byte under 128 minus 1 borrows only from 0, no NUL. */
        if (((word | (word - G_GUINT64_CONSTANT(0x0101010101010101))) &
             G_GUINT64_CONSTANT(0x8080808080808080)) != 0)
            break;
        at += sizeof word;
        left -= sizeof word;
    }
    for (; left > 0 && *at != 0 && (guchar)*at < 0x80; at++)
        left--;
    return left == 0 || g_utf8_validate_len(at, left, NULL);
}

char *rp_span_hex(RpSpan span) {
    static const char digits[] = "0123456789abcdef";
    char *hex = g_malloc(2 * span.size + 1);
    for (gsize i = 0; i < span.size; i++) {
        hex[2 * i] = digits[(guchar)span.data[i] >> 4];
        hex[2 * i + 1] = digits[(guchar)span.data[i] & 15];
    }
    hex[2 * span.size] = '\0';
    return hex;
}
