/* What messages of pub/sub say about keys, and what is no message. */
#include "source/notification_events.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define PATTERN "__keyspace@7__:*"

static redisReply *read_reply(const char *bytes, gsize size) {
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    cr_assert(redisReaderFeed(reader, bytes, size) == REDIS_OK);
    cr_assert(redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL);
    redisReaderFree(reader);
    return reply;
}

static void add_word(GString *bytes, const char *word, gsize size) {
    g_string_append_printf(bytes, "$%" G_GSIZE_FORMAT "\r\n", size);
    g_string_append_len(bytes, word, (gssize)size);
    g_string_append(bytes, "\r\n");
}

static redisReply *make_message(const char *channel, gsize channel_size, const char *event) {
    g_autoptr(GString) bytes = g_string_new("*4\r\n");
    add_word(bytes, "pmessage", 8);
    add_word(bytes, PATTERN, strlen(PATTERN));
    add_word(bytes, channel, channel_size);
    add_word(bytes, event, strlen(event));
    return read_reply(bytes->str, bytes->len);
}

static void assert_event(const char *key, gsize key_size, const char *event, RpNotificationKind kind,
                         gboolean is_removal, gint64 expires_at_ms) {
    g_autoptr(GString) channel = g_string_new("__keyspace@7__:");
    g_string_append_len(channel, key, (gssize)key_size);
    g_autoptr(redisReply) reply = make_message(channel->str, channel->len, event);
    g_autoptr(GError) error = NULL;
    RpNotification notification;
    cr_assert(rp_notification_events_parse(reply, PATTERN, &notification, &error), "%s",
              error != NULL ? error->message : "");
    cr_assert(notification.kind == kind, "%s of %s", event, key);
    cr_assert(notification.is_removal == is_removal, "%s", event);
    cr_assert(rp_span_equal(notification.key, (RpSpan){key, key_size}));
    const RpTouch touch = rp_notification_events_touch(&notification);
    cr_assert(rp_span_equal(touch.key, (RpSpan){key, key_size}));
    cr_assert(eq(i64, touch.expires_at_ms, expires_at_ms));
    cr_assert(not(rp_stream_place_is_set(&touch.before)));
    cr_assert(eq(int, touch.before.database, -1));
}

#define KEY(literal) (literal), sizeof(literal) - 1

Test(notification_events, every_event_touches_its_key) {
    static const char *const changes[] = {"set",     "hset",     "expire", "rename_to",
                                          "move_to", "copy_to",  "xtrim",  "sortstore",
                                          "restore", "hexpired", "new",    "some_module.event"};
    static const char *const removals[] = {"del", "evicted", "rename_from", "move_from"};
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++)
        assert_event(KEY("a"), changes[i], RP_NOTIFICATION_TOUCH, FALSE, RP_EXPIRY_UNTOLD);
    for (guint i = 0; i < G_N_ELEMENTS(removals); i++)
        assert_event(KEY("a"), removals[i], RP_NOTIFICATION_TOUCH, TRUE, RP_EXPIRY_UNTOLD);
    assert_event(KEY("a"), "expired", RP_NOTIFICATION_TOUCH, TRUE, RP_EXPIRY_NOW);
}

Test(notification_events, a_key_is_taken_byte_by_byte) {
    assert_event(KEY(""), "set", RP_NOTIFICATION_TOUCH, FALSE, RP_EXPIRY_UNTOLD);
    assert_event(KEY("a:b::"), "set", RP_NOTIFICATION_TOUCH, FALSE, RP_EXPIRY_UNTOLD);
    assert_event(KEY("a\r\nb\0c\xff"), "set", RP_NOTIFICATION_TOUCH, FALSE, RP_EXPIRY_UNTOLD);
    assert_event(KEY("__keyspace@7__:*"), "set", RP_NOTIFICATION_TOUCH, FALSE, RP_EXPIRY_UNTOLD);
}

Test(notification_events, what_changes_no_data_is_no_touch) {
    assert_event(KEY("a"), "keymiss", RP_NOTIFICATION_OTHER, FALSE, RP_EXPIRY_UNTOLD);
    assert_event(KEY("redis2pg:probe:1"), "del", RP_NOTIFICATION_PROBE, TRUE, RP_EXPIRY_UNTOLD);
    assert_event(KEY("redis2pg:probe"), "set", RP_NOTIFICATION_TOUCH, FALSE, RP_EXPIRY_UNTOLD);
}

static void assert_refused(redisReply *taken, RpSourceError code) {
    g_autoptr(redisReply) reply = taken;
    g_autoptr(GError) error = NULL;
    RpNotification notification;
    cr_assert(not(rp_notification_events_parse(reply, PATTERN, &notification, &error)));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, (int)code), "%s", error->message);
}

Test(notification_events, what_is_no_message_is_refused) {
    static const char *const odd[] = {
        "+OK\r\n",
        ":1\r\n",
        "$-1\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*1\r\n$4\r\npong\r\n",
        "*2\r\n:1\r\n:2\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n",
        "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$15\r\n__keyspace@7__:\r\n$3\r\nset\r\n",
        "*4\r\n$8\r\npmessage\r\n$16\r\n" PATTERN "\r\n:1\r\n$3\r\nset\r\n",
        "*4\r\n$8\r\npmessage\r\n$16\r\n" PATTERN "\r\n$15\r\n__keyspace@7__:\r\n$-1\r\n",
    };
    for (guint i = 0; i < G_N_ELEMENTS(odd); i++)
        assert_refused(read_reply(odd[i], strlen(odd[i])), RP_SOURCE_ERROR_PROTOCOL);
    assert_refused(make_message(KEY("__keyspace@71__:"), "set"), RP_SOURCE_ERROR_PROTOCOL);
    assert_refused(make_message(KEY("__keyspace"), "set"), RP_SOURCE_ERROR_PROTOCOL);
}

Test(notification_events, a_key_is_at_most_so_long) {
    const gsize prefix_size = strlen(PATTERN) - 1;
    const gsize size = prefix_size + RP_NOTIFICATION_MAX_KEY;
    g_autofree char *channel = g_strnfill(size + 1, 'k');
    memcpy(channel, PATTERN, prefix_size);
    assert_event(channel + prefix_size, RP_NOTIFICATION_MAX_KEY, "set", RP_NOTIFICATION_TOUCH, FALSE,
                 RP_EXPIRY_UNTOLD);
    assert_refused(make_message(channel, size + 1, "set"), RP_SOURCE_ERROR_REFUSED);
}

Test(notification_events, answers_are_told_from_events) {
    static const char *const answers[] = {
        "*2\r\n$4\r\npong\r\n$0\r\n\r\n",
        "*3\r\n$10\r\npsubscribe\r\n$1\r\na\r\n:1\r\n",
        "-MISCONF Redis is configured to save RDB snapshots\r\n",
    };
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(redisReply) reply = read_reply(answers[i], strlen(answers[i]));
        RpNotification notification;
        cr_assert(rp_notification_events_parse(reply, PATTERN, &notification, NULL), "%s", answers[i]);
        cr_assert(notification.kind == RP_NOTIFICATION_ANSWER);
    }
}

Test(notification_events, the_pattern_is_of_one_database) {
    g_autofree char *pattern = rp_notification_events_pattern(7);
    cr_assert(eq(str, pattern, PATTERN));
}
