/* Keeping results. */
#include "ledger/results.h"

#include <stdlib.h>
#include <unistd.h>

static gboolean insert_run(PGconn *connection, const RpResultHead *head, guint64 *run, GError **error) {
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    char seconds[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_dtostr(seconds, sizeof seconds, head->seconds);
    const char *const parameters[] = {head->mapping->path,
                                      head->mapping->digest,
                                      head->source,
                                      head->source_run_id,
                                      REDIS2PG_VERSION,
                                      g_get_host_name(),
                                      pid,
                                      head->settings,
                                      head->redis_version,
                                      PQparameterStatus(connection, "server_version"),
                                      seconds,
                                      head->kind,
                                      head->trouble};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "INSERT INTO redis2pg.runs (kind, status, strategy, mapping, mapping_digest, source, source_run_id,"
        " tool_version, host, pid, settings, redis_version, postgres_version, started_at, ended_at, error)"
        " VALUES ($12, CASE WHEN $13::text IS NULL THEN 'completed' ELSE 'failed' END, 'none', $1, $2, $3,"
        " $4, $5, $6, $7, $8, $9, $10, clock_timestamp() - make_interval(secs => $11), clock_timestamp(), "
        "$13)"
        " RETURNING run",
        G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        return FALSE;
    *run = g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    return TRUE;
}

static gboolean set_result(PGconn *connection, guint64 run, const json_t *result, GError **error) {
    char *text = json_dumps(result, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number, text};
    g_autoptr(PGresult) updated = rp_postgres_query(
        connection, "UPDATE redis2pg.runs SET result = $2 WHERE run = $1", 2, parameters, error);
    free(text);
    return updated != NULL;
}

gboolean rp_ledger_keep_result(PGconn *connection, const RpResultHead *head, json_t *result, GError **error) {
    guint64 run;
    if (rp_postgres_run(connection, "BEGIN", error) && insert_run(connection, head, &run, error)) {
        json_object_set_new(result, "run", json_integer((json_int_t)run));
        if (set_result(connection, run, result, error) && rp_postgres_run(connection, "COMMIT", error))
            return TRUE;
        json_object_set_new(result, "run", json_null());
    }
    rp_postgres_run(connection, "ROLLBACK", NULL);
    g_prefix_error(error, "keeping the result in the ledger: ");
    return FALSE;
}

gboolean rp_ledger_read_result(PGconn *connection, guint64 run, json_t **result, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    *result = NULL;
    g_autoptr(PGresult) found = rp_postgres_query(
        connection, "SELECT result FROM redis2pg.runs WHERE run = $1 AND kind IN ('reconcile', 'cutover')", 1,
        parameters, error);
    if (found == NULL)
        return FALSE;
    if (PQntuples(found) == 1 && !PQgetisnull(found, 0, 0))
        *result = json_loads(PQgetvalue(found, 0, 0), 0, NULL);
    return TRUE;
}
