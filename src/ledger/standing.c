/* Questions to the ledger after a connection was lost. */
#include "ledger/standing.h"

#include "ledger/attempts.h"

gboolean rp_ledger_has_batch(PGconn *connection, guint64 run, const RpBatch *batch, gboolean *has_it,
                             GError **error) {
    g_autofree char *run_text = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    g_autofree char *pass = g_strdup_printf("%u", batch->pass);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, batch->number);
    g_autofree char *portion = g_strdup_printf("%u", batch->portion);
    const char *const parameters[] = {run_text, pass, number, portion};
    g_autoptr(PGresult) result = rp_postgres_query(connection,
                                                   "SELECT FROM redis2pg.batches WHERE run = $1 AND pass = "
                                                   "$2 AND number = $3 AND portion = $4",
                                                   G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        return FALSE;
    *has_it = PQntuples(result) > 0;
    return TRUE;
}

/* SQLSTATE unique_violation, of the primary key of redis2pg.batches. */
gboolean rp_ledger_is_written(const GError *error) {
    return g_strcmp0(rp_sink_error_get_sqlstate(error), RP_UNIQUE_VIOLATION) == 0 &&
           g_strcmp0(rp_sink_error_get_constraint(error), "batches_pkey") == 0;
}

gboolean rp_ledger_count_batches(PGconn *connection, guint64 run, guint64 *n_batches, GError **error) {
    g_autofree char *run_text = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {run_text};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT count(*) + (SELECT batches_dropped FROM redis2pg.runs WHERE run = $1) FROM redis2pg.batches"
        " WHERE run = $1",
        1, parameters, error);
    if (result == NULL)
        return FALSE;
    *n_batches = g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    return TRUE;
}

gboolean rp_ledger_is_ours(PGconn *connection, guint64 run, gboolean *is_ours, GError **error) {
    g_autofree char *run_text = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {run_text, rp_ledger_owner()};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, "SELECT FROM redis2pg.runs WHERE run = $1 AND status = 'open' AND owner = $2::uuid",
        G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        return FALSE;
    *is_ours = PQntuples(result) > 0;
    return TRUE;
}
