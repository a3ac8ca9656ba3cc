/* What a replication stream touches: databases, transactions, expiry, barriers, and every way to cut it. */
#include "source/stream_touches.h"

#include "streaming.h"

static RpSpan span_of(const GString *text) {
    return (RpSpan){text->str, text->len};
}

static void assert_told(const RpStreamPlace *begin, const char *commands, const char *expected,
                        gint database) {
    g_auto(StreamLog) log = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) stream = stream_of(commands);
    cr_assert(stream_log_feed(&log, begin, span_of(stream), stream->len, &error), "%s: %s", commands,
              error != NULL ? error->message : "");
    g_autofree char *told = g_strdelimit(g_strdup(g_strchomp(log.text->str)), "\n", ',');
    cr_assert(strcmp(told, expected) == 0, "%s: %s, not %s", commands, told, expected);
    cr_assert(log.n_reached == 1 && log.place.offset == begin->offset + stream->len);
    cr_assert(log.place.database == database, "%d", log.place.database);
    cr_assert(strcmp(log.place.replication_id, begin->replication_id) == 0);
}

static RpStreamPlace begin_in(gint database) {
    RpStreamPlace begin = STREAM_BEGIN;
    begin.database = database;
    return begin;
}

Test(stream_touches, are_those_of_one_database) {
    const RpStreamPlace ours = begin_in(0), other = begin_in(5), unknown = begin_in(-1);
    assert_told(&ours, "DEL a;SELECT 5;DEL b;FLUSHDB;SELECT 0;DEL c", "a,c", 0);
    assert_told(&other, "DEL a;SELECT 5;DEL b;select 0;DEL c;SELECT 7", "c", 7);
    assert_told(&unknown, "DEL a;SELECT 5;DEL b", "a", 5);
    assert_told(&unknown, "FLUSHDB;MULTI;DEL a;EXEC", "barrier FLUSHDB,a", -1);
    assert_told(&other, "FLUSHDB;FLUSHALL;SWAPDB 5 6;SWAPDB 6 0", "barrier FLUSHALL,barrier SWAPDB 6 0", 5);
    assert_told(&other, "MOVE a 0;MOVE b 1;COPY a b DB 0;COPY a b;COPY a b DB 7", "a,b", 5);
    assert_told(&ours, "MOVE a 1;COPY a b DB 5", "a,a", 0);
    assert_told(&unknown, "MOVE a 1;COPY a b DB 5;COPY a b", "a,a,a,b", -1);
    assert_told(&other, "MODULE.DO x k;MODULE.DO x y z v", "", 5); /* nobody is asked */
}

Test(stream_touches, carry_the_place_before_the_transaction) {
    g_auto(StreamLog) log = {0};
    const RpStreamPlace begin = begin_in(3);
    const RpCaptureTaker taker = stream_log_taker(&log);
    const RpKeyAsker asker = {stream_ask, NULL};
    g_autoptr(RpStreamTouches) touches = rp_stream_touches_new(&begin, 0, &taker, &asker);
    g_autoptr(GString) lone = stream_of("PING");
    g_autoptr(GString) unit = stream_of("MULTI;SELECT 0;SET a 1;SET b 1");
    g_autoptr(GString) end = stream_of("EXEC");
    cr_assert(rp_stream_touches_feed(touches, span_of(lone), NULL));
    cr_assert(log.n_reached == 1 && log.place.offset == 1000 + lone->len);
    cr_assert(rp_stream_touches_feed(touches, span_of(unit), NULL));
    cr_assert(log.n_reached == 1 && strcmp(log.text->str, "a lasts\nb lasts\n") == 0);
    cr_assert(log.before.offset == 1000 + lone->len && log.before.database == 3);
    cr_assert(rp_stream_touches_feed(touches, span_of(end), NULL));
    cr_assert(log.n_reached == 2 && log.place.offset == 1000 + lone->len + unit->len + end->len);
    cr_assert(log.place.database == 0);
    cr_assert(rp_stream_touches_get_place(touches)->offset == log.place.offset);
}

/* ---- the stream of a real server ---- */

static char *read_data(const char *name, gsize *size) {
    g_autofree char *path =
        g_build_filename(g_getenv("REDIS2PG_SOURCE"), "tests", "unit", "data", name, NULL);
    char *data = NULL;
    cr_assert(g_file_get_contents(path, &data, size, NULL), "%s", path);
    return data;
}

static void assert_same(RpSpan stream, gsize first, gsize piece_bytes, const char *expected) {
    g_auto(StreamLog) log = {0};
    const RpStreamPlace begin = begin_in(-1);
    const RpCaptureTaker taker = stream_log_taker(&log);
    const RpKeyAsker asker = {stream_ask, NULL};
    g_autoptr(RpStreamTouches) touches = rp_stream_touches_new(&begin, 0, &taker, &asker);
    g_autoptr(GError) error = NULL;
    for (gsize at = 0, size; at < stream.size; at += size) {
        size = MIN(at == 0 ? first : piece_bytes, stream.size - at);
        cr_assert(rp_stream_touches_feed(touches, (RpSpan){stream.data + at, size}, &error), "%s",
                  error != NULL ? error->message : "");
    }
    cr_assert(strcmp(log.text->str, expected) == 0, "cut at %zu, pieces of %zu:\n%s", first, piece_bytes,
              log.text->str);
    cr_assert(log.place.offset == 1000 + stream.size && log.place.database == 0);
}

Test(stream_touches, are_the_same_wherever_a_recorded_stream_is_cut) {
    gsize size;
    g_autofree char *stream = read_data("replication.stream", &size);
    g_autofree char *expected = read_data("replication.touches", NULL);
    for (gsize cut = 1; cut <= size; cut++)
        assert_same((RpSpan){stream, size}, cut, size, expected);
    for (gsize piece = 1; piece < 100; piece++)
        assert_same((RpSpan){stream, size}, piece, piece, expected);
}

/* From each place that was reached the rest gives what it gave: nothing is needed from before. */
Test(stream_touches, go_on_from_each_place) {
    gsize size;
    g_autofree char *bytes = read_data("replication.stream", &size);
    g_autofree char *expected = read_data("replication.touches", NULL);
    g_auto(StreamLog) log = {0};
    const RpStreamPlace begin = begin_in(-1);
    const RpCaptureTaker taker = stream_log_taker(&log);
    const RpKeyAsker asker = {stream_ask, NULL};
    g_autoptr(RpStreamTouches) touches = rp_stream_touches_new(&begin, 0, &taker, &asker);
    for (gsize at = 0; at < size; at++) {
        const guint n_reached = log.n_reached;
        cr_assert(rp_stream_touches_feed(touches, (RpSpan){bytes + at, 1}, NULL));
        if (log.n_reached == n_reached)
            continue;
        g_auto(StreamLog) rest = {0};
        cr_assert(log.place.offset == 1001 + at);
        cr_assert(stream_log_feed(&rest, &log.place, (RpSpan){bytes + at + 1, size - at - 1}, size, NULL));
        g_autofree char *both = g_strconcat(log.text->str, rest.text->str, NULL);
        cr_assert(strcmp(both, expected) == 0, "from %zu:\n%s", at, both);
    }
    cr_assert(log.n_reached > 60, "%u", log.n_reached);
}

/* ---- what cannot be followed ---- */

static void assert_fails(RpSpan stream, RpSourceError code, const char *words) {
    for (gsize piece = 1; piece <= 1000; piece *= 10) {
        g_auto(StreamLog) log = {0};
        g_autoptr(GError) error = NULL;
        cr_assert(!stream_log_feed(&log, &STREAM_BEGIN, stream, piece, &error), "%s", words);
        cr_assert(g_error_matches(error, RP_SOURCE_ERROR, (int)code), "%s", error->message);
        cr_assert(strstr(error->message, words) != NULL, "%s", error->message);
    }
}

static void assert_command_fails(const char *command, RpSourceError code, const char *words) {
    g_autoptr(GString) stream = stream_of(command);
    assert_fails(span_of(stream), code, words);
}

Test(stream_touches, of_a_script_as_text_are_refused) {
    assert_command_fails("EVAL return 0", RP_SOURCE_ERROR_REFUSED, "lua-replicate-commands");
    assert_command_fails("evalsha 123 1 k", RP_SOURCE_ERROR_REFUSED, "evalsha");
}

Test(stream_touches, of_a_command_that_nobody_knows_are_refused_by_name) {
    assert_command_fails("MODULE.DO a b c", RP_SOURCE_ERROR_REFUSED, "MODULE.DO");
}

Test(stream_touches, of_commands_without_sense_are_refused) {
    assert_command_fails("SELECT x", RP_SOURCE_ERROR_PROTOCOL, "byte 1023: SELECT: its arguments");
    assert_command_fails("SELECT", RP_SOURCE_ERROR_PROTOCOL, "SELECT");
    assert_command_fails("SELECT -3", RP_SOURCE_ERROR_PROTOCOL, "no such database");
    assert_command_fails("SELECT 4294967296", RP_SOURCE_ERROR_PROTOCOL, "no such database");
    assert_command_fails("SET a b PXAT", RP_SOURCE_ERROR_PROTOCOL, "SET");
    assert_command_fails("SET a b PXAT x", RP_SOURCE_ERROR_PROTOCOL, "SET");
    assert_command_fails("PEXPIREAT a 99999999999999999999999999999999999999", RP_SOURCE_ERROR_PROTOCOL,
                         "PEX");
    assert_command_fails("LMPOP 5 a LEFT", RP_SOURCE_ERROR_PROTOCOL, "LMPOP");
    assert_command_fails("LMPOP -1 a LEFT", RP_SOURCE_ERROR_PROTOCOL, "LMPOP");
    assert_command_fails("SWAPDB 1", RP_SOURCE_ERROR_PROTOCOL, "SWAPDB");
    assert_command_fails("COPY a", RP_SOURCE_ERROR_PROTOCOL, "COPY");
    assert_command_fails("COPY a b DB", RP_SOURCE_ERROR_PROTOCOL, "COPY");
    assert_fails(RP_SPAN_OF("*1\r\n$0\r\n\r\n"), RP_SOURCE_ERROR_PROTOCOL, "name");
    assert_fails(RP_SPAN_OF("*1\r\n$65\r\n"), RP_SOURCE_ERROR_PROTOCOL, "name");
}

Test(stream_touches, of_keys_that_are_too_long_are_refused) {
    assert_fails(RP_SPAN_OF("*2\r\n$3\r\nDEL\r\n$1048577\r\n"), RP_SOURCE_ERROR_REFUSED, "1048577 bytes");
    assert_fails(RP_SPAN_OF("*2\r\n$3\r\nFOO\r\n$8388609\r\n"), RP_SOURCE_ERROR_REFUSED, "too large to ask");
    assert_fails(RP_SPAN_OF("*900000000\r\n$3\r\nFOO\r\n$1\r\n"), RP_SOURCE_ERROR_REFUSED,
                 "too large to ask");
}

/* Two hundred keys of 100,000 bytes: they are told before the command ends. */
Test(stream_touches, of_a_huge_command_take_little_memory) {
    enum { N_KEYS = 200, KEY_BYTES = 100000 };
    g_auto(StreamLog) log = {0};
    const RpStreamPlace begin = begin_in(0);
    const RpCaptureTaker taker = stream_log_taker(&log);
    const RpKeyAsker asker = {stream_ask, NULL};
    g_autoptr(RpStreamTouches) touches = rp_stream_touches_new(&begin, 0, &taker, &asker);
    g_autoptr(GString) part = g_string_new(NULL);
    g_string_printf(part, "*%d\r\n$6\r\nUNLINK\r\n", N_KEYS + 1);
    cr_assert(rp_stream_touches_feed(touches, span_of(part), NULL));
    g_autofree char *key = g_strnfill(KEY_BYTES, 'k');
    g_string_printf(part, "$%d\r\n%s\r\n", KEY_BYTES, key);
    for (guint i = 0; i < N_KEYS - 1; i++)
        cr_assert(rp_stream_touches_feed(touches, span_of(part), NULL));
    cr_assert(log.text->len > 0 && log.n_reached == 0);
    cr_assert(rp_stream_touches_feed(touches, span_of(part), NULL));
    g_auto(GStrv) lines = g_strsplit(log.text->str, "\n", -1);
    cr_assert(g_strv_length(lines) == N_KEYS + 1 && log.n_reached == 1);
}

static gboolean fail_to_take(const RpTouch *touch, gpointer data, GError **error) {
    (void)touch;
    (void)data;
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REPLY, "the taker's own");
    return FALSE;
}

Test(stream_touches, end_with_the_takers_error) {
    g_auto(StreamLog) log = {0};
    g_autoptr(GError) error = NULL;
    RpCaptureTaker taker = stream_log_taker(&log);
    taker.touch = fail_to_take;
    const RpKeyAsker asker = {stream_ask, NULL};
    g_autoptr(RpStreamTouches) touches = rp_stream_touches_new(&STREAM_BEGIN, 0, &taker, &asker);
    g_autoptr(GString) stream = stream_of("PING;DEL a");
    cr_assert(!rp_stream_touches_feed(touches, span_of(stream), &error));
    cr_assert(strcmp(error->message, "the taker's own") == 0 && log.n_reached == 0);
}
