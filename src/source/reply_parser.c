/* An element of a reply is taken when it has come whole; arrays that are open are remembered. */
#include "source/reply_parser.h"

#define KEPT_BYTES     (256 * 1024) /* of the buffer, after a value that was larger */
#define MAX_DIGITS     19
#define MAX_LINE_BYTES (64 * 1024) /* of errors and simple strings */

void rp_reply_parser_init(RpReplyParser *parser) {
    *parser = (RpReplyParser){0};
}

void rp_reply_parser_clear(RpReplyParser *parser) {
    rp_buffer_clear(&parser->bytes);
}

void rp_reply_parser_reset(RpReplyParser *parser) {
    rp_buffer_reset(&parser->bytes, KEPT_BYTES);
    parser->at = 0;
    parser->depth = 0;
    parser->trouble = NULL;
}

/* What is left is part of one element: moving it costs little beside receiving it. */
static void drop_taken(RpReplyParser *parser) {
    const gsize n_left = rp_reply_parser_n_left(parser);
    if (n_left == 0)
        rp_buffer_reset(&parser->bytes, KEPT_BYTES);
    else
        memmove(parser->bytes.data, parser->bytes.data + parser->at, n_left);
    parser->bytes.size = n_left;
    parser->at = 0;
}

char *rp_reply_parser_reserve(RpReplyParser *parser, gsize size_bytes) {
    if (parser->at > 0)
        drop_taken(parser);
    return rp_buffer_reserve(&parser->bytes, size_bytes);
}

void rp_reply_parser_note_received(RpReplyParser *parser, gsize size_bytes) {
    parser->bytes.size += size_bytes;
}

/* ---- elements ---- */

static RpParsed refuse(RpReplyParser *parser, const char *trouble) {
    parser->trouble = trouble;
    return RP_PARSED_BAD;
}

/* Reads a number and the end of its line; *at is moved behind it. 19 digits fit into 64 bits without sign. */
static RpParsed read_number(RpReplyParser *parser, const char **at, gint64 *number) {
    const char *const end = parser->bytes.data + parser->bytes.size;
    const char *digit = *at;
    const gboolean is_negative = digit < end && *digit == '-';
    digit += is_negative;
    const char *const first = digit;
    guint64 value = 0;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++)
        value = value * 10 + (guint64)(*digit - '0');
    if (digit > first && *first == '0' && (digit - first > 1 || is_negative))
        return refuse(parser, "a number begins with 0");
    if (digit - first > MAX_DIGITS || value > (guint64)G_MAXINT64 + (guint64)is_negative)
        return refuse(parser, "a number is too large");
    if (end - digit < 2 && (digit == end || *digit == '\r'))
        return RP_PARSED_PART;
    if (digit == first || digit[0] != '\r' || digit[1] != '\n')
        return refuse(parser, "a number is expected");
    *number = is_negative ? -(gint64)(value - 1) - 1 : (gint64)value;
    *at = digit + 2;
    return RP_PARSED_REPLY;
}

/* A length of one or two digits, which most strings have. FALSE: it may be anything else. */
static gboolean read_short_length(const RpReplyParser *parser, const char **at, gint64 *length) {
    const char *text = *at;
    if (parser->bytes.data + parser->bytes.size - text < 4 || !g_ascii_isdigit(text[0]))
        return FALSE;
    const gboolean has_one = text[1] == '\r';
    if (has_one ? text[2] != '\n'
                : text[0] == '0' || !g_ascii_isdigit(text[1]) || text[2] != '\r' || text[3] != '\n')
        return FALSE;
    *length = has_one ? text[0] - '0' : (text[0] - '0') * 10 + (text[1] - '0');
    *at += has_one ? 3 : 4;
    return TRUE;
}

/* An element that ends with its line. */
static RpParsed read_line(RpReplyParser *parser, const char **at, RpSpan *line) {
    const gsize n_there = (gsize)(parser->bytes.data + parser->bytes.size - *at);
    const char *end = memmem(*at, MIN(n_there, MAX_LINE_BYTES), "\r\n", 2);
    if (end == NULL)
        return n_there < MAX_LINE_BYTES ? RP_PARSED_PART : refuse(parser, "a line does not end");
    *line = (RpSpan){*at, (gsize)(end - *at)};
    *at = end + 2;
    return RP_PARSED_REPLY;
}

static RpReplyPlace place_of(const RpReplyParser *parser) {
    RpReplyPlace place = {.depth = parser->depth};
    if (parser->depth > 0)
        place.index = parser->open[parser->depth - 1].n_taken;
    if (parser->depth > 1)
        place.parent_index = parser->open[parser->depth - 2].n_taken;
    return place;
}

static RpParsed take_line(RpReplyParser *parser, RpReplyTarget *target, const char **at, gboolean is_error) {
    RpSpan line;
    const RpParsed parsed = read_line(parser, at, &line);
    const RpReplyPlace place = place_of(parser);
    if (parsed == RP_PARSED_REPLY && is_error)
        rp_reply_take_error(target, &place, line);
    else if (parsed == RP_PARSED_REPLY)
        rp_reply_take_string(target, &place, line);
    return parsed;
}

static RpParsed take_integer(RpReplyParser *parser, RpReplyTarget *target, const char **at) {
    gint64 number;
    const RpParsed parsed = read_number(parser, at, &number);
    const RpReplyPlace place = place_of(parser);
    if (parsed == RP_PARSED_REPLY)
        rp_reply_take_integer(target, &place, number);
    return parsed;
}

static RpParsed take_nil(RpReplyParser *parser, RpReplyTarget *target) {
    const RpReplyPlace place = place_of(parser);
    rp_reply_take_nil(target, &place);
    return RP_PARSED_REPLY;
}

static RpParsed take_bulk(RpReplyParser *parser, RpReplyTarget *target, const char **at) {
    gint64 size;
    const RpParsed parsed =
        read_short_length(parser, at, &size) ? RP_PARSED_REPLY : read_number(parser, at, &size);
    if (parsed != RP_PARSED_REPLY)
        return parsed;
    if (size == -1)
        return take_nil(parser, target);
    if (size < 0)
        return refuse(parser, "a string's length is negative");
    const gsize n_there = (gsize)(parser->bytes.data + parser->bytes.size - *at);
    if (n_there < 2 || n_there - 2 < (guint64)size)
        return RP_PARSED_PART;
    const RpSpan text = {*at, (gsize)size};
    if (text.data[text.size] != '\r' || text.data[text.size + 1] != '\n')
        return refuse(parser, "a string does not end where it should");
    const RpReplyPlace place = place_of(parser);
    rp_reply_take_string(target, &place, text);
    *at += text.size + 2;
    return RP_PARSED_REPLY;
}

/* *is_open: its elements follow. */
static RpParsed take_array(RpReplyParser *parser, RpReplyTarget *target, const char **at, gboolean *is_open) {
    gint64 n_elements;
    const RpParsed parsed = read_number(parser, at, &n_elements);
    if (parsed != RP_PARSED_REPLY)
        return parsed;
    if (n_elements == -1)
        return take_nil(parser, target);
    if (n_elements < 0 || n_elements > G_MAXINT)
        return refuse(parser, "an array's length is out of range");
    const RpReplyPlace place = place_of(parser);
    rp_reply_take_array(target, &place, (gint)n_elements);
    *is_open = n_elements > 0;
    if (*is_open && parser->depth == RP_REPLY_MAX_DEPTH)
        return refuse(parser, "arrays are nested too deeply");
    if (*is_open)
        parser->open[parser->depth++] = (RpReplyArray){0, (gint)n_elements};
    return RP_PARSED_REPLY;
}

static RpParsed take_element(RpReplyParser *parser, RpReplyTarget *target, gboolean *is_open) {
    const char *at = parser->bytes.data + parser->at;
    RpParsed parsed;
    *is_open = FALSE;
    switch (*at++) {
    case '$':
        parsed = take_bulk(parser, target, &at);
        break;
    case '*':
        parsed = take_array(parser, target, &at, is_open);
        break;
    case ':':
        parsed = take_integer(parser, target, &at);
        break;
    case '+':
        parsed = take_line(parser, target, &at, FALSE);
        break;
    case '-':
        parsed = take_line(parser, target, &at, TRUE);
        break;
    default:
        return refuse(parser, "a byte that begins no reply");
    }
    if (parsed == RP_PARSED_REPLY)
        parser->at = (gsize)(at - parser->bytes.data);
    return parsed;
}

/* Closes the arrays of which the element was the last one. */
static void close_arrays(RpReplyParser *parser) {
    while (parser->depth > 0) {
        RpReplyArray *array = &parser->open[parser->depth - 1];
        if (++array->n_taken < array->n_elements)
            return;
        parser->depth--;
    }
}

RpParsed rp_reply_parser_take(RpReplyParser *parser, RpReplyTarget *target) {
    while (parser->at < parser->bytes.size) {
        gboolean is_open;
        const RpParsed parsed = take_element(parser, target, &is_open);
        if (parsed != RP_PARSED_REPLY)
            return parsed;
        if (is_open)
            continue;
        close_arrays(parser);
        if (parser->depth == 0)
            return RP_PARSED_REPLY;
    }
    return RP_PARSED_PART;
}
