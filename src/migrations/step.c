/* One version's step up or down.
 *
 * 1. A transactional file, the history table it needs, and its row commit in one transaction.
 * 2. The row of a file that runs outside transactions is written after the file succeeded, never before.
 * 3. A file's SET search_path and SET ROLE end with the file: neither the history nor the next file sees
 * them. */
#include "migrations/step.h"

#include "base/log.h"
#include "migrations/error.h"
#include "migrations/execute.h"
#include "sink/connection.h"
#include "sink/unit.h"

typedef struct {
    PGconn *connection;
    RpHistory *history;
    const RpMigration *migration;
    const RpScript *script;
    gboolean is_undo;
    char *search_path; /* as it was before the file */
    gint64 execution_ms;
} Step;

static gboolean note_search_path(Step *step, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(
        step->connection, "SELECT pg_catalog.current_setting('search_path')", 0, NULL, error);
    if (result == NULL)
        return FALSE;
    step->search_path = g_strdup(PQgetvalue(result, 0, 0));
    return TRUE;
}

static gboolean restore_session(const Step *step, GError **error) {
    const char *parameters[] = {step->search_path};
    g_autoptr(PGresult) result = rp_postgres_query(
        step->connection, "SELECT pg_catalog.set_config('search_path', $1, false)", 1, parameters, error);
    return result != NULL && rp_postgres_run(step->connection, "RESET ROLE", error);
}

static gboolean record(const Step *step, GError **error) {
    if (step->is_undo)
        return rp_history_remove(step->connection, step->history, step->migration->version, error);
    return rp_history_add(step->connection, step->history, step->migration, step->execution_ms, error);
}

static gboolean run_script(Step *step, GError **error) {
    const gint64 start = g_get_monotonic_time();
    if (!rp_execute_script(step->connection, step->script, error))
        return FALSE;
    step->execution_ms = (g_get_monotonic_time() - start) / G_TIME_SPAN_MILLISECOND;
    const PGTransactionStatusType expected = step->script->is_transactional ? PQTRANS_INTRANS : PQTRANS_IDLE;
    if (PQtransactionStatus(step->connection) == expected)
        return TRUE;
    g_set_error(
        error, RP_MIGRATION_ERROR, RP_MIGRATION_ERROR_FAILED,
        step->script->is_transactional
            ? "%s: the file ended the transaction that it runs in; what it committed stands, and its version "
              "is not recorded"
            : "%s: the file left a transaction open; that was rolled back, and its version is not recorded",
        step->script->path);
    return FALSE;
}

/* COMMIT fails on a deferred constraint, for which the file is to blame, or because the server went away. */
static gboolean commit(const Step *step, GError **error) {
    g_autoptr(GError) cause = NULL;
    if (rp_postgres_run(step->connection, "COMMIT", &cause))
        return TRUE;
    if (PQstatus(step->connection) == CONNECTION_BAD)
        g_propagate_prefixed_error(error, g_steal_pointer(&cause), "COMMIT: ");
    else
        g_set_error(error, RP_MIGRATION_ERROR, RP_MIGRATION_ERROR_FAILED, "COMMIT: %s", cause->message);
    return FALSE;
}

static gboolean run_in_transaction(Step *step, GError **error) {
    /* What is rehearsed is rolled back whole, whatever fails. */
    const gboolean is_rehearsed = rp_unit_is_rehearsed(step->connection);
    if ((!is_rehearsed && !rp_postgres_run(step->connection, "BEGIN", error)) ||
        !rp_history_prepare(step->connection, step->history, error) || !run_script(step, error) ||
        !restore_session(step, error) || !record(step, error))
        return FALSE;
    return is_rehearsed || commit(step, error);
}

static gboolean run_bare(Step *step, GError **error) {
    return rp_history_prepare(step->connection, step->history, error) && run_script(step, error) &&
           restore_session(step, error) && record(step, error);
}

static void roll_back(const Step *step) {
    if (PQtransactionStatus(step->connection) == PQTRANS_ACTIVE)
        rp_postgres_run(step->connection, "", NULL); /* PQexec gives up a COPY that is open */
    if (PQtransactionStatus(step->connection) != PQTRANS_IDLE)
        rp_postgres_run(step->connection, "ROLLBACK", NULL);
    if (step->search_path != NULL)
        restore_session(step, NULL);
}

static gboolean run(Step *step, GError **error) {
    const gboolean is_done =
        note_search_path(step, error) &&
        (step->script->is_transactional ? run_in_transaction(step, error) : run_bare(step, error));
    if (!is_done) {
        roll_back(step);
        if (error != NULL && *error != NULL && !g_str_has_prefix((*error)->message, step->script->path))
            g_prefix_error(error, "%s: ", step->script->path);
    } else {
        step->history->exists = TRUE;
        rp_log(RP_LOG_INFO, "%s %s (%" G_GINT64_FORMAT " ms)", step->is_undo ? "undone by" : "applied",
               step->script->name, step->execution_ms);
    }
    g_free(step->search_path);
    return is_done;
}

gboolean rp_step_apply(PGconn *connection, RpHistory *history, const RpMigration *migration, GError **error) {
    Step step = {
        .connection = connection, .history = history, .migration = migration, .script = migration->apply};
    return run(&step, error);
}

gboolean rp_step_undo(PGconn *connection, RpHistory *history, const RpMigration *migration, GError **error) {
    Step step = {.connection = connection,
                 .history = history,
                 .migration = migration,
                 .script = migration->undo,
                 .is_undo = TRUE};
    return run(&step, error);
}
