/* Keys that come in windows, from a private Redis: every element once, whatever its size. */
#define LIMIT (64 * 1024)
/* More than the channel waits for: the connection is dropped and opened again. */
#define HUGE_BYTES (LIMIT + 3 * 64 * 1024)

#include "fetching.h"

#include <string.h>

TestSuite(windows, .init = start, .fini = stop, .timeout = 150);

/* Reads a key to its end, window after window; gives how many windows it took. */
static guint read_all(const RpRead *read, guint count, gboolean is_partial, RpSpan key) {
    RpWindow window = {.count = count, .is_partial = is_partial};
    gboolean is_complete = FALSE;
    guint n_windows = 0;
    rp_records_reset(&records, 1 << 20);
    while (!is_complete) {
        g_autoptr(GError) error = NULL;
        rp_fetch_send_read(fetch, read, &window, key);
        cr_assert(rp_fetch_receive_read(fetch, read, &window, key, &records, &is_complete, &error), "%s",
                  error != NULL ? error->message : "");
        cr_assert(window.count > 0 && n_windows++ < 10000);
    }
    return n_windows;
}

static guint read_type(RpRecordType type, guint count, const char *key) {
    const RpRead read = {.entity = 3, .type = type};
    return read_all(&read, count, FALSE, rp_span(key));
}

/* "value score" or "id name value …" of a record; "too_large" and the like for one that is not there. */
static char *shown(guint position) {
    static const char *const OUTCOMES[] = {"ok", "vanished", "wrong_type", "too_large"};
    const RpRecord *record = rp_records_get(&records, position);
    RpSpan values[64];
    const guint32 n_values = rp_records_values(&records, position, values, G_N_ELEMENTS(values));
    GString *text = g_string_new(NULL);
    cr_assert(record->entity == 3);
    if (record->outcome != RP_READ_OK) {
        cr_assert(n_values == 0);
        g_string_append_printf(text, "%s", OUTCOMES[record->outcome]);
    }
    for (guint32 i = 0; i < n_values; i++)
        g_string_append_printf(text, "%s%.*s", i > 0 ? " " : "", (int)MIN(values[i].size, 60),
                               values[i].data);
    return g_string_free(text, FALSE);
}

static gint compare_texts(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All records, joined with '|'; sorted when Redis has no order of its own. */
static void assert_records(gboolean is_sorted, const char *expected) {
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < records.index->len; i++)
        g_ptr_array_add(texts, shown(i));
    if (is_sorted)
        g_ptr_array_sort(texts, compare_texts);
    g_ptr_array_add(texts, NULL);
    g_autofree char *got = g_strjoinv("|", (char **)texts->pdata);
    cr_assert(strcmp(got, expected) == 0, "%s, not %s", got, expected);
}

/* ---- many elements ---- */

Test(windows, a_list_comes_with_every_index) {
    for (guint i = 0; i < 250; i++)
        command("RPUSH l v%u", i);
    static const struct {
        guint count, n_windows;
    } CASES[] = {{100, 3}, {250, 2}, {249, 2}, {251, 1}, {1, 251}, {125, 3}, {10000, 1}};
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        cr_assert(read_type(RP_RECORD_LIST, CASES[i].count, "l") == CASES[i].n_windows, "by %u",
                  CASES[i].count);
        cr_assert(records.index->len == 250, "%u by %u", records.index->len, CASES[i].count);
        for (guint j = 0; j < 250; j++) {
            g_autofree char *text = shown(j);
            g_autofree char *expected = g_strdup_printf("v%u", j);
            cr_assert(rp_records_get(&records, j)->index == j && strcmp(text, expected) == 0, "%s at %u",
                      text, j);
        }
    }
}

static void assert_members(RpRecordType type, guint n_members) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < records.index->len; i++) {
        char *text = shown(i);
        guint number, score;
        cr_assert(type == RP_RECORD_SET
                      ? sscanf(text, "member-%u", &number) == 1
                      : sscanf(text, "member-%u %u", &number, &score) == 2 && score == 2 * number,
                  "%s", text);
        cr_assert(rp_records_get(&records, i)->index == -1);
        g_hash_table_add(seen, text);
    }
    cr_assert(g_hash_table_size(seen) == n_members && records.index->len == n_members, "%u of %u",
              records.index->len, n_members);
}

Test(windows, sets_and_sorted_sets_come_whole) {
    for (guint i = 0; i < 3000; i++) {
        command("SADD s member-%u", i);
        command("ZADD z %u member-%u", 2 * i, i);
    }
    cr_assert(read_type(RP_RECORD_SET, 100, "s") > 20);
    assert_members(RP_RECORD_SET, 3000);
    cr_assert(read_type(RP_RECORD_ZSET, 100, "z") > 20);
    assert_members(RP_RECORD_ZSET, 3000);
}

/* Small ones have an encoding that SSCAN gives at once, whatever COUNT says. */
Test(windows, small_sets_come_at_once) {
    command("SADD numbers 3 1 2");
    command("SADD words b a");
    command("ZADD z 1 a 2 b");
    cr_assert(read_type(RP_RECORD_SET, 1, "numbers") == 1);
    assert_records(TRUE, "1|2|3");
    read_type(RP_RECORD_SET, 1, "words"); /* before Redis 7.2 they have a table */
    assert_records(TRUE, "a|b");
    cr_assert(read_type(RP_RECORD_ZSET, 1, "z") == 1);
    assert_records(TRUE, "a 1|b 2");
}

Test(windows, scores_come_as_redis_writes_them) {
    command("ZADD z 1 a 1.5 b -0.1 c +inf d -inf e 1e300 f 3.0000000000000004 g 17179869184 h 0 i");
    read_type(RP_RECORD_ZSET, 100, "z");
    assert_records(
        TRUE,
        "a 1|b 1.5|c -0.10000000000000001|d inf|e -inf|f 1.0000000000000001e+300|g 3.0000000000000004|h "
        "17179869184|i 0");
}

/* ---- streams ---- */

Test(windows, a_stream_comes_entry_after_entry) {
    for (guint i = 0; i < 25; i++)
        command("XADD x %u-%u n %u", 1000 + i / 10, 1 + i % 10, i);
    static const guint COUNTS[] = {1, 5, 7, 24, 25, 26};
    for (guint i = 0; i < G_N_ELEMENTS(COUNTS); i++) {
        cr_assert(read_type(RP_RECORD_STREAM, COUNTS[i], "x") == 25 / COUNTS[i] + 1, "by %u", COUNTS[i]);
        cr_assert(records.index->len == 25, "%u by %u", records.index->len, COUNTS[i]);
        for (guint j = 0; j < 25; j++) {
            g_autofree char *text = shown(j);
            g_autofree char *expected = g_strdup_printf("%u-%u n %u", 1000 + j / 10, 1 + j % 10, j);
            cr_assert(strcmp(text, expected) == 0, "%s, not %s", text, expected);
        }
    }
}

/* The next start is one sequence number on, or one millisecond when there is none. */
Test(windows, a_stream_goes_on_after_the_largest_ids) {
    command("XADD x 5-18446744073709551614 a 1");
    command("XADD x 5-18446744073709551615 a 2");
    command("XADD x 6-0 a 3");
    command("XADD x 18446744073709551615-18446744073709551615 a 4");
    read_type(RP_RECORD_STREAM, 1, "x");
    assert_records(FALSE,
                   "5-18446744073709551614 a 1|5-18446744073709551615 a 2|6-0 a 3|18446744073709551615-"
                   "18446744073709551615 a 4");
}

Test(windows, a_streams_entries_have_fields_of_their_own) {
    command("XADD x 1-1 a 1 a 2 b 3");
    command("XADD x 1-2 %b %b", "", (size_t)0, "", (size_t)0);
    command("XADD x 2-0 c 4");
    command("XDEL x 1-1");
    command("XGROUP CREATE x group 0");
    read_type(RP_RECORD_STREAM, 100, "x");
    assert_records(FALSE, "1-2  |2-0 c 4");
}

Test(windows, an_empty_stream_gives_nothing_and_is_not_gone) {
    command("XADD x 1-1 a 1");
    command("XDEL x 1-1");
    command("XGROUP CREATE y group $ MKSTREAM");
    read_type(RP_RECORD_STREAM, 100, "x");
    assert_records(FALSE, "");
    read_type(RP_RECORD_STREAM, 1, "y");
    assert_records(FALSE, "");
}

/* ---- what is not there ---- */

Test(windows, keys_that_are_gone_or_of_another_type) {
    static const RpRecordType TYPES[] = {RP_RECORD_LIST, RP_RECORD_SET, RP_RECORD_ZSET, RP_RECORD_STREAM};
    command("HSET h a 1");
    command("SET s text");
    for (guint i = 0; i < G_N_ELEMENTS(TYPES); i++) {
        read_type(TYPES[i], 100, "gone");
        assert_records(FALSE, "vanished");
        cr_assert(rp_records_get(&records, 0)->type == TYPES[i]);
        read_type(TYPES[i], 100, "h");
        assert_records(FALSE, "wrong_type");
        cr_assert(rp_records_get(&records, 0)->type == RP_RECORD_HASH);
        read_type(TYPES[i], 100, "s");
        const RpRecord *record = rp_records_get(&records, 0);
        cr_assert(record->outcome == RP_READ_WRONG_TYPE && record->type == RP_RECORD_STRING &&
                      record->n_values == 1,
                  "the value of a string is kept");
    }
}

/* ---- too large ---- */

static char *filled(gsize size_bytes, char with) {
    return g_strnfill(size_bytes, with);
}

/* 40 elements of 10 KB: 400 KB together, of which 64 KB come at a time. */
Test(windows, windows_that_are_too_large_come_in_smaller_ones) {
    g_autofree char *value = filled(10000, 'x');
    for (guint i = 0; i < 40; i++) {
        command("RPUSH l %u%s", i, value);
        command("SADD s %u%s", i, value);
        command("ZADD z %u %u%s", i, i, value);
        command("XADD x %u-0 a %s", i + 1, value);
    }
    static const RpRecordType TYPES[] = {RP_RECORD_LIST, RP_RECORD_SET, RP_RECORD_ZSET, RP_RECORD_STREAM};
    static const char *const KEYS[] = {"l", "s", "z", "x"};
    for (guint i = 0; i < G_N_ELEMENTS(TYPES); i++) {
        cr_assert(read_type(TYPES[i], 100, KEYS[i]) > 6);
        cr_assert(records.index->len == 40, "%u of a %s", records.index->len, rp_record_type_name(TYPES[i]));
        for (guint j = 0; j < 40; j++) {
            cr_assert(rp_records_get(&records, j)->outcome == RP_READ_OK);
            cr_assert(TYPES[i] != RP_RECORD_LIST || rp_records_get(&records, j)->index == j);
        }
    }
}

/* Redis gives what stands in one bucket of a set's table at once: when the connection is dropped over one of
 * them, those that come after it are given up too. */
static void assert_bucket_at_most(RpRecordType type, const char *key) {
    guint n_too_large = 0;
    read_type(type, 100, key);
    for (guint i = 0; i < records.index->len; i++)
        n_too_large += rp_records_get(&records, i)->outcome == RP_READ_TOO_LARGE;
    cr_assert(records.index->len == 3 && n_too_large >= 1, "%u of %u", n_too_large, records.index->len);
}

/* Elements a, LARGE, b: whether the large one is only refused or its connection dropped. */
static void assert_neighbours_come(gsize size_bytes) {
    g_autofree char *large = filled(size_bytes, 'x');
    command("FLUSHALL");
    command("RPUSH l a %s b", large);
    command("RPUSH last a %s", large);
    command("RPUSH only %s", large);
    command("SADD s a %s b", large);
    command("ZADD z 1 a 2 %s 3 b", large);
    command("XADD x 1-0 n a");
    command("XADD x 2-0 n %s", large);
    command("XADD x 2-1 %s n", large);
    command("XADD x 3-0 n b");
    read_type(RP_RECORD_LIST, 100, "l");
    assert_records(FALSE, "a|too_large|b");
    cr_assert(rp_records_get(&records, 1)->index == 1 && rp_records_get(&records, 2)->index == 2);
    read_type(RP_RECORD_LIST, 100, "last");
    assert_records(FALSE, "a|too_large");
    cr_assert(rp_records_get(&records, 1)->index == 1);
    read_type(RP_RECORD_LIST, 100, "only");
    assert_records(FALSE, "too_large");
    cr_assert(rp_records_get(&records, 0)->index == 0);
    assert_bucket_at_most(RP_RECORD_SET, "s");
    assert_bucket_at_most(RP_RECORD_ZSET, "z");
    read_type(RP_RECORD_STREAM, 100, "x");
    assert_records(FALSE, "1-0 n a|too_large|too_large|3-0 n b");
}

Test(windows, an_element_over_the_limit_leaves_its_neighbours_alone) {
    assert_neighbours_come(LIMIT + 1);
    read_type(RP_RECORD_SET, 100, "s");
    assert_records(TRUE, "a|b|too_large");
    read_type(RP_RECORD_ZSET, 100, "z");
    assert_records(TRUE, "a 1|b 3|too_large");
}

Test(windows, an_element_that_is_not_waited_for_leaves_its_neighbours_alone) {
    assert_neighbours_come(HUGE_BYTES);
}

Test(windows, an_element_at_the_limit_comes) {
    g_autofree char *exact = filled(LIMIT, 'x');
    command("RPUSH l a %s b", exact);
    read_type(RP_RECORD_LIST, 100, "l");
    cr_assert(records.index->len == 3 && rp_records_get(&records, 1)->outcome == RP_READ_OK);
}

/* Other keys that were asked for before and after are answered in their order. */
Test(windows, what_was_asked_for_after_a_dropped_connection_comes) {
    g_autofree char *large = filled(HUGE_BYTES, 'x');
    command("RPUSH l a %s", large);
    command("RPUSH m 1 2");
    const RpRead read = {.entity = 3, .type = RP_RECORD_LIST, .has_ttl = TRUE};
    RpWindow first = {.count = 100}, second = {.count = 100};
    gboolean is_complete;
    rp_fetch_send_read(fetch, &read, &first, RP_SPAN_OF("l"));
    rp_fetch_send_read(fetch, &read, &second, RP_SPAN_OF("m"));
    cr_assert(rp_fetch_receive_read(fetch, &read, &first, RP_SPAN_OF("l"), &records, &is_complete, NULL));
    cr_assert(!is_complete && first.count == 50 && first.n_before == 0 && records.index->len == 0);
    cr_assert(rp_fetch_receive_read(fetch, &read, &second, RP_SPAN_OF("m"), &records, &is_complete, NULL) &&
              is_complete);
    assert_records(FALSE, "1|2");
}

/* ---- big hashes ---- */

/* names NULL: none. */
static GPtrArray *names_of(const char *names) {
    GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) words = g_strsplit(names != NULL ? names : "", " ", -1);
    for (char **word = words; *word != NULL; word++)
        g_ptr_array_add(fields, g_strdup(*word));
    return fields;
}

static void assert_partial(const char *key, const char *names, const char *expected) {
    g_autoptr(GPtrArray) fields = names_of(names);
    const RpRead read = {.entity = 3, .type = RP_RECORD_HASH, .fields = fields};
    cr_assert(read_all(&read, 100, TRUE, rp_span(key)) == 1);
    assert_records(FALSE, expected);
}

Test(windows, only_the_fields_that_matter_are_read_of_a_big_hash) {
    g_autofree char *large = filled(LIMIT + 1, 'x');
    command("HSET h a 1 b 2 c 3 %b 4", "", (size_t)0);
    command("HSET big other %s a 1", large);
    command("SET s x");
    assert_partial("h", "c a", "c 3 a 1");
    assert_partial("h", "a none b", "a 1 b 2");
    assert_partial("h", "none neither", "");
    cr_assert(rp_records_get(&records, 0)->outcome == RP_READ_OK, "it is there, without the fields");
    assert_partial("gone", "a b", "vanished");
    assert_partial("big", "a", "a 1");
    assert_partial("big", "a other", "too_large");
    assert_partial("h", "b", "b 2");
    assert_partial("h", NULL, ""); /* of any name, also the empty one */
    assert_partial("gone", NULL, "vanished");
    g_autoptr(GPtrArray) fields = names_of("a");
    const RpRead read = {.entity = 3, .type = RP_RECORD_HASH, .fields = fields};
    read_all(&read, 100, TRUE, RP_SPAN_OF("s"));
    cr_assert(rp_records_get(&records, 0)->outcome == RP_READ_WRONG_TYPE);
}

/* Of 999 fields all come at once; of one more it is only said that the hash is big. */
Test(windows, a_big_hash_is_told_by_its_first_answer) {
    g_autoptr(GPtrArray) fields = names_of("f7 none");
    const RpRead read = {.entity = 3, .type = RP_RECORD_HASH, .fields = fields};
    for (guint i = 0; i < RP_BIG_HASH_FIELDS - 1; i++)
        command("HSET h f%u v%u", i, i);
    static const gint never = 0;
    g_autoptr(RpFetch) wide =
        rp_fetch_new(address, &(RpPatience){64 * 1024 * 1024, 60, 0, &never, NULL}, NULL);
    RpWindow window = {.count = 1};
    gboolean is_complete;
    rp_fetch_send_read(wide, &read, &window, RP_SPAN_OF("h"));
    cr_assert(rp_fetch_receive_read(wide, &read, &window, RP_SPAN_OF("h"), &records, &is_complete, NULL));
    cr_assert(is_complete && rp_records_get(&records, 0)->n_values == 2 * (RP_BIG_HASH_FIELDS - 1));
    command("HSET h more x");
    rp_records_reset(&records, 0);
    rp_fetch_send_read(wide, &read, &window, RP_SPAN_OF("h"));
    cr_assert(rp_fetch_receive_read(wide, &read, &window, RP_SPAN_OF("h"), &records, &is_complete, NULL));
    cr_assert(!is_complete && window.is_partial && records.index->len == 0);
    rp_fetch_send_read(wide, &read, &window, RP_SPAN_OF("h"));
    cr_assert(rp_fetch_receive_read(wide, &read, &window, RP_SPAN_OF("h"), &records, &is_complete, NULL));
    cr_assert(is_complete && rp_records_get(&records, 0)->n_values == 2);
}

/* ---- times ---- */

Test(windows, times_of_expiry_are_those_of_redis) {
    static const RpRecordType TYPES[] = {RP_RECORD_LIST, RP_RECORD_STRING, RP_RECORD_HASH};
    static const char *const KEYS[] = {"l", "s", "h"};
    command("RPUSH l a b");
    command("SET s x");
    command("HSET h a 1");
    for (guint i = 0; i < G_N_ELEMENTS(TYPES); i++) {
        g_autoptr(GPtrArray) fields = names_of("a");
        const RpRead read = {
            .entity = 3, .type = TYPES[i], .has_ttl = TRUE, .has_expiry = TRUE, .fields = fields};
        read_all(&read, 100, FALSE, rp_span(KEYS[i]));
        cr_assert(rp_records_get(&records, 0)->ttl_ms == -1 &&
                  rp_records_get(&records, 0)->expires_at_ms == -1);
        command("PEXPIREAT %s 4102444800123", KEYS[i]);
        read_all(&read, 1, FALSE, rp_span(KEYS[i]));
        for (guint j = 0; j < records.index->len; j++) {
            const RpRecord *record = rp_records_get(&records, j);
            cr_assert(record->expires_at_ms == G_GINT64_CONSTANT(4102444800123) && record->ttl_ms > 0);
        }
        cr_assert(records.index->len == (TYPES[i] == RP_RECORD_LIST ? 2 : 1));
    }
}

/* Reads the expiry of s over a connection of its own. */
static gboolean read_expiry(const char *url, RpRecord *head, GError **error) {
    g_autoptr(RpRedisAddress) own_address = rp_redis_address_parse(url, error);
    g_autoptr(RpFetch) own_fetch =
        rp_fetch_new(own_address, &(RpPatience){LIMIT, 60, 0, &is_cancelled, NULL}, error);
    const RpRead read = {.entity = 3, .type = RP_RECORD_STRING, .has_ttl = TRUE, .has_expiry = TRUE};
    RpWindow window = {.count = 1};
    gboolean is_complete;
    rp_fetch_send_read(own_fetch, &read, &window, RP_SPAN_OF("s"));
    if (!rp_fetch_receive_read(own_fetch, &read, &window, RP_SPAN_OF("s"), &records, &is_complete, error))
        return FALSE;
    *head = *rp_records_get(&records, 0);
    return TRUE;
}

/* Redis before 7.0 does not know PEXPIRETIME. */
Test(windows, without_pexpiretime_the_time_to_live_serves) {
    static const char *const SETTINGS[] = {"rename-command=PEXPIRETIME gone", NULL};
    const RpSandboxOptions options = {
        .is_without_postgres = TRUE, .redis_databases = 2, .extra_redis_settings = SETTINGS};
    g_autoptr(GError) error = NULL;
    RpRecord head;
    rp_sandbox_stop(sandbox);
    redisFree(redis);
    sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    g_autoptr(RpRedisAddress) own_address = rp_redis_address_parse(rp_sandbox_get_redis_url(sandbox), &error);
    redis = rp_redis_connect(own_address, 30, &error);
    command("SET s x PX 100000");
    const gint64 now_ms = g_get_real_time() / 1000;
    cr_assert(read_expiry(rp_sandbox_get_redis_url(sandbox), &head, &error), "%s",
              error != NULL ? error->message : "");
    cr_assert(ABS(head.expires_at_ms - now_ms - 100000) < 5000);
    command("PERSIST s");
    rp_records_reset(&records, 0);
    cr_assert(read_expiry(rp_sandbox_get_redis_url(sandbox), &head, &error) && head.expires_at_ms == -1);
}

/* One that knows it and forbids it is not taken for an old one. */
Test(windows, a_time_of_expiry_that_may_not_be_read_is_an_error) {
    g_autoptr(GError) error = NULL;
    RpRecord head;
    command("SET s x PX 100000");
    command("ACL SETUSER default -pexpiretime");
    cr_assert(!read_expiry(rp_sandbox_get_redis_url(sandbox), &head, &error));
    cr_assert(strstr(error->message, "pexpiretime") != NULL, "%s", error->message);
}
