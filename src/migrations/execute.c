/* The SQL of one file on its way to the server. */
#include "migrations/execute.h"

#include "base/error.h"
#include "base/log.h"
#include "migrations/error.h"
#include "migrations/split.h"
#include "sink/connection.h"

gboolean rp_execute_check(const RpScript *script, GError **error) {
    if (!script->is_transactional)
        return TRUE;
    g_autoptr(GArray) statements = rp_sql_split(script->sql);
    for (guint i = 0; i < statements->len; i++) {
        const RpStatement *statement = &g_array_index(statements, RpStatement, i);
        if (!rp_statement_is_transaction_control(statement))
            continue;
        g_set_error(
            error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
            "%s:%u: %.*s does not belong here: each file runs in a transaction of its own, which redis2pg "
            "begins and commits",
            script->path, statement->line, (int)statement->words[0].size, statement->words[0].data);
        return FALSE;
    }
    return TRUE;
}

/* The server names a place in the text for syntax errors and unknown names; for the rest, such as a violated
 * constraint, the statement's first line has to do. */
static guint line_of_failure(const RpStatement *statement, RpSpan sent, guint first_line,
                             const PGresult *result) {
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    if (position != NULL)
        return first_line + rp_sql_line_of(sent, (gulong)g_ascii_strtoull(position, NULL, 10)) - 1;
    return statement != NULL ? statement->line : first_line;
}

static const char *hint_of(const PGresult *result) {
    if (g_strcmp0(PQresultErrorField(result, PG_DIAG_SQLSTATE), "25001") == 0) /* active SQL transaction */
        return "a file whose first line is \"-- redis2pg: no-transaction\" runs outside of one";
    return PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
}

static void set_failure(GError **error, PGconn *connection, const RpScript *script, guint line,
                        gboolean are_earlier_done, const PGresult *result) {
    if (PQstatus(connection) == CONNECTION_BAD) {
        rp_postgres_set_error(error, connection, result);
        g_prefix_error(error, "%s:%u: ", script->path, line);
        return;
    }
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        g_set_error(error, RP_MIGRATION_ERROR, RP_MIGRATION_ERROR_FAILED,
                    "%s:%u: COPY FROM STDIN and COPY TO STDOUT have nothing to read from or write to here",
                    script->path, line);
        return;
    }
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *hint = hint_of(result);
    g_set_error(error, RP_MIGRATION_ERROR, RP_MIGRATION_ERROR_FAILED, "%s:%u: %s (SQLSTATE %s)%s%s%s",
                script->path, line, message != NULL ? message : PQerrorMessage(connection),
                sqlstate != NULL ? sqlstate : "none", hint != NULL ? "; hint: " : "",
                hint != NULL ? hint : "", are_earlier_done ? "; the statements before it stand" : "");
}

static gboolean is_fine(const PGresult *result) {
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

/* Sends sql and counts the statements that went well. The first bad result, to be cleared by the caller, or
 * NULL. */
static PGresult *send_and_count(PGconn *connection, const char *sql, guint *n_done) {
    g_autoptr(PGresult) failure = NULL;
    *n_done = 0;
    if (!PQsendQuery(connection, sql))
        return PQmakeEmptyPGresult(connection, PGRES_FATAL_ERROR);
    for (PGresult *result = PQgetResult(connection); result != NULL; result = PQgetResult(connection)) {
        const ExecStatusType status = PQresultStatus(result);
        if (failure == NULL && !is_fine(result))
            failure = result;
        else
            PQclear(result);
        if (failure == NULL)
            (*n_done)++;
        else if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            break; /* the caller's next PQexec gives the COPY up */
    }
    return g_steal_pointer(&failure);
}

static gboolean run_whole(PGconn *connection, const RpScript *script, GError **error) {
    guint n_done = 0;
    g_autoptr(PGresult) failure = send_and_count(connection, script->sql, &n_done);
    if (failure == NULL)
        return TRUE;
    g_autoptr(GArray) statements = rp_sql_split(script->sql);
    const RpStatement *statement =
        n_done < statements->len ? &g_array_index(statements, RpStatement, n_done) : NULL;
    const guint line = line_of_failure(statement, rp_span(script->sql), 1, failure);
    set_failure(error, connection, script, line, FALSE, failure);
    return FALSE;
}

static gboolean run_by_statement(PGconn *connection, const RpScript *script, GError **error) {
    g_autoptr(GArray) statements = rp_sql_split(script->sql);
    for (guint i = 0; i < statements->len; i++) {
        const RpStatement *statement = &g_array_index(statements, RpStatement, i);
        g_autofree char *sql = g_strndup(statement->text.data, statement->text.size);
        guint n_done = 0;
        g_autoptr(PGresult) failure = send_and_count(connection, sql, &n_done);
        if (failure == NULL)
            continue;
        const guint line = line_of_failure(statement, rp_span(sql), statement->line, failure);
        set_failure(error, connection, script, line, i > 0, failure);
        return FALSE;
    }
    return TRUE;
}

static void log_notice(void *data, const PGresult *notice) {
    const RpScript *script = data;
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    rp_log(RP_LOG_WARNING, "%s: %s", script->name, message != NULL ? message : "a warning without a message");
}

gboolean rp_execute_script(PGconn *connection, const RpScript *script, GError **error) {
    PQnoticeReceiver former = PQsetNoticeReceiver(connection, log_notice, (void *)script);
    const gboolean is_done = script->is_transactional ? run_whole(connection, script, error)
                                                      : run_by_statement(connection, script, error);
    PQsetNoticeReceiver(connection, former, NULL); /* libpq's own one ignores its argument */
    return is_done;
}
