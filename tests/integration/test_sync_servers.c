/* A sync whose servers fail: what has to be read again, what has not, and what must not go. */
#include "blackout.h"
#include "fault.h"
#include "syncing.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SYNC(...)                                                                                            \
    (const char *const[]) {                                                                                  \
        "sync", "--progress", "none", __VA_ARGS__, NULL                                                      \
    }

static void use_shop(void) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
}

TestSuite(sync_servers, .init = use_shop);

static void add_orders(RpCase *test_case, guint first, guint end) {
    rp_case_add_customer(test_case, "c1");
    for (guint i = first; i < end; i++) {
        g_autofree char *id = g_strdup_printf("o%u", i);
        rp_case_add_order(test_case, id, "c1");
    }
}

static void assert_ends(RpCase *test_case, int status, const char *says, const char *const *words) {
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(test_case, &out, words);
    rp_outcome_assert_status(&out, status);
    if (says != NULL)
        rp_assert_says(out.errors, says);
}

/* ---- Redis without its data ---- */

/* Neither of both starts deletes anything; what a user has allowed goes. */
static void assert_guarded(RpCase *test_case, const char *rows) {
    for (guint i = 0; i < 2; i++) {
        assert_ends(test_case, 6, "--max-delete-percent", SYNC("--until-caught-up"));
        rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", rows);
    }
    assert_ends(test_case, 0, NULL, SYNC("--until-caught-up", "--max-delete-percent", "100"));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "0");
    rp_case_assert_rows(test_case, "SELECT rescan_reason FROM redis2pg.sync", "null");
}

static void await_end(RpProcess *sync, int status) {
    g_auto(RpOutcome) out = {0};
    rp_process_wait(sync, &out);
    rp_outcome_assert_status(&out, status);
}

Test(sync_servers, a_redis_that_comes_back_empty_empties_nothing) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    add_orders(test_case, 0, 20);
    RpProcess *sync = start_sync(test_case);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "20");
    rp_blackout_kill(sandbox, RP_SANDBOX_REDIS);
    rp_blackout_forget(sandbox);
    rp_blackout_end(sandbox, RP_SANDBOX_REDIS);
    await_end(sync, 6);
    rp_case_reconnect(test_case);
    assert_guarded(test_case, "20");
}

Test(sync_servers, flushall_empties_nothing_without_leave) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    add_orders(test_case, 0, 20);
    RpProcess *sync = start_sync(test_case);
    rp_case_redis(test_case, "FLUSHALL");
    await_end(sync, 6);
    assert_guarded(test_case, "20");
}

/* ---- Redis that has forgotten, or is another one ---- */

static void overrun_backlog(RpCase *test_case) {
    g_autofree char *value = g_strnfill(200000, 'x');
    for (guint i = 0; i < 100 && rp_case_redis_number(test_case, "WAIT 0 0") >= 0; i++)
        rp_case_redis(test_case, "SET test_queue %s", value);
}

Test(sync_servers, an_overrun_backlog_has_all_keys_read_again) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    rp_case_redis(test_case, "CONFIG SET repl-backlog-size 16384");
    rp_case_redis(test_case, "CONFIG SET client-output-buffer-limit %s", "replica 64kb 64kb 1");
    add_orders(test_case, 0, 200);
    RpProcess *sync = start_sync(test_case);
    rp_process_signal(sync, SIGSTOP);
    rp_case_redis(test_case, "DEL order:o1");
    add_orders(test_case, 200, 210);
    overrun_backlog(test_case);
    rp_process_signal(sync, SIGCONT);
    await_rows(test_case, "SELECT count(*) FROM orders", "209");
    await_rows(test_case, "SELECT count(*) FROM redis2pg.runs WHERE kind = 'run'", "2");
    await_state(test_case, "following");
    stop_sync(sync);
}

static guint find_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int probe = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(probe >= 0 && bind(probe, (struct sockaddr *)&address, size) == 0 &&
              getsockname(probe, (struct sockaddr *)&address, &size) == 0);
    close(probe);
    return ntohs(address.sin_port);
}

/* A Redis that others can follow. */
static RpSandbox *start_redis(guint port) {
    g_autofree char *setting = g_strdup_printf("port=%u", port);
    const char *const settings[] = {setting, "bind=127.0.0.1", "repl-diskless-sync-delay=0", NULL};
    const RpSandboxOptions options = {
        .is_without_postgres = TRUE, .redis_databases = 4, .extra_redis_settings = settings};
    g_autoptr(GError) error = NULL;
    RpSandbox *sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    return sandbox;
}

static void await_replica(RpCase *master) {
    const gint64 limit = g_get_monotonic_time() + SYNC_PATIENCE_US;
    for (;;) {
        g_autofree char *info = rp_case_redis_text(master, "INFO replication");
        if (strstr(info, "state=online") != NULL)
            return;
        cr_assert(g_get_monotonic_time() < limit, "the replica does not follow: %s", info);
        g_usleep(20 * 1000);
    }
}

static char *url_of(const RpSandbox *sandbox, const RpCase *like) {
    return g_strdup_printf("unix://%s?db=%u", rp_sandbox_get_redis_socket(sandbox), like->number);
}

Test(sync_servers, a_promoted_replica_is_gone_on_with_and_a_stranger_is_not) {
    const guint port = find_port();
    g_autoptr(RpSandbox) postgres = rp_blackout_sandbox();
    g_autoptr(RpSandbox) master = start_redis(port);
    g_autoptr(RpSandbox) replica = start_redis(find_port());
    g_autoptr(RpCase) test_case =
        rp_case_new_at(rp_sandbox_get_redis_socket(master), rp_sandbox_get_conninfo(postgres));
    redisContext *promoted = redisConnectUnix(rp_sandbox_get_redis_socket(replica));
    freeReplyObject(redisCommand(promoted, "REPLICAOF 127.0.0.1 %u", port));
    await_replica(test_case);
    add_orders(test_case, 0, 20);
    rp_case_redis(test_case, "HSET order:o2 quantity 1001");
    g_autoptr(json_t) first = catch_up(test_case, 1);
    rp_case_redis(test_case, "DEL order:o1");
    rp_case_redis(test_case, "HSET order:o2 quantity 5");
    cr_assert(eq(i64, rp_case_redis_number(test_case, "WAIT 1 20000"), 1));
    freeReplyObject(redisCommand(promoted, "REPLICAOF NO ONE"));
    g_autofree char *stranger = url_of(postgres, test_case);
    assert_ends(test_case, 2, "does not know its history", SYNC("--until-caught-up", "--redis", stranger));
    g_autofree char *url = url_of(replica, test_case);
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(test_case, &out, SYNC("--until-caught-up", "--json", "--redis", url));
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) second = rp_outcome_json(&out);
    cr_assert(JSON_NULL == json_typeof(rp_json_at(second, "load")));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "19");
    rp_case_assert_rows(test_case, "SELECT resolved_by FROM redis2pg.rejects", "3");
    redisFree(promoted);
}

/* ---- servers that are lost between two runs ---- */

/* Rows are looked for before all keys are read; the server dies meanwhile. */
Test(sync_servers, a_postgres_that_dies_between_runs_is_waited_for) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    add_orders(test_case, 0, 5);
    RpProcess *sync = rp_fault_spawn(test_case, "stop:stream_attached:1", SYNC("--until-caught-up"));
    rp_process_await_stopped(sync);
    PGconn *holder = rp_case_hold(test_case, "users");
    PGresult *locked = PQexec(holder, "LOCK TABLE users");
    cr_assert(eq(int, PQresultStatus(locked), PGRES_COMMAND_OK));
    PQclear(locked);
    rp_process_signal(sync, SIGCONT);
    rp_case_await_blocked(test_case, "users", 1);
    rp_blackout_kill(sandbox, RP_SANDBOX_POSTGRES);
    rp_blackout_end(sandbox, RP_SANDBOX_POSTGRES);
    PQfinish(holder);
    rp_case_reconnect(test_case);
    await_end(sync, 0);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "5");
}

/* A run of its own deletes rows of keys that are gone, and stands still where its own reader has the server.
 */
Test(sync_servers, a_postgres_that_dies_while_rows_are_deleted_is_waited_for) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    add_orders(test_case, 0, 200);
    g_autoptr(json_t) first = catch_up(test_case, 0);
    rp_case_sql(test_case, "UPDATE redis2pg.sync SET replication_id = repeat('0', 40)");
    rp_case_redis(test_case, "DEL order:o1");
    RpProcess *sync = rp_fault_spawn(test_case, "stop:run_opened:2", SYNC("--until-caught-up"));
    rp_process_await_stopped(sync);
    rp_blackout_kill(sandbox, RP_SANDBOX_POSTGRES);
    rp_blackout_end(sandbox, RP_SANDBOX_POSTGRES);
    rp_process_signal(sync, SIGCONT);
    rp_case_reconnect(test_case);
    await_end(sync, 0);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "199");
}

/* Likewise. */
Test(sync_servers, a_redis_that_is_started_anew_while_rows_are_deleted_has_all_keys_read_again) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    add_orders(test_case, 0, 200);
    g_autoptr(json_t) first = catch_up(test_case, 0);
    rp_case_sql(test_case, "UPDATE redis2pg.sync SET replication_id = repeat('0', 40)");
    rp_case_redis(test_case, "DEL order:o1");
    rp_case_redis(test_case, "SAVE");
    RpProcess *sync = rp_fault_spawn(test_case, "stop:run_opened:2", SYNC("--until-caught-up"));
    rp_process_await_stopped(sync);
    rp_blackout_kill(sandbox, RP_SANDBOX_REDIS);
    rp_blackout_end(sandbox, RP_SANDBOX_REDIS);
    rp_process_signal(sync, SIGCONT);
    rp_case_reconnect(test_case);
    await_end(sync, 0);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "199");
}
