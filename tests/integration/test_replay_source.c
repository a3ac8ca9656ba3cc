/* Replaying rejects with their keys as they are in Redis now; and very many. */
#include "replaying.h"

#define HEAD "redis2pg: 1\nentities:\n  items:\n    keys: \"items:{id}\"\n    table: items\n"
#define HASH HEAD "    type: hash\n    key: [id]\n    columns: {id: $key.id, v: v}\n"
#define LIST HEAD "    type: list\n    key: [id, n]\n    columns: {id: $key.id, n: $index, v: $value}\n"

static void load(RpCase *test_case, const char *text, const char *account) {
    char *mapping = rp_file_write(text);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", mapping, NULL);
    rp_assert_account(run, "items", account);
    rp_file_drop(mapping);
}

static void replay_items(RpCase *test_case, int status, const char *text, const char *account,
                         const char *option, const char *value) {
    char *mapping = rp_file_write(text);
    g_autoptr(json_t) run = replay(test_case, status, mapping, "--from-source", option, value);
    rp_assert_account(run, "items", account);
    rp_file_drop(mapping);
}

static const char SETTLED_SQL[] =
    "SELECT run, convert_from(key, 'UTF8'), element, code, resolved_by, replaced_by FROM redis2pg.rejects"
    " ORDER BY run, key, element";

Test(replay_source, reads_keys_as_they_are_now) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, v int)");
    rp_case_redis(
        test_case, "EVAL %s 0",
        "for _, id in ipairs({'a', 'b', 'c', 'd', 'e'}) do redis.call('HSET', 'items:' .. id, 'v', 'x') end");
    load(test_case, HASH, "read 5, rejected 5");
    rp_case_redis(test_case, "HSET items:a v 1"); /* mended */
    rp_case_redis(test_case, "DEL items:b");      /* gone */
    rp_case_redis(test_case, "SET items:c 1");    /* of another type: a DEL is implied */
    rp_case_redis(test_case, "HSET items:new v 9");
    replay_items(test_case, 1, HASH, "read 5, inserted 1, rejected 3, vanished 1", NULL, NULL);
    rp_case_assert_rows(test_case, "SELECT * FROM items", "a|1");
    rp_case_assert_rows(test_case, SETTLED_SQL,
                        "1|items:a|null|invalid_integer|2|null\n1|items:b|null|invalid_integer|2|null\n"
                        "1|items:c|null|invalid_integer|null|2\n1|items:d|null|invalid_integer|null|2\n"
                        "1|items:e|null|invalid_integer|null|2\n2|items:c|null|wrong_type|null|null\n"
                        "2|items:d|null|invalid_integer|null|null\n2|items:e|null|invalid_integer|null|null");
    rp_case_assert_rows(
        test_case, "SELECT count(*), count(*) FILTER (WHERE source_run_id <> '') FROM redis2pg.runs", "2|2");
}

/* All of the key goes through: of what passed before, nothing is written anew. */
Test(replay_source, reads_collections_whole) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text, n int, v int, PRIMARY KEY (id, n))");
    rp_case_redis(test_case, "RPUSH items:a 0 x 2 y");
    rp_case_redis(test_case, "RPUSH items:b x 1");
    load(test_case, LIST, "read 6, inserted 3, rejected 3");
    rp_case_redis(test_case, "LSET items:a 1 1");
    rp_case_redis(test_case, "LSET items:b 0 0");
    replay_items(test_case, 1, LIST, "read 6, inserted 2, unchanged 3, rejected 1", NULL, NULL);
    rp_case_assert_rows(test_case, SETTLED_SQL,
                        "1|items:a|1|invalid_integer|null|2\n1|items:a|3|invalid_integer|null|2\n"
                        "1|items:b|0|invalid_integer|2|null\n2|items:a|3|invalid_integer|null|null");
}

/* A key that fills several batches is settled when all of them are committed, by any of its elements. */
static void settle_late(const char *first, const char *last, int status, const char *account,
                        const char *settled) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text, n int, v int, PRIMARY KEY (id, n))");
    rp_case_redis(test_case, "EVAL %s 1 items:a", "for i = 0, 999 do redis.call('RPUSH', KEYS[1], i) end");
    rp_case_redis(test_case, "LSET items:a 0 x");
    rp_case_redis(test_case, "LSET items:a 999 x");
    rp_case_redis(test_case, "RPUSH items:b x");
    load(test_case, LIST, "read 1001, inserted 998, rejected 3");
    rp_case_redis(test_case, "LSET items:a 0 %s", first);
    rp_case_redis(test_case, "LSET items:a 999 %s", last);
    replay_items(test_case, status, LIST, account, "--batch-rows", "100");
    rp_case_assert_rows(test_case,
                        "SELECT convert_from(key, 'UTF8'), element, resolved_by, replaced_by FROM "
                        "redis2pg.rejects WHERE run = 1 ORDER BY key, element::int",
                        settled);
    rp_case_assert_rows(test_case,
                        "SELECT count(*) > 1, sum(keys_scanned) FROM redis2pg.batches WHERE run = 2", "t|2");
}

Test(replay_source, settles_a_key_of_many_batches) {
    settle_late("0", "999", 1, "read 1001, inserted 2, unchanged 998, rejected 1",
                "items:a|0|2|null\nitems:a|999|2|null\nitems:b|0|null|2");
    settle_late("0", "y", 1, "read 1001, inserted 1, unchanged 998, rejected 2",
                "items:a|0|null|2\nitems:a|999|null|2\nitems:b|0|null|2");
    settle_late("y", "999", 1, "read 1001, inserted 1, unchanged 998, rejected 2",
                "items:a|0|null|2\nitems:a|999|null|2\nitems:b|0|null|2");
}

/* More keys than are asked for at once, and than a page of the list has. */
Test(replay_source, reads_many_keys) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, v int)");
    rp_case_redis(test_case, "EVAL %s 0",
                  "for i = 1, 2345 do redis.call('HSET', 'items:' .. i, 'v', 'x') end");
    load(test_case, HASH, "read 2345, rejected 2345");
    rp_case_redis(test_case, "EVAL %s 0", "for i = 1, 2345 do redis.call('HSET', 'items:' .. i, 'v', i) end");
    replay_items(test_case, 0, HASH, "read 2345, inserted 2345", "--batch-rows", "77");
    rp_case_assert_rows(test_case, "SELECT count(*), count(DISTINCT v) FROM items WHERE id = v::text",
                        "2345|2345");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects WHERE resolved_by IS NULL", "0");
}

Test(replay_source, mends_what_was_not_kept) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, v int)");
    rp_case_redis(test_case, "HSET items:a v x");
    load(test_case, HASH, "read 1, rejected 1");
    rp_case_sql(test_case, "UPDATE redis2pg.rejects SET raw = '', code = 'too_large'");
    rp_case_redis(test_case, "HSET items:a v 1");
    replay_items(test_case, 0, HASH, "read 1, inserted 1", NULL, NULL);
}

Test(replay_source, needs_the_redis_that_it_was) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(HASH);
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, v int)");
    rp_case_redis(test_case, "HSET items:a v x");
    load(test_case, HASH, "read 1, rejected 1");
    g_auto(RpOutcome) down = {0}, other = {0};
    rp_case_run(test_case, &down, "rejects", "replay", "--from-source", "--mapping", mapping, "--redis",
                "redis://127.0.0.1:1/0", NULL);
    rp_outcome_assert_status(&down, 3);
    rp_case_sql(test_case, "UPDATE redis2pg.runs SET source = 'elsewhere:1 db 0'");
    rp_case_run(test_case, &other, "rejects", "replay", "--from-source", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&other, 1);
    rp_assert_says(other.errors, "1 of another Redis");
    rp_case_assert_rows(test_case, "SELECT count(*), count(replaced_by) FROM redis2pg.rejects", "1|0");
    rp_file_drop(mapping);
}

/* A hundred thousand rejects, in bounded memory; the lists of them are PostgreSQL's. */
Test(replay_source, of_very_many_rejects_takes_bounded_memory) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE UNLOGGED TABLE items (id text PRIMARY KEY, v int)");
    rp_case_redis(test_case, "EVAL %s 0",
                  "for i = 1, 100000 do redis.call('HSET', 'items:' .. i, 'v', 'x' .. i, 'other', "
                  "string.rep('o', 200)) end");
    load(test_case, HASH, "read 100000, rejected 100000");
    rp_case_sql(test_case, "ALTER TABLE items ALTER v TYPE text");
    char *mapping = rp_file_write(HASH);
    const gint64 start = g_get_monotonic_time();
    g_autoptr(json_t) run = replay(test_case, 0, mapping, NULL, NULL, NULL);
    cr_log_info("%.1f s", (double)(g_get_monotonic_time() - start) / 1e6);
    rp_assert_account(run, "items", "read 100000, inserted 100000");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects WHERE resolved_by = 2", "100000");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM items WHERE v = 'x' || id", "100000");
    rp_file_drop(mapping);
    rp_assert_peak_below(120);
}
