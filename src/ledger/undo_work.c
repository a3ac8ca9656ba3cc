/* What a unit of a rollback does to the tables.
 *
 * 1. A row is undone only while its xmin is one of the run's transactions: as the run left it. Everything
 * else is kept, with a reason.
 * 2. No row of anybody else is deleted or changed, not by a foreign key's action either: rows that refer to
 * one that is to go keep it. Where PostgreSQL itself would refuse, the look at them waits until it has.
 * 3. What is done is in the rollback's own undo log before it commits. */
#include "base/log.h"
#include "ledger/image.h"
#include "ledger/undo_unit.h"

#define NUMBER G_GUINT64_FORMAT

/* The state of one unit's work. */
typedef struct {
    PGconn *connection;
    const RpRollback *rollback;
    const RpUndoUnit *unit;
    const RpUndoTable *table;
    char *ours;  /* condition: t is as the run left it. Not pulled up into a join, but hashed */
    char *image; /* of t */
    char *row;   /* "run, pass, batch, entity, target" of the rollback's undo log, as literals */
    const char *parameters[5]; /* the same, for RP_LEDGER_KEEP_INSERTED */
    RpUndone *undone;
} Work;

static gboolean run(Work *work, const char *sql, guint64 *n_rows, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(work->connection, sql, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    if (n_rows != NULL)
        *n_rows = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1
                      ? g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10)
                      : rp_postgres_affected(result);
    return TRUE;
}

static gboolean runf(Work *work, guint64 *n_rows, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static gboolean runf(Work *work, guint64 *n_rows, GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sql = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return run(work, sql, n_rows, error);
}

/* ---- staging: the keys of the rows that the unit is about ---- */

/* The columns of an image, as json_to_record gives them, and how to use them: those that JSON would misread
 * come as text. */
typedef struct {
    GString *definitions;
    GString *names;
    GString *values;
    GString *sets;
} ImageSql;

static void image_sql_clear(ImageSql *sql) {
    g_string_free(sql->definitions, TRUE);
    g_string_free(sql->names, TRUE);
    g_string_free(sql->values, TRUE);
    g_string_free(sql->sets, TRUE);
}

static gboolean is_json(const RpColumn *column) {
    return column->kind == RP_TYPE_JSON || column->kind == RP_TYPE_JSONB;
}

static void add_image_column(Work *work, ImageSql *sql, const RpColumn *column) {
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

/* Columns that both the images and the table have: the oldest and the newest image of the unit tell. */
static gboolean make_image_sql(Work *work, ImageSql *sql, GError **error) {
    *sql = (ImageSql){g_string_new(NULL), g_string_new(NULL), g_string_new(NULL), g_string_new(NULL)};
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
    for (int row = 0; row < PQntuples(result); row++)
        g_hash_table_add(names, PQgetvalue(result, row, 0));
    const GPtrArray *columns = work->table->table->columns;
    for (guint i = 0; i < columns->len; i++) {
        const RpColumn *column = g_ptr_array_index(columns, i);
        if (g_hash_table_contains(names, column->name))
            add_image_column(work, sql, column);
    }
    return TRUE;
}

static gboolean stage(Work *work, GError **error) {
    const RpUndoUnit *unit = work->unit;
    const RpUndoTable *table = work->table;
    const guint64 self = work->rollback->run;
    static const char *const operations[] = {"insert", "update", "delete"};
    if (unit->is_again)
        return runf(work, &work->undone->n_staged, error,
                    "WITH again AS (DELETE FROM redis2pg.kept k USING redis2pg.undo u WHERE k.run = %" NUMBER
                    " AND k.entity = %u AND k.is_blocked AND k.kept BETWEEN %" NUMBER " AND %" NUMBER
                    " AND u.undo = k.undo AND u.operation = '%s' RETURNING k.kept, k.undo, k.key)"
                    " INSERT INTO %s SELECT a.undo, %s FROM again a CROSS JOIN LATERAL json_to_record(a.key) "
                    "AS x (%s)"
                    " ORDER BY a.kept",
                    self, table->entity, unit->first, unit->last, operations[unit->operation], table->stage,
                    table->key_x, table->definitions);
    if (unit->operation == RP_UNDO_INSERT)
        return (unit->from_row > 1 || runf(work, NULL, error,
                                           "DELETE FROM redis2pg.kept WHERE run = %" NUMBER " AND entity = %u"
                                           " AND undo = %" NUMBER,
                                           self, table->entity, unit->first)) &&
               runf(work, &work->undone->n_staged, error,
                    "INSERT INTO %s SELECT u.undo, %s FROM redis2pg.undo u CROSS JOIN LATERAL ROWS FROM"
                    " (json_to_recordset(u.before) AS (%s)) WITH ORDINALITY AS x (%s, r2p_row) WHERE u.undo "
                    "= %" NUMBER " AND x.r2p_row BETWEEN %" NUMBER " AND %" NUMBER,
                    table->stage, table->key_x, table->definitions, table->names, unit->first, unit->from_row,
                    unit->to_row);
    return runf(
        work, &work->undone->n_staged, error,
        "INSERT INTO %s SELECT u.undo, %s FROM redis2pg.undo u CROSS JOIN LATERAL json_to_record(u.before)"
        " AS x (%s) WHERE u.run = %" NUMBER " AND u.entity = %u AND u.undo BETWEEN %" NUMBER " AND %" NUMBER
        " AND u.operation = '%s' ORDER BY u.undo DESC",
        table->stage, table->key_x, table->definitions, work->rollback->undoes, table->entity, unit->first,
        unit->last, operations[unit->operation]);
}

/* ---- taking rows aside ---- */

/* Moves rows of the stage to the rest: from is "USING … WHERE …" after DELETE FROM stage s, writer an xid or
 * NULL, reason an SQL text or NULL for "changed since". Gives how many, and takes them off the staged. */
static gboolean take_aside(Work *work, const char *from, const char *writer, const char *reason,
                           gboolean is_blocked, guint64 *n_taken, GError **error) {
    guint64 n;
    if (!runf(work, &n, error,
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
static gboolean keep_newest_images(Work *work, const char *reason, GError **error) {
    g_autofree char *from = g_strdup_printf("WHERE s.ctid = ANY (ARRAY (SELECT o.place FROM (SELECT ctid AS "
                                            "place, row_number() OVER (PARTITION BY %s"
                                            " ORDER BY r2p_undo DESC) AS n FROM %s) o WHERE o.n > 1))",
                                            work->table->names, work->table->stage);
    return take_aside(work, from, "NULL::xid", reason, FALSE, NULL, error);
}

static gboolean keep_changed(Work *work, GError **error) {
    g_autofree char *from = g_strdup_printf("USING %s t WHERE %s AND (%s) IS NOT TRUE",
                                            work->table->table->quoted, work->table->equal, work->ours);
    return take_aside(work, from, "t.xmin", "NULL", FALSE, NULL, error);
}

static gboolean keep_missing(Work *work, GError **error) {
    g_autofree char *from = g_strdup_printf("WHERE (SELECT true FROM %s t WHERE %s LIMIT 1) IS NULL",
                                            work->table->table->quoted, work->table->equal);
    return take_aside(work, from, "NULL::xid", "'was deleted since'", FALSE, NULL, error);
}

/* Rows that something still refers to. Of the table's own rows those count that do not go themselves. */
static gboolean keep_referred(Work *work, const RpReferrer *referrer, guint64 *n_taken, GError **error) {
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
    return take_aside(work, from, "NULL::xid", reason, TRUE, n_taken, error);
}

/* A row that stays may make others of its own table stay: it is looked again until none does. */
static gboolean keep_all_referred(Work *work, GError **error) {
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
static gboolean lock_rows(Work *work, GError **error) {
    return runf(work, NULL, error,
                "SELECT count(*) FROM (SELECT FROM %s s JOIN %s t ON %s WHERE (%s) FOR UPDATE OF t) l",
                work->table->stage, work->table->table->quoted, work->table->equal, work->ours);
}

/* Who changed a row: its xmin. A row that the rollback itself wrote had been changed before it. */
static gboolean write_kept(Work *work, GError **error) {
    return work->undone->n_kept == 0 ||
           (rp_postgres_run(work->connection, "SET LOCAL enable_hashjoin = on", error) &&
            runf(
                work, NULL, error,
                "INSERT INTO redis2pg.kept (run, undo, entity, key, reason, is_blocked) SELECT %" NUMBER
                ", r.undo, %u, r.key, coalesce(r.reason, CASE WHEN w.run = %" NUMBER " OR r.writer ="
                " pg_current_xact_id()::xid THEN 'was changed by another writer while run %" NUMBER
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

/* A row that should have been written was not: the unit is taken apart to find it. */
static gboolean complain(Work *work, GError **error) {
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_DATA,
                "a trigger, a rule or a policy of %s keeps it as it is", work->table->table->shown);
    return FALSE;
}

/* ---- the three kinds of work ---- */

static gboolean delete_rows(Work *work, GError **error) {
    const RpUndoTable *table = work->table;
    RpUndone *undone = work->undone;
    g_autofree char *columns = rp_ledger_image_columns(work->connection, table->table);
    /* What is locked stays as the run left it; what is not leaves the stage before anybody's references
     * count. */
    if ((table->has_reaching && !lock_rows(work, error)) || (table->has_self && !keep_changed(work, error)))
        return FALSE;
    if (!keep_all_referred(work, error))
        return FALSE;
    if (!runf(work, &undone->n_deleted, error,
              "WITH gone AS (DELETE FROM %s t USING %s s WHERE %s AND (%s) RETURNING %s), log AS (INSERT INTO"
              " redis2pg.undo (run, pass, batch, entity, target, operation, before) SELECT %s, 'delete',"
              " row_to_json(gone.*) FROM gone) SELECT count(*) FROM gone",
              table->table->quoted, table->stage, table->equal, work->ours, columns, work->row))
        return FALSE;
    if (undone->n_deleted == undone->n_staged)
        return TRUE;
    guint64 n_left;
    return keep_changed(work, error) &&
           runf(work, &n_left, error, "SELECT count(*) FROM %s s JOIN %s t ON %s", table->stage,
                table->table->quoted, table->equal) &&
           (n_left == 0 || complain(work, error));
}

static gboolean restore_rows(Work *work, GError **error) {
    const RpUndoTable *table = work->table;
    RpUndone *undone = work->undone;
    guint64 n_ours;
    g_autofree char *reason = g_strdup_printf("'was changed by another writer while run %" NUMBER " worked'",
                                              work->rollback->undoes);
    if (!keep_newest_images(work, reason, error) ||
        !runf(work, &n_ours, error,
              "INSERT INTO redis2pg.undo (run, pass, batch, entity, target, operation, before) SELECT %s, "
              "'update',"
              " %s FROM %s s JOIN %s t ON %s WHERE (%s) FOR UPDATE OF t",
              work->row, work->image, table->stage, table->table->quoted, table->equal, work->ours) ||
        (n_ours < undone->n_staged && (!keep_missing(work, error) || !keep_changed(work, error))))
        return FALSE;
    if (undone->n_staged == 0)
        return TRUE;
    ImageSql sql = {0};
    const gboolean is_fine =
        make_image_sql(work, &sql, error) &&
        runf(work, &undone->n_restored, error,
             "UPDATE %s t SET %s FROM %s s, redis2pg.undo u, LATERAL json_to_record(u.before) AS x (%s)"
             " WHERE %s AND u.undo = s.r2p_undo AND (%s)",
             table->table->quoted, sql.sets->str, table->stage, sql.definitions->str, table->equal,
             work->ours);
    image_sql_clear(&sql);
    return is_fine && (undone->n_restored == undone->n_staged || complain(work, error));
}

static gboolean keep_returned(Work *work, GError **error) {
    g_autofree char *from =
        g_strdup_printf("USING %s t WHERE %s", work->table->table->quoted, work->table->equal);
    return take_aside(work, from, "NULL::xid", "'a row with this key is there again'", FALSE, NULL, error);
}

static gboolean reinsert_rows(Work *work, GError **error) {
    const RpUndoTable *table = work->table;
    RpUndone *undone = work->undone;
    if (!keep_newest_images(work, "'a row with this key is there again'", error) ||
        !keep_returned(work, error))
        return FALSE;
    if (undone->n_staged == 0)
        return TRUE;
    ImageSql sql = {0};
    g_autofree char *statement = NULL;
    gboolean is_fine = make_image_sql(work, &sql, error);
    if (is_fine)
        statement =
            g_strdup_printf("WITH written AS (INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s "
                            "s, redis2pg.undo u,"
                            " LATERAL json_to_record(u.before) AS x (%s) WHERE u.undo = s.r2p_undo RETURNING "
                            "%s), log AS (" RP_LEDGER_KEEP_INSERTED ") SELECT count(*) FROM written",
                            table->table->quoted, sql.names->str, sql.values->str, table->stage,
                            sql.definitions->str, table->names);
    image_sql_clear(&sql);
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
static gboolean set_triggers(Work *work, gboolean is_on, GError **error) {
    g_autoptr(GString) sql = g_string_new(NULL);
    for (guint i = 0; i < work->table->triggers->len; i++) {
        const RpUndoTrigger *trigger = g_ptr_array_index(work->table->triggers, i);
        const RpUndoOperation operation = work->unit->operation;
        const char *enable = trigger->is_always ? "ENABLE ALWAYS" : "ENABLE";
        if (operation == RP_UNDO_INSERT ||
            !(operation == RP_UNDO_UPDATE ? trigger->is_on_update : trigger->is_on_insert))
            continue;
        if (trigger->is_ours)
            g_string_append_printf(sql, "ALTER TABLE ONLY %s %s TRIGGER %s;", trigger->table,
                                   is_on ? enable : "DISABLE", trigger->name);
        else
            tell_trigger(work->unit->table, trigger);
    }
    return sql->len == 0 ||
           rp_postgres_runf(work->connection, error, "SET LOCAL lock_timeout = '2s'; %s RESET lock_timeout",
                            sql->str);
}

static gboolean do_work(Work *work, GError **error) {
    switch (work->unit->operation) {
    case RP_UNDO_INSERT:
        return delete_rows(work, error);
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
    g_autofree char *ours = g_strdup_printf(
        "(t.xmin IN (SELECT b.xid::xid FROM redis2pg.batches b WHERE b.run = %" NUMBER ")) IS TRUE",
        rollback->undoes);
    g_autofree char *image = rp_ledger_image_sql(connection, table->table);
    g_autofree char *target = rp_postgres_literal(connection, table->table->shown);
    g_autofree char *row = g_strdup_printf("%" NUMBER ", %u, %" NUMBER ", %u, %s", rollback->run, pass, batch,
                                           table->entity, target);
    g_autofree char *run_text = g_strdup_printf("%" NUMBER, rollback->run);
    g_autofree char *pass_text = g_strdup_printf("%u", pass);
    g_autofree char *batch_text = g_strdup_printf("%" NUMBER, batch);
    g_autofree char *entity = g_strdup_printf("%u", table->entity);
    Work work = {connection, rollback, unit, table,
                 ours,       image,    row,  {run_text, pass_text, batch_text, entity, table->table->shown},
                 undone};
    *undone = (RpUndone){0};
    if (set_triggers(&work, FALSE, error) && stage(&work, error) && do_work(&work, error) &&
        write_kept(&work, error) && set_triggers(&work, TRUE, error))
        return TRUE;
    g_prefix_error(error, "undoing rows of %s: ", table->table->shown);
    return FALSE;
}

gboolean rp_undo_unit_keep(PGconn *connection, const RpRollback *rollback, const RpUndoUnit *unit,
                           const char *reason, RpUndone *undone, GError **error) {
    Work work = {
        .connection = connection, .rollback = rollback, .unit = unit, .table = unit->table, .undone = undone};
    *undone = (RpUndone){0};
    g_autofree char *text = rp_postgres_literal(connection, reason);
    return stage(&work, error) && take_aside(&work, "WHERE true", "NULL::xid", text, TRUE, NULL, error) &&
           write_kept(&work, error);
}
