/* Servers that are down, refuse us, or are not what the mapping needs: one line says which and where. */
#include "shop.h"

#include "sandbox/sandbox.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET "sesame-7461"

/* A port of the loopback that nobody listens on: it was free a moment ago. */
static int find_closed_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(eq(int, bind(listener, (struct sockaddr *)&address, size), 0));
    cr_assert(eq(int, getsockname(listener, (struct sockaddr *)&address, &size), 0));
    close(listener);
    return ntohs(address.sin_port);
}

/* Runs `run` with another server and expects exactly one line on stderr, which says all of these. */
static void assert_one_line(RpCase *test_case, int status, const char *option, const char *server,
                            const char *const texts[]) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, option, server, "run", "--mapping", mapping, "--progress", "none", NULL);
    rp_outcome_assert_status(&out, status);
    g_auto(GStrv) lines = g_strsplit(out.errors, "\n", -1);
    cr_assert(g_strv_length(lines) == 2 && lines[1][0] == '\0', "not one line:\n%s", out.errors);
    for (guint i = 0; texts[i] != NULL; i++)
        rp_assert_says(out.errors, texts[i]);
    cr_assert(eq(str, out.output, ""));
    rp_assert_keeps_quiet(out.errors, SECRET);
}

static void assert_untouched(RpCase *test_case) {
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "0");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM pg_namespace WHERE nspname = 'redis2pg'", "0");
}

Test(failures, redis_is_not_there_on_a_socket) {
    g_autoptr(RpCase) test_case = rp_case_new();
    assert_one_line(test_case, 3, "--redis", "unix://:" SECRET "@/nowhere/redis.sock?db=2",
                    (const char *const[]){"Redis", "/nowhere/redis.sock", NULL});
    assert_untouched(test_case);
}

Test(failures, redis_is_not_there_on_a_port) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *place = g_strdup_printf("127.0.0.1:%d", find_closed_port());
    g_autofree char *url = g_strdup_printf("redis://user:" SECRET "@%s/0", place);
    assert_one_line(test_case, 3, "--redis", url,
                    (const char *const[]){"Redis", place, "Connection refused", NULL});
    assert_untouched(test_case);
}

Test(failures, postgres_is_not_there_on_a_socket) {
    g_autoptr(RpCase) test_case = rp_case_new();
    assert_one_line(test_case, 4, "--postgres", "host=/nowhere dbname=shop password=" SECRET,
                    (const char *const[]){"PostgreSQL", "/nowhere/.s.PGSQL.5432", NULL});
}

Test(failures, postgres_is_not_there_on_a_port) {
    g_autoptr(RpCase) test_case = rp_case_new();
    const int port = find_closed_port();
    g_autofree char *place = g_strdup_printf("127.0.0.1:%d", port);
    g_autofree char *conninfo = g_strdup_printf("postgresql://someone:" SECRET "@127.0.0.1:%d/shop", port);
    assert_one_line(test_case, 4, "--postgres", conninfo,
                    (const char *const[]){"PostgreSQL", place, "Connection refused", NULL});
}

/* Special characters that are not written as %XX end the password early: the rest looks like a host. */
Test(failures, an_address_with_half_a_password_in_it_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    static const char *const ADDRESSES[] = {"postgres://u:12@" SECRET "@127.0.0.1:1/db",
                                            "postgresql://u:12/" SECRET "@127.0.0.1:1/db"};
    for (guint i = 0; i < G_N_ELEMENTS(ADDRESSES); i++)
        assert_one_line(test_case, 2, "--postgres", ADDRESSES[i],
                        (const char *const[]){"PostgreSQL", "%40", NULL});
    assert_one_line(test_case, 2, "--redis", "redis://u:12@" SECRET "@127.0.0.1:1/0",
                    (const char *const[]){"Redis", "%40", NULL});
}

Test(failures, postgres_has_no_such_database) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *conninfo = g_strdup_printf("%s dbname=no_such_database", test_case->conninfo);
    assert_one_line(test_case, 4, "--postgres", conninfo,
                    (const char *const[]){"PostgreSQL", "no_such_database", "does not exist", NULL});
}

/* A Redis of the test's own that asks for a password. */
static RpSandbox *start_guarded_redis(void) {
    g_autoptr(GError) error = NULL;
    const RpSandboxOptions options = {.is_without_postgres = TRUE, .redis_databases = 2};
    RpSandbox *sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    redisContext *redis = redisConnectUnix(rp_sandbox_get_redis_socket(sandbox));
    redisReply *reply = redisCommand(redis, "CONFIG SET requirepass right-" SECRET);
    cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR);
    freeReplyObject(reply);
    redisFree(redis);
    return sandbox;
}

Test(failures, redis_refuses_the_password) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(RpSandbox) sandbox = start_guarded_redis();
    const char *path = rp_sandbox_get_redis_socket(sandbox);
    g_autofree char *wrong = g_strdup_printf("unix://:wrong-" SECRET "@%s?db=1", path);
    g_autofree char *none = g_strdup_printf("unix://%s?db=1", path);
    assert_one_line(test_case, 3, "--redis", wrong, (const char *const[]){"Redis", path, "WRONGPASS", NULL});
    assert_one_line(test_case, 3, "--redis", none, (const char *const[]){"Redis", path, "NOAUTH", NULL});
    assert_untouched(test_case);
}

Test(failures, a_password_that_is_right_shows_nowhere) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(RpSandbox) sandbox = start_guarded_redis();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_autofree char *url =
        g_strdup_printf("unix://:right-" SECRET "@%s?db=1", rp_sandbox_get_redis_socket(sandbox));
    g_autofree char *conninfo = g_strdup_printf("%s password=" SECRET, test_case->conninfo);
    static const char *const commands[][4] = {
        {"run"}, {"run", "--json"}, {"check"}, {"runs", "show", "1", "--json"}, {"runs", "list"}};
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_auto(RpOutcome) out = {0};
        const char *const *words = commands[i];
        rp_case_run(test_case, &out, "--redis", url, "--postgres", conninfo, "--mapping", mapping,
                    "--log-level", "debug", words[0], words[1], words[2], words[3], NULL);
        rp_outcome_assert_status(&out, 0);
        rp_assert_keeps_quiet(out.output, SECRET);
        rp_assert_keeps_quiet(out.errors, SECRET);
    }
    rp_case_assert_rows(test_case,
                        "SELECT count(*) > 0, bool_or(r::text ~ '" SECRET "') FROM redis2pg.runs r", "t|f");
}

/* Puts a rule before the server's own: this role, and no other, must give a password. */
static void demand_password(RpCase *test_case, const char *role) {
    g_autofree char *path = rp_case_sql_text(test_case, "SHOW hba_file");
    g_autofree char *rules = NULL;
    cr_assert(g_file_get_contents(path, &rules, NULL, NULL));
    g_autofree char *longer = g_strdup_printf("local all %s scram-sha-256\n%s", role, rules);
    FILE *file = fopen(path, "w"); /* in place: the owner stays the server's user */
    cr_assert(file != NULL && fputs(longer, file) >= 0 && fclose(file) == 0);
    rp_case_sql(test_case, "SELECT pg_reload_conf()");
}

Test(failures, postgres_refuses_the_password) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_sql(test_case, "CREATE ROLE guarded LOGIN PASSWORD 'right'");
    demand_password(test_case, "guarded");
    g_autofree char *conninfo =
        g_strdup_printf("%s user=guarded password=wrong-" SECRET, test_case->conninfo);
    for (int i = 0; i < 200; i++) { /* the server reads its rules when it gets round to it */
        g_autofree char *right = g_strdup_printf("%s user=guarded password=wrong", test_case->conninfo);
        PGconn *connection = PQconnectdb(right);
        const gboolean is_refused = PQstatus(connection) != CONNECTION_OK;
        PQfinish(connection);
        if (is_refused)
            break;
        g_usleep(10000);
    }
    assert_one_line(
        test_case, 4, "--postgres", conninfo,
        (const char *const[]){"PostgreSQL", "password authentication failed for user \"guarded\"", NULL});
    rp_case_sql(test_case, "DROP ROLE guarded");
}
