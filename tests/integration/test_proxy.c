/* The proxy itself: what it cuts, holds back and delivers, and that it counts right. */
#include "proxy.h"

#include "shop.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

static const char *redis_socket(RpCase *test_case) {
    return test_case->redis->unix_sock.path;
}

static char *postgres_socket(RpCase *test_case) {
    return g_strdup_printf("%s/.s.PGSQL.5432", PQhost(test_case->postgres));
}

static redisContext *connect_redis(RpProxy *proxy) {
    const struct timeval limit = {.tv_sec = 20};
    redisContext *redis = redisConnectUnixWithTimeout(rp_proxy_get_socket(proxy), limit);
    cr_assert(redis != NULL && redis->err == 0, "%s", redis != NULL ? redis->errstr : "");
    redisSetTimeout(redis, limit);
    return redis;
}

static PGconn *connect_postgres(RpCase *test_case, RpProxy *proxy) {
    g_autofree char *conninfo =
        g_strdup_printf("%s host=%s", test_case->conninfo, rp_proxy_get_folder(proxy));
    return PQconnectdb(conninfo);
}

/* Whether ECHO comes back as it should. */
static gboolean is_echoed(redisContext *redis, const char *text) {
    redisReply *reply = redisCommand(redis, "ECHO %s", text);
    const gboolean is_right = reply != NULL && g_strcmp0(reply->str, text) == 0;
    if (reply != NULL)
        freeReplyObject(reply);
    return is_right;
}

static gboolean is_answered(redisContext *redis, int wait_ms) {
    struct pollfd answer = {.fd = redis->fd, .events = POLLIN};
    return poll(&answer, 1, wait_ms) == 1;
}

static void send_echo(redisContext *redis, const char *text) {
    int is_sent = 0;
    redisAppendCommand(redis, "ECHO %s", text);
    while (!is_sent)
        cr_assert(eq(int, redisBufferWrite(redis, &is_sent), REDIS_OK));
}

Test(proxy, passes_everything_on_and_counts_it) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(RpProxy) proxy = rp_proxy_new(redis_socket(test_case));
    g_autofree char *big = g_strnfill(300000, 'x');
    redisContext *one = connect_redis(proxy);
    redisContext *two = connect_redis(proxy);
    cr_assert(is_echoed(one, big));
    cr_assert(is_echoed(two, "hello"));
    RpProxyCounts counts;
    rp_proxy_count(proxy, &counts);
    cr_assert(eq(u32, counts.n_connections, 2));
    cr_assert(eq(u32, counts.n_open, 2));
    /* "*2\r\n$4\r\nECHO\r\n$6\r\n", the text, "\r\n"; "$6\r\n", the text, "\r\n" */
    cr_assert(eq(u64, counts.n_bytes[RP_PROXY_TO_SERVER], 14 + 9 + 300000 + 2 + 14 + 4 + 5 + 2));
    cr_assert(eq(u64, counts.n_bytes[RP_PROXY_TO_CLIENT], 9 + 300000 + 2 + 4 + 5 + 2));
    redisFree(one);
    redisFree(two);
}

Test(proxy, carries_a_whole_run_in_small_pieces) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *socket = postgres_socket(test_case);
    g_autoptr(RpProxy) redis = rp_proxy_new(redis_socket(test_case));
    g_autoptr(RpProxy) postgres = rp_proxy_new(socket);
    g_autofree char *url = g_strdup_printf("unix://%s?db=%u", rp_proxy_get_socket(redis), test_case->number);
    g_autofree char *conninfo =
        g_strdup_printf("%s host=%s", test_case->conninfo, rp_proxy_get_folder(postgres));
    rp_case_fill(test_case, 50, "0");
    rp_proxy_chop(redis, 7);
    rp_proxy_chop(postgres, 11);
    json_decref(rp_case_load(test_case, 0, "--redis", url, "--postgres", conninfo, NULL));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "200");
}

Test(proxy, cuts_all_and_takes_new_ones) {
    signal(SIGPIPE, SIG_IGN); /* hiredis writes into what is closed */
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(RpProxy) proxy = rp_proxy_new(redis_socket(test_case));
    redisContext *one = connect_redis(proxy);
    cr_assert(is_echoed(one, "hello"));
    rp_proxy_cut(proxy);
    cr_assert_not(is_echoed(one, "hello"));
    redisContext *two = connect_redis(proxy);
    cr_assert(is_echoed(two, "hello"));
    redisFree(one);
    redisFree(two);
}

Test(proxy, refuses_until_it_is_told) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *socket = postgres_socket(test_case);
    g_autoptr(RpProxy) proxy = rp_proxy_new(socket);
    rp_proxy_refuse(proxy, TRUE);
    PGconn *refused = connect_postgres(test_case, proxy);
    cr_assert(PQstatus(refused) == CONNECTION_BAD);
    rp_assert_says(PQerrorMessage(refused), "Connection refused");
    rp_proxy_refuse(proxy, FALSE);
    PGconn *taken = connect_postgres(test_case, proxy);
    cr_assert(PQstatus(taken) == CONNECTION_OK, "%s", PQerrorMessage(taken));
    PQfinish(refused);
    PQfinish(taken);
}

Test(proxy, delivers_exactly_what_comes_before_a_cut) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(RpProxy) proxy = rp_proxy_new(redis_socket(test_case));
    rp_proxy_add_rule(
        proxy, &(RpProxyRule){
                   .action = RP_PROXY_CUT, .way = RP_PROXY_TO_CLIENT, .connection = 2, .n_bytes = 11 + 7});
    redisContext *one = connect_redis(proxy);
    redisContext *two = connect_redis(proxy);
    cr_assert(is_echoed(one, "hello"));
    cr_assert(is_echoed(one, "hello"));
    cr_assert(is_echoed(two, "hello"));
    char text[32] = "";
    send_echo(two, "again");
    rp_proxy_await_met(proxy, 1);
    cr_assert(eq(int, (int)read(two->fd, text, sizeof text - 1), 7));
    cr_assert(eq(str, text, "$5\r\naga"));
    cr_assert(read(two->fd, text, 1) <= 0);
    cr_assert(is_echoed(one, "hello"));
    redisFree(one);
    redisFree(two);
}

Test(proxy, meets_a_text_in_pieces_the_nth_time) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(RpProxy) proxy = rp_proxy_new(redis_socket(test_case));
    rp_proxy_add_rule(
        proxy,
        &(RpProxyRule){.action = RP_PROXY_CUT, .way = RP_PROXY_TO_SERVER, .text = "needle", .number = 3});
    redisContext *one = connect_redis(proxy);
    redisContext *two = connect_redis(proxy);
    rp_proxy_chop(proxy, 1);
    cr_assert(is_echoed(one, "a needle"));
    cr_assert(is_echoed(two, "a needl and a needle "));
    cr_assert(is_echoed(one, "needl"));
    signal(SIGPIPE, SIG_IGN);
    cr_assert_not(is_echoed(one, "needle"));
    cr_assert(is_echoed(two, "needle"));
    redisFree(one);
    redisFree(two);
}

/* What stands in a table after an INSERT with a COMMIT that was met by a rule. */
static void assert_commit(RpProxyRule rule, const char *expected) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *socket = postgres_socket(test_case);
    g_autoptr(RpProxy) proxy = rp_proxy_new(socket);
    rp_case_sql(test_case, "CREATE TABLE kept (n int)");
    rule.way = RP_PROXY_TO_SERVER;
    rule.text = "COMMIT";
    rule.text_size = sizeof "COMMIT"; /* with its NUL: the message is whole */
    rp_proxy_add_rule(proxy, &rule);
    PGconn *connection = connect_postgres(test_case, proxy);
    PQclear(PQexec(connection, "BEGIN"));
    PQclear(PQexec(connection, "INSERT INTO kept VALUES (1)"));
    PQclear(PQexec(connection, "COMMIT"));
    cr_assert(PQstatus(connection) == CONNECTION_BAD);
    rp_proxy_await_met(proxy, 1);
    PQfinish(connection);
    const gint64 limit = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (rp_case_sql_number(test_case,
                              "SELECT count(*) FROM pg_locks WHERE relation = 'kept'::regclass AND mode = "
                              "'RowExclusiveLock'") > 0)
        cr_assert(g_get_monotonic_time() < limit);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM kept", expected);
}

Test(proxy, swallows_a_commit) {
    assert_commit((RpProxyRule){.action = RP_PROXY_CUT}, "0");
}

Test(proxy, swallows_the_answer_to_a_commit) {
    assert_commit((RpProxyRule){.action = RP_PROXY_CUT, .is_after = TRUE}, "1");
}

Test(proxy, delivers_a_commit_when_its_client_has_gone) {
    assert_commit((RpProxyRule){.action = RP_PROXY_ORPHAN, .delay_ms = 300}, "1");
}

Test(proxy, delays) {
    enum { DELAY_MS = 400 };
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(RpProxy) proxy = rp_proxy_new(redis_socket(test_case));
    rp_proxy_add_rule(
        proxy, &(RpProxyRule){
                   .action = RP_PROXY_DELAY, .way = RP_PROXY_TO_CLIENT, .n_bytes = 5, .delay_ms = DELAY_MS});
    redisContext *redis = connect_redis(proxy);
    const gint64 start = g_get_monotonic_time();
    cr_assert(is_echoed(redis, "hello"));
    cr_assert(g_get_monotonic_time() - start >= DELAY_MS * 1000);
    redisFree(redis);
}

Test(proxy, stalls_until_it_is_told) {
    enum { SILENCE_MS = 100, ANSWER_MS = 10000 };
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(RpProxy) proxy = rp_proxy_new(redis_socket(test_case));
    redisContext *one = connect_redis(proxy);
    rp_proxy_stall(proxy, TRUE);
    redisContext *two = connect_redis(proxy);
    send_echo(one, "one");
    send_echo(two, "two");
    cr_assert_not(is_answered(one, SILENCE_MS));
    cr_assert_not(is_answered(two, SILENCE_MS));
    rp_proxy_stall(proxy, FALSE);
    cr_assert(is_answered(one, ANSWER_MS));
    cr_assert(is_answered(two, ANSWER_MS));
    redisFree(one);
    redisFree(two);
}

Test(proxy, stalls_one_connection_by_rule) {
    enum { SILENCE_MS = 100, ANSWER_MS = 10000 };
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(RpProxy) proxy = rp_proxy_new(redis_socket(test_case));
    rp_proxy_add_rule(
        proxy, &(RpProxyRule){
                   .action = RP_PROXY_STALL, .way = RP_PROXY_TO_SERVER, .text = "stop", .is_after = TRUE});
    redisContext *one = connect_redis(proxy);
    redisContext *two = connect_redis(proxy);
    send_echo(one, "stop");
    rp_proxy_await_met(proxy, 1);
    cr_assert_not(is_answered(one, SILENCE_MS));
    cr_assert(is_echoed(two, "go"));
    rp_proxy_stall(proxy, FALSE);
    cr_assert(is_answered(one, ANSWER_MS));
    redisFree(one);
    redisFree(two);
}
