/* The table schema_migrations. */
#include "migrations/history.h"

#include <string.h>

#include "base/error.h"
#include "migrations/version.h"
#include "sink/connection.h"

#define TABLE_NAME "schema_migrations"

static void entry_free(RpHistoryEntry *entry) {
    g_free(entry->version);
    g_free(entry->description);
    g_free(entry->script);
    g_free(entry->applied_by);
    g_free(entry->applied_at);
    g_free(entry);
}

void rp_history_free(RpHistory *history) {
    if (history == NULL)
        return;
    g_free(history->schema);
    g_free(history->table);
    g_ptr_array_unref(history->entries);
    g_free(history);
}

static char *current_schema(PGconn *connection, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, "SELECT current_schema()", 0, NULL, error);
    if (result == NULL)
        return NULL;
    if (!PQgetisnull(result, 0, 0))
        return g_strdup(PQgetvalue(result, 0, 0));
    g_set_error_literal(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                        "search_path names no schema that exists: there is no place for " TABLE_NAME);
    return NULL;
}

static int by_version(gconstpointer a, gconstpointer b) {
    const RpHistoryEntry *first = *(RpHistoryEntry *const *)a;
    const RpHistoryEntry *second = *(RpHistoryEntry *const *)b;
    return rp_version_compare(first->version, second->version);
}

static gboolean fill(RpHistory *history, const PGresult *result, GError **error) {
    for (int row = 0; row < PQntuples(result); row++) {
        g_autofree char *version = rp_version_parse(PQgetvalue(result, row, 0));
        if (version == NULL) {
            g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                        "%s holds a version that is none: \"%s\"", history->table,
                        PQgetvalue(result, row, 0));
            return FALSE;
        }
        RpHistoryEntry *entry = g_new0(RpHistoryEntry, 1);
        entry->version = g_steal_pointer(&version);
        entry->description = g_strdup(PQgetvalue(result, row, 1));
        entry->script = g_strdup(PQgetvalue(result, row, 2));
        entry->checksum = (gint32)g_ascii_strtoll(PQgetvalue(result, row, 3), NULL, 10);
        entry->applied_by = g_strdup(PQgetvalue(result, row, 4));
        entry->applied_at = g_strdup(PQgetvalue(result, row, 5));
        g_ptr_array_add(history->entries, entry);
    }
    g_ptr_array_sort(history->entries, by_version);
    return TRUE;
}

static gboolean has_state(const PGresult *result, const char *sqlstate) {
    return g_strcmp0(PQresultErrorField(result, PG_DIAG_SQLSTATE), sqlstate) == 0;
}

/* Asked for first: a query of a table that is not there would leave an error in the server's log. */
static gboolean look_for_table(PGconn *connection, RpHistory *history, GError **error) {
    const char *const parameters[] = {history->table};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, "SELECT to_regclass($1) IS NOT NULL", 1, parameters, error);
    if (result == NULL)
        return FALSE;
    history->exists = PQgetvalue(result, 0, 0)[0] == 't';
    return TRUE;
}

static gboolean read_entries(PGconn *connection, RpHistory *history, GError **error) {
    g_autofree char *sql =
        g_strdup_printf("SELECT version, description, script, checksum, applied_by,"
                        " to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM %s",
                        history->table);
    g_autoptr(PGresult) result = PQexec(connection, sql);
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return fill(history, result, error);
    if (has_state(result, "42703")) /* undefined column: Rails and others keep a table of this name */
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "%s is another tool's table (%s); use a schema of its own, by search_path",
                    history->table, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    else
        rp_postgres_set_error(error, connection, result);
    return FALSE;
}

RpHistory *rp_history_read(PGconn *connection, const char *schema, GError **error) {
    g_autoptr(RpHistory) history = g_new0(RpHistory, 1);
    history->entries = g_ptr_array_new_with_free_func((GDestroyNotify)entry_free);
    history->schema = schema != NULL ? g_strdup(schema) : current_schema(connection, error);
    if (history->schema == NULL) {
        g_prefix_error(error, "reading the migration history: ");
        return NULL;
    }
    history->table = rp_postgres_qualified(connection, history->schema, TABLE_NAME);
    if (!look_for_table(connection, history, error) ||
        (history->exists && !read_entries(connection, history, error))) {
        g_prefix_error(error, "reading the migration history: ");
        return NULL;
    }
    return g_steal_pointer(&history);
}

/* CREATE SCHEMA IF NOT EXISTS asks for the right to create even where the schema exists. */
static gboolean prepare_schema(PGconn *connection, const RpHistory *history, GError **error) {
    const char *parameters[] = {history->schema};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", 1, parameters, error);
    if (result == NULL)
        return FALSE;
    if (PQntuples(result) > 0)
        return TRUE;
    g_autofree char *quoted = rp_postgres_identifier(connection, history->schema);
    return rp_postgres_runf(connection, error, "CREATE SCHEMA %s", quoted);
}

gboolean rp_history_prepare(PGconn *connection, const RpHistory *history, GError **error) {
    if (history->exists)
        return TRUE;
    if (prepare_schema(connection, history, error) &&
        rp_postgres_runf(connection, error,
                         "CREATE TABLE IF NOT EXISTS %s ("
                         "version text PRIMARY KEY,"
                         "description text NOT NULL,"
                         "script text NOT NULL,"
                         "checksum integer NOT NULL,"
                         "applied_by text NOT NULL DEFAULT current_user,"
                         "applied_at timestamptz NOT NULL DEFAULT now(),"
                         "execution_ms integer NOT NULL)",
                         history->table))
        return TRUE;
    g_prefix_error(error, "creating the migration history: ");
    return FALSE;
}

gboolean rp_history_add(PGconn *connection, const RpHistory *history, const RpMigration *migration,
                        gint64 execution_ms, GError **error) {
    g_autofree char *sql =
        g_strdup_printf("INSERT INTO %s (version, description, script, checksum, execution_ms)"
                        " VALUES ($1, $2, $3, $4::integer, $5::integer)",
                        history->table);
    g_autofree char *checksum = g_strdup_printf("%d", migration->apply->checksum);
    g_autofree char *milliseconds = g_strdup_printf("%d", (int)MIN(execution_ms, G_MAXINT32));
    const char *parameters[] = {migration->version, migration->description, migration->apply->name, checksum,
                                milliseconds};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, sql, G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        g_prefix_error(error, "recording version %s: ", migration->version);
    return result != NULL;
}

gboolean rp_history_remove(PGconn *connection, const RpHistory *history, const char *version,
                           GError **error) {
    g_autofree char *sql = g_strdup_printf("DELETE FROM %s WHERE version = $1", history->table);
    const char *parameters[] = {version};
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 1, parameters, error);
    if (result == NULL)
        g_prefix_error(error, "striking version %s: ", version);
    return result != NULL;
}
