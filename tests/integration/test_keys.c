/* Every key is accounted for, whatever its bytes, however often SCAN gives it and when it goes away. */
#include "shop.h"

#include "sandbox/sandbox.h"

#include <string.h>

Test(keys, a_key_that_nothing_covers_is_counted_with_an_example) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_redis(test_case, "SET session:abc x");
    rp_case_redis(test_case, "SET session:def x");
    rp_case_redis(test_case, "SET lonely x");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), 4));
    cr_assert(eq(i64, rp_json_number(run, "keys.mapped"), 1));
    cr_assert(eq(i64, rp_json_number(run, "keys.unmapped"), 3));
    cr_assert(eq(str, (char *)rp_json_text(run, "unmapped_patterns.0.pattern"), "session:*"));
    cr_assert(eq(i64, rp_json_number(run, "unmapped_patterns.0.keys"), 2));
    cr_assert(g_str_has_prefix(rp_json_text(run, "unmapped_patterns.0.example"), "session:"));
    cr_assert(eq(str, (char *)rp_json_text(run, "unmapped_patterns.1.example"), "lonely"));
    cr_assert(eq(i64, rp_json_number(run, "unmapped_patterns.1.keys"), 1));
}

Test(keys, ignored_keys_and_links_are_counted_as_ignored) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_redis(test_case, "SADD customer:c1:orders o1 o2");
    rp_case_redis(test_case, "SADD paid_orders o1");
    rp_case_redis(test_case, "RPUSH test_queue o1");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), 4));
    cr_assert(eq(i64, rp_json_number(run, "keys.mapped"), 1));
    cr_assert(eq(i64, rp_json_number(run, "keys.ignored"), 3));
    cr_assert(eq(i64, rp_json_number(run, "keys.unmapped"), 0));
}

static const char THINGS_SQL[] = "CREATE TABLE things (name text PRIMARY KEY, size integer NOT NULL);"
                                 "CREATE TABLE labels (name text PRIMARY KEY, colour text)";

static const char THINGS_MAPPING[] = "redis2pg: 1\n"
                                     "entities:\n"
                                     "  things:\n"
                                     "    keys: 'thing:{id}'\n"
                                     "    type: hash\n"
                                     "    table: things\n"
                                     "    key: [name]\n"
                                     "    columns: {name: {from: name, required: true}, size: size}\n"
                                     "  labels:\n"
                                     "    keys: 'thing:{id}'\n"
                                     "    type: hash\n"
                                     "    table: labels\n"
                                     "    key: [name]\n"
                                     "    columns: {name: {from: name, required: true}, colour: colour}\n";

Test(keys, a_key_of_two_entities_gives_a_row_in_each_table) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(THINGS_MAPPING);
    rp_case_sql(test_case, THINGS_SQL);
    rp_case_redis(test_case, "HSET thing:1 name box size 3 colour red");
    rp_case_redis(test_case, "HSET thing:2 name lid size none colour blue");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", mapping, NULL);
    rp_file_drop(mapping);
    cr_assert(eq(i64, rp_json_number(run, "keys.mapped"), 2));
    rp_assert_account(run, "things", "read 2, inserted 1, rejected 1");
    rp_assert_account(run, "labels", "read 2, inserted 2");
    rp_case_assert_rows(test_case, "SELECT * FROM things", "box|3");
    rp_case_assert_rows(test_case, "SELECT * FROM labels ORDER BY name", "box|red\nlid|blue");
}

Test(keys, a_key_that_is_not_utf8_gives_its_row) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(THINGS_MAPPING);
    rp_case_sql(test_case, THINGS_SQL);
    rp_case_redis(test_case, "HSET thing:%b name box size 3 colour red", "\xff\x00\xfe", (size_t)3);
    rp_case_redis(test_case, "SET %b x", "\xff*[:\x00x", (size_t)6);
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--mapping", mapping, NULL);
    rp_file_drop(mapping);
    rp_case_assert_rows(test_case, "SELECT * FROM things", "box|3");
    cr_assert(eq(i64, rp_json_number(run, "keys.unmapped"), 1));
    cr_assert(eq(str, (char *)rp_json_text(run, "unmapped_patterns.0.example"), "\\xff*[:\\x00x"));
}

static const char TWINS_MAPPING[] = "redis2pg: 1\n"
                                    "entities:\n"
                                    "  first:\n"
                                    "    keys: 'thing:{id}'\n"
                                    "    type: hash\n"
                                    "    table: things\n"
                                    "    key: [name]\n"
                                    "    columns: {name: {from: $key.id, required: true}, size: size}\n"
                                    "  second:\n"
                                    "    keys: 'thing:{id}'\n"
                                    "    type: hash\n"
                                    "    table: things\n"
                                    "    key: [name]\n"
                                    "    columns: {name: {from: $key.id, required: true}, size: size}\n";

/* Within one batch, where SCAN's repetition cannot be forced: two entities read the key twice. */
Test(keys, a_key_read_twice_in_one_batch_is_one_row) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(TWINS_MAPPING);
    rp_case_sql(test_case, THINGS_SQL);
    rp_case_redis(test_case, "HSET thing:1 size 3");
    rp_case_redis(test_case, "HSET thing:2 size 4");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--mapping", mapping, NULL);
    rp_file_drop(mapping);
    rp_assert_account(run, "first", "read 2, inserted 2");
    rp_assert_account(run, "second", "read 2, unchanged 2");
    rp_case_assert_rows(test_case, "SELECT * FROM things ORDER BY name", "1|3\n2|4");
}

/* ---- keys that come twice, and keys that go ---- */

#define N_CUSTOMERS 4000
#define N_KEPT      50

/* customer:1 … customer:N, written by one script. */
static void add_customers(redisContext *redis, guint n) {
    redisReply *reply =
        redisCommand(redis, "EVAL %s 0 %u",
                     "for i = 1, tonumber(ARGV[1]) do redis.call('HSET', 'customer:' .. i, 'created_at', "
                     "'2025-01-02T03:04:05') end",
                     n);
    cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s", reply != NULL ? reply->str : "");
    freeReplyObject(reply);
}

/* A run whose batches are single pages, standing still at the first of them: its reader then has asked for
 * some pages, and for the names of one page more than for its records. */
static RpProcess *start_and_stall(RpCase *test_case, const char *redis_url, PGconn **holder) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    *holder = rp_case_hold(test_case, "users");
    RpProcess *process = rp_case_spawn(test_case, "--redis", redis_url, "run", "--json", "--mapping", mapping,
                                       "--batch-rows", "1", NULL);
    rp_case_await_blocked(test_case, "users", 2);
    g_usleep(200000); /* the reader fills what is left of its batches and then waits, too */
    return process;
}

static json_t *finish(RpProcess *process, PGconn *holder) {
    g_auto(RpOutcome) out = {0};
    rp_case_release(holder);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
    json_t *run = rp_outcome_json(&out);
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(run, "balanced")));
    return run;
}

Test(keys, a_key_that_expires_between_scan_and_read_has_vanished) {
    g_autoptr(RpCase) test_case = rp_case_new();
    PGconn *holder;
    add_customers(test_case->redis, N_CUSTOMERS);
    RpProcess *process = start_and_stall(test_case, test_case->redis_url, &holder);
    rp_case_redis(
        test_case, "EVAL %s 0",
        "for _, key in ipairs(redis.call('KEYS', 'customer:*')) do redis.call('PEXPIRE', key, 1) end");
    g_usleep(10000);
    g_autoptr(json_t) run = finish(process, holder);
    const gint64 n_vanished = rp_json_number(run, "entities.customers.vanished");
    const gint64 n_inserted = rp_json_number(run, "entities.customers.inserted");
    cr_assert(n_vanished >= 1, "no key vanished");
    cr_assert(n_inserted >= 1 && n_inserted < N_CUSTOMERS);
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM users"), n_inserted));
    cr_assert(eq(i64, rp_json_number(run, "entities.customers.read"), n_inserted + n_vanished));
}

/* One step of SCAN with COUNT 1: the keys it gave, and the cursor after it. */
static gsize scan_step(redisContext *redis, char cursor[32], GPtrArray *keys) {
    redisReply *reply = redisCommand(redis, "SCAN %s COUNT 1", cursor);
    cr_assert(reply != NULL && reply->type == REDIS_REPLY_ARRAY);
    const gsize n_keys = reply->element[1]->elements;
    for (gsize i = 0; keys != NULL && i < n_keys; i++)
        g_ptr_array_add(keys, g_strdup(reply->element[1]->element[i]->str));
    g_strlcpy(cursor, reply->element[0]->str, 32);
    freeReplyObject(reply);
    return n_keys;
}

/* Keeps the first keys of the scan and deletes the others: Redis then makes its table smaller, and SCAN goes
 * through the few large buckets again that its cursor was within (redis: dict.c, dictScan). */
static void shrink(redisContext *redis) {
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    char cursor[32] = "0";
    while (kept->len < N_KEPT)
        scan_step(redis, cursor, kept);
    GString *script = g_string_new("local kept = {}\n");
    for (guint i = 0; i < kept->len; i++)
        g_string_append_printf(script, "kept['%s'] = true\n", (char *)kept->pdata[i]);
    g_string_append(script, "for _, key in ipairs(redis.call('KEYS', '*')) do if not kept[key] then "
                            "redis.call('DEL', key) end end");
    redisReply *reply = redisCommand(redis, "EVAL %s 0", script->str);
    cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR);
    freeReplyObject(reply);
    g_string_free(script, TRUE);
    const gint64 limit = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    for (gsize n_keys = 0; n_keys < N_KEPT / 2; g_usleep(10000)) {
        cr_assert(g_get_monotonic_time() < limit, "Redis did not make its table smaller");
        g_strlcpy(cursor, "0", sizeof cursor);
        n_keys = scan_step(redis, cursor, NULL);
    }
}

Test(keys, a_key_that_scan_gives_twice_is_one_row) {
    g_autoptr(GError) error = NULL;
    const RpSandboxOptions options = {.is_without_postgres = TRUE, .redis_databases = 1};
    g_autoptr(RpSandbox) sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    g_autoptr(RpCase) test_case = rp_case_new();
    redisContext *redis = redisConnectUnix(rp_sandbox_get_redis_socket(sandbox));
    PGconn *holder;
    add_customers(redis, N_CUSTOMERS);
    RpProcess *process = start_and_stall(test_case, rp_sandbox_get_redis_url(sandbox), &holder);
    shrink(redis);
    redisFree(redis);
    g_autoptr(json_t) run = finish(process, holder);
    const gint64 n_rows = rp_case_sql_number(test_case, "SELECT count(*) FROM users");
    cr_assert(eq(i64, rp_json_number(run, "entities.customers.inserted"), n_rows));
    cr_assert(rp_json_number(run, "entities.customers.unchanged") >= 1, "SCAN gave no key twice");
    cr_assert(eq(i64, rp_json_number(run, "rejects.total"), 0));
}

/* A batch ends after so many keys, wanted or not: the position moves on, and its patterns do not pile up. */
Test(keys, that_nothing_wants_close_a_batch_too) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_redis(test_case, "EVAL %s 0", "for i = 1, 120000 do redis.call('SET', 'w' .. i .. 'x:y', 1) end");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    cr_assert(eq(i64, rp_json_number(run, "keys.unmapped"), 120000));
    rp_case_assert_rows(test_case,
                        "SELECT max(keys_scanned) BETWEEN 100000 AND 105000, count(*) FILTER (WHERE pass = 0)"
                        " FROM redis2pg.batches",
                        "t|2");
}
