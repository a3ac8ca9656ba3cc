/* Staging: the keys of the rows that a unit of a rollback is about, and the columns of their images. */
#include "base/log.h"
#include "ledger/image.h"
#include "ledger/undo_steps.h"

#define NUMBER G_GUINT64_FORMAT

gboolean rp_undo_stage_prepare(PGconn *connection, const RpRollback *rollback, const GPtrArray *tables,
                               GError **error) {
    if (!rp_postgres_runf(connection, error,
                          "CREATE TEMPORARY TABLE r2p_ours AS SELECT DISTINCT xid::xid AS writer FROM"
                          " redis2pg.batches WHERE run = %" G_GUINT64_FORMAT,
                          rollback->undoes) ||
        !rp_postgres_run(connection,
                         "CREATE TEMPORARY TABLE r2p_rest (undo bigint, key json, writer xid, reason text,"
                         " is_blocked boolean) ON COMMIT DELETE ROWS",
                         error))
        return FALSE;
    for (guint i = 0; i < tables->len; i++) {
        const RpUndoTable *table = g_ptr_array_index(tables, i);
        if (!rp_postgres_runf(connection, error,
                              "CREATE TEMPORARY TABLE r2p_undo_%u (r2p_undo bigint, %s, r2p_writer xid) ON "
                              "COMMIT DELETE ROWS",
                              table->entity, table->definitions) ||
            (table->has_self &&
             !rp_postgres_runf(connection, error, "CREATE INDEX ON %s (%s)", table->stage, table->names)))
            return FALSE;
    }
    return rp_undo_overlap_prepare(connection, rollback, tables, error);
}

gboolean rp_undo_run(RpUndoWork *work, const char *sql, guint64 *n_rows, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(work->connection, sql, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    if (n_rows != NULL)
        *n_rows = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1
                      ? g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10)
                      : rp_postgres_affected(result);
    return TRUE;
}

gboolean rp_undo_runf(RpUndoWork *work, guint64 *n_rows, GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sql = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return rp_undo_run(work, sql, n_rows, error);
}

void rp_image_sql_clear(RpImageSql *sql) {
    g_string_free(sql->definitions, TRUE);
    g_string_free(sql->names, TRUE);
    g_string_free(sql->values, TRUE);
    g_string_free(sql->sets, TRUE);
}

static gboolean is_json(const RpColumn *column) {
    return column->kind == RP_TYPE_JSON || column->kind == RP_TYPE_JSONB;
}

static void add_image_column(RpUndoWork *work, RpImageSql *sql, const RpColumn *column) {
    g_autofree char *name = rp_postgres_identifier(work->connection, column->name);
    const gboolean is_identity = g_strv_contains((const char *const *)work->table->always, column->name);
    g_string_append_printf(sql->definitions, "%s%s %s", sql->definitions->len > 0 ? ", " : "", name,
                           is_json(column) ? "text" : column->cast_name);
    if (column->is_generated && !is_identity)
        return;
    g_autofree char *value = is_json(column) ? g_strdup_printf("x.%s::%s", name, column->cast_name)
                                             : g_strdup_printf("x.%s", name);
    g_string_append_printf(sql->names, "%s%s", sql->names->len > 0 ? ", " : "", name);
    g_string_append_printf(sql->values, "%s%s", sql->values->len > 0 ? ", " : "", value);
    if (!column->is_generated)
        g_string_append_printf(sql->sets, "%s%s = %s", sql->sets->len > 0 ? ", " : "", name, value);
}

static void tell_column(RpUndoTable *table, const char *name) {
    if (!table->is_told_column)
        rp_log(RP_LOG_WARNING, "table %s has no column %s any more: what was in it does not come back",
               table->table->shown, name);
    table->is_told_column = TRUE;
}

/* Columns that both the images and the table have: the oldest and the newest image of the unit tell. */
gboolean rp_image_sql_make(RpUndoWork *work, RpImageSql *sql, GError **error) {
    *sql = (RpImageSql){g_string_new(NULL), g_string_new(NULL), g_string_new(NULL), g_string_new(NULL)};
    g_autofree char *query = g_strdup_printf(
        "SELECT j.name FROM %s s JOIN redis2pg.undo u ON u.undo = s.r2p_undo CROSS JOIN LATERAL"
        " json_object_keys(u.before) AS j (name) WHERE u.undo IN (SELECT min(r2p_undo) FROM %s UNION ALL "
        "SELECT"
        " max(r2p_undo) FROM %s) GROUP BY 1",
        work->table->stage, work->table->stage, work->table->stage);
    g_autoptr(PGresult) result = rp_postgres_query(work->connection, query, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (int row = 0; row < PQntuples(result); row++) {
        g_hash_table_add(names, PQgetvalue(result, row, 0));
        if (rp_table_find_column(work->table->table, PQgetvalue(result, row, 0)) == NULL)
            tell_column(work->unit->table, PQgetvalue(result, row, 0));
    }
    const GPtrArray *columns = work->table->table->columns;
    for (guint i = 0; i < columns->len; i++) {
        const RpColumn *column = g_ptr_array_index(columns, i);
        if (g_hash_table_contains(names, column->name))
            add_image_column(work, sql, column);
    }
    return TRUE;
}

gboolean rp_undo_stage(RpUndoWork *work, GError **error) {
    const RpUndoUnit *unit = work->unit;
    const RpUndoTable *table = work->table;
    const guint64 self = work->rollback->run;
    static const char *const operations[] = {"insert", "update", "delete"};
    if (unit->is_again)
        return rp_undo_runf(
            work, &work->undone->n_staged, error,
            "WITH again AS (DELETE FROM redis2pg.kept k USING redis2pg.undo u WHERE k.run = %" NUMBER
            " AND k.entity = %u AND k.is_blocked AND k.kept BETWEEN %" NUMBER " AND %" NUMBER
            " AND u.undo = k.undo AND u.operation = '%s' RETURNING k.kept, k.undo, k.key)"
            " INSERT INTO %s SELECT a.undo, %s FROM again a CROSS JOIN LATERAL json_to_record(a.key) "
            "AS x (%s)"
            " ORDER BY a.kept",
            self, table->entity, unit->first, unit->last, operations[unit->operation], table->stage,
            table->key_x, table->definitions);
    if (unit->operation == RP_UNDO_INSERT)
        return (unit->from_row > 1 ||
                rp_undo_runf(
                    work, NULL, error,
                    "DELETE FROM redis2pg.kept WHERE run = %" NUMBER " AND entity = %u"
                    " AND undo IN (SELECT undo FROM redis2pg.undo WHERE run = %" NUMBER
                    " AND entity = %u AND undo BETWEEN %" NUMBER " AND %" NUMBER " AND operation = 'insert')",
                    self, table->entity, work->rollback->undoes, table->entity, unit->first, unit->last)) &&
               rp_undo_runf(
                   work, &work->undone->n_staged, error,
                   "INSERT INTO %s SELECT u.undo, %s FROM redis2pg.undo u CROSS JOIN LATERAL ROWS FROM"
                   " (json_to_recordset(u.before) AS (%s)) WITH ORDINALITY AS x (%s, r2p_row) WHERE u.run = "
                   "%" NUMBER " AND u.entity = %u AND u.undo BETWEEN %" NUMBER " AND %" NUMBER
                   " AND u.operation = 'insert' AND x.r2p_row BETWEEN %" NUMBER " AND %" NUMBER,
                   table->stage, table->key_x, table->definitions, table->names, work->rollback->undoes,
                   table->entity, unit->first, unit->last, unit->from_row, unit->to_row);
    return rp_undo_runf(
        work, &work->undone->n_staged, error,
        "INSERT INTO %s SELECT u.undo, %s FROM redis2pg.undo u CROSS JOIN LATERAL json_to_record(u.before)"
        " AS x (%s) WHERE u.run = %" NUMBER " AND u.entity = %u AND u.undo BETWEEN %" NUMBER " AND %" NUMBER
        " AND u.operation = '%s' ORDER BY u.undo DESC",
        table->stage, table->key_x, table->definitions, work->rollback->undoes, table->entity, unit->first,
        unit->last, operations[unit->operation]);
}
