/* `cutover` beside a real sync. */
#include "gating.h"

#include <signal.h>

/* A sync that follows when this returns. When a test fails, its servers go, and it ends soon after them. */
static RpProcess *start_with(const Gate *gate, const char *capture, const char *more) {
    static const char FOLLOWS[] =
        "SELECT count(*) FROM redis2pg.sync WHERE state = 'following' AND rescan_reason IS NULL";
    const gint64 limit = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;
    RpProcess *process =
        rp_case_spawn(gate->test_case, "sync", "--progress", "none", "--mapping", gate->mapping, "--capture",
                      capture, "--configure-notifications", "--retry-seconds", "10", more, NULL);
    while (rp_case_sql_number(gate->test_case, FOLLOWS) == 0) {
        cr_assert(lt(i64, g_get_monotonic_time(), limit));
        g_usleep(20 * 1000);
    }
    return process;
}

static RpProcess *start(const Gate *gate, const char *capture) {
    return start_with(gate, capture, NULL);
}

static void stop(RpProcess *process) {
    g_auto(RpOutcome) out = {0};
    rp_process_signal(process, SIGTERM);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 5);
}

/* Writes until it is told to stop, on a connection of its own; how much it wrote. */
typedef struct {
    const Gate *gate;
    GThread *thread;
    gint is_over; /* atomic */
    gint n;       /* atomic */
} Writer;

static gpointer write_on(gpointer data) {
    Writer *writer = data;
    const RpCase *test_case = writer->gate->test_case;
    redisContext *redis = redisConnectUnix(test_case->redis->unix_sock.path);
    freeReplyObject(redisCommand(redis, "SELECT %u", test_case->number));
    for (int i = 0; !g_atomic_int_get(&writer->is_over); i++) {
        freeReplyObject(redisCommand(redis, "HSET order:o1 quantity %d", 1 + i % 1000));
        g_atomic_int_inc(&writer->n);
        g_usleep(500);
    }
    redisFree(redis);
    return NULL;
}

static void begin_writing(Writer *writer, const Gate *gate) {
    *writer = (Writer){.gate = gate};
    writer->thread = g_thread_new("writer", write_on, writer);
}

static void end_writing(Writer *writer) {
    g_atomic_int_set(&writer->is_over, 1);
    g_thread_join(writer->thread);
}

static void assert_goes(const char *capture) {
    Gate gate = new_gate();
    RpProcess *sync = start(&gate, capture);
    rp_case_add_order(gate.test_case, "o2", "c1");
    rp_case_redis(gate.test_case, "SADD customer:c1:orders o2");
    rp_case_redis(gate.test_case, "HSET order:o1 quantity 9");
    g_autoptr(json_t) document = cut_over(&gate, 0, "--yes", NULL);
    cr_assert(eq(str, (char *)rp_json_text(document, "capture"), (char *)capture));
    cr_assert(eq(i64, rp_json_number(document, "reconcile.entities.orders.equal"), 2));
    cr_assert(eq(int, json_is_integer(rp_json_at(document, "offset")), strcmp(capture, "replica") == 0));
    rp_case_assert_rows(gate.test_case, "SELECT order_id, quantity FROM orders ORDER BY 1", "o1|9\no2|10");
    stop(sync);
    drop_gate(&gate);
}

Test(cutover_sync, goes_when_a_stream_has_arrived) {
    assert_goes("replica");
}

Test(cutover_sync, goes_when_notifications_are_quiet) {
    assert_goes("notify");
}

Test(cutover_sync, goes_while_writers_are_held) {
    Gate gate = new_gate();
    RpProcess *sync = start(&gate, "replica");
    Writer writer;
    begin_writing(&writer, &gate);
    for (guint i = 0; i < 3; i++) {
        g_autoptr(json_t) document = cut_over(&gate, 0, "--pause-writes", NULL);
        cr_assert(gt(i64, rp_json_number(document, "offset"), 0));
        const int n = g_atomic_int_get(&writer.n);
        const gint64 limit = g_get_monotonic_time() + 5 * G_TIME_SPAN_SECOND;
        while (g_atomic_int_get(&writer.n) < n + 3) /* it goes on */
            cr_assert(lt(i64, g_get_monotonic_time(), limit));
    }
    g_autoptr(json_t) refused = cut_over(&gate, 6, "--yes", NULL);
    assert_reason(refused, "somebody wrote to Redis during the check");
    end_writing(&writer);
    stop(sync);
    drop_gate(&gate);
}

Test(cutover_sync, is_refused_when_the_sync_has_stopped) {
    Gate gate = new_gate();
    RpProcess *sync = start(&gate, "replica");
    g_autoptr(json_t) go = cut_over(&gate, 0, "--yes", NULL);
    stop(sync);
    g_autoptr(json_t) refused = cut_over(&gate, 6, "--yes", NULL);
    assert_reason(refused, "it is stopped");
    drop_gate(&gate);
}

/* The sync lives on, and catches up afterwards. */
Test(cutover_sync, waits_for_the_sync_no_longer_than_it_may) {
    Gate gate = new_gate();
    RpProcess *sync = start(&gate, "replica");
    PGconn *holder = rp_case_hold(gate.test_case, "orders");
    rp_case_redis(gate.test_case, "HSET order:o1 quantity 11");
    rp_case_await_blocked(gate.test_case, "orders", 1);
    g_autoptr(json_t) refused = cut_over(&gate, 6, "--pause-writes", "--max-pause", "3", NULL);
    assert_reason(refused, "the pause ran out");
    assert_released(&gate);
    rp_case_release(holder);
    g_autoptr(json_t) go = cut_over(&gate, 0, "--yes", NULL);
    rp_case_assert_rows(gate.test_case, "SELECT quantity FROM orders", "11");
    stop(sync);
    drop_gate(&gate);
}

/* What has expired stays by the policy of the shop, is no difference, and stands in the notes. */
Test(cutover_sync, notes_what_the_mapping_keeps) {
    Gate gate = new_gate();
    RpProcess *sync = start(&gate, "replica");
    rp_case_redis(gate.test_case, "PEXPIRE order:o1 1");
    while (rp_case_redis_number(gate.test_case, "EXISTS order:o1") > 0)
        g_usleep(1000);
    g_autoptr(json_t) document = cut_over(&gate, 0, "--yes", NULL);
    cr_assert(eq(i64, rp_json_number(document, "reconcile.entities.orders.kept"), 1));
    assert_note(document, "orders: 1 rows stand whose keys have left Redis");
    stop(sync);
    drop_gate(&gate);
}

/* The sync's own writes are no writer's, and it does not wait for one that is held. */
Test(cutover_sync, goes_with_a_heartbeat) {
    Gate gate = new_gate();
    RpProcess *sync = start_with(&gate, "replica", "--heartbeat");
    while (rp_case_redis_number(gate.test_case, "EXISTS redis2pg:heartbeat") == 0)
        g_usleep(20 * 1000);
    g_autoptr(json_t) open = cut_over(&gate, 0, "--yes", NULL);
    assert_note(open, "the sync writes a heartbeat");
    g_autoptr(json_t) paused = cut_over(&gate, 0, "--pause-writes", NULL);
    cr_assert(lt(i64, rp_json_number(paused, "paused_ms"), 15000));
    stop(sync);
    drop_gate(&gate);
}
