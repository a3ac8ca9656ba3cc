/* An entity's rows that go: the SQL of it.
 *
 * 1. What the run itself had inserted leaves no image: nothing stood there before it. Of what it had changed,
 * the image of the change becomes one of a deleted row. So the undo log has of each row what stood before the
 * run, once.
 * 2. A statement that PostgreSQL refuses is taken back, and each key is tried alone: a row that cannot go
 * keeps no other. Rows are never written inside these savepoints, they would carry another xmin. */
#include "ledger/departing.h"

#include "base/error.h"
#include "ledger/image.h"
#include "sink/trouble.h"
#include "sink/unit.h"

#define NUMBER G_GUINT64_FORMAT

/* ---- what is known of the entity ---- */

static gboolean has_other_constant(const RpEntity *a, const RpEntity *b) {
    for (char **name = a->key; *name != NULL; name++) {
        const RpMapColumn *first = rp_entity_find_column(a, *name);
        const RpMapColumn *second = rp_entity_find_column(b, *name);
        if (first != NULL && second != NULL && first->source == RP_FROM_CONST &&
            second->source == RP_FROM_CONST &&
            g_strcmp0(first->parts[0].literal, second->parts[0].literal) != 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean is_shared(const RpMapping *mapping, const RpEntity *entity) {
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *other = g_ptr_array_index(mapping->entities, i);
        if (other != entity && other->table->oid == entity->table->oid && !has_other_constant(entity, other))
            return TRUE;
    }
    return FALSE;
}

static void read_columns(RpDeparting *departing) {
    const RpEntity *entity = departing->entity;
    gboolean is_told = TRUE, is_all_scope = TRUE;
    departing->n_keys = g_strv_length(entity->key);
    departing->fields = g_new0(guint, departing->n_keys);
    departing->is_scope = g_new0(gboolean, departing->n_keys);
    for (guint i = 0; i < departing->n_keys; i++) {
        const RpMapColumn *column = rp_entity_find_column(entity, entity->key[i]);
        const RpReference *held;
        departing->fields[i] = rp_entity_find_field(entity, column);
        departing->is_scope[i] = rp_identity_is_of_key(column, &held);
        is_all_scope = is_all_scope && departing->is_scope[i];
        is_told = is_told && rp_column_is_in_tuple(column);
    }
    departing->has_one =
        is_all_scope && !entity->scope.has_each && !rp_record_type_has_elements(entity->scope.type);
    departing->shrinks = is_told && !departing->is_shared && (!departing->has_one || entity->where != NULL);
}

/* The columns of the identity, or of the scope alone, each after the prefixes. */
static char *join(PGconn *connection, const RpDeparting *departing, gboolean is_of_scope,
                  const char *separator, const char *first, const char *second) {
    GString *sql = g_string_new(NULL);
    for (guint i = 0; i < departing->n_keys; i++) {
        if (is_of_scope && !departing->is_scope[i])
            continue;
        g_autofree char *name = rp_postgres_identifier(connection, departing->entity->key[i]);
        g_string_append_printf(sql, "%s%s%s", sql->len > 0 ? separator : "", first, name);
        if (second != NULL)
            g_string_append_printf(sql, " = %s%s", second, name);
    }
    return g_string_free(sql, FALSE);
}

static gboolean read_table(RpDeparting *departing, PGconn *connection, guint number, GError **error) {
    const RpTable *table = departing->entity->table;
    g_autofree char *name = g_strdup_printf("%s.%s", table->schema, table->name);
    const char *const parameters[] = {departing->target};
    departing->table = rp_undo_table_read(connection, number, name, departing->entity->key, error);
    if (departing->table == NULL)
        return FALSE;
    departing->table->is_wary = TRUE; /* a refusal costs the whole batch */
    g_autoptr(PGresult) right =
        rp_postgres_query(connection, "SELECT has_table_privilege($1, 'DELETE')", 1, parameters, error);
    if (right == NULL || rp_postgres_is_true(right, 0, 0))
        return right != NULL;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "this role may not delete rows of %s, as entity \"%s\" says (GRANT DELETE ON %s)",
                table->shown, departing->entity->name, table->shown);
    return FALSE;
}

RpDeparting *rp_departing_new(PGconn *connection, const RpMapping *mapping, guint number, GError **error) {
    RpDeparting *departing = g_new0(RpDeparting, 1);
    departing->entity = g_ptr_array_index(mapping->entities, number);
    departing->is_shared = is_shared(mapping, departing->entity);
    departing->target = g_strdup(departing->entity->table->quoted);
    read_columns(departing);
    departing->gone = g_strdup_printf("pg_temp.r2p_gone_%u", number);
    departing->given = g_strdup_printf("pg_temp.r2p_given_%u", number);
    departing->scope_names = join(connection, departing, TRUE, ", ", "", NULL);
    departing->equal = join(connection, departing, TRUE, " AND ", "t.", "g.");
    departing->image = rp_ledger_image_sql(connection, departing->entity->table);
    if ((departing->entity->on_delete != RP_WHEN_GONE_DELETE &&
         departing->entity->on_expire != RP_WHEN_GONE_DELETE) ||
        read_table(departing, connection, number, error))
        return departing;
    rp_departing_free(departing);
    return NULL;
}

void rp_departing_free(gpointer data) {
    RpDeparting *departing = data;
    if (departing == NULL)
        return;
    if (departing->table != NULL)
        rp_undo_table_free(departing->table);
    char *const texts[] = {departing->target,      departing->gone,  departing->given,
                           departing->scope_names, departing->equal, departing->image};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free(departing->fields);
    g_free(departing->is_scope);
    g_free(departing);
}

static char *define(PGconn *connection, const RpDeparting *departing, gboolean is_of_scope) {
    GString *sql = g_string_new(NULL);
    for (guint i = 0; i < departing->n_keys; i++) {
        if (is_of_scope && !departing->is_scope[i])
            continue;
        const RpColumn *column = rp_table_find_column(departing->entity->table, departing->entity->key[i]);
        g_autofree char *name = rp_postgres_identifier(connection, column->name);
        g_string_append_printf(sql, ", %s %s", name, column->type_name);
    }
    return g_string_free(sql, FALSE);
}

gboolean rp_departing_prepare(const RpDeparting *departing, PGconn *connection, GError **error) {
    g_autofree char *scope = define(connection, departing, TRUE);
    g_autofree char *identity = define(connection, departing, FALSE);
    const RpUndoTable *table = departing->table;
    if (!rp_postgres_runf(connection, error,
                          "CREATE TEMPORARY TABLE %s (r2p_n integer, r2p_is_gone boolean%s) ON COMMIT DELETE"
                          " ROWS",
                          departing->gone, scope))
        return FALSE;
    if (table == NULL)
        return TRUE;
    return rp_postgres_runf(connection, error, "CREATE TEMPORARY TABLE %s (%s) ON COMMIT DELETE ROWS",
                            departing->given, identity + 2) &&
           rp_postgres_runf(connection, error,
                            "CREATE TEMPORARY TABLE %s (r2p_undo bigint, %s, r2p_writer xid) ON COMMIT DELETE"
                            " ROWS",
                            table->stage, table->definitions) &&
           (!table->has_self ||
            rp_postgres_runf(connection, error, "CREATE INDEX ON %s (%s)", table->stage, table->names));
}

/* ---- deleting ---- */

typedef struct {
    const RpDeparting *departing;
    RpUndoWork work;
    RpUndone undone;
    guint64 run;
    RpDeparted *departed;
} Deleting;

/* Rows of the list that the keys do not give; one key's, or all. NOT IN is hashed, whatever the planner
 * thinks of joins. */
static gboolean stage(Deleting *deleting, gint64 only, GError **error) {
    const RpDeparting *departing = deleting->departing;
    PGconn *connection = deleting->work.connection;
    g_autofree char *names = join(connection, departing, FALSE, ", ", "t.", NULL);
    g_autofree char *not_null = join(connection, departing, FALSE, " IS NOT NULL AND v.", "", NULL);
    g_autofree char *limit =
        only < 0 ? g_strdup("") : g_strdup_printf(" AND g.r2p_n = %" G_GINT64_FORMAT, only);
    deleting->undone = (RpUndone){0};
    if (only >= 0 && (!rp_undo_runf(&deleting->work, NULL, error, "DELETE FROM %s", departing->table->stage)))
        return FALSE;
    return rp_undo_runf(
        &deleting->work, &deleting->undone.n_staged, error,
        "INSERT INTO %s SELECT g.r2p_n, %s, NULL FROM %s g JOIN %s t ON %s WHERE (g.r2p_is_gone"
        " OR (%s) NOT IN (SELECT %s FROM %s v WHERE v.%s IS NOT NULL))%s",
        departing->table->stage, names, departing->gone, departing->target, departing->equal, names,
        departing->table->names, departing->given, not_null, limit);
}

static gboolean take_blocked(Deleting *deleting, const char *sql, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(deleting->work.connection, sql, 0, NULL, error);
    for (int row = 0; row < PQntuples(result); row++)
        g_hash_table_replace(deleting->departed->blocked,
                             GUINT_TO_POINTER(g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10)),
                             g_strdup(PQgetvalue(result, row, 1)));
    return result != NULL;
}

/* An image of a row is found by the row's identity, and by no other index: the undo log grows faster than the
 * planner's picture of it. */
static gboolean delete_staged(Deleting *deleting, guint64 *n_deleted, GError **error) {
    const RpUndoTable *table = deleting->departing->table;
    g_autofree char *identity = join(deleting->work.connection, deleting->departing, FALSE, ", ", "t.", NULL);
    return rp_undo_runf(
        &deleting->work, n_deleted, error,
        "WITH gone AS (DELETE FROM %s t USING %s s WHERE %s RETURNING %s AS image, t.xmin AS author,"
        " md5(ROW(%s)::text)::uuid AS identity, (t.xmin = " RP_UNIT_XID " OR EXISTS (SELECT FROM"
        " redis2pg.batches b WHERE b.xid::xid = t.xmin AND b.run = %" NUMBER ")) AS is_own),"
        " log AS (INSERT INTO redis2pg.undo (run, pass, batch, entity, target, operation, before, author)"
        " SELECT %s, 'delete', gone.image, gone.author FROM gone WHERE NOT gone.is_own),"
        " turned AS (UPDATE redis2pg.undo u SET operation = 'delete', identity = NULL WHERE u.undo = ANY "
        "(ARRAY"
        " (SELECT m.undo FROM gone CROSS JOIN LATERAL (SELECT v.undo FROM redis2pg.undo v WHERE v.run + 0 = "
        "%" NUMBER " AND v.entity + 0 = %u AND v.identity = gone.identity OFFSET 0) m WHERE gone.is_own)))"
        " SELECT count(*) FROM gone",
        table->table->quoted, table->stage, table->equal, deleting->work.image, identity, deleting->run,
        deleting->work.row, deleting->run, table->entity);
}

/* What is staged is set aside where something refers to it, then deleted; what is left stays. */
static gboolean work_off(Deleting *deleting, guint64 *n_deleted, GError **error) {
    const RpUndoTable *table = deleting->departing->table;
    if (!rp_undo_lock_rows(&deleting->work, error) || !rp_undo_keep_referred(&deleting->work, error) ||
        !delete_staged(deleting, n_deleted, error))
        return FALSE;
    if (deleting->undone.n_kept > 0 &&
        (!take_blocked(deleting, "SELECT undo, min(reason) FROM r2p_rest WHERE is_blocked GROUP BY undo",
                       error) ||
         !rp_undo_run(&deleting->work, "DELETE FROM r2p_rest", NULL, error)))
        return FALSE;
    if (*n_deleted >= deleting->undone.n_staged)
        return TRUE;
    g_autofree char *left = g_strdup_printf("SELECT DISTINCT s.r2p_undo, 'a trigger, a rule or a policy of "
                                            "its table keeps it' FROM %s s JOIN %s t ON"
                                            " %s",
                                            table->stage, table->table->quoted, table->equal);
    return take_blocked(deleting, left, error);
}

static gboolean has_passed(Deleting *deleting, gboolean is_fine, GError **trouble, GError **error) {
    static const char *const ENDS[] = {"ROLLBACK TO SAVEPOINT r2p_departing; RELEASE SAVEPOINT r2p_departing",
                                       "RELEASE SAVEPOINT r2p_departing"};
    if (!is_fine && !rp_trouble_may_be_of_rows(*trouble)) {
        g_propagate_error(error, g_steal_pointer(trouble));
        return FALSE;
    }
    return rp_postgres_run(deleting->work.connection, ENDS[is_fine], error);
}

/* *refusal: what PostgreSQL says against it; the transaction goes on. */
static gboolean try_all(Deleting *deleting, gint64 only, GError **refusal, GError **error) {
    guint64 n_deleted = 0;
    if (!stage(deleting, only, error))
        return FALSE;
    if (deleting->undone.n_staged == 0)
        return TRUE;
    if (!rp_postgres_run(deleting->work.connection, "SAVEPOINT r2p_departing", error))
        return FALSE;
    const gboolean is_fine = work_off(deleting, &n_deleted, refusal);
    if (is_fine)
        deleting->departed->n_deleted += n_deleted;
    return has_passed(deleting, is_fine, refusal, error);
}

/* What the server says may quote the row. */
static char *reason_of(const RpEntity *entity, const GError *refusal) {
    return rp_entity_has_sensitive(entity) ? g_strdup("PostgreSQL refuses to delete it")
                                           : g_strdup(rp_sink_error_get_primary(refusal));
}

static gboolean try_each(Deleting *deleting, const GArray *numbers, GError **error) {
    for (guint i = 0; i < numbers->len; i++) {
        const guint number = g_array_index(numbers, guint, i);
        g_autoptr(GError) refusal = NULL;
        if (!try_all(deleting, number, &refusal, error))
            return FALSE;
        if (refusal != NULL)
            g_hash_table_replace(deleting->departed->blocked, GUINT_TO_POINTER(number),
                                 reason_of(deleting->departing->entity, refusal));
    }
    return TRUE;
}

gboolean rp_departing_delete(const RpDeparting *departing, PGconn *connection, guint64 run, const char *row,
                             GArray *numbers, RpDeparted *departed, GError **error) {
    Deleting deleting = {.departing = departing, .run = run, .departed = departed};
    g_autofree char *image = g_strdup(departing->image);
    g_autofree char *own_row = g_strdup(row);
    deleting.work = (RpUndoWork){.connection = connection,
                                 .table = departing->table,
                                 .ours = "true",
                                 .image = image,
                                 .row = own_row,
                                 .undone = &deleting.undone};
    g_autoptr(GError) refusal = NULL;
    if (!rp_undo_runf(&deleting.work, NULL, error, "DELETE FROM %s", departing->table->stage) ||
        !try_all(&deleting, -1, &refusal, error))
        return FALSE;
    return refusal == NULL || try_each(&deleting, numbers, error);
}
