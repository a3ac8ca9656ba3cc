/* What came of a rollback, out of the ledger. */
#include "ledger/rollback.h"

#include "model/reject.h"

static void table_free(gpointer data) {
    RpUndoneTable *table = data;
    g_free(table->table);
    g_free(table);
}

static void kept_free(gpointer data) {
    RpKeptRow *kept = data;
    g_free(kept->table);
    g_free(kept->key);
    g_free(kept->reason);
    g_strfreev(kept->changed);
    g_free(kept);
}

void rp_rollback_summary_free(RpRollbackSummary *summary) {
    if (summary == NULL)
        return;
    g_free(summary->status);
    g_free(summary->error);
    g_ptr_array_unref(summary->tables);
    g_ptr_array_unref(summary->kept);
    g_free(summary);
}

static guint64 number_at(const PGresult *result, int row, int field) {
    return g_ascii_strtoull(PQgetvalue(result, row, field), NULL, 10);
}

static char *text_at(const PGresult *result, int row, int field) {
    return PQgetisnull(result, row, field) ? NULL : g_strdup(PQgetvalue(result, row, field));
}

/* Several entities may have one table. */
static gboolean read_tables(PGconn *connection, const char *run, RpRollbackSummary *summary, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT e.target, coalesce(sum(c.deleted), 0), coalesce(sum(c.updated), 0), "
        "coalesce(sum(c.inserted), 0),"
        " coalesce(sum(k.n), 0) FROM redis2pg.run_entities e"
        " LEFT JOIN (SELECT entity, sum(deleted) AS deleted, sum(updated) AS updated, sum(inserted) AS "
        "inserted"
        "  FROM redis2pg.batch_counts WHERE run = $1::bigint GROUP BY entity) c ON c.entity = e.number"
        " LEFT JOIN (SELECT entity, count(*) AS n FROM redis2pg.kept WHERE run = $1::bigint GROUP BY entity) "
        "k"
        " ON k.entity = e.number WHERE e.run = $1::bigint GROUP BY e.target ORDER BY min(e.number)",
        1, &run, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++) {
        RpUndoneTable *table = g_new(RpUndoneTable, 1);
        *table =
            (RpUndoneTable){text_at(result, row, 0), number_at(result, row, 1), number_at(result, row, 2),
                            number_at(result, row, 3), number_at(result, row, 4)};
        summary->n_kept += table->kept;
        g_ptr_array_add(summary->tables, table);
    }
    return TRUE;
}

/* The key of a kept row; values of columns that the mapping calls sensitive are masked. */
#define KEY_SQL                                                                                              \
    "CASE WHEN cardinality(e.masked_columns) > 0 THEN (SELECT '{' || string_agg(to_json(j.name)::text || "   \
    "':' ||"                                                                                                 \
    " CASE WHEN j.name = ANY (e.masked_columns) THEN '\"" RP_MASK                                            \
    "\"' ELSE j.value::text END, ',' ORDER BY "                                                              \
    "j.n) || '}'"                                                                                            \
    " FROM json_each(k.key) WITH ORDINALITY AS j (name, value, n)) ELSE k.key::text END"

/* A column name may hold anything but a NUL: names are joined with the unit separator of ASCII. */
static gboolean read_kept(PGconn *connection, const char *run, RpRollbackSummary *summary, GError **error) {
    g_autofree char *sql = g_strdup_printf(
        "SELECT e.target, " KEY_SQL ", k.reason, array_to_string(k.changed, E'\\x1f') FROM redis2pg.kept k"
        " JOIN redis2pg.run_entities e ON e.run = k.run AND e.number = k.entity WHERE k.run = $1"
        " ORDER BY k.kept LIMIT %d",
        RP_KEPT_LISTED);
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 1, &run, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++) {
        RpKeptRow *kept = g_new0(RpKeptRow, 1);
        kept->table = text_at(result, row, 0);
        kept->key = text_at(result, row, 1);
        kept->reason = text_at(result, row, 2);
        if (!PQgetisnull(result, row, 3))
            kept->changed = g_strsplit(PQgetvalue(result, row, 3), "\x1f", -1);
        g_ptr_array_add(summary->kept, kept);
    }
    return TRUE;
}

gboolean rp_rollback_read(PGconn *connection, guint64 run, RpRollbackSummary **out, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    *out = NULL;
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT undoes, status, extract(epoch FROM coalesce(ended_at, clock_timestamp()) - started_at), error"
        " FROM redis2pg.runs WHERE run = $1 AND kind = 'rollback'",
        1, parameters, error);
    if (result == NULL || PQntuples(result) == 0)
        return result != NULL;
    g_autoptr(RpRollbackSummary) summary = g_new0(RpRollbackSummary, 1);
    summary->run = run;
    summary->undoes = number_at(result, 0, 0);
    summary->status = text_at(result, 0, 1);
    summary->seconds = g_ascii_strtod(PQgetvalue(result, 0, 2), NULL);
    summary->error = text_at(result, 0, 3);
    summary->tables = g_ptr_array_new_with_free_func(table_free);
    summary->kept = g_ptr_array_new_with_free_func(kept_free);
    if (!read_tables(connection, number, summary, error) || !read_kept(connection, number, summary, error))
        return FALSE;
    *out = g_steal_pointer(&summary);
    return TRUE;
}
