/* A Redis that is to be read slowly, or that is slow: what a limit costs in time, and nothing else. */
#include "blackout.h"
#include "proxy.h"
#include "replaying.h"

#include <signal.h>

#define LATENCY_WORDS "held back"

static gint64 count_keys(RpCase *test_case) {
    return rp_case_redis_number(test_case, "DBSIZE");
}

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

static double seconds_of(json_t *document) {
    return json_number_value(rp_json_at(document, "seconds"));
}

/* ---- so many keys a second ---- */

static void assert_shop_is_there(RpCase *test_case, json_t *run) {
    rp_assert_account(run, "customers", "read 9, inserted 9");
    rp_assert_account(run, "orders", "read 36, inserted 36");
    rp_assert_account(run, "payments", "read 27, inserted 27");
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), count_keys(test_case)));
}

/* SCAN goes over all keys in each of the three passes. */
Test(throttle, a_run_takes_its_time_and_all_keys) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 9, "0");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--max-keys-per-second", "250", NULL);
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

/* ---- a proxy before Redis ---- */

typedef struct {
    RpCase *test_case;
    RpProxy *proxy;
    char *url;
} Slow;

static Slow slow_new(void) {
    Slow slow = {.test_case = rp_case_new()};
    rp_case_fill(slow.test_case, 9, "0");
    slow.proxy = rp_proxy_new(slow.test_case->redis->unix_sock.path);
    slow.url = g_strdup_printf("unix://%s?db=%u", rp_proxy_get_socket(slow.proxy), slow.test_case->number);
    return slow;
}

static void slow_clear(Slow *slow) {
    rp_proxy_free(slow->proxy);
    g_free(slow->url);
    rp_case_free(slow->test_case);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Slow, slow_clear)

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

/* ---- a slow Redis ---- */

/* The run's other connections greet Redis with a PING, too: those come first. */
#define FIRST_OWN_PING 8

static void add_rule(Slow *slow, RpProxyAction action, guint number) {
    const RpProxyRule rule = {.action = action,
                              .way = RP_PROXY_TO_SERVER,
                              .text = "PING\r\n",
                              .number = number,
                              .is_after = action == RP_PROXY_DELAY,
                              .delay_ms = 40};
    rp_proxy_add_rule(slow->proxy, &rule);
}

/* At 400 keys a second, which is less than what nothing holds back and more than what a slow Redis gives. */
static json_t *load_slowly(Slow *slow, RpOutcome *out, const char *latency_ms) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    rp_case_run(slow->test_case, out, "--redis", slow->url, "run", "--json", "--mapping", mapping,
                "--max-keys-per-second", "400", "--redis-latency-ms", latency_ms, NULL);
    rp_outcome_assert_status(out, 0);
    json_t *run = rp_outcome_json(out);
    assert_shop_is_there(slow->test_case, run);
    return run;
}

static guint count_words(const char *text, const char *word) {
    guint n = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        n++;
    return n;
}

Test(throttle, slow_pings_hold_the_reading_back) {
    g_auto(Slow) slow = slow_new();
    g_auto(RpOutcome) out = {0};
    for (guint i = 0; i < 30; i++)
        add_rule(&slow, RP_PROXY_DELAY, FIRST_OWN_PING + i);
    g_autoptr(json_t) run = load_slowly(&slow, &out, "20");
    rp_assert_says(out.errors, "ms for a PING (--redis-latency-ms 20; its quickest: ");
    rp_assert_says(out.errors, "the reading is held back\n");
    rp_assert_says(out.errors, "the reading was held back for ");
    cr_assert(le(u32, count_words(out.errors, LATENCY_WORDS), 3));
    cr_assert(seconds_of(run) > 1.0, "%.3f s", seconds_of(run)); /* 0.6 s when nothing holds it back */
}

Test(throttle, quick_pings_hold_nothing_back) {
    g_auto(Slow) slow = slow_new();
    g_auto(RpOutcome) out = {0};
    g_autoptr(json_t) run = load_slowly(&slow, &out, "10000");
    rp_assert_keeps_quiet(out.errors, LATENCY_WORDS);
    rp_assert_keeps_quiet(out.errors, "PING");
}

Test(throttle, pings_that_fail_are_said_once_and_are_no_outage) {
    g_auto(Slow) slow = slow_new();
    g_auto(RpOutcome) out = {0};
    for (guint i = 0; i < 3; i++)
        add_rule(&slow, RP_PROXY_CUT, FIRST_OWN_PING + i);
    g_autoptr(json_t) run = load_slowly(&slow, &out, "10000");
    rp_proxy_await_met(slow.proxy, 3);
    cr_assert(eq(u32, count_words(out.errors, "for --redis-latency-ms that counts as slow"), 1));
    rp_assert_says(out.errors, "Redis does not answer a PING: the reading is held back");
    rp_assert_keeps_quiet(out.errors, "tried again");
}

typedef struct {
    const char *socket;
    gint is_over; /* atomic */
} Busy;

/* Redis answers nobody for 40 ms at a time, or more: it looks for the end ten times a second. */
static gpointer keep_busy(gpointer data) {
    Busy *busy = data;
    redisContext *redis = redisConnectUnix(busy->socket);
    while (!g_atomic_int_get(&busy->is_over)) {
        redisReply *reply = redisCommand(redis, "CLIENT PAUSE 40 ALL");
        cr_assert(reply != NULL && reply->type == REDIS_REPLY_STATUS);
        freeReplyObject(reply);
        g_usleep(100 * 1000);
    }
    redisFree(redis);
    return NULL;
}

Test(throttle, a_redis_that_has_no_time_holds_the_reading_back) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    RpCase *test_case = rp_blackout_case(sandbox);
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    Busy busy = {rp_sandbox_get_redis_socket(sandbox), 0};
    rp_case_fill(test_case, 3, "0");
    GThread *thread = g_thread_new("busy", keep_busy, &busy);
    rp_case_run(test_case, &out, "run", "--json", "--mapping", mapping, "--redis-latency-ms", "10",
                "--max-keys-per-second", "400", NULL);
    g_atomic_int_set(&busy.is_over, 1);
    g_thread_join(thread);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.errors, "the reading is held back\n");
    g_autoptr(json_t) run = rp_outcome_json(&out);
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(run, "balanced")));
    rp_assert_account(run, "orders", "read 12, inserted 12");
    rp_assert_account(run, "payments", "read 9, inserted 9");
    rp_case_free(test_case);
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
