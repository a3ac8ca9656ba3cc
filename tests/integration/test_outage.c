/* The equipment for outages: servers that go away and come back with what they should have. */
#include "blackout.h"

#include "shop.h"

#include <poll.h>

static void assert_redis_has(RpCase *test_case, gint64 n_keys) {
    cr_assert(eq(i64, rp_case_redis_number(test_case, "DBSIZE"), n_keys));
}

Test(outage, postgres_killed_comes_back_with_what_was_committed) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    const pid_t before = rp_sandbox_get_postgres_pid(sandbox);
    rp_case_sql(test_case, "CREATE TABLE kept (n int); INSERT INTO kept SELECT generate_series(1, 1000)");
    rp_case_sql(test_case, "BEGIN; INSERT INTO kept VALUES (0)");
    for (int i = 0; i < 3; i++) {
        rp_blackout_kill(sandbox, RP_SANDBOX_POSTGRES);
        cr_assert(PQping(test_case->conninfo) == PQPING_NO_RESPONSE);
        rp_blackout_end(sandbox, RP_SANDBOX_POSTGRES);
        rp_case_reconnect(test_case);
        rp_case_assert_rows(test_case, "SELECT count(*), min(n) FROM kept", "1000|1");
    }
    cr_assert(ne(int, rp_sandbox_get_postgres_pid(sandbox), before));
}

Test(outage, postgres_shut_down_drops_its_sessions_and_comes_back) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    rp_case_add_customer(test_case, "c1");
    rp_blackout_shut_down(sandbox, RP_SANDBOX_POSTGRES);
    PQclear(PQexec(test_case->postgres, "SELECT 1"));
    cr_assert(PQstatus(test_case->postgres) == CONNECTION_BAD);
    rp_blackout_end(sandbox, RP_SANDBOX_POSTGRES);
    rp_case_reconnect(test_case);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "0");
    json_decref(rp_case_load(test_case, 0, NULL));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "1");
}

Test(outage, redis_comes_back_with_its_snapshot_or_empty) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    rp_case_add_customer(test_case, "c1");
    rp_blackout_kill(sandbox, RP_SANDBOX_REDIS);
    rp_blackout_end(sandbox, RP_SANDBOX_REDIS);
    rp_case_reconnect(test_case);
    assert_redis_has(test_case, 0);
    rp_case_add_customer(test_case, "c1");
    rp_case_redis(test_case, "SAVE");
    rp_blackout_kill(sandbox, RP_SANDBOX_REDIS);
    rp_blackout_end(sandbox, RP_SANDBOX_REDIS);
    rp_case_reconnect(test_case);
    assert_redis_has(test_case, 1);
    rp_case_add_customer(test_case, "c2");
    rp_blackout_shut_down(sandbox, RP_SANDBOX_REDIS);
    rp_blackout_end(sandbox, RP_SANDBOX_REDIS);
    rp_case_reconnect(test_case);
    assert_redis_has(test_case, 2);
    rp_blackout_kill(sandbox, RP_SANDBOX_REDIS);
    rp_blackout_forget(sandbox);
    rp_blackout_end(sandbox, RP_SANDBOX_REDIS);
    rp_case_reconnect(test_case);
    assert_redis_has(test_case, 0);
}

/* Whether an answer comes within a time. */
static gboolean is_answered(int fd, int wait_ms) {
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    return poll(&answer, 1, wait_ms) == 1;
}

Test(outage, suspended_servers_stand_still_until_they_go_on) {
    enum { SILENCE_MS = 150, ANSWER_MS = 10000 };
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    rp_blackout_suspend(sandbox, RP_SANDBOX_POSTGRES);
    rp_blackout_suspend(sandbox, RP_SANDBOX_REDIS);
    int is_sent = 0;
    cr_assert(eq(int, PQsendQuery(test_case->postgres, "SELECT 1"), 1));
    redisAppendCommand(test_case->redis, "PING");
    while (!is_sent && redisBufferWrite(test_case->redis, &is_sent) == REDIS_OK) {
    }
    cr_assert_not(is_answered(PQsocket(test_case->postgres), SILENCE_MS));
    cr_assert_not(is_answered(test_case->redis->fd, SILENCE_MS));
    rp_blackout_resume(sandbox, RP_SANDBOX_POSTGRES);
    rp_blackout_resume(sandbox, RP_SANDBOX_REDIS);
    cr_assert(is_answered(PQsocket(test_case->postgres), ANSWER_MS));
    cr_assert(is_answered(test_case->redis->fd, ANSWER_MS));
    rp_blackout_suspend(sandbox, RP_SANDBOX_POSTGRES); /* and can be ended while they stand still */
    rp_blackout_kill(sandbox, RP_SANDBOX_POSTGRES);
}
