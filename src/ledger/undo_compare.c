/* Which columns of kept rows differ from what the run left, as far as the ledger can tell: names only.
 *
 * A later run that changed a row kept how it stood before: as our run left it. Of a row that our run had
 * updated there is at least the image from before. Only as many rows are looked at as a result lists. */
#include "ledger/image.h"
#include "ledger/undo_unit.h"

#define NUMBER G_GUINT64_FORMAT

/* Names of the columns in which two images differ, in the order of the later one. */
#define DIFFERING(before, now)                                                                               \
    "(SELECT coalesce(array_agg(n.key ORDER BY n.place), '{}') FROM json_each_text(" now ") WITH ORDINALITY" \
    " AS n (key, value, place) JOIN json_each_text(" before ") AS b (key, value) USING (key)"                \
    " WHERE n.value IS DISTINCT FROM b.value)"

/* Kept rows of the table that are listed, still there, and not looked at. */
static char *listed_sql(const RpRollback *rollback, const RpUndoTable *table, const char *image) {
    return g_strdup_printf("CREATE TEMPORARY TABLE r2p_kept ON COMMIT DROP AS SELECT k.kept, k.undo, t.xmin "
                           "AS writer, %s AS now,"
                           " s.* FROM (SELECT kept, undo, key FROM redis2pg.kept WHERE run = %" NUMBER
                           " ORDER BY kept LIMIT %d) l"
                           " JOIN redis2pg.kept k ON k.kept = l.kept AND k.entity = %u AND k.changed IS NULL "
                           "AND NOT k.is_blocked"
                           " CROSS JOIN LATERAL json_to_record(l.key) AS s (%s) JOIN %s t ON %s",
                           image, rollback->run, RP_KEPT_LISTED, table->entity, table->definitions,
                           table->table->quoted, table->equal);
}

/* By the image of the later run whose transaction wrote the row as it stands. */
static gboolean compare_with_later(PGconn *connection, const RpUndoTable *table, GError **error) {
    g_autofree char *target = rp_postgres_literal(connection, table->table->shown);
    return rp_postgres_runf(
        connection, error,
        "UPDATE redis2pg.kept k SET changed = " DIFFERING(
            "l.before", "l.now") " FROM ("
                                 "SELECT DISTINCT ON (s.kept) s.kept, s.now, u.before FROM (SELECT DISTINCT "
                                 "writer FROM r2p_kept) w"
                                 " JOIN redis2pg.batches b ON b.xid::xid = w.writer JOIN redis2pg.undo u ON "
                                 "u.run = b.run AND u.pass = b.pass"
                                 " AND u.batch = b.number AND u.target = %s AND u.operation = 'update'"
                                 " CROSS JOIN LATERAL json_to_record(u.before) AS t (%s) JOIN r2p_kept s ON "
                                 "s.writer = w.writer AND %s"
                                 " ORDER BY s.kept, u.undo DESC) l WHERE k.kept = l.kept",
        target, table->definitions, table->equal);
}

static gboolean compare_with_image(PGconn *connection, GError **error) {
    return rp_postgres_run(
        connection,
        "UPDATE redis2pg.kept k SET changed = " DIFFERING(
            "u.before",
            "s.now") " FROM r2p_kept s JOIN redis2pg.undo u ON u.undo = s.undo AND u.operation = 'update'"
                     " WHERE k.kept = s.kept AND k.changed IS NULL",
        error);
}

gboolean rp_undo_compare_kept(PGconn *connection, const RpRollback *rollback, const GPtrArray *tables,
                              GError **error) {
    if (!rp_postgres_run(connection, "SET LOCAL enable_hashjoin = on", error))
        return FALSE;
    for (guint i = 0; i < tables->len; i++) {
        const RpUndoTable *table = g_ptr_array_index(tables, i);
        g_autofree char *image = rp_ledger_image_sql(connection, table->table);
        g_autofree char *listed = listed_sql(rollback, table, image);
        if (!rp_postgres_run(connection, listed, error) || !compare_with_later(connection, table, error) ||
            !compare_with_image(connection, error) ||
            !rp_postgres_run(connection, "DROP TABLE r2p_kept", error)) {
            g_prefix_error(error, "comparing the rows of %s that stay: ", table->table->shown);
            return FALSE;
        }
    }
    return TRUE;
}
