/* Open rejects of keys. */
#include "reconcile/explain.h"

#include <string.h>

/* Keys are bytes: they go as an array of bytea in hex. */
static char *show_array(const RpSpan *keys, guint n_keys) {
    g_autoptr(GString) array = g_string_new("{");
    for (guint i = 0; i < n_keys; i++) {
        g_autofree char *hex = rp_span_hex(keys[i]);
        g_string_append_printf(array, "%s\"\\\\x%s\"", i > 0 ? "," : "", hex);
    }
    g_string_append_c(array, '}');
    return g_string_free(g_steal_pointer(&array), FALSE);
}

/* $1 entity, $2 keys, $3 source: the open rejects r of a key k. */
#define KEYS_SQL "unnest($2::bytea[]) WITH ORDINALITY k (key, place)"
#define OPEN_SQL                                                                                             \
    "FROM redis2pg.rejects r JOIN redis2pg.runs l USING (run) WHERE r.entity = $1 AND md5(r.key) = "         \
    "md5(k.key) AND r.key = k.key AND r.resolved_by IS NULL AND r.replaced_by IS NULL"                       \
    " AND l.undone_by IS NULL AND l.source = $3"

gboolean rp_explain_keys(PGconn *connection, const char *entity, const char *source, const RpSpan *keys,
                         guint n_keys, guint64 *counts, GError **error) {
    g_autofree char *array = show_array(keys, n_keys);
    const char *const parameters[] = {entity, array, source};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, "SELECT (SELECT count(*) " OPEN_SQL ") FROM " KEYS_SQL " ORDER BY k.place", 3, parameters,
        error);
    if (result == NULL) {
        g_prefix_error(error, "asking the ledger for rejects of %s: ", entity);
        return FALSE;
    }
    for (guint i = 0; i < n_keys; i++)
        counts[i] = g_ascii_strtoull(PQgetvalue(result, (int)i, 0), NULL, 10);
    return TRUE;
}

gboolean rp_explain_list(PGconn *connection, const char *entity, const char *source, const RpSpan *keys,
                         guint n_keys, RpExplainTake take, gpointer data, GError **error) {
    g_autofree char *array = show_array(keys, n_keys);
    const char *const parameters[] = {entity, array, source};
    g_autoptr(PGresult) result = rp_postgres_query(connection,
                                                   "SELECT k.place - 1, o.reject FROM " KEYS_SQL
                                                   " CROSS JOIN LATERAL (SELECT r.reject " OPEN_SQL ") o"
                                                   " ORDER BY k.place, o.reject",
                                                   3, parameters, error);
    if (result == NULL) {
        g_prefix_error(error, "asking the ledger for rejects of %s: ", entity);
        return FALSE;
    }
    for (int row = 0; row < PQntuples(result); row++)
        take((guint)g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10),
             g_ascii_strtoull(PQgetvalue(result, row, 1), NULL, 10), data);
    return TRUE;
}
