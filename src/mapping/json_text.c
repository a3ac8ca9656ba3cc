/* Steps over JSON that is known to be sound: nothing is checked again here. */
#include "mapping/json_text.h"

/* ---- skipping ---- */

const char *rp_json_skip_string(const char *at) {
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

static const char *skip_nested(const char *at) {
    guint depth = 0;
    do {
        if (*at == '"') {
            at = rp_json_skip_string(at);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (depth > 0);
    return at;
}

const char *rp_json_skip_value(const char *at, const char *end) {
    if (*at == '"')
        return rp_json_skip_string(at);
    if (*at == '{' || *at == '[')
        return skip_nested(at);
    while (at < end && *at != ',' && *at != '}' && *at != ']' && rp_json_skip_blanks(at, end) == at)
        at++;
    return at;
}

/* ---- strings ---- */

static guint take_hex4(const char *at) {
    guint value = 0;
    for (int i = 0; i < 4; i++)
        value = value * 16 + (guint)g_ascii_xdigit_value(at[i]);
    return value;
}

/* After the `u` of \u: a character, and past its second half when it has one. */
static gunichar take_unicode(const char **at) {
    const guint first = take_hex4(*at);
    *at += 4;
    if (first < 0xD800 || first > 0xDBFF)
        return first;
    const guint second = take_hex4(*at + 2);
    *at += 6;
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

gsize rp_json_unescape(RpSpan inside, char *out) {
    const char *at = inside.data;
    const char *end = at + inside.size;
    char *to = out;
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        const char escape = at[1];
        at += 2;
        static const char letters[] = "bfnrt";
        const char *letter = strchr(letters, escape);
        if (escape == 'u')
            to += g_unichar_to_utf8(take_unicode(&at), to);
        else
            *to++ = letter != NULL ? "\b\f\n\r\t"[letter - letters] : escape;
    }
    return (gsize)(to - out);
}

RpSpan rp_json_inside(const char *string, const char *after) {
    return (RpSpan){string + 1, (gsize)(after - string) - 2};
}

RpSpan rp_json_value_text(RpSpan value, RpBuffer *scratch) {
    if (value.data == NULL || value.data[0] == 'n')
        return (RpSpan){0};
    if (value.data[0] != '"')
        return value;
    const RpSpan inside = rp_json_inside(value.data, value.data + value.size);
    if (memchr(inside.data, '\\', inside.size) == NULL)
        return inside;
    g_assert(scratch->capacity - scratch->size >= inside.size);
    char *out = scratch->data + scratch->size;
    const gsize size = rp_json_unescape(inside, out);
    scratch->size += size;
    return (RpSpan){out, size};
}

/* ---- elements ---- */

void rp_json_elements_init(RpJsonElements *elements, RpSpan container) {
    elements->end = container.data + container.size;
    elements->at = rp_json_skip_blanks(rp_json_skip_blanks(container.data, elements->end) + 1, elements->end);
}

gboolean rp_json_elements_next(RpJsonElements *elements, RpSpan *element) {
    if (*elements->at == ']')
        return FALSE;
    const char *start = elements->at;
    const char *after = rp_json_skip_value(start, elements->end);
    *element = (RpSpan){start, (gsize)(after - start)};
    elements->at = rp_json_skip_blanks(after, elements->end);
    if (*elements->at == ',')
        elements->at = rp_json_skip_blanks(elements->at + 1, elements->end);
    return TRUE;
}

gboolean rp_json_elements_next_name(RpJsonElements *elements, RpSpan *name) {
    if (*elements->at == '}')
        return FALSE;
    const char *start = elements->at;
    const char *after = rp_json_skip_string(start);
    *name = rp_json_inside(start, after);
    elements->at = rp_json_skip_blanks(rp_json_skip_blanks(after, elements->end) + 1,
                                       elements->end); /* past the colon */
    RpSpan value;
    rp_json_elements_next(elements, &value);
    return TRUE;
}
