/* Reading the parked keys. */
#include "ledger/parked.h"

GPtrArray *rp_parked_take_due(PGconn *connection, guint limit, GError **error) {
    g_autofree char *most = g_strdup_printf("%u", limit);
    const char *const parameters[] = {most};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "UPDATE redis2pg.parked p SET next_try_at = clock_timestamp() + interval '5 seconds' FROM (SELECT "
        "entity,"
        " key_digest FROM redis2pg.parked WHERE next_try_at <= clock_timestamp() ORDER BY next_try_at LIMIT"
        " $1::integer FOR UPDATE SKIP LOCKED) d WHERE p.entity = d.entity AND p.key_digest = d.key_digest "
        "RETURNING"
        " p.key",
        1, parameters, error);
    if (result == NULL)
        return NULL;
    GPtrArray *keys = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (int row = 0; row < PQntuples(result); row++) {
        size_t size;
        unsigned char *key = PQunescapeBytea((const unsigned char *)PQgetvalue(result, row, 0), &size);
        g_ptr_array_add(keys, g_bytes_new(key, size));
        PQfreemem(key);
    }
    return keys;
}
