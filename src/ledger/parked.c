/* Reading the parked keys. */
#include "ledger/parked.h"

gboolean rp_parked_list_due(PGconn *connection, guint limit, RpParkedVisitor visit, gpointer data,
                            GError **error) {
    g_autofree char *most = g_strdup_printf("%u", limit);
    const char *const parameters[] = {most};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection,
                          "SELECT entity, key FROM redis2pg.parked WHERE next_try_at <= clock_timestamp()"
                          " ORDER BY next_try_at LIMIT $1::integer",
                          1, parameters, error);
    for (int row = 0; row < PQntuples(result); row++) {
        size_t size;
        unsigned char *key = PQunescapeBytea((const unsigned char *)PQgetvalue(result, row, 1), &size);
        visit(PQgetvalue(result, row, 0), (RpSpan){(const char *)key, size}, data);
        PQfreemem(key);
    }
    return result != NULL;
}

gboolean rp_parked_count(PGconn *connection, guint64 *n_parked, GError **error) {
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, "SELECT count(*) FROM redis2pg.parked", 0, NULL, error);
    if (result == NULL)
        return FALSE;
    *n_parked = g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    return TRUE;
}
