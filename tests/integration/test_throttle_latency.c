/* A Redis that is slow: the reading is held back, which is said, and nothing else changes. */
#include "blackout.h"
#include "throttling.h"

#include <string.h>

#define LATENCY_WORDS "held back"

/* The run's other connections greet Redis with a PING, too: those come first. */
#define FIRST_OWN_PING 6

static void add_rule(Slow *slow, RpProxyAction action, guint number) {
    const RpProxyRule rule = {.action = action,
                              .way = RP_PROXY_TO_SERVER,
                              .text = "PING\r\n",
                              .number = number,
                              .is_after = action == RP_PROXY_DELAY,
                              .delay_ms = 40};
    rp_proxy_add_rule(slow->proxy, &rule);
}

/* At so many keys a second, which is to be less than what nothing holds back. */
static json_t *load_slowly(Slow *slow, RpOutcome *out, const char *keys, const char *latency_ms) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    rp_case_run(slow->test_case, out, "--redis", slow->url, "run", "--json", "--strategy", "merge",
                "--mapping", mapping, "--max-keys-per-second", keys, "--redis-latency-ms", latency_ms, NULL);
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

Test(throttle_latency, slow_pings_hold_the_reading_back) {
    g_auto(Slow) slow = slow_new();
    g_auto(RpOutcome) out = {0};
    for (guint i = 0; i < 30; i++)
        add_rule(&slow, RP_PROXY_DELAY, FIRST_OWN_PING + i);
    g_autoptr(json_t) run = load_slowly(&slow, &out, "400", "20");
    rp_assert_says(out.errors, "ms for a PING (--redis-latency-ms 20; its quickest: ");
    rp_assert_says(out.errors, "the reading is held back\n");
    rp_assert_says(out.errors, "the reading was held back for ");
    cr_assert(le(u32, count_words(out.errors, LATENCY_WORDS), 3));
    cr_assert(seconds_of(run) > 1.0, "%.3f s", seconds_of(run)); /* 0.6 s when nothing holds it back */
}

Test(throttle_latency, quick_pings_hold_nothing_back) {
    g_auto(Slow) slow = slow_new();
    g_auto(RpOutcome) out = {0};
    g_autoptr(json_t) run = load_slowly(&slow, &out, "200", "10000");
    rp_assert_keeps_quiet(out.errors, LATENCY_WORDS);
    rp_assert_keeps_quiet(out.errors, "PING");
}

Test(throttle_latency, pings_that_fail_are_said_once_and_are_no_outage) {
    g_auto(Slow) slow = slow_new();
    g_auto(RpOutcome) out = {0};
    for (guint i = 0; i < 3; i++)
        add_rule(&slow, RP_PROXY_CUT, FIRST_OWN_PING + i);
    g_autoptr(json_t) run = load_slowly(&slow, &out, "200", "10000");
    rp_proxy_await_met(slow.proxy, 1);
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

Test(throttle_latency, a_redis_that_has_no_time_holds_the_reading_back) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    RpCase *test_case = rp_blackout_case(sandbox);
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    Busy busy = {rp_sandbox_get_redis_socket(sandbox), 0};
    rp_case_fill(test_case, 3, "0");
    GThread *thread = g_thread_new("busy", keep_busy, &busy);
    rp_case_run(test_case, &out, "run", "--json", "--strategy", "merge", "--mapping", mapping,
                "--redis-latency-ms", "10", "--max-keys-per-second", "60", NULL);
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
