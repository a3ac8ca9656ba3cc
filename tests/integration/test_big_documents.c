/* Single values that hold very many things, hashes and arrays in JSON, and stops in the middle of a big key.
 */
#include "shop.h"

#include <signal.h>

#define N_INTERRUPTED 100000 /* elements of a key that is broken off in */

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

/* The text itself, 32 MB, is one value: it is held, but not its rows too. */
Test(big_documents, an_array_in_json) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE UNLOGGED TABLE t (id text, no integer, value text, name text, PRIMARY KEY (id, no))");
    fill(test_case,
         "local t = {} local pad = string.rep('x', 80) for i = 1, 300000 do t[i] = '{\"v\":\"' .. (i - 1) .. "
         "pad .. '\"}' end "
         "redis.call('SET', KEYS[1], '{\"name\":\"n\",\"items\":[' .. table.concat(t, ',') .. ']}')",
         "big:json");
    g_autoptr(json_t) run =
        load(test_case, "id: $key.id, no: $index, value: $element.v, name: name", "json\n    each: items");
    rp_assert_account(run, "t", "read 300000, inserted 300000");
    rp_case_assert_rows(
        test_case,
        "SELECT count(*), min(no), max(no) FROM t WHERE rtrim(value, 'x')::integer = no AND name = 'n'",
        "300000|0|299999");
    rp_case_assert_rows(test_case,
                        "SELECT count(*) >= 20, count(DISTINCT number), sum(keys_scanned), count(*) FILTER "
                        "(WHERE is_whole) FROM redis2pg.batches",
                        "t|1|1|1");
    rp_assert_peak_below(160);
}

/* A million fields, of which two matter. */
Test(big_documents, a_hash) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE TABLE t (id text, no integer, value text, city text, PRIMARY KEY (id, no))");
    fill(test_case,
         "for i = 0, 999 do local t = {} for j = 1, 1000 do t[2 * j - 1] = 'f' .. (i * 1000 + j) t[2 * j] = "
         "'some value of a field' end "
         "redis.call('HSET', KEYS[1], unpack(t)) end redis.call('HSET', KEYS[1], 'no', 7, 'meta', "
         "'{\"city\":\"X\"}')",
         "big:hash");
    rp_case_redis(test_case, "HSET big:small no 8 f1 v");
    g_autoptr(json_t) run = load(test_case, "id: $key.id, no: no, value: absent, city: meta.city", "hash");
    rp_assert_account(run, "t", "read 2, inserted 2");
    rp_case_assert_rows(test_case, "SELECT * FROM t ORDER BY id", "hash|7|null|X\nsmall|8|null|null");
    rp_case_assert_never_slow(test_case, "big:hash");
    rp_assert_peak_below(64);
}

/* Of a hash whose fields nobody reads only the key is looked at. */
Test(big_documents, a_hash_of_which_no_field_matters) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE t (id text, no integer, PRIMARY KEY (id, no))");
    fill(test_case, "for i = 1, 300000 do redis.call('HSET', KEYS[1], i, 'some value of a field') end",
         "big:hash");
    rp_case_redis(test_case, "HSET big:small a b");
    g_autoptr(json_t) run = load(test_case, "id: $key.id, no: {const: 1}", "hash");
    rp_assert_account(run, "t", "read 2, inserted 2");
    rp_case_assert_never_slow(test_case, "big:hash");
}

static RpProcess *start_and_stall(RpCase *test_case, const char *mapping, PGconn **holder) {
    *holder = rp_case_hold(test_case, "t");
    RpProcess *process = rp_case_spawn(test_case, "run", "--strategy", "merge", "--mapping", mapping,
                                       "--batch-rows", "1000", "--progress", "none", NULL);
    rp_case_await_blocked(test_case, "t", 1);
    return process;
}

/* In the middle of a key nothing more is read, what is in hand is committed, and the next run completes it.
 */
static void assert_stops(const char *script, const char *type, const char *columns) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    PGconn *holder;
    g_autofree char *text = g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: 'big:{id}'\n    type: "
                                            "%s\n    table: t\n    key: [id, no]\n    columns: {%s}\n",
                                            type, columns);
    char *path = rp_file_write(text);
    rp_case_sql(test_case, "CREATE UNLOGGED TABLE t (id text, no integer, value text, PRIMARY KEY (id, no))");
    fill(test_case, script, "big:key");
    RpProcess *process = start_and_stall(test_case, path, &holder);
    rp_process_signal(process, SIGINT);
    g_usleep(200000);
    const gint64 begin = g_get_monotonic_time();
    rp_case_release(holder);
    rp_process_wait(process, &out);
    cr_assert(g_get_monotonic_time() - begin < 40 * G_USEC_PER_SEC, "it ends soon");
    rp_outcome_assert_status(&out, 5);
    rp_assert_says(out.errors, "interrupted");
    const gint64 n_rows = rp_case_sql_number(test_case, "SELECT count(*) FROM t");
    cr_assert(n_rows > 0 && n_rows < N_INTERRUPTED, "%d rows", (int)n_rows);
    rp_case_assert_rows(test_case,
                        "SELECT sum(inserted) = (SELECT count(*) FROM t) FROM redis2pg.batch_counts", "t");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.batches WHERE is_pass_end AND is_whole",
                        "0");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--mapping", path, NULL);
    rp_file_drop(path);
    cr_assert(eq(i64, rp_json_number(run, "entities.t.unchanged"), n_rows));
    cr_assert(eq(i64, rp_json_number(run, "entities.t.inserted"), N_INTERRUPTED - n_rows));
}

Test(big_documents, an_interruption_in_the_middle_of_a_list) {
    assert_stops("for i = 0, 99 do local t = {} for j = 1, 1000 do t[j] = i * 1000 + j - 1 end "
                 "redis.call('RPUSH', KEYS[1], unpack(t)) end",
                 "list", "id: $key.id, no: $index, value: $value");
}

Test(big_documents, an_interruption_in_the_middle_of_an_array) {
    assert_stops("local t = {} for i = 1, 100000 do t[i] = i - 1 end redis.call('SET', KEYS[1], '[' .. "
                 "table.concat(t, ',') .. ']')",
                 "json\n    each: $value", "id: $key.id, no: $index, value: $element");
}
