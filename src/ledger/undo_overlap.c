/* Rows that are as the run left them because later runs that changed them were undone.
 *
 * An image knows who had written the row that it holds. A row that a rollback wrote is as the run left it
 * when the image that was put back is of a row of the run, or of one that is so by the same rule.
 *
 * 1. A row of a rollback was put there from the one image that the run which it undoes has of the row. Where
 * there are several, somebody else wrote in between: nothing is known.
 * 2. What was found counts for the one transaction that is named in the stage: a row that anybody has written
 * since has another xmin. */
#include "ledger/undo_steps.h"

#define NUMBER G_GUINT64_FORMAT

/* Later rollbacks than the run: their transactions, and what they undo. */
static gboolean list_rollbacks(PGconn *connection, const RpRollback *rollback, gboolean *are_there,
                               GError **error) {
    g_autofree char *sql = g_strdup_printf(
        "CREATE TEMPORARY TABLE r2p_rollbacks AS SELECT DISTINCT b.xid::xid AS writer, r.undoes FROM"
        " redis2pg.runs r JOIN redis2pg.batches b ON b.run = r.run WHERE r.kind = 'rollback' AND r.status IN"
        " ('completed', 'rolled_back') AND r.run > %" NUMBER " AND r.run <> %" NUMBER
        " AND r.undoes <> %" NUMBER,
        rollback->undoes, rollback->run, rollback->undoes);
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    *are_there = rp_postgres_affected(result) > 0;
    return TRUE;
}

/* The images that those runs have of rows of the table, by its key. An entity with another key knows its rows
 * by other columns: it is left out. */
static gboolean list_images(PGconn *connection, const RpRollback *rollback, const RpUndoTable *table,
                            GError **error) {
    return rp_postgres_runf(
               connection, error,
               "CREATE TEMPORARY TABLE r2p_images AS SELECT u.run AS r2p_run, (array_agg(u.author))[1] AS"
               " r2p_author, %s FROM redis2pg.run_entities e JOIN redis2pg.run_entities i ON i.schema_name ="
               " e.schema_name AND i.table_name = e.table_name AND i.key_columns = e.key_columns JOIN"
               " redis2pg.undo u ON u.run = i.run AND u.entity = i.number CROSS JOIN LATERAL json_to_record"
               " (u.before) AS x (%s) WHERE e.run = %" NUMBER " AND e.number = %u AND u.operation <> 'insert'"
               " AND i.run IN (SELECT undoes FROM r2p_rollbacks) GROUP BY u.run, %s HAVING count(*) = 1",
               table->key_x, table->definitions, rollback->undoes, table->entity, table->key_x) &&
           rp_postgres_run(connection, "ANALYZE r2p_images", error);
}

/* Of which rows what the run had left was put back: their keys, and the run that was undone. */
static gboolean list_returned(PGconn *connection, const RpUndoTable *table, GError **error) {
    return rp_postgres_runf(
               connection, error,
               "CREATE TEMPORARY TABLE r2p_returned_%u AS WITH RECURSIVE c AS (SELECT o.* FROM r2p_images o"
               " WHERE o.r2p_author IN (SELECT writer FROM r2p_ours) UNION SELECT o.* FROM c JOIN"
               " r2p_rollbacks b ON b.undoes = c.r2p_run JOIN r2p_images o ON o.r2p_author = b.writer AND %s)"
               " SELECT * FROM c",
               table->entity, table->equal_self) &&
           rp_postgres_runf(connection, error, "CREATE INDEX ON r2p_returned_%u (%s)", table->entity,
                            table->names) &&
           rp_postgres_runf(connection, error, "ANALYZE r2p_returned_%u; DROP TABLE r2p_images",
                            table->entity);
}

gboolean rp_undo_overlap_prepare(PGconn *connection, const RpRollback *rollback, const GPtrArray *tables,
                                 GError **error) {
    gboolean are_there = FALSE;
    if (!list_rollbacks(connection, rollback, &are_there, error) ||
        !rp_postgres_run(connection,
                         "CREATE INDEX ON r2p_rollbacks USING hash (writer); ANALYZE r2p_rollbacks,"
                         " r2p_ours; SET enable_hashjoin = on",
                         error))
        return FALSE;
    for (guint i = 0; are_there && i < tables->len; i++) {
        const RpUndoTable *table = g_ptr_array_index(tables, i);
        if (!list_images(connection, rollback, table, error) || !list_returned(connection, table, error)) {
            g_prefix_error(error, "looking for what rollbacks put back into %s: ", table->table->shown);
            return FALSE;
        }
    }
    return rp_postgres_run(connection, "SET enable_hashjoin = off", error);
}

gboolean rp_undo_overlap_find(RpUndoWork *work, GError **error) {
    const RpUndoTable *table = work->table;
    g_autofree char *look =
        g_strdup_printf("SELECT to_regclass('pg_temp.r2p_returned_%u') IS NOT NULL", table->entity);
    g_autoptr(PGresult) found = rp_postgres_query(work->connection, look, 0, NULL, error);
    if (found == NULL || !rp_postgres_is_true(found, 0, 0))
        return found != NULL;
    /* The inner t is a row of r2p_returned: of the same key. */
    return rp_undo_runf(work, NULL, error,
                        "UPDATE %s s SET r2p_writer = (SELECT t.xmin FROM %s t JOIN r2p_rollbacks b ON"
                        " b.writer = t.xmin WHERE %s AND EXISTS (SELECT FROM r2p_returned_%u t WHERE %s AND"
                        " t.r2p_run = b.undoes) LIMIT 1)",
                        table->stage, table->table->quoted, table->equal, table->entity, table->equal);
}
