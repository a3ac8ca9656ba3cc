/* A Redis that is to be read slowly: what that costs in time, and nothing else. */
#include "throttling.h"

#include <signal.h>

/* What comes at once at the beginning, and again for a reader that was late, is left out. */
static void assert_took(double seconds, gint64 n_keys, guint limit) {
    const double least = (double)(n_keys - 30) / limit;
    cr_assert(seconds >= least, "%.3f s for %d keys are fewer than %.3f", seconds, (int)n_keys, least);
}

/* what: an interval, and where it is from. */
static double seconds_of_sql(RpCase *test_case, const char *what) {
    g_auto(GStrv) parts = g_strsplit(what, " FROM ", 2);
    g_autofree char *sql =
        g_strdup_printf("SELECT (1000 * extract(epoch FROM %s))::bigint FROM %s", parts[0], parts[1]);
    return (double)rp_case_sql_number(test_case, sql) / 1000;
}

/* ---- so many keys a second ---- */

/* SCAN goes over all keys in each of the three passes. */
Test(throttle, a_run_takes_its_time_and_all_keys) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 9, "0");
    g_autoptr(json_t) run =
        rp_case_load(test_case, 0, "--strategy", "merge", "--max-keys-per-second", "250", NULL);
    assert_took(seconds_of(run), 3 * count_keys(test_case), 250);
    assert_shop_is_there(test_case, run);
    rp_case_assert_rows(test_case,
                        "SELECT settings ->> 'max_keys_per_second', settings ->> 'redis_latency_ms' FROM "
                        "redis2pg.runs",
                        "250|0");
}

Test(throttle, a_dry_run_takes_it_too) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 9, "0");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--max-keys-per-second", "250", "--dry-run", NULL);
    assert_took(seconds_of(run), 3 * count_keys(test_case), 250);
    assert_shop_is_there(test_case, run);
}

Test(throttle, an_element_counts_as_a_key) {
    static const char mapping[] =
        "redis2pg: 1\nentities:\n  t:\n    keys: 'big:{id}'\n    type: set\n    table: t\n    key: [id, no]\n"
        "    columns: {id: $key.id, no: $value}\n";
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *path = rp_file_write(mapping);
    rp_case_sql(test_case, "CREATE TABLE t (id text, no integer, PRIMARY KEY (id, no))");
    rp_case_redis(test_case, "EVAL %s 1 big:1", "for i = 1, 600 do redis.call('SADD', KEYS[1], i * 7) end");
    g_autoptr(json_t) run =
        rp_case_load(test_case, 0, "--mapping", path, "--max-keys-per-second", "1000", NULL);
    assert_took(seconds_of(run), 600, 1000);
    rp_assert_account(run, "t", "read 600, inserted 600");
    rp_file_drop(path);
}

Test(throttle, keys_of_rejects_are_limited_too) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    rp_case_fill(test_case, 20, "0");
    rp_case_redis(test_case, "EVAL %s 0",
                  "for _, key in ipairs(redis.call('KEYS', 'order:*')) do "
                  "redis.call('HSET', key, 'quantity', 1001) end");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--entity", "customers", "--entity", "orders", NULL);
    cr_assert(eq(i64, rp_json_number(run, "rejects.total"), 80));
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "replay", "--from-source", "--json", "--mapping", mapping,
                "--batch-rows", "10", "--max-keys-per-second", "100", NULL);
    rp_outcome_assert_status(&out, 1);
    g_autoptr(json_t) replayed = rp_outcome_json(&out);
    assert_took(seconds_of_sql(test_case,
                               "max(committed_at) - min(committed_at) FROM redis2pg.batches WHERE run = 2"),
                80, 100);
    rp_assert_account(replayed, "orders", "read 80, rejected 80");
}

/* Each key is read by its name. */
Test(throttle, keys_of_a_list_are_limited_too) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    rp_case_fill(test_case, 9, "0");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--repair", "--json", "--mapping", mapping,
                "--max-keys-per-second", "100", NULL);
    rp_outcome_assert_status(&out, 0);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "36");
    assert_took(seconds_of_sql(test_case, "ended_at - started_at FROM redis2pg.runs"), 72, 100);
}

Test(throttle, a_comparison_takes_its_time) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    rp_case_fill(test_case, 20, "0");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--json", "--mapping", mapping, "--max-keys-per-second", "300",
                NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) document = rp_outcome_json(&out);
    assert_took(seconds_of(document), count_keys(test_case), 300);
}

/* ---- signals ---- */

/* Ten keys are asked for at once, and the next ten after ten seconds. */
Test(throttle, a_signal_ends_the_waiting_and_resume_goes_on) {
    g_auto(Slow) slow = slow_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    g_auto(RpOutcome) resumed = {0};
    const RpProxyRule first_scan = {
        .action = RP_PROXY_DELAY, .way = RP_PROXY_TO_SERVER, .text = "SCAN\r\n", .is_after = TRUE};
    rp_proxy_add_rule(slow.proxy, &first_scan);
    RpProcess *process = rp_case_spawn(slow.test_case, "--redis", slow.url, "run", "--mapping", mapping,
                                       "--json", "--max-keys-per-second", "1", NULL);
    rp_proxy_await_met(slow.proxy, 1);
    const gint64 start = g_get_monotonic_time();
    rp_process_signal(process, SIGINT);
    rp_process_wait(process, &out);
    cr_assert(lt(i64, g_get_monotonic_time() - start, 5 * G_USEC_PER_SEC));
    rp_outcome_assert_status(&out, 5);
    g_autoptr(json_t) stopped = rp_outcome_json(&out);
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(stopped, "balanced")));
    cr_assert(lt(i64, rp_json_number(stopped, "keys.scanned"), 30));
    rp_case_run(slow.test_case, &resumed, "--redis", slow.url, "run", "--mapping", mapping, "--json",
                "--resume", NULL);
    rp_outcome_assert_status(&resumed, 0);
    g_autoptr(json_t) run = rp_outcome_json(&resumed);
    assert_shop_is_there(slow.test_case, run);
}

/* ---- mistakes ---- */

static const struct {
    const char *option;
    const char *value;
    const char *range;
} MISTAKES[] = {
    {"--max-keys-per-second", "-1", "0 to 1000000000"},
    {"--max-keys-per-second", "many", "0 to 1000000000"},
    {"--max-keys-per-second", "1000000001", "0 to 1000000000"},
    {"--max-keys-per-second", "99999999999999999999", "0 to 1000000000"},
    {"--max-keys-per-second", "0.5", "0 to 1000000000"},
    {"--redis-latency-ms", "-1", "0 to 60000"},
    {"--redis-latency-ms", "2ms", "0 to 60000"},
    {"--redis-latency-ms", "60001", "0 to 60000"},
    {"--redis-latency-ms", "", "0 to 60000"},
};

Test(throttle, what_is_no_number_in_the_range_is_refused) {
    static const char *const commands[] = {"run", "sync", "reconcile"};
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    for (guint i = 0; i < G_N_ELEMENTS(MISTAKES); i++)
        for (guint command = 0; command < G_N_ELEMENTS(commands); command++) {
            g_auto(RpOutcome) out = {0};
            rp_case_run(test_case, &out, commands[command], "--mapping", mapping, MISTAKES[i].option,
                        MISTAKES[i].value, NULL);
            rp_outcome_assert_status(&out, 2);
            rp_assert_says(out.errors, MISTAKES[i].option);
            rp_assert_says(out.errors, MISTAKES[i].range);
        }
    rp_case_assert_rows(test_case, "SELECT count(*) FROM pg_namespace WHERE nspname = 'redis2pg'", "0");
}

Test(throttle, nothing_is_no_limit) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 9, "0");
    g_autoptr(json_t) run =
        rp_case_load(test_case, 0, "--max-keys-per-second", "0", "--redis-latency-ms", "0", NULL);
    assert_shop_is_there(test_case, run);
}
