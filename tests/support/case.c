/* What each integration test has to itself, and short ways to ask its servers. */
#include "harness-private.h"

#include <stdarg.h>
#include <stdlib.h>

char *rp_harness_conninfo(const char *conninfo, const char *database) {
    return g_strdup_printf("%s dbname=%s", conninfo, database);
}

static const char *get_variable(const char *name) {
    const char *value = g_getenv(name);
    cr_assert(value != NULL, "%s is not set: run the tests with meson test", name);
    return value;
}

char *rp_source_path(const char *name) {
    const char *source = g_getenv("REDIS2PG_SOURCE");
    return g_build_filename(source != NULL ? source : ".", name, NULL);
}

pid_t rp_case_redis_pid(void) {
    return atoi(get_variable(RP_HARNESS_REDIS_PID));
}

pid_t rp_case_postgres_pid(void) {
    return atoi(get_variable(RP_HARNESS_POSTGRES_PID));
}

static PGconn *connect_postgres(const char *conninfo) {
    PGconn *connection = PQconnectdb(conninfo);
    cr_assert(PQstatus(connection) == CONNECTION_OK, "%s", PQerrorMessage(connection));
    return connection;
}

static PGresult *query(PGconn *connection, const char *sql) {
    PGresult *result = PQexec(connection, sql);
    const ExecStatusType status = PQresultStatus(result);
    cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql,
              PQerrorMessage(connection));
    return result;
}

static PGconn *connect_administrator(void) {
    PGconn *connection = connect_postgres(get_variable(RP_HARNESS_CONNINFO));
    PQclear(query(connection, "SET client_min_messages = warning"));
    return connection;
}

void rp_server_sql(const char *sql) {
    PGconn *administrator = connect_administrator();
    PQclear(query(administrator, sql));
    PQfinish(administrator);
}

static guint create_database(const char *template) {
    PGconn *administrator = connect_administrator();
    PGresult *result = query(administrator, "SELECT nextval('" RP_HARNESS_NUMBERS "')");
    const guint number = (guint)g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    g_autofree char *sql = g_strdup_printf("CREATE DATABASE case_%u TEMPLATE %s", number, template);
    PQclear(result);
    PQclear(query(administrator, sql));
    PQfinish(administrator);
    return number;
}

static void connect_case(RpCase *test_case, const char *socket_path) {
    test_case->postgres = connect_postgres(test_case->conninfo);
    test_case->redis = redisConnectUnix(socket_path);
    cr_assert(test_case->redis != NULL && test_case->redis->err == 0, "Redis at %s", socket_path);
    rp_case_redis(test_case, "SELECT %u", test_case->number);
}

static RpCase *new_case(const char *template) {
    const char *socket_path = get_variable(RP_HARNESS_REDIS_SOCKET);
    RpCase *test_case = g_new0(RpCase, 1);
    test_case->number = create_database(template);
    g_autofree char *database = g_strdup_printf("case_%u", test_case->number);
    test_case->conninfo = rp_harness_conninfo(get_variable(RP_HARNESS_CONNINFO), database);
    test_case->redis_url = g_strdup_printf("unix://%s?db=%u", socket_path, test_case->number);
    connect_case(test_case, socket_path);
    return test_case;
}

RpCase *rp_case_new(void) {
    return new_case(RP_HARNESS_TEMPLATE);
}

RpCase *rp_case_new_empty(void) {
    return new_case("template0");
}

RpCase *rp_case_new_at(const char *redis_socket, const char *conninfo) {
    RpCase *test_case = g_new0(RpCase, 1);
    test_case->number = 1;
    test_case->is_apart = TRUE;
    test_case->conninfo = g_strdup(conninfo);
    test_case->redis_url = g_strdup_printf("unix://%s?db=%u", redis_socket, test_case->number);
    connect_case(test_case, redis_socket);
    cr_assert(rp_harness_apply_schema(test_case->postgres));
    return test_case;
}

void rp_case_reconnect(RpCase *test_case) {
    PQreset(test_case->postgres);
    cr_assert(PQstatus(test_case->postgres) == CONNECTION_OK, "%s", PQerrorMessage(test_case->postgres));
    cr_assert(eq(int, redisReconnect(test_case->redis), REDIS_OK), "Redis: %s", test_case->redis->errstr);
    rp_case_redis(test_case, "SELECT %u", test_case->number);
}

static void drop_data(RpCase *test_case) {
    PGconn *administrator = connect_administrator();
    g_autofree char *sql = g_strdup_printf("DROP DATABASE IF EXISTS case_%u WITH (FORCE)", test_case->number);
    rp_case_redis(test_case, "SELECT %u", test_case->number);
    rp_case_redis(test_case, "FLUSHDB");
    PQclear(query(administrator, sql));
    PQfinish(administrator);
}

void rp_case_free(RpCase *test_case) {
    if (test_case == NULL)
        return;
    if (!test_case->is_apart)
        drop_data(test_case);
    redisFree(test_case->redis);
    PQfinish(test_case->postgres);
    g_free(test_case->conninfo);
    g_free(test_case->redis_url);
    g_free(test_case);
}

static redisReply *ask_redis(RpCase *test_case, const char *format, va_list arguments) {
    redisReply *reply = redisvCommand(test_case->redis, format, arguments);
    cr_assert(reply != NULL, "Redis: %s: %s", format, test_case->redis->errstr);
    cr_assert(reply->type != REDIS_REPLY_ERROR, "Redis: %s: %s", format, reply->str);
    return reply;
}

void rp_case_redis(RpCase *test_case, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    freeReplyObject(ask_redis(test_case, format, arguments));
    va_end(arguments);
}

char *rp_case_redis_text(RpCase *test_case, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask_redis(test_case, format, arguments);
    va_end(arguments);
    char *text =
        reply->type == REDIS_REPLY_INTEGER ? g_strdup_printf("%lld", reply->integer) : g_strdup(reply->str);
    freeReplyObject(reply);
    return text;
}

gint64 rp_case_redis_number(RpCase *test_case, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask_redis(test_case, format, arguments);
    va_end(arguments);
    const int type = reply->type;
    const gint64 number = reply->integer;
    freeReplyObject(reply);
    cr_assert(eq(int, type, REDIS_REPLY_INTEGER), "Redis: %s: no number", format);
    return number;
}

void rp_case_sql(RpCase *test_case, const char *sql) {
    PQclear(query(test_case->postgres, sql));
}

char *rp_case_sql_text(RpCase *test_case, const char *sql) {
    PGresult *result = query(test_case->postgres, sql);
    char *text =
        PQntuples(result) > 0 && !PQgetisnull(result, 0, 0) ? g_strdup(PQgetvalue(result, 0, 0)) : NULL;
    PQclear(result);
    return text;
}

gint64 rp_case_sql_number(RpCase *test_case, const char *sql) {
    g_autofree char *text = rp_case_sql_text(test_case, sql);
    gint64 number = 0;
    cr_assert(text != NULL && g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL),
              "%s: %s is no number", sql, text != NULL ? text : "NULL");
    return number;
}
