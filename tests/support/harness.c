/* The main of integration tests: one sandbox around all tests of a program. */
#include "harness-private.h"

#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* V001__a.sql before V002__b.sql: versions have leading zeros, so names sort as they apply. */
static int compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list_migrations(const char *folder_path) {
    g_autoptr(GDir) folder = g_dir_open(folder_path, 0, NULL);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
        if (name[0] == 'V' && g_str_has_suffix(name, ".sql"))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    return names;
}

static gboolean execute(PGconn *connection, const char *what, const char *sql) {
    PGresult *result = PQexec(connection, sql);
    const gboolean is_done =
        PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
    if (!is_done)
        fprintf(stderr, "harness: %s: %s", what, PQerrorMessage(connection));
    PQclear(result);
    return is_done;
}

gboolean rp_harness_apply_schema(PGconn *connection) {
    g_autofree char *folder = rp_source_path("schema/shop");
    g_autoptr(GPtrArray) names = list_migrations(folder);
    gboolean is_done = names->len > 0;
    if (!is_done)
        fprintf(stderr, "harness: no V*.sql in %s\n", folder);
    for (guint i = 0; is_done && i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
        g_autofree char *sql = NULL;
        is_done = g_file_get_contents(path, &sql, NULL, NULL) && execute(connection, path, sql);
    }
    return is_done;
}

static gboolean prepare_database(const char *conninfo, const char *database, gboolean (*fill)(PGconn *)) {
    g_autofree char *place = rp_harness_conninfo(conninfo, database);
    PGconn *connection = PQconnectdb(place);
    gboolean is_done = PQstatus(connection) == CONNECTION_OK;
    if (!is_done)
        fprintf(stderr, "harness: %s", PQerrorMessage(connection));
    is_done = is_done && fill(connection);
    PQfinish(connection);
    return is_done;
}

static gboolean create_template(PGconn *connection) {
    return execute(connection, "template", "CREATE DATABASE " RP_HARNESS_TEMPLATE) &&
           execute(connection, "numbers of cases", "CREATE SEQUENCE " RP_HARNESS_NUMBERS);
}

static void export_sandbox(const RpSandbox *sandbox) {
    g_autofree char *redis_pid = g_strdup_printf("%d", rp_sandbox_get_redis_pid(sandbox));
    g_autofree char *postgres_pid = g_strdup_printf("%d", rp_sandbox_get_postgres_pid(sandbox));
    g_setenv(RP_HARNESS_CONNINFO, rp_sandbox_get_conninfo(sandbox), TRUE);
    g_setenv(RP_HARNESS_REDIS_SOCKET, rp_sandbox_get_redis_socket(sandbox), TRUE);
    g_setenv(RP_HARNESS_REDIS_PID, redis_pid, TRUE);
    g_setenv(RP_HARNESS_POSTGRES_PID, postgres_pid, TRUE);
    /* What the person at the terminal has set must not reach the program under test. */
    g_unsetenv("REDIS2PG_REDIS_URL");
    g_unsetenv("REDIS2PG_POSTGRES_URL");
    g_unsetenv("REDIS2PG_MAPPING");
    g_unsetenv("REDIS2PG_CONFIG");
}

static void show_log(const char *path) {
    enum { MAX_BYTES = 6000 };
    g_autofree char *text = NULL;
    gsize size = 0;
    if (g_file_get_contents(path, &text, &size, NULL))
        fprintf(stderr, "---- the end of %s\n%s\n", path, size > MAX_BYTES ? text + size - MAX_BYTES : text);
}

static gboolean run_tests(struct criterion_test_set *tests) {
    g_autoptr(GError) error = NULL;
    g_autoptr(RpSandbox) sandbox = rp_sandbox_start(NULL, &error);
    if (sandbox == NULL) {
        fprintf(stderr, "harness: %s\n", error->message);
        return FALSE;
    }
    export_sandbox(sandbox);
    const gboolean has_passed =
        prepare_database(rp_sandbox_get_conninfo(sandbox), "postgres", create_template) &&
        prepare_database(rp_sandbox_get_conninfo(sandbox), RP_HARNESS_TEMPLATE, rp_harness_apply_schema) &&
        criterion_run_all_tests(tests) != 0;
    if (!has_passed) {
        show_log(rp_sandbox_get_postgres_log(sandbox));
        show_log(rp_sandbox_get_redis_log(sandbox));
    }
    return has_passed;
}

int main(int argc, char **argv) {
    struct criterion_test_set *tests = criterion_initialize();
    const gboolean is_to_run = criterion_handle_args(argc, argv, true) != 0;
    const gboolean has_passed = !is_to_run || run_tests(tests);
    criterion_finalize(tests);
    return has_passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
