/* The parser of the replication stream: what it takes, what it refuses and where, and that it keeps little.
 */
#include "source/stream_parser.h"

#include "streaming.h"

typedef struct {
    GString *text;
    gboolean wants_all;
} Heard;

static gboolean begin(const RpStreamArgument *argument, gboolean *is_wanted, gpointer data, GError **error) {
    Heard *heard = data;
    (void)error;
    *is_wanted = heard->wants_all || argument->index == 0;
    return TRUE;
}

static gboolean take(const RpStreamArgument *argument, RpSpan bytes, gpointer data, GError **error) {
    Heard *heard = data;
    (void)error;
    g_autofree char *shown = rp_span_show(bytes, 100);
    g_string_append_printf(heard->text, "%u/%u %s, ", argument->index, argument->n_arguments, shown);
    return TRUE;
}

static gboolean end(guint64 offset, gpointer data, GError **error) {
    Heard *heard = data;
    (void)error;
    g_string_append_printf(heard->text, "end %" G_GUINT64_FORMAT ". ", offset);
    return TRUE;
}

static void assert_heard(RpSpan stream, gsize piece_bytes, gboolean wants_all, const char *expected) {
    Heard heard = {g_string_new(NULL), wants_all};
    RpStreamParser parser;
    g_autoptr(GError) error = NULL;
    rp_stream_parser_init(&parser, 100, &(RpStreamListener){begin, take, end, &heard});
    for (gsize at = 0; at < stream.size; at += piece_bytes)
        cr_assert(rp_stream_parser_feed(
                      &parser, (RpSpan){stream.data + at, MIN(piece_bytes, stream.size - at)}, &error),
                  "%s", error != NULL ? error->message : "");
    cr_assert(strcmp(heard.text->str, expected) == 0, "%s", heard.text->str);
    cr_assert(parser.offset == 100 + stream.size);
    rp_stream_parser_clear(&parser);
    g_string_free(heard.text, TRUE);
}

#define STREAM                                                                                               \
    "*1\r\n$4\r\nPING\r\n"                                                                                   \
    "*3\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$4\r\n\r\n*1\r\n"                                                      \
    "*2\r\n$3\r\nDEL\r\n$0\r\n\r\n"

Test(stream_parser, takes_what_is_wanted_however_it_is_cut) {
    for (gsize size = 1; size < sizeof STREAM; size++)
        assert_heard(
            RP_SPAN_OF(STREAM), size, TRUE,
            "0/1 PING, end 114. 0/3 SET, 1/3 a\\x00b, 2/3 \\r\\n*1, end 146. 0/2 DEL, 1/2 , end 165. ");
}

Test(stream_parser, passes_over_what_is_not) {
    for (gsize size = 1; size < sizeof STREAM; size++)
        assert_heard(RP_SPAN_OF(STREAM), size, FALSE,
                     "0/1 PING, end 114. 0/3 SET, end 146. 0/2 DEL, end 165. ");
}

static void assert_refused(const char *stream, const char *words) {
    Heard heard = {g_string_new(NULL), FALSE};
    RpStreamParser parser;
    g_autoptr(GError) error = NULL;
    rp_stream_parser_init(&parser, 100, &(RpStreamListener){begin, take, end, &heard});
    cr_assert(!rp_stream_parser_feed(&parser, rp_span(stream), &error), "%s", stream);
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL));
    cr_assert(strstr(error->message, words) != NULL, "%s: %s", stream, error->message);
    rp_stream_parser_clear(&parser);
    g_string_free(heard.text, TRUE);
}

Test(stream_parser, refuses_what_cannot_stand_there) {
    assert_refused("PING\r\n", "byte 101: a command is expected");
    assert_refused("\n", "byte 101: a command is expected"); /* keep-alives end where the stream begins */
    assert_refused("*1\r\n$4\r\nPING\r\n\n", "byte 115: a command is expected");
    assert_refused("+OK\r\n", "byte 101");
    assert_refused("*\r\n", "byte 102: a number");
    assert_refused("*x\r\n", "byte 102: a number");
    assert_refused("*-1\r\n", "byte 102: a number");
    assert_refused("*0\r\n", "without a name");
    assert_refused("*1\n", "byte 103: a number");
    assert_refused("*1\rx", "byte 104: a number is to end in CR LF");
    assert_refused("*2147483648\r\n", "larger than Redis has any");
    assert_refused("*99999999999999999999999999999999\r\n", "larger than Redis has any");
    assert_refused("*1\r\n:4\r\n", "byte 105: an argument is expected");
    assert_refused("*1\r\n$-1\r\n", "byte 106: a number");
    assert_refused("*1\r\n$1099511627777\r\n", "larger than Redis has any");
    assert_refused("*1\r\n$4\r\nPINGS\r\n", "byte 113: an argument is to end in CR LF");
    assert_refused("*1\r\n$4\r\nPING\rx", "byte 114: an argument is to end in CR LF");
}

Test(stream_parser, promised_sizes_take_no_memory) {
    Heard heard = {g_string_new(NULL), TRUE};
    RpStreamParser parser;
    rp_stream_parser_init(&parser, 0, &(RpStreamListener){begin, take, end, &heard});
    cr_assert(rp_stream_parser_feed(&parser, RP_SPAN_OF("*2147483647\r\n$1099511627776\r\nabc"), NULL));
    cr_assert(parser.gathered.capacity < 1024 * 1024);
    rp_stream_parser_clear(&parser);
    g_string_free(heard.text, TRUE);
}

Test(stream_parser, values_that_nobody_wants_take_no_memory) {
    Heard heard = {g_string_new(NULL), FALSE};
    RpStreamParser parser;
    g_autofree char *value = g_strnfill(1024 * 1024, 'x');
    rp_stream_parser_init(&parser, 0, &(RpStreamListener){begin, take, end, &heard});
    cr_assert(rp_stream_parser_feed(&parser, RP_SPAN_OF("*2\r\n$3\r\nSET\r\n$104857600\r\n"), NULL));
    for (guint i = 0; i < 100; i++)
        cr_assert(rp_stream_parser_feed(&parser, (RpSpan){value, 1024 * 1024}, NULL));
    cr_assert(rp_stream_parser_feed(&parser, RP_SPAN_OF("\r\n"), NULL));
    cr_assert(parser.gathered.capacity < 64 * 1024 && parser.step == RP_STREAM_COMMAND);
    rp_stream_parser_clear(&parser);
    g_string_free(heard.text, TRUE);
}
