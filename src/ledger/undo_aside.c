/* Rows that a rollback leaves as they are, and why.
 *
 * 1. A row is undone only while its xmin is one of the run's transactions, or is noted in the stage.
 * 2. A row that something refers to stays, and so does what it refers to itself. */
#include "ledger/undo_steps.h"

#define NUMBER G_GUINT64_FORMAT

/* Moves rows of the stage to the rest: from is "USING … WHERE …" after DELETE FROM stage s, writer an xid or
 * NULL, reason an SQL text or NULL for "changed since". Gives how many, and takes them off the staged. */
gboolean rp_undo_take_aside(RpUndoWork *work, const char *from, const char *writer, const char *reason,
                            gboolean is_blocked, guint64 *n_taken, GError **error) {
    guint64 n;
    if (!rp_undo_runf(work, &n, error,
                      "WITH aside AS (DELETE FROM %s s %s RETURNING s.r2p_undo, %s AS key, %s AS writer)"
                      " INSERT INTO r2p_rest SELECT r2p_undo, key, writer, %s, %s FROM aside",
                      work->table->stage, from, work->table->key_object, writer, reason,
                      is_blocked ? "true" : "false"))
        return FALSE;
    work->undone->n_staged -= n;
    work->undone->n_kept += n;
    if (n_taken != NULL)
        *n_taken = n;
    return TRUE;
}

/* Of several images of one row only the newest can be what the run found last; in between somebody else
 * wrote. */
gboolean rp_undo_keep_newest(RpUndoWork *work, const char *reason, GError **error) {
    g_autofree char *from = g_strdup_printf("WHERE s.ctid = ANY (ARRAY (SELECT o.place FROM (SELECT ctid AS "
                                            "place, row_number() OVER (PARTITION BY %s"
                                            " ORDER BY r2p_undo DESC) AS n FROM %s) o WHERE o.n > 1))",
                                            work->table->names, work->table->stage);
    return rp_undo_take_aside(work, from, "NULL::xid", reason, FALSE, NULL, error);
}

gboolean rp_undo_keep_changed(RpUndoWork *work, GError **error) {
    g_autofree char *from = g_strdup_printf("USING %s t WHERE %s AND (%s) IS NOT TRUE",
                                            work->table->table->quoted, work->table->equal, work->ours);
    return rp_undo_take_aside(work, from, "t.xmin", "NULL", FALSE, NULL, error);
}

gboolean rp_undo_keep_missing(RpUndoWork *work, GError **error) {
    g_autofree char *from = g_strdup_printf("WHERE (SELECT true FROM %s t WHERE %s LIMIT 1) IS NULL",
                                            work->table->table->quoted, work->table->equal);
    return rp_undo_take_aside(work, from, "NULL::xid", "'was deleted since'", FALSE, NULL, error);
}

/* Rows that something still refers to. Of the table's own rows those count that do not go themselves. */
static gboolean keep_referred(RpUndoWork *work, const RpReferrer *referrer, guint64 *n_taken,
                              GError **error) {
    g_autoptr(GString) match = g_string_new(NULL);
    for (guint i = 0; referrer->columns[i] != NULL; i++) {
        g_autofree char *local = rp_postgres_identifier(work->connection, referrer->columns[i]);
        g_autofree char *remote = rp_postgres_identifier(work->connection, referrer->referenced[i]);
        g_string_append_printf(match, "%sc.%s = t.%s", i > 0 ? " AND " : "", local, remote);
    }
    if (referrer->is_self)
        g_string_append_printf(match, " AND NOT EXISTS (SELECT FROM %s o WHERE %s)", work->table->stage,
                               work->table->equal_self);
    g_autofree char *from = g_strdup_printf(
        "USING %s t WHERE %s AND (%s) AND (SELECT true FROM %s c WHERE %s LIMIT 1)",
        work->table->table->quoted, work->table->equal, work->ours, referrer->table, match->str);
    g_autofree char *reason = rp_postgres_literal(work->connection, referrer->reason);
    return rp_undo_take_aside(work, from, "NULL::xid", reason, TRUE, n_taken, error);
}

/* A row that stays may make others of its own table stay: it is looked again until none does. */
gboolean rp_undo_keep_referred(RpUndoWork *work, GError **error) {
    const RpUndoTable *table = work->table;
    for (gboolean is_over = FALSE, is_first = TRUE; !is_over; is_first = FALSE) {
        is_over = TRUE;
        for (guint i = 0; i < table->referrers->len; i++) {
            const RpReferrer *referrer = g_ptr_array_index(table->referrers, i);
            guint64 n_taken;
            if (!(referrer->is_reaching || table->is_wary) || !(is_first || referrer->is_self))
                continue;
            if (!keep_referred(work, referrer, &n_taken, error))
                return FALSE;
            is_over = is_over && (n_taken == 0 || !table->has_self);
        }
    }
    return TRUE;
}

/* A reference that comes in between would be followed by the foreign key's action: whoever makes one locks
 * the row that it refers to. */
gboolean rp_undo_lock_rows(RpUndoWork *work, GError **error) {
    return rp_undo_runf(
        work, NULL, error,
        "SELECT count(*) FROM (SELECT FROM %s s JOIN %s t ON %s WHERE (%s) FOR UPDATE OF t) l",
        work->table->stage, work->table->table->quoted, work->table->equal, work->ours);
}

/* Who changed a row: its xmin. A row that the rollback itself wrote had been changed before it; what this
 * unit wrote has the xmin of the rest, in a dry run as well, where that is the savepoint's. */
gboolean rp_undo_write_kept(RpUndoWork *work, GError **error) {
    return work->undone->n_kept == 0 ||
           (rp_postgres_run(work->connection, "SET LOCAL enable_hashjoin = on", error) &&
            rp_undo_runf(
                work, NULL, error,
                "INSERT INTO redis2pg.kept (run, undo, entity, key, reason, is_blocked) SELECT %" NUMBER
                ", r.undo, %u, r.key, coalesce(r.reason, CASE WHEN w.run = %" NUMBER " OR r.writer ="
                " r.xmin THEN 'was changed by another writer while run %" NUMBER
                " worked' WHEN w.run IS NOT NULL THEN format('changed since by run %%s (%%s)', w.run, w.kind)"
                " ELSE format('changed since by another writer (transaction %%s)', r.writer) END), "
                "r.is_blocked"
                " FROM r2p_rest r LEFT JOIN (SELECT DISTINCT ON (b.xid) b.xid::xid AS writer, b.run, o.kind "
                "FROM"
                " redis2pg.batches b JOIN redis2pg.runs o ON o.run = b.run ORDER BY b.xid, b.run DESC) w"
                " ON w.writer = r.writer",
                work->rollback->run, work->table->entity, work->rollback->run, work->rollback->undoes) &&
            rp_postgres_run(work->connection, "SET LOCAL enable_hashjoin = off", error));
}

gboolean rp_undo_keep_returned(RpUndoWork *work, GError **error) {
    g_autofree char *from =
        g_strdup_printf("USING %s t WHERE %s", work->table->table->quoted, work->table->equal);
    return rp_undo_take_aside(work, from, "NULL::xid", "'a row with this key is there again'", FALSE, NULL,
                              error);
}
