/* What a unit of a rollback does to the tables.
 *
 * 1. A row is undone only while its xmin is one of the run's transactions, or of a rollback that put back
 * what the run had left: as the run left it. Everything else is kept, with a reason.
 * 2. No row of anybody else is deleted or changed, not by a foreign key's action either: rows that refer to
 * one that is to go keep it. Where PostgreSQL itself would refuse, the look at them waits until it has.
 * 3. What is done is in the rollback's own undo log before it commits. */
#include "base/log.h"
#include "ledger/image.h"
#include "ledger/undo_steps.h"

#define NUMBER G_GUINT64_FORMAT

/* A row that should have been written was not: the unit is taken apart to find it. */
static gboolean complain(RpUndoWork *work, GError **error) {
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_DATA,
                "a trigger, a rule or a policy of %s keeps it as it is", work->table->table->shown);
    return FALSE;
}

/* ---- the three kinds of work ---- */

gboolean rp_undo_delete_rows(RpUndoWork *work, GError **error) {
    const RpUndoTable *table = work->table;
    RpUndone *undone = work->undone;
    /* What is locked stays as the run left it; what is not leaves the stage before anybody's references
     * count. */
    if ((table->has_reaching && !rp_undo_lock_rows(work, error)) ||
        (table->has_self && !rp_undo_keep_changed(work, error)))
        return FALSE;
    if (!rp_undo_keep_referred(work, error))
        return FALSE;
    if (!rp_undo_runf(work, &undone->n_deleted, error,
                      "WITH gone AS (DELETE FROM %s t USING %s s WHERE %s AND (%s) RETURNING %s AS image, "
                      "t.xmin AS author), log AS (INSERT INTO"
                      " redis2pg.undo (run, pass, batch, entity, target, operation, before, author) SELECT "
                      "%s, 'delete',"
                      " gone.image, gone.author FROM gone) SELECT count(*) FROM gone",
                      table->table->quoted, table->stage, table->equal, work->ours, work->image, work->row))
        return FALSE;
    if (undone->n_deleted == undone->n_staged)
        return TRUE;
    guint64 n_left;
    return rp_undo_keep_changed(work, error) &&
           rp_undo_runf(work, &n_left, error, "SELECT count(*) FROM %s s JOIN %s t ON %s", table->stage,
                        table->table->quoted, table->equal) &&
           (n_left == 0 || complain(work, error));
}

static gboolean restore_rows(RpUndoWork *work, GError **error) {
    const RpUndoTable *table = work->table;
    RpUndone *undone = work->undone;
    guint64 n_ours;
    g_autofree char *reason = g_strdup_printf("'was changed by another writer while run %" NUMBER " worked'",
                                              work->rollback->undoes);
    if (!rp_undo_keep_newest(work, reason, error) ||
        !rp_undo_runf(work, &n_ours, error,
                      "INSERT INTO redis2pg.undo (run, pass, batch, entity, target, operation, before, "
                      "author) SELECT %s, "
                      "'update',"
                      " %s, t.xmin FROM %s s JOIN %s t ON %s WHERE (%s) FOR UPDATE OF t",
                      work->row, work->image, table->stage, table->table->quoted, table->equal, work->ours) ||
        (n_ours < undone->n_staged &&
         (!rp_undo_keep_missing(work, error) || !rp_undo_keep_changed(work, error))))
        return FALSE;
    if (undone->n_staged == 0)
        return TRUE;
    RpImageSql sql = {0};
    const gboolean is_fine =
        rp_image_sql_make(work, &sql, error) &&
        rp_undo_runf(
            work, &undone->n_restored, error,
            "UPDATE %s t SET %s FROM %s s, redis2pg.undo u, LATERAL json_to_record(u.before) AS x (%s)"
            " WHERE %s AND u.undo = s.r2p_undo AND (%s)",
            table->table->quoted, sql.sets->str, table->stage, sql.definitions->str, table->equal,
            work->ours);
    rp_image_sql_clear(&sql);
    return is_fine && (undone->n_restored == undone->n_staged || complain(work, error));
}

/* A row that the run deleted and inserted again, and that could not be deleted just now: rows refer to it
 * that had been put back, for they did so before the run. It becomes what it was where it stands. */
static gboolean restore_returned(RpUndoWork *work, GError **error) {
    const RpUndoTable *table = work->table;
    RpImageSql sql = {0};
    guint64 n_returned, n_restored = 0;
    if (!rp_undo_runf(work, &n_returned, error,
                      "INSERT INTO redis2pg.undo (run, pass, batch, entity, target, operation, before, "
                      "author) SELECT %s, 'update', %s, t.xmin FROM %s s JOIN %s t ON %s WHERE (%s) FOR "
                      "UPDATE OF t",
                      work->row, work->image, table->stage, table->table->quoted, table->equal, work->ours))
        return FALSE;
    if (n_returned == 0)
        return TRUE;
    const gboolean is_fine =
        rp_image_sql_make(work, &sql, error) &&
        rp_undo_runf(
            work, &n_restored, error,
            "WITH written AS (UPDATE %s t SET %s FROM %s s, redis2pg.undo u, LATERAL "
            "json_to_record(u.before) AS x (%s) WHERE %s AND u.undo = s.r2p_undo AND (%s) RETURNING "
            "s.r2p_undo, (%s)::text AS key), settled AS (DELETE FROM redis2pg.kept k USING written w, "
            "redis2pg.undo i WHERE k.run = %" NUMBER " AND k.entity = %u AND k.is_blocked AND k.key::text = "
            "w.key AND i.undo = k.undo AND i.operation = 'insert'), done AS (DELETE FROM %s s USING written "
            "w "
            "WHERE s.r2p_undo = w.r2p_undo) SELECT count(*) FROM written",
            table->table->quoted, sql.sets->str, table->stage, sql.definitions->str, table->equal, work->ours,
            table->key_object, work->rollback->run, table->entity, table->stage);
    rp_image_sql_clear(&sql);
    work->undone->n_staged -= n_restored;
    work->undone->n_restored += n_restored;
    return is_fine && (n_restored == n_returned || complain(work, error));
}

static gboolean reinsert_rows(RpUndoWork *work, GError **error) {
    const RpUndoTable *table = work->table;
    RpUndone *undone = work->undone;
    if (!rp_undo_keep_newest(work, "'a row with this key is there again'", error) ||
        !restore_returned(work, error) || !rp_undo_keep_returned(work, error))
        return FALSE;
    if (undone->n_staged == 0)
        return TRUE;
    RpImageSql sql = {0};
    g_autofree char *statement = NULL;
    gboolean is_fine = rp_image_sql_make(work, &sql, error);
    if (is_fine)
        statement =
            g_strdup_printf("WITH written AS (INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s "
                            "s, redis2pg.undo u,"
                            " LATERAL json_to_record(u.before) AS x (%s) WHERE u.undo = s.r2p_undo RETURNING "
                            "%s), log AS (" RP_LEDGER_KEEP_INSERTED ") SELECT count(*) FROM written",
                            table->table->quoted, sql.names->str, sql.values->str, table->stage,
                            sql.definitions->str, table->names);
    rp_image_sql_clear(&sql);
    g_autoptr(PGresult) result =
        is_fine ? rp_postgres_query(work->connection, statement, 5, work->parameters, error) : NULL;
    if (result == NULL)
        return FALSE;
    undone->n_reinserted = g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    return undone->n_reinserted == undone->n_staged || complain(work, error);
}

/* ---- triggers ---- */

static void tell_trigger(RpUndoTable *table, const RpUndoTrigger *trigger) {
    if (!table->is_told)
        rp_log(RP_LOG_WARNING,
               "trigger %s stays on, because this role does not own the table: what it sets is not what was "
               "there",
               trigger->shown);
    table->is_told = TRUE;
}

/* What a BEFORE trigger sets would not be what was there. They are off for this transaction alone: nobody
 * else can write to the table until it ends. */
static gboolean set_triggers(RpUndoWork *work, gboolean is_on, GError **error) {
    g_autoptr(GString) sql = g_string_new(NULL);
    for (guint i = 0; i < work->table->triggers->len; i++) {
        const RpUndoTrigger *trigger = g_ptr_array_index(work->table->triggers, i);
        const RpUndoOperation operation = work->unit->operation;
        const char *enable = trigger->is_always ? "ENABLE ALWAYS" : "ENABLE";
        if (operation == RP_UNDO_INSERT ||
            !(trigger->is_on_update || (operation == RP_UNDO_DELETE && trigger->is_on_insert)))
            continue;
        if (trigger->is_ours)
            g_string_append_printf(sql, "ALTER TABLE ONLY %s %s TRIGGER %s;", trigger->table,
                                   is_on ? enable : "DISABLE", trigger->name);
        else
            tell_trigger(work->unit->table, trigger);
    }
    return sql->len == 0 || rp_postgres_run(work->connection, sql->str, error);
}

static gboolean do_work(RpUndoWork *work, GError **error) {
    switch (work->unit->operation) {
    case RP_UNDO_INSERT:
        return rp_undo_delete_rows(work, error);
    case RP_UNDO_UPDATE:
        return restore_rows(work, error);
    case RP_UNDO_DELETE:
        return reinsert_rows(work, error);
    }
    g_assert_not_reached();
}

gboolean rp_undo_unit_work(PGconn *connection, const RpRollback *rollback, const RpUndoUnit *unit, guint pass,
                           guint64 batch, RpUndone *undone, GError **error) {
    const RpUndoTable *table = unit->table;
    static const char ours[] =
        "(t.xmin IN (SELECT o.writer FROM r2p_ours o) OR t.xmin = s.r2p_writer) IS TRUE";
    g_autofree char *image = rp_ledger_image_sql(connection, table->table);
    g_autofree char *target = rp_postgres_literal(connection, table->table->shown);
    g_autofree char *row = g_strdup_printf("%" NUMBER ", %u, %" NUMBER ", %u, %s", rollback->run, pass, batch,
                                           table->entity, target);
    g_autofree char *run_text = g_strdup_printf("%" NUMBER, rollback->run);
    g_autofree char *pass_text = g_strdup_printf("%u", pass);
    g_autofree char *batch_text = g_strdup_printf("%" NUMBER, batch);
    g_autofree char *entity = g_strdup_printf("%u", table->entity);
    RpUndoWork work = {
        connection, rollback, unit, table,
        ours,       image,    row,  {run_text, pass_text, batch_text, entity, table->table->shown},
        undone};
    *undone = (RpUndone){0};
    if (set_triggers(&work, FALSE, error) && rp_undo_stage(&work, error) &&
        rp_undo_overlap_find(&work, error) && do_work(&work, error) && rp_undo_write_kept(&work, error) &&
        set_triggers(&work, TRUE, error))
        return TRUE;
    g_prefix_error(error, "undoing rows of %s: ", table->table->shown);
    return FALSE;
}

gboolean rp_undo_unit_keep(PGconn *connection, const RpRollback *rollback, const RpUndoUnit *unit,
                           const char *reason, RpUndone *undone, GError **error) {
    RpUndoWork work = {
        .connection = connection, .rollback = rollback, .unit = unit, .table = unit->table, .undone = undone};
    *undone = (RpUndone){0};
    g_autofree char *text = rp_postgres_literal(connection, reason);
    return rp_undo_stage(&work, error) &&
           rp_undo_take_aside(&work, "WHERE true", "NULL::xid", text, TRUE, NULL, error) &&
           rp_undo_write_kept(&work, error);
}
