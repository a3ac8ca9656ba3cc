/* The snapshot before a stream: passed over in both of its forms, however it is cut. */
#include "source/snapshot.h"

#include "streaming.h"

#define MARKER "06917f7f116915a2ff71d702cf9344f31db14c62"
#define HEAD                                                                                                 \
    "REDIS0010\xfa\x09redis-ver\x06"                                                                         \
    "7.0.15\xfa\x0aredis-bits\xc0@\xfa\x05"                                                                  \
    "ctime\xc2\x85.\x02k\xfa\x0erepl-stream-db\xc0\x03\xfa\x07repl-id"
#define BODY            HEAD MARKER "06917f7f11" MARKER_BUT_LAST "x\xff"
#define MARKER_BUT_LAST "06917f7f116915a2ff71d702cf9344f31db14c6"
#define MARKED_BODY     HEAD "06917f7f11" MARKER_BUT_LAST "06917\xff"

/* What is left for the stream; the snapshot is to be over there. */
static void assert_passed(RpSpan bytes, gsize first, gsize piece_bytes) {
    RpSnapshot snapshot = {0};
    g_autoptr(GString) left = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    for (gsize at = 0, size; at < bytes.size; at += size) {
        size = MIN(at == 0 && first > 0 ? first : piece_bytes, bytes.size - at);
        RpSpan rest = {bytes.data + at, size};
        cr_assert(rp_snapshot_feed(&snapshot, &rest, &error), "%s", error != NULL ? error->message : "");
        cr_assert(rest.size == 0 || snapshot.step == RP_SNAPSHOT_OVER);
        g_string_append_len(left, rest.data, (gssize)rest.size);
    }
    cr_assert(snapshot.step == RP_SNAPSHOT_OVER);
    cr_assert(strcmp(left->str, "*1\r\n") == 0, "%s", left->str);
    cr_assert(rp_snapshot_get_database(&snapshot) == 3);
}

static void assert_passed_at_each_cut(RpSpan bytes) {
    for (gsize size = 1; size <= bytes.size; size++) {
        assert_passed(bytes, 0, size);
        assert_passed(bytes, size, bytes.size);
    }
}

Test(snapshot, with_a_marker_is_passed_over_at_each_cut) {
    assert_passed_at_each_cut(RP_SPAN_OF("\n\n$EOF:" MARKER "\r\n" MARKED_BODY MARKER "*1\r\n"));
}

Test(snapshot, with_a_length_is_passed_over_at_each_cut) {
    g_autoptr(GString) bytes = g_string_new(NULL);
    g_string_append_printf(bytes, "\n$%zu\r\n", sizeof(BODY) - 1);
    g_string_append_len(bytes, BODY, sizeof(BODY) - 1);
    g_string_append(bytes, "*1\r\n");
    assert_passed_at_each_cut((RpSpan){bytes->str, bytes->len});
}

static void assert_error(const char *bytes, RpSourceError code, const char *words) {
    RpSnapshot snapshot = {0};
    g_autoptr(GError) error = NULL;
    RpSpan rest = rp_span(bytes);
    cr_assert(!rp_snapshot_feed(&snapshot, &rest, &error), "%s", bytes);
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, (int)code), "%s", error->message);
    cr_assert(strstr(error->message, words) != NULL, "%s", error->message);
}

Test(snapshot, that_cannot_be_made_is_said) {
    assert_error("\n-ERR BGSAVE failed, replication can't continue\r\n", RP_SOURCE_ERROR_RETRY,
                 "BGSAVE failed");
}

Test(snapshot, that_is_none_is_refused) {
    g_autofree char *endless = g_strnfill(1000, 'x');
    assert_error("$x\r\n", RP_SOURCE_ERROR_PROTOCOL, "expected");
    assert_error("$-5\r\n", RP_SOURCE_ERROR_PROTOCOL, "expected");
    assert_error("$EOF:short\r\n", RP_SOURCE_ERROR_PROTOCOL, "40 bytes");
    assert_error("*1\r\n", RP_SOURCE_ERROR_PROTOCOL, "expected");
    assert_error(endless, RP_SOURCE_ERROR_PROTOCOL, "no end");
}

static gint database_of(RpSpan head) {
    RpSnapshot snapshot = {.head_size = head.size};
    memcpy(snapshot.head, head.data, head.size);
    return rp_snapshot_get_database(&snapshot);
}

Test(snapshot, says_the_database_where_it_does) {
    cr_assert(database_of(RP_SPAN_OF("REDIS0010\xfa\x0erepl-stream-db\x02"
                                     "12\xff")) == 12);
    cr_assert(database_of(RP_SPAN_OF("VALKEY080\xfa\x40\x0erepl-stream-db\xc1\x00\x01")) == 256);
    cr_assert(database_of(RP_SPAN_OF("REDIS0010\xfa\x0erepl-stream-db\xc0\xff")) == -1);
    cr_assert(database_of(RP_SPAN_OF("REDIS0010\xfa\x0erepl-stream-db\x01x")) == -1);
    cr_assert(database_of(RP_SPAN_OF("REDIS0010\xfe\x0erepl-stream-db\xc0\x01")) == -1);
    for (gsize size = 0; size < sizeof("REDIS0010\xfa\x0erepl-stream-db\xc0") - 1; size++)
        cr_assert(database_of((RpSpan){"REDIS0010\xfa\x0erepl-stream-db\xc0", size}) == -1);
}
