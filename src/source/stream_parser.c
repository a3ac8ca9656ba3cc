/* The replication stream, byte by byte: what is not wanted is only counted. */
#include "source/stream_parser.h"

#include "source/connection.h"

#define KEPT_BYTES (64 * 1024)

void rp_stream_parser_init(RpStreamParser *parser, guint64 offset, const RpStreamListener *listener) {
    *parser = (RpStreamParser){.listener = *listener, .offset = offset};
}

void rp_stream_parser_clear(RpStreamParser *parser) {
    rp_buffer_clear(&parser->gathered);
}

static gboolean refuse(const RpStreamParser *parser, const char *what, GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL,
                "Redis: replication stream: byte %" G_GUINT64_FORMAT ": %s", parser->offset + 1, what);
    return FALSE;
}

static void pass(RpStreamParser *parser, RpSpan *rest, gsize n_bytes) {
    rest->data += n_bytes;
    rest->size -= n_bytes;
    parser->offset += n_bytes;
}

/* One byte that the protocol prescribes. */
static gboolean expect(RpStreamParser *parser, RpSpan *rest, char byte, RpStreamStep next, const char *what,
                       GError **error) {
    if (*rest->data != byte)
        return refuse(parser, what, error);
    pass(parser, rest, 1);
    parser->step = next;
    parser->number = 0;
    parser->n_digits = 0;
    return TRUE;
}

/* The digits of a number up to its CR. */
static gboolean read_number(RpStreamParser *parser, RpSpan *rest, guint64 most, RpStreamStep next,
                            GError **error) {
    for (; rest->size > 0; pass(parser, rest, 1)) {
        const char byte = *rest->data;
        if (byte == '\r' && parser->n_digits > 0) {
            pass(parser, rest, 1);
            parser->step = next;
            return TRUE;
        }
        if (!g_ascii_isdigit(byte))
            return refuse(parser, "a number is expected", error);
        parser->number = parser->number * 10 + (guint64)(byte - '0');
        parser->n_digits++;
        if (parser->number > most)
            return refuse(parser, "a number is larger than Redis has any", error);
    }
    return TRUE;
}

static gboolean begin_command(RpStreamParser *parser, RpSpan *rest, GError **error) {
    parser->argument = (RpStreamArgument){.n_arguments = (guint32)parser->number};
    if (parser->number == 0)
        return refuse(parser, "a command without a name", error);
    return expect(parser, rest, '\n', RP_STREAM_ARGUMENT, "a number is to end in CR LF", error);
}

static gboolean begin_argument(RpStreamParser *parser, RpSpan *rest, GError **error) {
    parser->argument.size = parser->n_left = parser->number;
    if (!expect(parser, rest, '\n', RP_STREAM_BYTES, "a number is to end in CR LF", error))
        return FALSE;
    rp_buffer_reset(&parser->gathered, KEPT_BYTES);
    parser->is_wanted = FALSE;
    const RpStreamListener *listener = &parser->listener;
    return listener->begin(&parser->argument, &parser->is_wanted, listener->data, error);
}

/* What came whole is not copied. */
static gboolean read_bytes(RpStreamParser *parser, RpSpan *rest, GError **error) {
    const RpStreamListener *listener = &parser->listener;
    const RpSpan bytes = {rest->data, (gsize)MIN(parser->n_left, rest->size)};
    const gboolean is_gathered = parser->is_wanted && bytes.size < parser->argument.size;
    if (is_gathered)
        rp_buffer_append(&parser->gathered, bytes.data, bytes.size);
    pass(parser, rest, bytes.size);
    parser->n_left -= bytes.size;
    if (parser->n_left > 0)
        return TRUE;
    parser->step = RP_STREAM_BYTES_CR;
    const RpSpan whole = is_gathered ? (RpSpan){parser->gathered.data, parser->gathered.size} : bytes;
    return !parser->is_wanted || listener->take(&parser->argument, whole, listener->data, error);
}

static gboolean end_argument(RpStreamParser *parser, RpSpan *rest, GError **error) {
    const gboolean is_last = parser->argument.index + 1 == parser->argument.n_arguments;
    const RpStreamListener *listener = &parser->listener;
    if (!expect(parser, rest, '\n', is_last ? RP_STREAM_COMMAND : RP_STREAM_ARGUMENT,
                "an argument is to end in CR LF", error))
        return FALSE;
    parser->argument.index++;
    return !is_last || listener->end(parser->offset, listener->data, error);
}

static gboolean step(RpStreamParser *parser, RpSpan *rest, GError **error) {
    switch (parser->step) {
    case RP_STREAM_COMMAND:
        return expect(parser, rest, '*', RP_STREAM_COUNT, "a command is expected, which begins with *",
                      error);
    case RP_STREAM_COUNT:
        return read_number(parser, rest, RP_STREAM_MAX_ARGUMENTS, RP_STREAM_COUNT_END, error);
    case RP_STREAM_COUNT_END:
        return begin_command(parser, rest, error);
    case RP_STREAM_ARGUMENT:
        return expect(parser, rest, '$', RP_STREAM_SIZE, "an argument is expected, which begins with $",
                      error);
    case RP_STREAM_SIZE:
        return read_number(parser, rest, RP_STREAM_MAX_VALUE, RP_STREAM_SIZE_END, error);
    case RP_STREAM_SIZE_END:
        return begin_argument(parser, rest, error);
    case RP_STREAM_BYTES:
        return read_bytes(parser, rest, error);
    case RP_STREAM_BYTES_CR:
        return expect(parser, rest, '\r', RP_STREAM_BYTES_LF, "an argument is to end in CR LF", error);
    case RP_STREAM_BYTES_LF:
        return end_argument(parser, rest, error);
    }
    g_assert_not_reached();
}

gboolean rp_stream_parser_feed(RpStreamParser *parser, RpSpan piece, GError **error) {
    RpSpan rest = piece;
    while (rest.size > 0)
        if (!step(parser, &rest, error))
            return FALSE;
    return TRUE;
}
