/* Which columns of kept rows differ from what the run left, as far as the ledger can tell: names only.
 *
 * A later run that changed a row kept how it stood before: as our run left it. Of a row that somebody else
 * changed nobody knows: the image from before our run differs in what our run changed itself. Only as many
 * rows are looked at as a result lists. */
#include "ledger/image.h"
#include "ledger/undo_unit.h"

#define NUMBER G_GUINT64_FORMAT

/* Names of the columns in which two images differ, in the order of the later one. */
#define DIFFERING(before, now)                                                                               \
    "(SELECT coalesce(array_agg(n.key ORDER BY n.place), '{}') FROM json_each_text(" now ") WITH ORDINALITY" \
    " AS n (key, value, place) JOIN json_each_text(" before ") AS b (key, value) USING (key)"                \
    " WHERE n.value IS DISTINCT FROM b.value)"

/* Kept rows of the table that are listed, still there, and not looked at. */
static gboolean list_kept(PGconn *connection, const RpRollback *rollback, const RpUndoTable *table,
                          GError **error) {
    g_autofree char *image = rp_ledger_image_sql(connection, table->table);
    return rp_postgres_runf(
        connection, error,
        "CREATE TEMPORARY TABLE r2p_kept ON COMMIT DROP AS SELECT l.kept, t.xmin AS writer, %s AS now, s.*"
        " FROM (SELECT * FROM redis2pg.kept WHERE run = %" NUMBER " ORDER BY kept LIMIT %d) l"
        " CROSS JOIN LATERAL json_to_record(l.key) AS s (%s) JOIN %s t ON %s"
        " WHERE l.entity = %u AND l.changed IS NULL AND NOT l.is_blocked",
        image, rollback->run, RP_KEPT_LISTED, table->definitions, table->table->quoted, table->equal,
        table->entity);
}

/* The batches that wrote them: few, which the planner has to know before it looks at what those kept. */
static gboolean list_writers(PGconn *connection, guint64 *n_writers, GError **error) {
    g_autoptr(PGresult) written = rp_postgres_query(
        connection,
        "CREATE TEMPORARY TABLE r2p_writers ON COMMIT DROP AS SELECT DISTINCT w.writer, b.run, b.pass,"
        " b.number AS batch FROM (SELECT DISTINCT writer FROM r2p_kept) w JOIN redis2pg.batches b"
        " ON b.xid::xid = w.writer",
        0, NULL, error);
    if (written == NULL)
        return FALSE;
    *n_writers = rp_postgres_affected(written);
    return *n_writers == 0 || rp_postgres_run(connection, "ANALYZE r2p_writers, r2p_kept", error);
}

/* By the image of the later run whose transaction wrote the row as it stands. */
static gboolean compare_with_later(PGconn *connection, const RpUndoTable *table, GError **error) {
    g_autofree char *target = rp_postgres_literal(connection, table->table->shown);
    return rp_postgres_runf(
        connection, error,
        "UPDATE redis2pg.kept k SET changed = " DIFFERING(
            "l.before", "l.now") " FROM ("
                                 "SELECT DISTINCT ON (s.kept) s.kept, s.now, u.before FROM r2p_writers w "
                                 "JOIN redis2pg.undo u ON"
                                 " u.run = w.run AND u.pass = w.pass AND u.batch = w.batch AND u.target = %s "
                                 "AND u.operation ="
                                 " 'update' CROSS JOIN LATERAL json_to_record(u.before) AS t (%s) JOIN "
                                 "r2p_kept s ON s.writer ="
                                 " w.writer AND %s ORDER BY s.kept, u.undo DESC) l WHERE k.kept = l.kept",
        target, table->definitions, table->equal);
}

static gboolean compare_table(PGconn *connection, const RpRollback *rollback, const RpUndoTable *table,
                              GError **error) {
    guint64 n_writers;
    return list_kept(connection, rollback, table, error) && list_writers(connection, &n_writers, error) &&
           (n_writers == 0 || compare_with_later(connection, table, error)) &&
           rp_postgres_run(connection, "DROP TABLE r2p_kept, r2p_writers", error);
}

gboolean rp_undo_compare_kept(PGconn *connection, const RpRollback *rollback, const GPtrArray *tables,
                              GError **error) {
    if (!rp_postgres_run(connection, "SET LOCAL enable_hashjoin = on", error))
        return FALSE;
    for (guint i = 0; i < tables->len; i++) {
        const RpUndoTable *table = g_ptr_array_index(tables, i);
        if (!compare_table(connection, rollback, table, error)) {
            g_prefix_error(error, "comparing the rows of %s that stay: ", table->table->shown);
            return FALSE;
        }
    }
    return TRUE;
}
