/* Opening, continuing and closing rollbacks.
 *
 * 1. A run is undone by at most one rollback at a time; one that did not come to its end is continued.
 * 2. Of a run, its rollback, the rollback of that and so on only the last can be undone: the others'
 * transaction ids are in no row any more.
 * 3. A run's transaction ids are trusted only while none of them can have come round. */
#include "ledger/rollback.h"

#include "base/error.h"
#include "ledger/runs.h"

#include <unistd.h>

#define NUMBER G_GUINT64_FORMAT

static guint64 number_at(const PGresult *result, int row, int field) {
    return g_ascii_strtoull(PQgetvalue(result, row, field), NULL, 10);
}

static gboolean refuse(GError **error, GQuark domain, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean refuse(GError **error, GQuark domain, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(domain, 0, format, arguments));
    va_end(arguments);
    return FALSE;
}

/* A query about one run. */
static PGresult *ask(PGconn *connection, const char *sql, guint64 run, GError **error) {
    g_autofree char *number = g_strdup_printf("%" NUMBER, run);
    const char *const parameters[] = {number};
    return rp_postgres_query(connection, sql, 1, parameters, error);
}

/* ---- may it be undone? ---- */

static gboolean check_there(PGconn *connection, RpRollback *rollback, GError **error) {
    g_autoptr(PGresult) found =
        ask(connection,
            "SELECT kind = 'rollback' AND EXISTS (SELECT FROM redis2pg.undo u WHERE u.run = r.run AND"
            " u.operation = 'delete'), kind IN ('reconcile', 'cutover') FROM redis2pg.runs r WHERE run = $1 "
            "FOR UPDATE",
            rollback->undoes, error);
    if (found == NULL)
        return FALSE;
    rollback->is_of_deletes = PQntuples(found) == 1 && rp_postgres_is_true(found, 0, 0);
    if (PQntuples(found) == 1 && rp_postgres_is_true(found, 0, 1))
        return refuse(error, RP_USAGE_ERROR,
                      "run %" NUMBER " only compared: it has changed nothing that could be rolled back",
                      rollback->undoes);
    return PQntuples(found) == 1 ||
           refuse(error, RP_USAGE_ERROR, "the ledger has no run %" NUMBER " (see redis2pg runs list)",
                  rollback->undoes);
}

/* Invariant 2. */
static gboolean check_last(PGconn *connection, guint64 run, GError **error) {
    g_autoptr(PGresult) chain =
        ask(connection,
            "WITH RECURSIVE chain (run, undoes) AS (SELECT r.run, r.undoes FROM redis2pg.runs r WHERE "
            "r.undoes = $1"
            " AND r.status IN ('completed', 'rolled_back') UNION ALL SELECT r.run, r.undoes FROM chain c"
            " JOIN redis2pg.runs r ON r.undoes = c.run AND r.status IN ('completed', 'rolled_back'))"
            " SELECT run, undoes FROM chain ORDER BY run",
            run, error);
    if (chain == NULL || PQntuples(chain) == 0)
        return chain != NULL;
    const int n = PQntuples(chain);
    g_autoptr(GString) text = g_string_new(NULL);
    for (int row = 0; row < n; row++)
        g_string_append_printf(text, "%srun %s was rolled back by run %s", row > 0 ? ", " : "",
                               PQgetvalue(chain, row, 1), PQgetvalue(chain, row, 0));
    if (n > 1)
        g_string_append_printf(text, ": what can be rolled back now is run %s", PQgetvalue(chain, n - 1, 0));
    return refuse(error, RP_GUARD_ERROR, "%s", text->str);
}

static gboolean check_known(PGconn *connection, guint64 run, GError **error) {
    g_autoptr(PGresult) found = ask(
        connection,
        "SELECT EXISTS (SELECT FROM redis2pg.run_entities WHERE run = $1 AND key_columns IS NULL) AND (EXISTS"
        " (SELECT FROM redis2pg.batch_counts WHERE run = $1 AND inserted + updated + deleted > 0)"
        " OR EXISTS (SELECT FROM redis2pg.undo WHERE run = $1))",
        run, error);
    if (found == NULL)
        return FALSE;
    return !rp_postgres_is_true(found, 0, 0) ||
           refuse(error, RP_GUARD_ERROR,
                  "run %" NUMBER " is of an earlier version: its ledger does not hold what a rollback needs",
                  run);
}

/* Of a sync what is old is dropped. */
static gboolean check_kept(PGconn *connection, guint64 run, GError **error) {
    g_autoptr(PGresult) found = ask(connection,
                                    "SELECT to_char(undo_kept_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"
                                    " HH24:MI:SS') FROM redis2pg.runs WHERE run = $1",
                                    run, error);
    if (found == NULL)
        return FALSE;
    return PQgetisnull(found, 0, 0) ||
           refuse(error, RP_GUARD_ERROR,
                  "of run %" NUMBER
                  " what it did up to %s UTC can no longer be undone: it was kept for as long as "
                  "--undo-retention said",
                  run, PQgetvalue(found, 0, 0));
}

/* Invariant 3. A row keeps the id that wrote it; 2^31 transactions later the same 32 bits may be another
 * one's. */
static gboolean check_ids(PGconn *connection, guint64 run, GError **error) {
    g_autoptr(PGresult) found =
        ask(connection,
            "SELECT pg_current_xact_id()::text::numeric - min(xid::text::numeric) >= 2147483648,"
            " max(xid::text::numeric) > pg_current_xact_id()::text::numeric"
            " FROM redis2pg.batches WHERE run = $1",
            run, error);
    if (found == NULL)
        return FALSE;
    if (rp_postgres_is_true(found, 0, 0))
        return refuse(error, RP_GUARD_ERROR,
                      "run %" NUMBER
                      " lies more than 2^31 transactions back: by their transaction ids its rows "
                      "cannot be told from others any more",
                      run);
    return !rp_postgres_is_true(found, 0, 1) ||
           refuse(error, RP_GUARD_ERROR,
                  "run %" NUMBER
                  " has transaction ids that this server has not given out yet: the database was "
                  "brought here from another one",
                  run);
}

/* ---- opening ---- */

static gboolean write_attempt(PGconn *connection, const RpRollback *rollback, GError **error) {
    g_autofree char *run = g_strdup_printf("%" NUMBER, rollback->run);
    g_autofree char *attempt = g_strdup_printf("%u", rollback->attempt);
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_autofree char *pass = g_strdup_printf("%u", rollback->pass);
    g_autofree char *cursor = g_strdup_printf("%" NUMBER, rollback->cursor);
    g_autofree char *batch = g_strdup_printf("%" NUMBER, rollback->next_batch);
    const char *const parameters[] = {run, attempt, g_get_host_name(), pid, pass, cursor, batch};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection,
                          "WITH attempt AS (INSERT INTO redis2pg.attempts (run, attempt, host, pid, "
                          "source_run_id, pass, cursor,"
                          " first_batch) VALUES ($1, $2, $3, $4, '', $5, $6, $7))"
                          " UPDATE redis2pg.runs SET status = 'open', attempt = $2, host = $3, pid = $4,"
                          " backend = pg_backend_pid(), error = NULL, ended_at = NULL WHERE run = $1",
                          G_N_ELEMENTS(parameters), parameters, error);
    return result != NULL;
}

static gboolean begin_anew(PGconn *connection, RpRollback *rollback, GError **error) {
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_autofree char *undoes = g_strdup_printf("%" NUMBER, rollback->undoes);
    const char *const parameters[] = {undoes, REDIS2PG_VERSION, g_get_host_name(), pid};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "WITH opened AS (INSERT INTO redis2pg.runs (kind, strategy, mapping, mapping_digest, source,"
        " source_run_id, tool_version, host, pid, undoes) SELECT 'rollback', 'merge', mapping, "
        "mapping_digest,"
        " source, '', $2, $3, $4, run FROM redis2pg.runs WHERE run = $1 RETURNING run)"
        " SELECT run FROM opened",
        G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        return FALSE;
    rollback->run = number_at(result, 0, 0);
    const char *const numbers[] = {PQgetvalue(result, 0, 0), undoes};
    g_autoptr(PGresult) entities = rp_postgres_query(
        connection,
        "WITH undone AS (UPDATE redis2pg.runs SET undone_by = $1::bigint WHERE run = $2::bigint)"
        " INSERT INTO redis2pg.run_entities (run, number, entity, target, schema_name, table_name, "
        "key_columns, masked_columns)"
        " SELECT $1::bigint, number, entity, target, schema_name, table_name, key_columns, masked_columns"
        " FROM redis2pg.run_entities WHERE run = $2::bigint",
        2, numbers, error);
    return entities != NULL && write_attempt(connection, rollback, error);
}

/* A rollback of the run that did not come to its end. One that is being undone itself must not go on behind
 * its cursor, where that has put rows back already. */
static gboolean find_unfinished(PGconn *connection, RpRollback *rollback, GError **error) {
    g_autoptr(PGresult) found =
        ask(connection,
            "SELECT run, attempt, undone_by FROM redis2pg.runs WHERE undoes = $1"
            " AND status NOT IN ('completed', 'rolled_back') ORDER BY run DESC LIMIT 1",
            rollback->undoes, error);
    if (found == NULL || PQntuples(found) == 0)
        return found != NULL;
    if (!PQgetisnull(found, 0, 2))
        return refuse(error, RP_GUARD_ERROR, "run %s is being rolled back by run %s: finish that first",
                      PQgetvalue(found, 0, 0), PQgetvalue(found, 0, 2));
    rollback->is_continued = TRUE;
    rollback->run = number_at(found, 0, 0);
    rollback->attempt = (guint)number_at(found, 0, 1) + 1;
    g_autoptr(PGresult) last =
        ask(connection,
            "SELECT pass, cursor_after, number + 1 FROM redis2pg.batches WHERE run = $1"
            " ORDER BY pass DESC, number DESC LIMIT 1",
            rollback->run, error);
    if (last == NULL || PQntuples(last) == 0)
        return last != NULL;
    rollback->has_position = TRUE;
    rollback->pass = (guint)number_at(last, 0, 0);
    rollback->cursor = number_at(last, 0, 1);
    rollback->next_batch = number_at(last, 0, 2);
    return TRUE;
}

gboolean rp_rollback_open(PGconn *connection, guint64 undoes, RpRollback *rollback, GError **error) {
    *rollback = (RpRollback){.undoes = undoes};
    if (!rp_ledger_close_abandoned(connection, 0, error) || !check_there(connection, rollback, error) ||
        !check_last(connection, undoes, error) || !check_known(connection, undoes, error) ||
        !check_kept(connection, undoes, error) || !check_ids(connection, undoes, error) ||
        !find_unfinished(connection, rollback, error))
        return FALSE;
    return rollback->is_continued ? write_attempt(connection, rollback, error)
                                  : begin_anew(connection, rollback, error);
}

gboolean rp_rollback_check(PGconn *connection, const RpRollback *rollback, GError **error) {
    g_autofree char *sql = g_strdup_printf(
        "SELECT EXISTS (SELECT FROM redis2pg.runs WHERE run = $1 AND status = 'open' AND attempt = %u)",
        rollback->attempt);
    g_autoptr(PGresult) found = ask(connection, sql, rollback->run, error);
    if (found == NULL)
        return FALSE;
    return rp_postgres_is_true(found, 0, 0) ||
           refuse(error, RP_GUARD_ERROR, "run %" NUMBER " was closed by another one", rollback->run);
}

gboolean rp_rollback_position(PGconn *connection, const RpRollback *rollback, guint pass, guint64 *cursor,
                              guint64 *next_batch, GError **error) {
    g_autofree char *sql =
        g_strdup_printf("SELECT cursor_after, number + 1 FROM redis2pg.batches WHERE run = $1"
                        " AND pass = %u ORDER BY number DESC LIMIT 1",
                        pass);
    g_autoptr(PGresult) last = ask(connection, sql, rollback->run, error);
    if (last == NULL)
        return FALSE;
    if (PQntuples(last) > 0) {
        *cursor = number_at(last, 0, 0);
        *next_batch = number_at(last, 0, 1);
    }
    return TRUE;
}

gboolean rp_rollback_is_complete(PGconn *connection, const RpRollback *rollback, gboolean *is_complete,
                                 GError **error) {
    g_autoptr(PGresult) found = ask(
        connection, "SELECT status = 'completed' FROM redis2pg.runs WHERE run = $1", rollback->run, error);
    if (found == NULL)
        return FALSE;
    *is_complete = PQntuples(found) > 0 && rp_postgres_is_true(found, 0, 0);
    return TRUE;
}

/* ---- closing ---- */

/* What a run is when nothing undoes it. That one had failed is forgotten: what counts is that it may go on.
 */
#define STATUS_OF_OLD                                                                                        \
    "CASE WHEN r.error IS NOT NULL THEN 'interrupted'"                                                       \
    " WHEN EXISTS (SELECT FROM redis2pg.rejects j WHERE j.run = r.run) THEN 'completed_with_rejects'"        \
    " ELSE 'completed' END"

/* The run is undone; what it had undone, if it was a rollback, holds again; what that had undone does not; …
 */
static gboolean set_statuses(PGconn *connection, guint64 run, guint64 by, GError **error) {
    g_autoptr(PGresult) chain =
        ask(connection,
            "WITH RECURSIVE chain (run, undoes) AS (SELECT run, undoes FROM redis2pg.runs WHERE run = $1 "
            "UNION ALL"
            " SELECT r.run, r.undoes FROM chain c JOIN redis2pg.runs r ON r.run = c.undoes)"
            " SELECT run FROM chain ORDER BY run DESC",
            run, error);
    if (chain == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(chain); row++) {
        const guint64 link = number_at(chain, row, 0);
        const gboolean is_undone = row % 2 == 0;
        if (is_undone
                ? !rp_postgres_runf(connection, error,
                                    "UPDATE redis2pg.runs SET status = 'rolled_back', undone_by = %" NUMBER
                                    " WHERE run = %" NUMBER,
                                    by, link)
                : !rp_postgres_runf(connection, error,
                                    "UPDATE redis2pg.runs r SET undone_by = NULL, status = " STATUS_OF_OLD
                                    " WHERE run = %" NUMBER,
                                    link))
            return FALSE;
        by = link;
    }
    return TRUE;
}

static gboolean reopen_rejects(PGconn *connection, guint64 run, GError **error) {
    return rp_postgres_runf(connection, error,
                            "UPDATE redis2pg.rejects SET resolved_by = nullif(resolved_by, %" NUMBER "),"
                            " replaced_by = nullif(replaced_by, %" NUMBER ") WHERE resolved_by = %" NUMBER
                            " OR replaced_by = %" NUMBER,
                            run, run, run, run);
}

gboolean rp_rollback_close(PGconn *connection, const RpRollback *rollback, GError **error) {
    if (rp_rollback_check(connection, rollback, error) &&
        rp_postgres_runf(connection, error,
                         "UPDATE redis2pg.runs SET status = 'completed', error = NULL,"
                         " ended_at = clock_timestamp() WHERE run = %" NUMBER,
                         rollback->run) &&
        set_statuses(connection, rollback->undoes, rollback->run, error) &&
        reopen_rejects(connection, rollback->undoes, error))
        return TRUE;
    g_prefix_error(error, "closing the rollback in the ledger: ");
    return FALSE;
}
