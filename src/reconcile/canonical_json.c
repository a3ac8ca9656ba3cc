/* Writes JSON as jsonb shows it: in one pass over the text, checking as it goes. An object is written as it
 * comes, and put into order when it ends, if it is not in order by then. */
#include "reconcile/canonical_json.h"

#include "mapping/json_text.h"
#include "reconcile/canonical_number.h"

#include <stdlib.h>

/* A scratch that one huge value has stretched does not stay so. */
#define KEEP_BYTES ((gsize)1 << 20)

/* No text that PostgreSQL sends is longer (MaxAllocSize). Numbers are what can grow so: 1e1000 is 6 bytes. */
#define MAX_TEXT_BYTES ((gsize)0x3FFFFFFF)

/* Up to so many members are sorted by insertion, in place. */
#define FEW_MEMBERS 16

typedef struct {
    RpSpan name; /* without escapes; borrowed from the text or from plain */
    gsize start; /* of `"name": value` in out; in an object it grows from member to member */
    gsize size;
} Member;

typedef struct {
    const char *at;
    const char *end;
    RpCanonicalJson *json;
    gsize text_size;
    RpBuffer *out;
    gsize out_limit;
    int depth;
} Writer;

static gboolean write_value(Writer *writer);

static void skip_blanks(Writer *writer) {
    writer->at = rp_json_skip_blanks(writer->at, writer->end);
}

static gboolean take(Writer *writer, char byte) {
    if (writer->at == writer->end || *writer->at != byte)
        return FALSE;
    writer->at++;
    return TRUE;
}

/* ---- strings ---- */

#define ONES      G_GUINT64_CONSTANT(0x0101010101010101)
#define HIGH_BITS (ONES << 7)

/* Whether one of eight bytes is a quote, a backslash, or below a blank. May say yes to other bytes above
 * such a one, never no. */
static gboolean has_special(guint64 bytes) {
    const guint64 quote = bytes ^ (ONES * '"'), backslash = bytes ^ (ONES * '\\');
    return ((((bytes - ONES * ' ') & ~bytes) | ((quote - ONES) & ~quote) |
             ((backslash - ONES) & ~backslash)) &
            HIGH_BITS) != 0;
}

/* The first byte that ends a string, or stands for another one in it, or must not be in it. */
static const char *find_special(const char *at, const char *end) {
    guint64 bytes;
    for (; end - at >= (gssize)sizeof bytes; at += sizeof bytes) {
        memcpy(&bytes, at, sizeof bytes);
        if (has_special(bytes))
            break;
    }
    while (at < end && (guchar)*at >= ' ' && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* As escape_json writes them (postgresql: src/backend/utils/adt/json.c): DEL and bytes beyond ASCII are as
 * they are. */
static void append_escaped(RpBuffer *out, char byte) {
    static const char specials[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    const char *special = memchr(specials, byte, sizeof specials - 1);
    char text[8];
    const int size = special != NULL ? g_snprintf(text, sizeof text, "\\%c", letters[special - specials])
                                     : g_snprintf(text, sizeof text, "\\u%04x", (guint)(guchar)byte);
    rp_buffer_append(out, text, (gsize)size);
}

static void append_string(RpBuffer *out, RpSpan plain) {
    const char *end = plain.data + plain.size;
    rp_buffer_append(out, "\"", 1);
    for (const char *at = plain.data; at < end;) {
        const char *special = find_special(at, end);
        rp_buffer_append(out, at, (gsize)(special - at));
        if (special < end)
            append_escaped(out, *special++);
        at = special;
    }
    rp_buffer_append(out, "\"", 1);
}

/* Past a string with escapes in it; at its opening quote, special is the first of them. */
static gboolean pass_escaped(Writer *writer, const char *special, RpSpan *plain) {
    const char *opening = writer->at;
    while (special < writer->end && *special == '\\')
        special = writer->end - special < 2 ? writer->end : find_special(special + 2, writer->end);
    if (special == writer->end || *special != '"')
        return FALSE;
    writer->at = special + 1;
    if (rp_json_check((RpSpan){opening, (gsize)(writer->at - opening)}, RP_JSON_ANY) != NULL)
        return FALSE;
    RpBuffer *buffer = &writer->json->plain;
    if (buffer->size == 0) /* all of them together are shorter than the text: what is in it does not move */
        rp_buffer_reserve(buffer, writer->text_size);
    plain->data = buffer->data + buffer->size;
    plain->size = rp_json_unescape(rp_json_inside(opening, writer->at), buffer->data + buffer->size);
    buffer->size += plain->size;
    return TRUE;
}

/* At the opening quote: writes the string, and gives what it says. */
static gboolean write_string(Writer *writer, RpSpan *plain) {
    const char *opening = writer->at;
    const char *special = find_special(opening + 1, writer->end);
    if (special < writer->end && *special == '"') {
        writer->at = special + 1;
        *plain = rp_json_inside(opening, writer->at);
        rp_buffer_append(writer->out, opening, (gsize)(writer->at - opening));
        return TRUE;
    }
    if (special == writer->end || *special != '\\' || !pass_escaped(writer, special, plain))
        return FALSE;
    append_string(writer->out, *plain);
    return TRUE;
}

/* ---- objects ---- */

/* Shorter names first (postgresql: jsonb_util.c, lengthCompareJsonbPair). */
static int compare_names(RpSpan a, RpSpan b) {
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return a.size == 0 ? 0 : memcmp(a.data, b.data, a.size);
}

/* Of the same name the one that was written last comes first: it is the one that stays. */
static int compare_members(const void *left, const void *right) {
    const Member *a = left, *b = right;
    const int order = compare_names(a->name, b->name);
    return order != 0 ? order : a->start < b->start ? 1 : -1;
}

static void sort_members(Member *members, gsize n_members) {
    if (n_members > FEW_MEMBERS) {
        qsort(members, n_members, sizeof *members, compare_members);
        return;
    }
    for (gsize i = 1; i < n_members; i++) {
        const Member member = members[i];
        gsize place = i;
        for (; place > 0 && compare_members(&members[place - 1], &member) > 0; place--)
            members[place] = members[place - 1];
        members[place] = member;
    }
}

/* Writes the members, which begin at start in out, anew in their order. */
static void put_in_order(Writer *writer, Member *members, gsize n_members, gsize start) {
    RpBuffer *out = writer->out, *sorted = &writer->json->sorted;
    sort_members(members, n_members);
    sorted->size = 0;
    for (gsize i = 0; i < n_members; i++) {
        if (i > 0 && rp_span_equal(members[i - 1].name, members[i].name))
            continue;
        if (i > 0)
            rp_buffer_append(sorted, ", ", 2);
        rp_buffer_append(sorted, out->data + members[i].start, members[i].size);
    }
    memcpy(out->data + start, sorted->data, sorted->size);
    out->size = start + sorted->size;
}

static gboolean write_member(Writer *writer, Member *member) {
    skip_blanks(writer);
    member->start = writer->out->size;
    if (writer->at == writer->end || *writer->at != '"' || !write_string(writer, &member->name))
        return FALSE;
    skip_blanks(writer);
    if (!take(writer, ':'))
        return FALSE;
    rp_buffer_append(writer->out, ": ", 2);
    if (!write_value(writer))
        return FALSE;
    member->size = writer->out->size - member->start;
    return TRUE;
}

/* Past the opening brace, at a member. */
static gboolean write_members(Writer *writer) {
    RpBuffer *members = &writer->json->members;
    const gsize first = members->size, start = writer->out->size;
    RpSpan last_name = {0};
    gboolean is_ordered = TRUE;
    gsize n_members = 0;
    for (; n_members == 0 || take(writer, ','); n_members++) {
        if (n_members > 0)
            rp_buffer_append(writer->out, ", ", 2);
        Member member;
        if (!write_member(writer, &member))
            return FALSE;
        is_ordered = is_ordered && (n_members == 0 || compare_names(last_name, member.name) < 0);
        last_name = member.name;
        rp_buffer_append(members, &member, sizeof member);
        skip_blanks(writer);
    }
    if (!is_ordered)
        put_in_order(writer, (Member *)(void *)(members->data + first), n_members, start);
    members->size = first;
    return TRUE;
}

/* ---- values ---- */

static gboolean write_elements(Writer *writer) {
    do {
        if (!write_value(writer))
            return FALSE;
        skip_blanks(writer);
        if (writer->at < writer->end && *writer->at == ',')
            rp_buffer_append(writer->out, ", ", 2);
    } while (take(writer, ','));
    return TRUE;
}

static gboolean write_container(Writer *writer) {
    const gboolean is_object = *writer->at == '{';
    const char closing = is_object ? '}' : ']';
    if (writer->depth++ == RP_JSON_MAX_DEPTH)
        return FALSE;
    rp_buffer_append(writer->out, writer->at++, 1);
    skip_blanks(writer);
    const gboolean is_empty = writer->at < writer->end && *writer->at == closing;
    if (!is_empty && !(is_object ? write_members(writer) : write_elements(writer)))
        return FALSE;
    rp_buffer_append(writer->out, &closing, 1);
    writer->depth--;
    return take(writer, closing);
}

static gboolean write_word(Writer *writer, RpSpan word) {
    if ((gsize)(writer->end - writer->at) < word.size || memcmp(writer->at, word.data, word.size) != 0)
        return FALSE;
    rp_buffer_append(writer->out, word.data, word.size);
    writer->at += word.size;
    return TRUE;
}

/* Calls itself for what is inside, at most RP_JSON_MAX_DEPTH times. */
static gboolean write_value(Writer *writer) {
    skip_blanks(writer);
    if (writer->at == writer->end)
        return FALSE;
    RpSpan plain;
    switch (*writer->at) {
    case '{':
    case '[':
        return write_container(writer);
    case '"':
        return write_string(writer, &plain);
    case 't':
        return write_word(writer, RP_SPAN_OF("true"));
    case 'f':
        return write_word(writer, RP_SPAN_OF("false"));
    case 'n':
        return write_word(writer, RP_SPAN_OF("null"));
    default:
        return rp_canonical_number_append(&writer->at, writer->end, writer->out) &&
               writer->out->size <= writer->out_limit;
    }
}

gboolean rp_canonical_json_append(RpCanonicalJson *json, RpSpan text, RpBuffer *out) {
    const gsize start = out->size;
    rp_buffer_reset(&json->members, KEEP_BYTES);
    rp_buffer_reset(&json->sorted, KEEP_BYTES);
    rp_buffer_reset(&json->plain, KEEP_BYTES);
    const gsize max_bytes = json->max_bytes > 0 ? json->max_bytes : MAX_TEXT_BYTES;
    Writer writer = {text.data, text.data + text.size, json, text.size, out, start + max_bytes, 0};
    rp_buffer_reserve(out, text.size);
    gboolean is_sound = write_value(&writer);
    skip_blanks(&writer);
    is_sound = is_sound && writer.at == writer.end && out->size <= writer.out_limit;
    if (!is_sound)
        out->size = start;
    return is_sound;
}

void rp_canonical_json_clear(RpCanonicalJson *json) {
    rp_buffer_clear(&json->members);
    rp_buffer_clear(&json->sorted);
    rp_buffer_clear(&json->plain);
}
