/* Unloading: the rows of a batch are known by their xmin, since nobody else writes to tables that lack their
 * keys; who does all the same keeps what he wrote. */
#include "ledger/unload.h"

gboolean rp_ledger_is_bulk(PGconn *connection, guint64 run, gboolean *is_bulk, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    g_autoptr(PGresult) found = rp_postgres_query(
        connection, "SELECT strategy = 'bulk' FROM redis2pg.runs WHERE run = $1", 1, parameters, error);
    *is_bulk = found != NULL && PQntuples(found) == 1 && rp_postgres_is_true(found, 0, 0);
    return found != NULL;
}

#define BEYOND_SQL                                                                                           \
    "(SELECT b.xid::xid FROM redis2pg.batches b WHERE b.run = %" G_GUINT64_FORMAT                            \
    " AND b.pass = 0 AND b.number >= %" G_GUINT64_FORMAT " AND NOT b.is_superseded)"

static gboolean delete_rows(PGconn *connection, const RpAttempt *attempt, GError **error) {
    g_autofree char *run = g_strdup_printf("%" G_GUINT64_FORMAT, attempt->run);
    const char *const parameters[] = {run};
    g_autoptr(PGresult) tables = rp_postgres_query(
        connection, "SELECT schema_name, table_name FROM redis2pg.run_entities WHERE run = $1", 1, parameters,
        error);
    if (tables == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(tables); row++) {
        g_autofree char *table =
            rp_postgres_qualified(connection, PQgetvalue(tables, row, 0), PQgetvalue(tables, row, 1));
        if (!rp_postgres_runf(connection, error, "DELETE FROM %s WHERE xmin IN " BEYOND_SQL, table,
                              attempt->run, attempt->first_batch))
            return FALSE;
    }
    return TRUE;
}

gboolean rp_ledger_unload(PGconn *connection, const RpAttempt *attempt, GError **error) {
    if (delete_rows(connection, attempt, error) &&
        rp_postgres_runf(connection, error,
                         "DELETE FROM redis2pg.undo WHERE run = %" G_GUINT64_FORMAT
                         " AND loaded_by IN " BEYOND_SQL,
                         attempt->run, attempt->run, attempt->first_batch) &&
        rp_postgres_runf(connection, error,
                         "UPDATE redis2pg.batch_counts SET inserted = 0 WHERE run = "
                         "%" G_GUINT64_FORMAT " AND pass = 0 AND batch >= %" G_GUINT64_FORMAT,
                         attempt->run, attempt->first_batch))
        return TRUE;
    g_prefix_error(error, "taking back what is to be loaded again: ");
    return FALSE;
}
