/* The tables of a bulk load, and the SQL about their identities, as the catalogue has it. */
#include "ledger/taking_out.h"

static void loaded_table_free(gpointer data) {
    RpLoadedTable *table = data;
    g_free(table->entity_name);
    g_free(table->shown);
    g_free(table->quoted);
    g_free(table->names);
    g_free(table->columns);
    g_free(table->definitions);
    g_free(table->of_json);
    g_free(table->of_t);
    g_free(table->equal);
    g_free(table);
}

/* What JSON would read as itself is read as text (ledger/image.c). */
static const char TABLES_SQL[] =
    "SELECT e.number, c.oid, e.entity, e.target, format('%I.%I', n.nspname, c.relname),"
    " string_agg(k.name, ', ' ORDER BY k.n),"
    " string_agg(k.name || ' ' || k.type, ', ' ORDER BY k.n),"
    " string_agg(k.name || ' ' || CASE WHEN k.is_json THEN 'text' ELSE k.type END, ', ' ORDER BY k.n),"
    " string_agg('x.' || k.name || '::' || k.type, ', ' ORDER BY k.n),"
    " string_agg('t.' || k.name, ', ' ORDER BY k.n),"
    " string_agg(format('t.%s = b.%s', k.name, k.name), ' AND ' ORDER BY k.n)"
    " FROM redis2pg.run_entities e"
    " JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', e.schema_name, e.table_name))"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL (SELECT quote_ident(a.attname) AS name, format_type(a.atttypid, -1) AS type, u.n,"
    "  coalesce(nullif(y.typbasetype, 0), y.oid) IN ('json'::regtype, 'jsonb'::regtype) AS is_json"
    "  FROM unnest(e.key_columns) WITH ORDINALITY AS u (name, n)"
    "  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = u.name AND NOT a.attisdropped"
    "  JOIN pg_type y ON y.oid = a.atttypid) k"
    " WHERE e.run = $1 GROUP BY e.run, e.number, c.oid, n.nspname ORDER BY e.number";

static RpLoadedTable *table_from(const PGresult *result, int row) {
    RpLoadedTable *table = g_new(RpLoadedTable, 1);
    *table = (RpLoadedTable){.entity = (guint)g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10),
                             .oid = (guint32)g_ascii_strtoull(PQgetvalue(result, row, 1), NULL, 10),
                             .entity_name = g_strdup(PQgetvalue(result, row, 2)),
                             .shown = g_strdup(PQgetvalue(result, row, 3)),
                             .quoted = g_strdup(PQgetvalue(result, row, 4)),
                             .names = g_strdup(PQgetvalue(result, row, 5)),
                             .columns = g_strdup(PQgetvalue(result, row, 6)),
                             .definitions = g_strdup(PQgetvalue(result, row, 7)),
                             .of_json = g_strdup(PQgetvalue(result, row, 8)),
                             .of_t = g_strdup(PQgetvalue(result, row, 9)),
                             .equal = g_strdup(PQgetvalue(result, row, 10))};
    return table;
}

GPtrArray *rp_loaded_tables_read(PGconn *connection, guint64 run, GError **error) {
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {text};
    g_autoptr(PGresult) result = rp_postgres_query(connection, TABLES_SQL, 1, parameters, error);
    if (result == NULL)
        return NULL;
    GPtrArray *tables = g_ptr_array_new_with_free_func(loaded_table_free);
    for (int row = 0; row < PQntuples(result); row++)
        g_ptr_array_add(tables, table_from(result, row));
    return tables;
}
