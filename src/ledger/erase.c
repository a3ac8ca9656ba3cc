/* Deleting by the steps of a rollback, with its guards.
 *
 * 1. A row is deleted only while its xmin is the one that was noted with the list: as it was then.
 * 2. No row of anybody else is deleted or changed, not by a foreign key's action either.
 * 3. The image of each row is in the undo log of the run before its deletion commits. */
#include "ledger/erase.h"

#include "base/error.h"
#include "base/event.h"
#include "ledger/batches.h"
#include "ledger/image.h"
#include "ledger/undo_steps.h"
#include "sink/copy.h"

#define NUMBER G_GUINT64_FORMAT

void rp_erased_clear(RpErased *erased) {
    g_clear_pointer(&erased->example, g_free);
}

/* ---- tables ---- */

static RpUndoTable *table_at(const RpErasing *erasing, guint place) {
    return g_ptr_array_index(erasing->tables, erasing->tables->len - 1 - place);
}

guint rp_erasing_entity(const RpErasing *erasing, guint place) {
    return table_at(erasing, place)->entity;
}

gboolean rp_erasing_has_self(const RpErasing *erasing, guint place) {
    return table_at(erasing, place)->has_self;
}

static char *list_of(const RpUndoTable *table) {
    return g_strdup_printf("pg_temp.r2p_extra_%u", table->entity);
}

static const RpColumn *key_column(const RpUndoTable *table, guint number) {
    return rp_table_find_column(table->table, table->key[number]);
}

static gboolean is_text(const RpColumn *column) {
    return column->kind == RP_TYPE_OTHER;
}

/* The values of a list's key, as the table has them. */
static char *key_values(PGconn *connection, const RpUndoTable *table) {
    GString *sql = g_string_new(NULL);
    for (guint i = 0; table->key[i] != NULL; i++) {
        const RpColumn *column = key_column(table, i);
        g_autofree char *name = rp_postgres_identifier(connection, column->name);
        g_string_append_printf(sql, "%sl.%s", i > 0 ? ", " : "", name);
        if (is_text(column))
            g_string_append_printf(sql, "::%s", column->cast_name);
    }
    return g_string_free(sql, FALSE);
}

static gboolean prepare_table(PGconn *connection, const RpUndoTable *table, GError **error) {
    g_autoptr(GString) columns = g_string_new(NULL);
    g_autofree char *list = list_of(table);
    for (guint i = 0; table->key[i] != NULL; i++) {
        const RpColumn *column = key_column(table, i);
        g_autofree char *name = rp_postgres_identifier(connection, column->name);
        g_string_append_printf(columns, ", %s %s", name, is_text(column) ? "text" : column->cast_name);
    }
    return rp_postgres_runf(connection, error,
                            "CREATE TEMPORARY TABLE r2p_undo_%u (r2p_undo bigint, %s, r2p_writer xid) ON "
                            "COMMIT DELETE ROWS",
                            table->entity, table->definitions) &&
           (!table->has_self ||
            rp_postgres_runf(connection, error, "CREATE INDEX ON %s (%s)", table->stage, table->names)) &&
           rp_postgres_runf(connection, error,
                            "CREATE TEMPORARY TABLE r2p_extra_%u (r2p_n integer PRIMARY KEY%s, r2p_seen xid)",
                            table->entity, columns->str);
}

/* Without the right each row would be refused by itself. */
static gboolean check_right(PGconn *connection, const RpUndoTable *table, GError **error) {
    const char *const parameters[] = {table->table->quoted};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, "SELECT has_table_privilege($1, 'DELETE')", 1, parameters, error);
    if (result == NULL)
        return FALSE;
    if (rp_postgres_is_true(result, 0, 0))
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "this role may not delete rows of %s (GRANT DELETE ON %s)", table->table->shown,
                table->table->shown);
    return FALSE;
}

gboolean rp_erasing_init(RpErasing *erasing, PGconn *connection, const RpAttempt *attempt,
                         const RpMapping *mapping, const GArray *entities, guint pass, GError **error) {
    *erasing = (RpErasing){.connection = connection, .attempt = attempt, .mapping = mapping, .pass = pass};
    erasing->tables = g_ptr_array_new_with_free_func(rp_undo_table_free);
    for (guint i = 0; i < entities->len; i++) {
        const guint32 number = g_array_index(entities, guint32, i);
        const RpEntity *entity = g_ptr_array_index(mapping->entities, number);
        g_autofree char *name = g_strdup_printf("%s.%s", entity->table->schema, entity->table->name);
        RpUndoTable *table = rp_undo_table_read(connection, number, name, entity->key, error);
        if (table == NULL)
            return FALSE;
        g_ptr_array_add(erasing->tables, table);
        if (!check_right(connection, table, error) || !prepare_table(connection, table, error))
            return FALSE;
    }
    rp_undo_tables_sort(erasing->tables);
    return rp_postgres_run(connection,
                           "CREATE TEMPORARY TABLE r2p_rest (undo bigint, key json, writer xid, reason text,"
                           " is_blocked boolean) ON COMMIT DELETE ROWS",
                           error);
}

void rp_erasing_clear(RpErasing *erasing) {
    g_clear_pointer(&erasing->tables, g_ptr_array_unref);
}

/* ---- lists ---- */

gboolean rp_erasing_list(RpErasing *erasing, guint place, RpSpan tuples, GError **error) {
    PGconn *connection = erasing->connection;
    const RpUndoTable *table = table_at(erasing, place);
    g_autofree char *list = list_of(table);
    g_autofree char *values = key_values(connection, table);
    g_autofree char *copy =
        g_strdup_printf("COPY %s (r2p_n, %s) FROM STDIN (FORMAT binary)", list, table->names);
    return rp_postgres_runf(connection, error, "TRUNCATE %s", list) &&
           rp_copy_binary(connection, copy, &tuples, 1, error) &&
           rp_postgres_runf(connection, error, "ANALYZE %s", list) &&
           rp_postgres_runf(connection, error,
                            "UPDATE %s e SET r2p_seen = t.xmin FROM (SELECT l.r2p_n, %s FROM %s l)"
                            " s (r2p_n, %s) JOIN %s t ON %s WHERE e.r2p_n = s.r2p_n",
                            list, values, list, table->names, table->table->quoted, table->equal);
}

gboolean rp_erasing_spare(RpErasing *erasing, guint place, const char *numbers, GError **error) {
    g_autofree char *list = list_of(table_at(erasing, place));
    g_autofree char *sql = g_strdup_printf("DELETE FROM %s WHERE r2p_n = ANY ($1::integer[])", list);
    g_autoptr(PGresult) result = rp_postgres_query(erasing->connection, sql, 1, &numbers, error);
    return result != NULL;
}

/* ---- batches ---- */

static gboolean shows_key(const RpErasing *erasing, const RpUndoTable *table) {
    const RpEntity *entity = g_ptr_array_index(erasing->mapping->entities, table->entity);
    for (char **name = entity->key; *name != NULL; name++)
        if (rp_column_is_masked(rp_entity_find_column(entity, *name)))
            return FALSE;
    return TRUE;
}

/* What is settled leaves the list. */
static gboolean take_rest(RpErasing *erasing, const RpUndoTable *table, guint first, guint last,
                          RpErased *erased, GError **error) {
    g_autofree char *list = list_of(table);
    g_autofree char *sql = g_strdup_printf(
        "WITH settled AS (DELETE FROM %s l WHERE l.r2p_n BETWEEN %u AND %u AND NOT EXISTS (SELECT FROM "
        "r2p_rest r"
        " WHERE r.undo = l.r2p_n AND r.is_blocked) RETURNING r2p_n) SELECT (SELECT count(*) FROM settled),"
        " count(*) FILTER (WHERE is_blocked), min(key::text || ': ' || reason) FILTER (WHERE is_blocked)"
        " FROM r2p_rest",
        list, first, last);
    g_autoptr(PGresult) result = rp_postgres_query(erasing->connection, sql, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    const guint64 n_settled = g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    erased->n_blocked = g_ascii_strtoull(PQgetvalue(result, 0, 1), NULL, 10);
    erased->n_changed = n_settled - MIN(n_settled, erased->n_deleted);
    if (erased->n_blocked > 0 && shows_key(erasing, table))
        erased->example = g_strdup(PQgetvalue(result, 0, 2));
    return TRUE;
}

static gboolean account(RpErasing *erasing, const RpUndoTable *table, const RpErased *erased,
                        GError **error) {
    g_autoptr(RpBatch) batch = rp_batch_new(erasing->mapping->entities->len);
    batch->pass = erasing->pass;
    batch->number = erasing->next_batch;
    batch->is_whole = TRUE;
    batch->counts[table->entity].deleted = erased->n_deleted;
    return rp_ledger_write_batch(erasing->connection, erasing->attempt, erasing->mapping, batch, error) &&
           rp_event_pass(RP_EVENT_BATCH_ACCOUNTED, error);
}

static gboolean stage(RpUndoWork *work, guint first, guint last, GError **error) {
    g_autofree char *list = list_of(work->table);
    g_autofree char *values = key_values(work->connection, work->table);
    return rp_undo_runf(
        work, &work->undone->n_staged, error,
        "INSERT INTO %s SELECT l.r2p_n, %s, l.r2p_seen FROM %s l WHERE l.r2p_n BETWEEN %u AND "
        "%u AND l.r2p_seen IS NOT NULL",
        work->table->stage, values, list, first, last);
}

static gboolean delete_rows(RpErasing *erasing, RpUndoTable *table, guint first, guint last, RpErased *erased,
                            GError **error) {
    PGconn *connection = erasing->connection;
    const RpRollback self = {.run = erasing->attempt->run, .undoes = erasing->attempt->run};
    const RpUndoUnit unit = {.table = table, .operation = RP_UNDO_INSERT};
    RpUndone undone = {0};
    g_autofree char *image = rp_ledger_image_sql(connection, table->table);
    g_autofree char *target = rp_postgres_literal(connection, table->table->shown);
    g_autofree char *row = g_strdup_printf("%" NUMBER ", %u, %" NUMBER ", %u, %s", self.run, erasing->pass,
                                           erasing->next_batch, table->entity, target);
    RpUndoWork work = {.connection = connection,
                       .rollback = &self,
                       .unit = &unit,
                       .table = table,
                       .ours = "(t.xmin = s.r2p_writer) IS TRUE",
                       .image = image,
                       .row = row,
                       .undone = &undone};
    if (!stage(&work, first, last, error) || !rp_undo_delete_rows(&work, error))
        return FALSE;
    erased->n_deleted = undone.n_deleted;
    return take_rest(erasing, table, first, last, erased, error) && account(erasing, table, erased, error);
}

gboolean rp_erasing_delete(RpErasing *erasing, guint place, guint first, guint last, RpErased *erased,
                           GError **error) {
    PGconn *connection = erasing->connection;
    RpUndoTable *table = table_at(erasing, place);
    *erased = (RpErased){0};
    if (rp_postgres_run(connection,
                        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL IMMEDIATE",
                        error) &&
        rp_event_pass(RP_EVENT_BATCH_BEGUN, error) &&
        delete_rows(erasing, table, first, last, erased, error) &&
        rp_event_pass(RP_EVENT_BEFORE_COMMIT, error) && rp_postgres_run(connection, "COMMIT", error) &&
        rp_event_pass(RP_EVENT_AFTER_COMMIT, error)) {
        erasing->next_batch++;
        return TRUE;
    }
    rp_erased_clear(erased);
    rp_postgres_run(connection, "ROLLBACK", NULL);
    g_prefix_error(error, "deleting rows of %s: ", table->table->shown);
    return FALSE;
}

gboolean rp_erasing_look_closer(RpErasing *erasing, guint place, const GError *refusal) {
    RpUndoTable *table = table_at(erasing, place);
    if (table->is_wary || g_strcmp0(rp_sink_error_get_sqlstate(refusal), RP_FOREIGN_KEY_VIOLATION) != 0)
        return FALSE;
    return table->is_wary = TRUE;
}
