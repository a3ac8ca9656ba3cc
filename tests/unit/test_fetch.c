/* Reading from a private Redis: pages, records, and what comes of each key. */
#define LIMIT 1000

#include "base/error.h"
#include "fetching.h"

#include <signal.h>

TestSuite(fetch, .init = start, .fini = stop, .timeout = 150);

static void ask(RpRecordType type, gboolean has_ttl, RpSpan key) {
    const RpRead read = {.entity = 7, .type = type, .has_ttl = has_ttl};
    rp_fetch_send_read(fetch, &read, &(RpWindow){.count = 100}, key);
}

static gboolean try_receive(RpRecordType type, gboolean has_ttl, RpSpan key, GError **error) {
    const RpRead read = {.entity = 7, .type = type, .has_ttl = has_ttl};
    RpWindow window = {.count = 100};
    gboolean is_complete;
    const gboolean is_fine = rp_fetch_receive_read(fetch, &read, &window, key, &records, &is_complete, error);
    cr_assert(!is_fine || is_complete);
    return is_fine;
}

static void receive(RpRecordType type, gboolean has_ttl, RpSpan key) {
    g_autoptr(GError) error = NULL;
    cr_assert(try_receive(type, has_ttl, key, &error), "%s", error != NULL ? error->message : "");
}

/* Reads one hash and returns "outcome type value…". */
static char *shown(guint position) {
    static const char *const OUTCOMES[] = {"ok", "vanished", "wrong_type", "too_large"};
    const RpRecord *record = rp_records_get(&records, position);
    RpSpan values[64];
    const guint32 n_values = rp_records_values(&records, position, values, G_N_ELEMENTS(values));
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s %s", OUTCOMES[record->outcome],
                           rp_record_type_name((RpRecordType)record->type));
    for (guint32 i = 0; i < n_values; i++) {
        g_autofree char *value = rp_span_show(values[i], 40);
        g_string_append_printf(text, " %s", value);
    }
    cr_assert(record->entity == 7);
    return g_string_free(text, FALSE);
}

static void assert_record(guint position, const char *expected) {
    g_autofree char *text = shown(position);
    cr_assert(strcmp(text, expected) == 0, "%s, not %s", text, expected);
}

Test(fetch, scans_every_key_once) {
    for (guint i = 0; i < 500; i++)
        command("SET key:%u x", i);
    command("SET other x");
    RpKeyPage page;
    rp_key_page_init(&page);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint n_pages = 0;
    do {
        g_autoptr(GError) error = NULL;
        rp_fetch_send_scan(fetch, n_pages == 0 ? 0 : page.next_cursor, "key:*", 50);
        cr_assert(rp_fetch_receive_page(fetch, &page, &error), "%s", error != NULL ? error->message : "");
        for (guint i = 0; i < rp_key_page_size(&page); i++) {
            const RpSpan key = rp_key_page_get(&page, i);
            g_hash_table_add(seen, g_strndup(key.data, key.size));
        }
        n_pages++;
    } while (page.next_cursor != 0);
    cr_assert(g_hash_table_size(seen) == 500 && n_pages > 3 && !g_hash_table_contains(seen, "other"));
    rp_key_page_clear(&page);
}

Test(fetch, takes_keys_and_values_of_any_bytes) {
    command("HSET %b %b %b empty %b", "k\0\xff\r\n", (size_t)5, "f\0", (size_t)2, "\xfe\r\n", (size_t)3, "",
            (size_t)0);
    command("HSET %b a 1", "", (size_t)0);
    RpKeyPage page;
    rp_key_page_init(&page);
    rp_fetch_send_scan(fetch, 0, NULL, 100);
    cr_assert(rp_fetch_receive_page(fetch, &page, NULL) && rp_key_page_size(&page) == 2 &&
              page.next_cursor == 0);
    for (guint i = 0; i < 2; i++)
        ask(RP_RECORD_HASH, FALSE, rp_key_page_get(&page, i));
    for (guint i = 0; i < 2; i++) {
        receive(RP_RECORD_HASH, FALSE, rp_key_page_get(&page, i));
        const gboolean is_empty = rp_records_key(&records, i).size == 0;
        assert_record(i, is_empty ? "ok hash a 1" : "ok hash f\\x00 \\xfe\\r\\n empty ");
        cr_assert(is_empty || rp_span_equal(rp_records_key(&records, i), RP_SPAN_OF("k\0\xff\r\n")));
    }
    rp_key_page_clear(&page);
}

Test(fetch, says_what_became_of_each_key) {
    command("HSET h a 1 b 2");
    command("SET s text");
    command("RPUSH l x");
    command("SADD set x");
    command("ZADD z 1 x");
    command("XADD x * a 1");
    static const char *const KEYS[] = {"h", "gone", "s", "l", "set", "z", "x", "h"};
    static const char *const EXPECTED[] = {"ok hash a 1 b 2",   "vanished hash",  "wrong_type string text",
                                           "wrong_type list",   "wrong_type set", "wrong_type zset",
                                           "wrong_type stream", "ok hash a 1 b 2"};
    for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++)
        ask(RP_RECORD_HASH, FALSE, rp_span(KEYS[i]));
    for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        receive(RP_RECORD_HASH, FALSE, rp_span(KEYS[i]));
        assert_record(i, EXPECTED[i]);
        cr_assert(rp_records_get(&records, i)->ttl_ms == -2, "nobody asked");
    }
}

Test(fetch, reads_strings_and_times_to_live) {
    command("SET s text");
    command("PSETEX timed 100000 %b", "", (size_t)0);
    command("HSET h a 1");
    command("PEXPIRE h 50000");
    static const char *const KEYS[] = {"s", "timed", "gone", "h"};
    static const char *const EXPECTED[] = {"ok string text", "ok string ", "vanished string",
                                           "wrong_type hash"};
    for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++)
        ask(RP_RECORD_STRING, TRUE, rp_span(KEYS[i]));
    for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        receive(RP_RECORD_STRING, TRUE, rp_span(KEYS[i]));
        assert_record(i, EXPECTED[i]);
    }
    cr_assert(rp_records_get(&records, 0)->ttl_ms == -1);
    cr_assert(rp_records_get(&records, 1)->ttl_ms > 90000 && rp_records_get(&records, 1)->ttl_ms <= 100000);
    cr_assert(rp_records_get(&records, 3)->ttl_ms > 40000 && rp_records_get(&records, 3)->ttl_ms <= 50000);
}

/* Keys in this order; the large ones are refused, and what was asked after them still comes. */
static void assert_limits(const char *const *keys, const char *const *expected, guint n_keys,
                          gboolean has_ttl) {
    for (guint i = 0; i < n_keys; i++)
        ask(RP_RECORD_HASH, has_ttl, rp_span(keys[i]));
    for (guint i = 0; i < n_keys; i++) {
        receive(RP_RECORD_HASH, has_ttl, rp_span(keys[i]));
        assert_record(i, expected[i]);
        cr_assert(!has_ttl || rp_records_get(&records, i)->ttl_ms == -1, "%s", keys[i]);
    }
}

static void make_large_keys(void) {
    g_autofree char *exact = g_strnfill(LIMIT - 1, 'x');
    g_autofree char *value = g_strnfill(16 * 1024 * 1024, 'x');
    command("HSET small a 1");
    command("HSET exact a %s", exact);
    command("HSET over a %sx", exact);
    command("HSET huge a %s", value);
    command("SET string %s", value);
    for (guint i = 0; i < 300; i++)
        command("HSET many field%u value%u", i, i);
}

Test(fetch, refuses_values_over_the_limit_and_goes_on) {
    make_large_keys();
    static const char *const KEYS[] = {"small", "over", "small", "huge", "small", "many",
                                       "small", "huge", "huge",  "gone", "small"};
    static const char *const EXPECTED[] = {
        "ok hash a 1", "too_large hash", "ok hash a 1",    "too_large hash", "ok hash a 1", "too_large hash",
        "ok hash a 1", "too_large hash", "too_large hash", "vanished hash",  "ok hash a 1"};
    assert_limits(KEYS, EXPECTED, G_N_ELEMENTS(KEYS), FALSE);
    rp_records_reset(&records, 0);
    assert_limits(KEYS, EXPECTED, 9, TRUE);
    rp_records_reset(&records, 0);
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("exact"));
    receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("exact"));
    cr_assert(rp_records_get(&records, 0)->outcome == RP_READ_OK, "the limit itself is allowed");
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("string"));
    receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("string"));
    RpSpan value;
    cr_assert(rp_records_get(&records, 1)->outcome == RP_READ_WRONG_TYPE);
    cr_assert(rp_records_values(&records, 1, &value, 1) == 1 && value.size == LIMIT,
              "a string of another type is kept in part");
}

Test(fetch, answers_come_in_order_over_many_commands) {
    for (guint i = 0; i < 100; i++)
        command("HSET k%u n %u", i, i);
    RpKeyPage page;
    rp_key_page_init(&page);
    guint n_sent = 0;
    for (guint round = 0; round < 120;
         round++) { /* more commands than are remembered at once, one always open */
        for (guint i = 0; i < 100; i++, n_sent++) {
            g_autofree char *key = g_strdup_printf("k%u", i);
            ask(RP_RECORD_HASH, FALSE, rp_span(key));
        }
        rp_fetch_send_scan(fetch, 0, "k*", 10);
        if (round > 0)
            cr_assert(rp_fetch_receive_page(fetch, &page, NULL) && rp_key_page_size(&page) > 0);
        rp_records_reset(&records, 1 << 20);
        for (guint i = 0; i < 100; i++) {
            g_autofree char *key = g_strdup_printf("k%u", i);
            g_autofree char *expected = g_strdup_printf("ok hash n %u", i);
            receive(RP_RECORD_HASH, FALSE, rp_span(key));
            assert_record(i, expected);
        }
    }
    cr_assert(rp_fetch_receive_page(fetch, &page, NULL));
    rp_key_page_clear(&page);
}

/* A run goes on when the user may not look at what is there in the place of a hash. */
Test(fetch, takes_a_wrong_type_without_its_value_where_that_is_forbidden) {
    command("SET s secret");
    command("ACL SETUSER reader on >x ~* +@all -getrange");
    g_autofree char *url = g_strdup_printf("unix://reader:x@%s?db=0", rp_sandbox_get_redis_socket(sandbox));
    g_autoptr(GError) error = NULL;
    g_autoptr(RpRedisAddress) as_reader = rp_redis_address_parse(url, &error);
    rp_fetch_free(fetch);
    fetch = rp_fetch_new(as_reader, &(RpPatience){LIMIT, 60, 0, &is_cancelled, NULL}, &error);
    cr_assert(fetch != NULL, "%s", error != NULL ? error->message : "");
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("s"));
    receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("s"));
    assert_record(0, "wrong_type string");
    g_clear_pointer(&fetch, rp_fetch_free);
}

/* Redis closes connections that are idle for longer than its setting `timeout`, also those whose last answers
 * wait to be taken. */
Test(fetch, goes_on_when_an_idle_connection_was_closed) {
    command("HSET h a 1");
    command("SET s v");
    command("CONFIG SET timeout 1");
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("s")); /* has a side question asked */
    receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("s"));
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("h"));
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("gone"));
    cr_assert(rp_fetch_flush(fetch, NULL));
    g_usleep(3500000);
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("h"));
    receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("h"));
    receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("gone"));
    receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("h"));
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("s"));
    receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("s"));
    assert_record(0, "wrong_type string v");
    assert_record(1, "ok hash a 1");
    assert_record(2, "vanished hash");
    assert_record(3, "ok hash a 1");
    assert_record(4, "wrong_type string v");
}

static gpointer cancel_soon(gpointer flag) {
    g_usleep(100000);
    g_atomic_int_set((gint *)flag, TRUE);
    return NULL;
}

Test(fetch, stops_waiting_when_it_is_cancelled) {
    kill(rp_sandbox_get_redis_pid(sandbox), SIGSTOP);
    GThread *thread = g_thread_new("cancel", cancel_soon, &is_cancelled);
    g_autoptr(GError) error = NULL;
    const gint64 begin = g_get_monotonic_time();
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("k"));
    const gboolean is_read = try_receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("k"), &error);
    kill(rp_sandbox_get_redis_pid(sandbox), SIGCONT);
    g_thread_join(thread);
    cr_assert(!is_read && g_error_matches(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED));
    cr_assert(g_get_monotonic_time() - begin < 30 * G_USEC_PER_SEC);
}

Test(fetch, says_when_redis_is_gone) {
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    kill(rp_sandbox_get_redis_pid(sandbox), SIGKILL);
    g_autoptr(GError) error = NULL;
    ask(RP_RECORD_HASH, FALSE, RP_SPAN_OF("k"));
    cr_assert(!try_receive(RP_RECORD_HASH, FALSE, RP_SPAN_OF("k"), &error));
    cr_assert(error->domain == RP_SOURCE_ERROR, "%s", error->message);
}
