/* What waits in a sync: keys that are written faster than rows, rows without their parents, and rows that
 * others still refer to. */
#include "syncing.h"

#define HOT_WRITES 100000
#define PIPELINE   1000

static void use_shop(void) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
}

TestSuite(sync_waiting, .init = use_shop);

Test(sync_waiting, a_hot_key_costs_a_merge_each_flush_and_not_each_write) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    RpProcess *sync = start_sync(test_case);
    const gint64 start = g_get_monotonic_time();
    for (guint i = 0; i < HOT_WRITES; i += PIPELINE) {
        for (guint k = 1; k <= PIPELINE; k++)
            redisAppendCommand(test_case->redis, "HSET order:o1 total_amount %u", i + k);
        for (guint k = 1; k <= PIPELINE; k++) {
            redisReply *reply;
            cr_assert(redisGetReply(test_case->redis, (void **)&reply) == REDIS_OK &&
                      reply->type == REDIS_REPLY_INTEGER);
            freeReplyObject(reply);
        }
    }
    await_rows(test_case, "SELECT total_amount::integer FROM orders", "100000");
    const gint64 n_flushes = (g_get_monotonic_time() - start) / (100 * 1000) + 2;
    const gint64 n_batches =
        rp_case_sql_number(test_case, "SELECT count(*) FROM redis2pg.batches WHERE run = 2");
    cr_assert(n_batches <= n_flushes, "%" G_GINT64_FORMAT " batches in the time of %" G_GINT64_FORMAT,
              n_batches, n_flushes);
    stop_sync(sync);
}

static const char OPEN_SQL[] = "SELECT code FROM redis2pg.rejects WHERE resolved_by IS NULL AND replaced_by "
                               "IS NULL";

static RpProcess *start_impatient(RpCase *test_case) {
    RpProcess *sync = rp_case_spawn(test_case, "sync", "--progress", "none", "--park-seconds", "1", NULL);
    await_state(test_case, "following");
    return sync;
}

Test(sync_waiting, an_orphan_becomes_a_reject_and_is_resolved_when_its_parent_comes) {
    g_autoptr(RpCase) test_case = rp_case_new();
    RpProcess *sync = start_impatient(test_case);
    rp_case_add_order(test_case, "o1", "c1");
    await_rows(test_case, "SELECT entity, is_rejected FROM redis2pg.parked", "orders|f");
    await_rows(test_case, OPEN_SQL, "missing_reference");
    rp_case_assert_rows(test_case, "SELECT is_rejected FROM redis2pg.parked", "t");
    rp_case_add_customer(test_case, "c1");
    await_rows(test_case, "SELECT customer_id FROM users", "c1");
    rp_case_sql(test_case, "UPDATE redis2pg.parked SET next_try_at = now()"); /* it is tried once a minute */
    await_rows(test_case, "SELECT order_id FROM orders", "o1");
    rp_case_assert_rows(test_case, OPEN_SQL, "");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.parked", "0");
    stop_sync(sync);
}

/* The payment's key still refers to the order. */
Test(sync_waiting, a_delete_that_is_blocked_becomes_a_reject_and_is_resolved_when_nothing_refers_to_the_row) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "c1");
    rp_case_add_payment(test_case, "p1", "o1");
    RpProcess *sync = start_impatient(test_case);
    rp_case_redis(test_case, "DEL order:o1");
    await_rows(test_case, OPEN_SQL, "delete_blocked");
    rp_case_assert_rows(test_case, "SELECT order_id FROM orders ORDER BY 1", "o1\no2");
    rp_case_redis(test_case, "HSET payment:p1 order_id o2");
    await_rows(test_case, "SELECT o.order_id FROM payments p JOIN orders o ON o.id = p.order_id", "o2");
    rp_case_sql(test_case, "UPDATE redis2pg.parked SET next_try_at = now()");
    await_rows(test_case, "SELECT order_id FROM orders", "o2");
    rp_case_assert_rows(test_case, OPEN_SQL, "");
    stop_sync(sync);
}
