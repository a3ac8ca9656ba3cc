/* Collections of very many elements: all of them become rows, over many batches, in memory that does not grow
 * with them, and Redis answers others in between. */
#include "shop.h"

#define PEAK_MIB 64 /* the elements of a key weigh 90 MB together */

/* Runs a script in the server: 1000 elements a call. e is an element's number, v its value of 300 bytes. */
#define FILL(loop_)                                                                                          \
    "local pad = string.rep('x', 290) for i = 0, 299 do local t = {} for j = 1, 1000 do "                    \
    "local e = i * 1000 + j - 1 local v = string.format('%010d', e) .. pad " loop_
#define FILL_WITH(command_, items_) FILL(items_ " end redis.call('" command_ "', KEYS[1], unpack(t)) end")

static void fill(RpCase *test_case, const char *script, const char *key) {
    rp_case_redis(test_case, "EVAL %s 1 %s", script, key);
}

static json_t *load(RpCase *test_case, const char *columns, const char *type) {
    g_autofree char *text = g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: 'big:{id}'\n    type: "
                                            "%s\n    table: t\n    key: [id, no]\n    columns: {%s}\n",
                                            type, columns);
    char *path = rp_file_write(text);
    json_t *run = rp_case_load(test_case, 0, "--mapping", path, "--batch-bytes", "1048576", NULL);
    rp_file_drop(path);
    return run;
}

/* What holds for each type: no element is lost or there twice, whatever the batches. */
static void assert_comes_whole(const char *type, const char *script, const char *columns) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *key = g_strdup_printf("big:%s", type);
    rp_case_sql(test_case, "CREATE UNLOGGED TABLE t (id text, no integer, value text, PRIMARY KEY (id, no))");
    fill(test_case, script, key);
    rp_case_redis(test_case, "SET other x");
    g_autoptr(json_t) run = load(test_case, columns, type);
    rp_assert_account(run, "t", "read 300000, inserted 300000");
    rp_case_assert_rows(test_case,
                        "SELECT count(*), min(no), max(no), count(DISTINCT no) FROM t WHERE substr(value, 1, "
                        "10)::integer = no",
                        "300000|0|299999|300000");
    rp_case_assert_rows(test_case, "SELECT count(*) >= 40, sum(keys_scanned) FROM redis2pg.batches", "t|2");
    cr_assert(eq(i64, rp_json_number(run, "keys.mapped"), 1));
    rp_case_assert_never_slow(test_case, key);
    rp_assert_peak_below(PEAK_MIB);
}

#define COLUMNS_OF(value_)                                                                                   \
    "id: $key.id, value: " value_ ", no: {from: " value_ ", replace: {regex: '^(\\d{10}).*', with: '$1'}}"

Test(big_keys, a_list) {
    assert_comes_whole("list", FILL_WITH("RPUSH", "t[j] = v"), "id: $key.id, no: $index, value: $value");
}

Test(big_keys, a_set) {
    assert_comes_whole("set", FILL_WITH("SADD", "t[j] = v"), COLUMNS_OF("$value"));
}

Test(big_keys, a_sorted_set) {
    assert_comes_whole("zset", FILL_WITH("ZADD", "t[2 * j - 1] = e t[2 * j] = v"),
                       "id: $key.id, no: $score, value: $value");
}

Test(big_keys, a_stream) {
    assert_comes_whole("stream",
                       FILL("redis.call('XADD', KEYS[1], '1-' .. (e + 1), 'no', e, 'v', v) end end"),
                       "id: $key.id, no: no, value: v");
}
