/* Replaying rejects of every kind of key, and what cannot be replayed as it was kept. */
#include "replaying.h"

#define HEAD "redis2pg: 1\nentities:\n  items:\n    keys: \"items:{id}\"\n    table: items\n"

/* Loads a mapping whose rejects are expected. */
static void load(RpCase *test_case, const char *text, const char *account, const char *option,
                 const char *value) {
    char *mapping = rp_file_write(text);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", mapping, option, value, NULL);
    rp_assert_account(run, "items", account);
    rp_file_drop(mapping);
}

static void replay_items(RpCase *test_case, int status, const char *text, const char *account,
                         const char *option, const char *value) {
    char *mapping = rp_file_write(text);
    g_autoptr(json_t) run = replay(test_case, status, mapping, option, value, NULL);
    rp_assert_account(run, "items", account);
    rp_file_drop(mapping);
}

/* ---- elements ---- */

/* A table that takes numbers until it is mended. */
static RpCase *new_with_items(void) {
    RpCase *test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text, n text, v int, w text, PRIMARY KEY (id, n))");
    return test_case;
}

static void mend(RpCase *test_case) {
    rp_case_sql(test_case, "ALTER TABLE items ALTER v TYPE text");
}

static const char ROWS_SQL[] = "SELECT id, n, v, w FROM items ORDER BY id, n";
static const char OPEN_SQL[] =
    "SELECT count(*), count(resolved_by), count(replaced_by) FROM redis2pg.rejects";

#define COLUMNS(n, v, w) "    columns: {id: $key.id, n: " n ", v: " v ", w: " w "}\n"
#define LIST             HEAD "    type: list\n    key: [id, n]\n" COLUMNS("$index", "$value", "{const: l}")

Test(replay_kinds, elements_of_lists) {
    g_autoptr(RpCase) test_case = new_with_items();
    rp_case_redis(test_case, "RPUSH items:a 0 x 2 y");
    load(test_case, LIST, "read 4, inserted 2, rejected 2", NULL, NULL);
    mend(test_case);
    replay_items(test_case, 0, LIST, "read 2, inserted 2", NULL, NULL);
    rp_case_assert_rows(test_case, ROWS_SQL, "a|0|0|l\na|1|x|l\na|2|2|l\na|3|y|l");
    rp_case_assert_rows(test_case, OPEN_SQL, "2|2|0");
    rp_case_assert_rows(test_case, "SELECT keys_scanned, keys_mapped FROM redis2pg.batches WHERE run = 2",
                        "1|1");
}

#define SET HEAD "    type: set\n    key: [id, n]\n" COLUMNS("{const: \"1\"}", "$value", "$value")

Test(replay_kinds, members_of_sets) {
    g_autoptr(RpCase) test_case = new_with_items();
    rp_case_redis(test_case, "SADD items:a x");
    rp_case_redis(test_case, "SADD items:b 5");
    load(test_case, SET, "read 2, inserted 1, rejected 1", NULL, NULL);
    mend(test_case);
    replay_items(test_case, 0, SET, "read 1, inserted 1", NULL, NULL);
    rp_case_assert_rows(test_case, ROWS_SQL, "a|1|x|x\nb|1|5|5");
}

#define ZSET HEAD "    type: zset\n    key: [id, n]\n" COLUMNS("$value", "$score", "{const: z}")

Test(replay_kinds, members_of_sorted_sets) {
    g_autoptr(RpCase) test_case = new_with_items();
    rp_case_redis(test_case, "ZADD items:a 1.5 x 2 y");
    load(test_case, ZSET, "read 2, inserted 1, rejected 1", NULL, NULL);
    mend(test_case);
    replay_items(test_case, 0, ZSET, "read 1, inserted 1", NULL, NULL);
    rp_case_assert_rows(test_case, ROWS_SQL, "a|x|1.5|z\na|y|2|z");
}

#define STREAM HEAD "    type: stream\n    key: [id, n]\n" COLUMNS("$id", "a", "b")

Test(replay_kinds, entries_of_streams) {
    g_autoptr(RpCase) test_case = new_with_items();
    rp_case_redis(test_case, "XADD items:a 5-1 a 1 b one");
    rp_case_redis(test_case, "XADD items:a 5-2 a x b %b", "t\xc3\xbc", (size_t)3);
    load(test_case, STREAM, "read 2, inserted 1, rejected 1", NULL, NULL);
    mend(test_case);
    replay_items(test_case, 0, STREAM, "read 1, inserted 1", NULL, NULL);
    rp_case_assert_rows(test_case, ROWS_SQL, "a|5-1|1|one\na|5-2|x|tü");
}

#define EACH                                                                                                 \
    HEAD "    type: json\n    each: $value\n    key: [id, n]\n" COLUMNS("$index", "$element.v", "$element.w")

/* The array is replayed once, whole; each reject of it goes by its own element, over all portions. */
static void replay_array(const char *batch_rows) {
    g_autoptr(RpCase) test_case = new_with_items();
    rp_case_sql(test_case, "ALTER TABLE items ADD CHECK (n <> '5')");
    rp_case_redis(test_case, "SET items:a %s",
                  "[{\"v\":0},{\"v\":\"x\"},{\"v\":2},{\"v\":\"y\"},{\"v\":4},{\"v\":5},{\"v\":\"z\"}]");
    load(test_case, EACH, "read 7, inserted 3, rejected 4", "--batch-rows", batch_rows);
    mend(test_case);
    /* The filter names one; what is about the same record is settled with it. */
    char *mapping = rp_file_write(EACH);
    g_autoptr(json_t) run = replay(test_case, 1, mapping, "--code", "invalid_integer", NULL);
    rp_file_drop(mapping);
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), 1));
    rp_case_assert_rows(
        test_case, "SELECT element, resolved_by, replaced_by FROM redis2pg.rejects ORDER BY run, element",
        "1|2|null\n3|2|null\n5|null|2\n6|2|null\n5|null|null");
    rp_case_assert_rows(test_case, "SELECT string_agg(v, ' ' ORDER BY n) FROM items", "0 x 2 y 4 z");
}

Test(replay_kinds, elements_of_arrays) {
    replay_array("1000");
    replay_array("2");
    replay_array("1");
}

/* Killed between two portions of an array: nothing of it is settled, and it is replayed whole again. */
Test(replay_kinds, an_array_is_settled_with_its_last_portion) {
    g_autoptr(RpCase) test_case = new_with_items();
    g_auto(RpOutcome) out = {0};
    rp_case_redis(test_case, "SET items:a [{\"v\":\"x\"},{\"v\":1},{\"v\":\"y\"},{\"v\":2},{\"v\":\"z\"}]");
    load(test_case, EACH, "read 5, inserted 2, rejected 3", NULL, NULL);
    rp_case_sql(test_case, "ALTER TABLE items ALTER v TYPE text; ALTER TABLE items ADD CHECK (v <> 'x')");
    char *mapping = rp_file_write(EACH);
    g_setenv("REDIS2PG_FAULT", "kill:before_commit:2", TRUE);
    rp_case_run(test_case, &out, "rejects", "replay", "--mapping", mapping, "--batch-rows", "2", NULL);
    g_unsetenv("REDIS2PG_FAULT");
    rp_outcome_assert_status(&out, 137);
    rp_case_assert_rows(test_case, OPEN_SQL, "4|0|0");
    g_autoptr(json_t) run = replay(test_case, 1, mapping, "--batch-rows", "2", NULL);
    rp_file_drop(mapping);
    rp_case_assert_rows(test_case,
                        "SELECT run, element, resolved_by, replaced_by FROM redis2pg.rejects "
                        "ORDER BY run, element",
                        "1|0|null|3\n1|2|3|null\n1|4|3|null\n2|0|null|3\n3|0|null|null");
    rp_case_assert_rows(test_case, "SELECT string_agg(v, ' ' ORDER BY n) FROM items", "1 y 2 z");
}

/* ---- hashes ---- */

#define HASH(more) HEAD "    type: hash\n    key: [id]\n    columns:\n      id: $key.id\n" more

Test(replay_kinds, keys_and_values_of_any_bytes) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id bytea PRIMARY KEY, v text)");
    rp_case_redis(test_case, "HSET items:%b v %b", "\xff\xfe\r\n", (size_t)4, "a\xff\r\n$1\r\n", (size_t)8);
    load(test_case, HASH("      v: v\n"), "read 1, rejected 1", NULL, NULL);
    rp_case_sql(test_case, "ALTER TABLE items DROP v; ALTER TABLE items ADD v bytea");
    replay_items(test_case, 0, HASH("      v: v\n"), "read 1, inserted 1", NULL, NULL);
    rp_case_assert_rows(test_case, "SELECT encode(id, 'hex'), encode(v, 'hex') FROM items",
                        "fffe0d0a|61ff0d0a24310d0a");
}

/* What was found for a lookup comes later. */
Test(replay_kinds, a_lookup_that_finds_now) {
    static const char MAPPING[] =
        HASH("      owner: {lookup: {table: users, match: {mail: mail}, take: no}}\n");
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE users (no int, mail text UNIQUE);"
                           "CREATE TABLE items (id text PRIMARY KEY, owner int)");
    rp_case_redis(test_case, "HSET items:a mail a@b");
    rp_case_redis(test_case, "HSET items:b mail c@d");
    load(test_case, MAPPING, "read 2, rejected 2", NULL, NULL);
    rp_case_sql(test_case, "INSERT INTO users VALUES (7, 'a@b')");
    replay_items(test_case, 1, MAPPING, "read 2, inserted 1, rejected 1", NULL, NULL);
    rp_case_assert_rows(test_case, "SELECT * FROM items", "a|7");
    rp_case_assert_rows(test_case, OPEN_SQL, "3|1|1");
}

/* It ends when it would have ended, however late it is replayed. */
Test(replay_kinds, the_time_of_expiry_is_what_it_was) {
    static const char MAPPING[] = HASH("      v: v\n      t: $ttl_ms\n      e: $expires_at\n");
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, v int, t bigint, e timestamptz)");
    rp_case_redis(test_case, "HSET items:a v x");
    rp_case_redis(test_case, "PEXPIRE items:a 1000000");
    rp_case_redis(test_case, "HSET items:b v x");
    load(test_case, MAPPING, "read 2, rejected 2", NULL, NULL);
    rp_case_sql(test_case, "UPDATE redis2pg.rejects SET read_at = '2025-01-01 00:00Z';"
                           "ALTER TABLE items ALTER v TYPE text");
    replay_items(test_case, 0, MAPPING, "read 2, inserted 2", NULL, NULL);
    rp_case_assert_rows(test_case,
                        "SELECT id, t BETWEEN 900000 AND 1000000, e = '2025-01-01 00:00Z'::timestamptz + t * "
                        "interval '1 ms' FROM items ORDER BY id",
                        "a|t|t\nb|null|null");
}

/* ---- what stays open ---- */

/* Expects a warning that says so, and that nothing was settled. */
static void assert_left(RpCase *test_case, const char *text, const char *says) {
    char *mapping = rp_file_write(text);
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "replay", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.errors, says);
    rp_case_assert_rows(test_case, OPEN_SQL, "1|0|0");
    rp_file_drop(mapping);
}

static RpCase *new_with_reject(const char *mapping, const char *option, const char *value) {
    RpCase *test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, v int, w text, t bigint)");
    rp_case_redis(test_case, "HSET items:a v x w %s",
                  "a text that is somewhat longer than a kilobyte would be, were it repeated");
    load(test_case, mapping, "read 1, rejected 1", option, value);
    rp_case_sql(test_case, "ALTER TABLE items ALTER v TYPE text");
    return test_case;
}

Test(replay_kinds, what_was_not_kept_is_left) {
    g_autoptr(RpCase) test_case = new_with_reject(HASH("      v: v\n"), NULL, NULL);
    assert_left(test_case, HASH("      v: v\n      t: $ttl_ms\n"), "1 whose time to live was not kept");
    assert_left(
        test_case,
        "redis2pg: 1\nentities:\n  others:\n    keys: \"items:{id}\"\n    table: items\n    type: hash\n"
        "    key: [id]\n    columns: {id: $key.id, v: v}\n",
        "1 that the mapping has no entity for any more");
    assert_left(test_case,
                "redis2pg: 1\nentities:\n  items:\n    keys: \"elsewhere:{id}\"\n    table: items\n    type: "
                "hash\n    key: [id]\n    columns: {id: $key.id, v: v}\n",
                "1 that the mapping has no entity for any more");
    rp_case_sql(test_case, "UPDATE redis2pg.rejects SET raw = substr(raw, 1, 20)");
    assert_left(test_case, HASH("      v: v\n"), "1 whose record cannot be read");
    rp_case_sql(test_case, "UPDATE redis2pg.rejects SET raw = ''");
    assert_left(test_case, HASH("      v: v\n"), "1 whose record cannot be read");
}

Test(replay_kinds, a_record_of_another_key_is_damaged) {
    g_autoptr(RpCase) test_case = new_with_reject(HASH("      v: v\n"), NULL, NULL);
    rp_case_sql(test_case, "UPDATE redis2pg.rejects SET key = 'items:b'");
    assert_left(test_case, HASH("      v: v\n"), "1 whose record cannot be read");
}

Test(replay_kinds, what_was_too_large_is_left) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *large = g_strnfill(2000, 'x');
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, v text)");
    rp_case_redis(test_case, "HSET items:a v %s", large);
    load(test_case, HASH("      v: v\n"), "read 1, rejected 1", "--max-value-bytes", "1024");
    assert_left(test_case, HASH("      v: v\n"), "1 whose values were not kept whole");
    rp_case_sql(test_case, "UPDATE redis2pg.rejects SET code = 'not_null'"); /* nor are they there */
    assert_left(test_case, HASH("      v: v\n"), "1 whose values were not kept whole");
}

/* A string where a hash is expected is kept as far as it may be large. */
Test(replay_kinds, what_was_of_another_type_is_replayed_when_it_is_whole) {
    static const char AS_STRING[] =
        HEAD "    type: string\n    key: [id]\n    columns: {id: $key.id, v: $value}\n";
    static const char AS_LIST[] =
        HEAD "    type: list\n    key: [id]\n    columns: {id: $key.id, v: $value}\n";
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *large = g_strnfill(2000, 'x');
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, v text)");
    rp_case_redis(test_case, "SET items:a %s", large);
    load(test_case, HASH("      v: v\n"), "read 1, rejected 1", "--max-value-bytes", "1024");
    assert_left(test_case, AS_STRING, "1 whose values were not kept whole");
    rp_case_redis(test_case, "SET items:a short");
    load(test_case, HASH("      v: v\n"), "read 1, rejected 1", "--max-value-bytes", "1024");
    replay_items(test_case, 1, HASH("      v: v\n"), "read 1, rejected 1", NULL, NULL);
    replay_items(test_case, 0, AS_STRING, "read 1, inserted 1", NULL, NULL);
    rp_case_redis(test_case, "DEL items:a");
    rp_case_redis(test_case, "RPUSH items:a x");
    load(test_case, HASH("      v: v\n"), "read 1, rejected 1", NULL, NULL);
    rp_case_sql(test_case,
                "DELETE FROM redis2pg.rejects WHERE replaced_by IS NOT NULL OR resolved_by IS NOT NULL");
    assert_left(test_case, AS_LIST, "1 whose values were not kept whole");
}

/* Of a hash of a thousand fields only v was read: what w holds nobody knows. */
Test(replay_kinds, of_a_big_hash_only_what_was_read) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, v int, w text)");
    rp_case_redis(test_case, "EVAL %s 1 items:a",
                  "for i = 1, 1500 do redis.call('HSET', KEYS[1], 'f' .. i, i) end "
                  "redis.call('HSET', KEYS[1], 'v', 'x', 'w', 'there')");
    load(test_case, HASH("      v: v\n"), "read 1, rejected 1", NULL, NULL);
    rp_case_assert_rows(test_case, "SELECT convert_from(raw, 'UTF8') ~ 'hash[*]' FROM redis2pg.rejects", "t");
    rp_case_sql(test_case, "ALTER TABLE items ALTER v TYPE text");
    assert_left(test_case, HASH("      v: v\n      w: w\n"),
                "1 of big hashes whose other fields were not read");
    replay_items(test_case, 0, HASH("      v: v\n"), "read 1, inserted 1", NULL, NULL);
}
