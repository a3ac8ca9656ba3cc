/* `reconcile` over keys of every type: an element more, less or another on either side. */
#include "reconciling.h"

/* A mapping of entity t over x:{id}, and what is done to the sides after a run. */
typedef struct {
    const char *table;
    const char *mapping;
    const char *fill[6];
    const char *redis[4];
    const char *sql;
    const char *expected;
    const char *counts;
} Case;

static void redis_all(RpCase *test_case, const char *const *commands) {
    for (; *commands != NULL; commands++) {
        g_auto(GStrv) words = NULL;
        cr_assert(g_shell_parse_argv(*commands, NULL, &words, NULL));
        redisReply *reply =
            redisCommandArgv(test_case->redis, (int)g_strv_length(words), (const char **)words, NULL);
        cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s", *commands);
        freeReplyObject(reply);
    }
}

static void try(const Case *one) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *text =
        g_strdup_printf("redis2pg: 1\nentities:\n  t: {keys: 'x:{id}', table: t, %s}\n", one->mapping);
    char *mapping = rp_file_write(text);
    rp_case_sql(test_case, one->table);
    redis_all(test_case, one->fill);
    load_equal(test_case, mapping);
    redis_all(test_case, one->redis);
    rp_case_sql(test_case, one->sql);
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, "--level", "fields", NULL);
    assert_differences(document, "t", one->expected);
    assert_counts(document, "t", one->counts);
    load_status(test_case, mapping, 0);
    rp_file_drop(mapping);
}

#define ELEMENTS "CREATE TABLE t (id text, no integer, value text, PRIMARY KEY (id, no))"

Test(reconcile_keys, strings) {
    try(&(Case){.table = "CREATE TABLE t (id text PRIMARY KEY, value text)",
                .mapping = "type: string, key: [id], columns: {id: $key.id, value: $value}",
                .fill = {"SET x:1 a", "SET x:2 b", "SET x:3 c", "SET x:4 ''"},
                .redis = {"SET x:1 z", "SET x:5 e"},
                .sql = "DELETE FROM t WHERE id = '2'; INSERT INTO t VALUES ('6', 'f');"
                       "UPDATE t SET value = NULL WHERE id = '4'",
                .expected = "different 1 x:1 value: z > a\ndifferent 4 x:4 value:  > null\nextra 6\n"
                            "missing 2 x:2\nmissing 5 x:5",
                .counts = "source_rows 5, target_rows 4, equal 1, missing 2, extra 1, different 2"});
}

Test(reconcile_keys, json) {
    try(&(Case){.table = "CREATE TABLE t (id text PRIMARY KEY, city text, whole jsonb)",
                .mapping = "type: json, key: [id], columns: {id: $key.id, city: a.city, whole: $value}",
                .fill = {"SET x:1 '{\"a\":{\"city\":\"B\"},\"n\":1.0}'", "SET x:2 '[]'", "SET x:3 '{}'"},
                .redis = {"SET x:1 '{\"n\":1,\"a\":{\"city\":\"B\"}}'", "SET x:3 '{\"a\":{\"city\":\"C\"}}'"},
                .sql = "UPDATE t SET whole = '[1e0]' WHERE id = '2'",
                .expected = "different 2 x:2 whole: [] > [1]\n"
                            "different 3 x:3 city: C > null, whole: {\"a\": {\"city\": \"C\"}} > {}",
                .counts = "source_rows 3, target_rows 3, equal 1, different 2"});
}

Test(reconcile_keys, lists) {
    try(&(Case){.table = ELEMENTS,
                .mapping = "type: list, key: [id, no], columns: {id: $key.id, no: $index, value: $value}",
                .fill = {"RPUSH x:1 a b a", "RPUSH x:2 a", "RPUSH x:3 c"},
                .redis = {"LPUSH x:1 z", "DEL x:3"},
                .sql = "DELETE FROM t WHERE id = '2'",
                .expected = "different 1 0 x:1 value: z > a\ndifferent 1 1 x:1 value: a > b\n"
                            "different 1 2 x:1 value: b > a\nextra 3 0\nmissing 1 3 x:1\nmissing 2 0 x:2",
                .counts = "source_rows 5, target_rows 4, missing 2, extra 1, different 3"});
}

Test(reconcile_keys, sets) {
    try(&(Case){.table = "CREATE TABLE t (id text, value text, PRIMARY KEY (id, value))",
                .mapping = "type: set, key: [id, value], columns: {id: $key.id, value: $value}",
                .fill = {"SADD x:1 a b c", "SADD x:2 a"},
                .redis = {"SADD x:1 d", "SREM x:1 a"},
                .sql = "DELETE FROM t WHERE value = 'b'",
                .expected = "extra 1 a\nmissing 1 b x:1\nmissing 1 d x:1",
                .counts = "source_rows 4, target_rows 3, equal 2, missing 2, extra 1"});
}

Test(reconcile_keys, sorted_sets) {
    try(&(Case){.table = "CREATE TABLE t (id text, value text, score float8, PRIMARY KEY (id, value))",
                .mapping =
                    "type: zset, key: [id, value], columns: {id: $key.id, value: $value, score: $score}",
                .fill = {"ZADD x:1 1 a -inf b 0.1 c 1e300 d", "ZADD x:2 -0 a"},
                .redis = {"ZINCRBY x:1 1 a", "ZREM x:1 c"},
                .sql = "UPDATE t SET score = 'inf' WHERE value = 'b'",
                .expected = "different 1 a x:1 score: 2 > 1\ndifferent 1 b x:1 score: -Infinity > Infinity\n"
                            "extra 1 c",
                .counts = "source_rows 4, target_rows 5, equal 2, extra 1, different 2"});
}

Test(reconcile_keys, streams) {
    try(&(Case){.table = "CREATE TABLE t (id text, at text, value text, PRIMARY KEY (id, at))",
                .mapping = "type: stream, key: [id, at], columns: {id: $key.id, at: $id, value: v}",
                .fill = {"XADD x:1 1-1 v a", "XADD x:1 1-2 v b", "XADD x:1 2-0 w c"},
                .redis = {"XDEL x:1 1-1", "XADD x:1 3-0 v d"},
                .sql = "UPDATE t SET value = 'z' WHERE at = '2-0'",
                .expected = "different 1 2-0 x:1 value: null > z\nextra 1 1-1\nmissing 1 3-0 x:1",
                .counts = "source_rows 3, target_rows 3, equal 1, missing 1, extra 1, different 1"});
}

Test(reconcile_keys, elements_of_json) {
    try(&(Case){.table = ELEMENTS,
                .mapping = "type: json, each: i, key: [id, no], columns: {id: $key.id, no: $index, value: "
                           "$element.v}",
                .fill = {"SET x:1 '{\"i\":[{\"v\":1},{\"v\":2},{}]}'", "SET x:2 '{\"i\":[]}'",
                         "SET x:3 '{\"i\":[{\"v\":7}]}'"},
                .redis = {"SET x:1 '{\"i\":[{\"v\":1},{\"v\":3}]}'", "SET x:2 '{\"i\":[{}]}'"},
                .sql = "DELETE FROM t WHERE id = '3'",
                .expected = "different 1 1 x:1 value: 3 > 2\nextra 1 2\nmissing 2 0 x:2\nmissing 3 0 x:3",
                .counts = "source_rows 4, target_rows 3, equal 1, missing 2, extra 1, different 1"});
}

Test(reconcile_keys, fields_of_hashes) {
    try(&(Case){.table = "CREATE TABLE t (id text PRIMARY KEY, name text, city text)",
                .mapping = "type: hash, key: [id], columns: {id: $key.id, name: name, city: meta.city}",
                .fill = {"HSET x:1 name A meta '{\"city\":\"B\"}'", "HSET x:2 name A", "HSET x:3 name ''"},
                .redis = {"HDEL x:2 name", "HSET x:2 other x", "HSET x:1 meta '{\"city\":null}'"},
                .sql = "SELECT 1",
                .expected = "different 1 x:1 city: null > B\ndifferent 2 x:2 name: null > A",
                .counts = "source_rows 3, target_rows 3, equal 1, different 2"});
}

/* Names that are no text are shown, and told in hex. */
Test(reconcile_keys, of_any_bytes) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 'x:{id}', table: t, type: string, key: "
                      "[id], columns: {id: $key.id, value: $value}}\n");
    rp_case_sql(test_case, "CREATE TABLE t (id bytea PRIMARY KEY, value text)");
    rp_case_redis(test_case, "SET x:%b a", "\xff\x00\n", (size_t)3);
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET value = 'b'");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_differences(document, "t", "different \\xff000a x:\\xff\\x00\\n value: a > b");
    cr_assert(eq(str, (char *)rp_json_text(document, "entities.t.differences.0.key_hex"), "783aff000a"));
    rp_file_drop(mapping);
}

/* More than one SCAN page, one batch and one window of a collection. */
Test(reconcile_keys, of_many_elements) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 'x:{id}', table: t, type: list, key: "
                                  "[id, no], columns: {id: $key.id, no: $index, value: $value}}\n");
    rp_case_sql(test_case, ELEMENTS);
    rp_case_redis(test_case, "EVAL %s 0",
                  "for i = 1, 30000 do redis.call('RPUSH', 'x:big', i) end "
                  "for i = 1, 3000 do redis.call('RPUSH', 'x:' .. i, i) end");
    load_equal(test_case, mapping);
    rp_case_redis(test_case, "LSET x:big 29999 other");
    rp_case_sql(test_case,
                "UPDATE t SET value = 'x' WHERE id = '77'; DELETE FROM t WHERE id = 'big' AND no = 5");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_differences(document, "t",
                       "different 77 0 x:77 value: 77 > x\n"
                       "different big 29999 x:big value: other > 30000\nmissing big 5 x:big");
    rp_file_drop(mapping);
}
