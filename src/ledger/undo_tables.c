/* What the catalogue says of the tables that a run wrote to, at the time of its rollback. */
#include "ledger/undo_tables.h"

#include "base/error.h"
#include "sink/catalog.h"

/* A table and what hangs below it: its partitions, or tables that inherit from it. Rows of all of them are
 * its. */
#define TREE                                                                                                 \
    "WITH RECURSIVE tree (oid) AS (SELECT $1::oid UNION SELECT i.inhrelid FROM tree t JOIN pg_inherits i"    \
    " ON i.inhparent = t.oid) "

static void referrer_free(gpointer data) {
    RpReferrer *referrer = data;
    g_free(referrer->table);
    g_free(referrer->reason);
    g_strfreev(referrer->columns);
    g_strfreev(referrer->referenced);
    g_free(referrer);
}

static void trigger_free(gpointer data) {
    RpUndoTrigger *trigger = data;
    g_free(trigger->table);
    g_free(trigger->name);
    g_free(trigger->shown);
    g_free(trigger);
}

void rp_undo_table_free(gpointer data) {
    RpUndoTable *table = data;
    rp_table_free(table->table);
    g_strfreev(table->key);
    g_strfreev(table->always);
    g_ptr_array_unref(table->referrers);
    g_ptr_array_unref(table->triggers);
    g_free(table->stage);
    g_free(table->names);
    g_free(table->equal);
    g_free(table->equal_self);
    g_free(table->key_object);
    g_free(table->definitions);
    g_free(table->key_x);
    g_free(table);
}

static PGresult *ask(PGconn *connection, const char *sql, guint32 oid, GError **error) {
    g_autofree char *number = g_strdup_printf("%u", oid);
    const char *const parameters[] = {number};
    return rp_postgres_query(connection, sql, 1, parameters, error);
}

/* The values of a field of all rows, ended by NULL. */
static char **column_of(const PGresult *result, int field) {
    char **names = g_new0(char *, (gsize)PQntuples(result) + 1);
    for (int row = 0; row < PQntuples(result); row++)
        names[row] = g_strdup(PQgetvalue(result, row, field));
    return names;
}

/* ---- foreign keys that point here ---- */

/* A foreign key stands once, at the highest table of each side: those of partitions, on either side, follow
 * from it. */
static const char REFERRERS_SQL[] =
    TREE "SELECT c.oid, format('%I.%I', n.nspname, r.relname),"
         " format('%s (constraint %s) still refers to it', CASE WHEN pg_table_is_visible(r.oid) THEN "
         "r.relname ELSE"
         "  n.nspname || '.' || r.relname END, c.conname), c.conrelid IN (SELECT oid FROM tree), "
         "c.confdeltype NOT IN"
         " ('a', 'r'), has_table_privilege(r.oid, 'SELECT') AND NOT row_security_active(r.oid), r.oid"
         " FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = "
         "r.relnamespace"
         " WHERE c.contype = 'f' AND c.confrelid IN (SELECT oid FROM tree) AND NOT EXISTS (SELECT FROM "
         "pg_constraint p"
         "  WHERE p.oid = c.conparentid AND p.confrelid IN (SELECT oid FROM tree)) ORDER BY c.oid";

static const char REFERRER_COLUMNS_SQL[] =
    "SELECT a.attname, f.attname FROM pg_constraint c"
    " CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (local, remote, n)"
    " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.local"
    " JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = k.remote WHERE c.oid = $1 ORDER BY k.n";

static gboolean add_referrer(PGconn *connection, RpUndoTable *table, const PGresult *result, int row,
                             GError **error) {
    const gboolean is_reaching = rp_postgres_is_true(result, row, 4);
    if (!rp_postgres_is_true(result, row, 5)) {
        if (!is_reaching)
            return TRUE; /* PostgreSQL itself refuses to delete what such a row refers to */
        g_set_error(
            error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
            "rows of %s may refer to rows of %s, and would be changed with them; this role may not see all "
            "of them (GRANT SELECT ON %s, and no row security)",
            PQgetvalue(result, row, 1), table->table->shown, PQgetvalue(result, row, 1));
        return FALSE;
    }
    g_autoptr(PGresult) columns = ask(connection, REFERRER_COLUMNS_SQL,
                                      (guint32)g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10), error);
    if (columns == NULL)
        return FALSE;
    RpReferrer *referrer = g_new(RpReferrer, 1);
    *referrer = (RpReferrer){.oid = (guint32)g_ascii_strtoull(PQgetvalue(result, row, 6), NULL, 10),
                             .table = g_strdup(PQgetvalue(result, row, 1)),
                             .reason = g_strdup(PQgetvalue(result, row, 2)),
                             .columns = column_of(columns, 0),
                             .referenced = column_of(columns, 1),
                             .is_self = rp_postgres_is_true(result, row, 3),
                             .is_reaching = is_reaching};
    table->has_self = table->has_self || referrer->is_self;
    table->has_reaching = table->has_reaching || is_reaching;
    g_ptr_array_add(table->referrers, referrer);
    return TRUE;
}

static gboolean read_referrers(PGconn *connection, RpUndoTable *table, GError **error) {
    g_autoptr(PGresult) result = ask(connection, REFERRERS_SQL, table->table->oid, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++)
        if (!add_referrer(connection, table, result, row, error))
            return FALSE;
    return TRUE;
}

/* ---- triggers ---- */

/* tgtype: 1 ROW, 2 BEFORE, 4 INSERT, 16 UPDATE (catalog/pg_trigger.h). */
static const char TRIGGERS_SQL[] = TREE
    "SELECT format('%I.%I', n.nspname, r.relname), quote_ident(g.tgname), n.nspname || '.' || r.relname || "
    "': ' ||"
    " g.tgname, g.tgtype & 4 > 0, g.tgtype & 16 > 0, g.tgenabled = 'A', pg_has_role(r.relowner, 'USAGE')"
    " FROM pg_trigger g JOIN pg_class r ON r.oid = g.tgrelid JOIN pg_namespace n ON n.oid = r.relnamespace"
    " WHERE g.tgrelid IN (SELECT oid FROM tree) AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A')"
    " AND g.tgtype & 3 = 3 AND g.tgtype & 20 > 0 ORDER BY r.oid, g.tgname";

static gboolean read_triggers(PGconn *connection, RpUndoTable *table, GError **error) {
    g_autoptr(PGresult) result = ask(connection, TRIGGERS_SQL, table->table->oid, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++) {
        RpUndoTrigger *trigger = g_new(RpUndoTrigger, 1);
        *trigger = (RpUndoTrigger){.table = g_strdup(PQgetvalue(result, row, 0)),
                                   .name = g_strdup(PQgetvalue(result, row, 1)),
                                   .shown = g_strdup(PQgetvalue(result, row, 2)),
                                   .is_on_insert = rp_postgres_is_true(result, row, 3),
                                   .is_on_update = rp_postgres_is_true(result, row, 4),
                                   .is_always = rp_postgres_is_true(result, row, 5),
                                   .is_ours = rp_postgres_is_true(result, row, 6)};
        g_ptr_array_add(table->triggers, trigger);
    }
    return TRUE;
}

static gboolean read_identities(PGconn *connection, RpUndoTable *table, GError **error) {
    g_autoptr(PGresult) result = ask(connection,
                                     "SELECT attname FROM pg_attribute WHERE attrelid = $1 AND attnum > 0"
                                     " AND NOT attisdropped AND attidentity = 'a'",
                                     table->table->oid, error);
    if (result == NULL)
        return FALSE;
    table->always = column_of(result, 0);
    return TRUE;
}

/* ---- SQL ---- */

static char *join(PGconn *connection, const RpUndoTable *table, const char *separator, const char *format) {
    GString *sql = g_string_new(NULL);
    for (char **name = table->key; *name != NULL; name++) {
        g_autofree char *quoted = rp_postgres_identifier(connection, *name);
        g_auto(GStrv) parts = g_strsplit(format, "@", -1);
        g_autofree char *piece = g_strjoinv(quoted, parts);
        g_string_append_printf(sql, "%s%s", sql->len > 0 ? separator : "", piece);
    }
    return g_string_free(sql, FALSE);
}

static char *define(PGconn *connection, const RpUndoTable *table) {
    GString *sql = g_string_new(NULL);
    for (char **name = table->key; *name != NULL; name++) {
        g_autofree char *quoted = rp_postgres_identifier(connection, *name);
        g_string_append_printf(sql, "%s%s %s", sql->len > 0 ? ", " : "", quoted,
                               rp_table_find_column(table->table, *name)->cast_name);
    }
    return g_string_free(sql, FALSE);
}

static void make_sql(PGconn *connection, RpUndoTable *table) {
    g_autofree char *staged = join(connection, table, ", ", "s.@");
    table->stage = g_strdup_printf("pg_temp.r2p_undo_%u", table->entity);
    table->names = join(connection, table, ", ", "@");
    table->equal = join(connection, table, " AND ", "t.@ = s.@");
    table->key_object = g_strdup_printf("(SELECT row_to_json(k.*) FROM (SELECT %s) k)", staged);
    table->definitions = define(connection, table);
    table->equal_self = join(connection, table, " AND ", "o.@ = c.@");
    table->key_x = join(connection, table, ", ", "x.@");
}

/* ---- the whole ---- */

static gboolean check_key(const RpUndoTable *table, GError **error) {
    for (char **name = table->key; *name != NULL; name++)
        if (rp_table_find_column(table->table, *name) == NULL) {
            g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                        "table %s has no column %s any more, by which the run knew its rows",
                        table->table->shown, *name);
            return FALSE;
        }
    return TRUE;
}

RpUndoTable *rp_undo_table_read(PGconn *connection, guint entity, const char *name, char **key,
                                GError **error) {
    RpUndoTable *table = g_new0(RpUndoTable, 1);
    table->entity = entity;
    table->referrers = g_ptr_array_new_with_free_func(referrer_free);
    table->triggers = g_ptr_array_new_with_free_func(trigger_free);
    table->key = g_strdupv(key);
    if (rp_catalog_read_table(connection, name, &table->table, error) && table->table == NULL)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "table %s is gone", name);
    if (table->table != NULL && check_key(table, error) && read_referrers(connection, table, error) &&
        read_triggers(connection, table, error) && read_identities(connection, table, error)) {
        make_sql(connection, table);
        return table;
    }
    rp_undo_table_free(table);
    return NULL;
}

static RpUndoTable *read_row(PGconn *connection, const PGresult *result, int row, GError **error) {
    g_auto(GStrv) key = g_strsplit(PQgetvalue(result, row, 2), "\x1f", -1);
    return rp_undo_table_read(connection, (guint)g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10),
                              PQgetvalue(result, row, 1), key, error);
}

static gboolean refers(const RpUndoTable *child, const RpUndoTable *parent) {
    for (guint i = 0; i < parent->referrers->len; i++) {
        const RpReferrer *referrer = g_ptr_array_index(parent->referrers, i);
        if (referrer->oid == child->table->oid)
            return TRUE;
    }
    return FALSE;
}

static gint by_level(gconstpointer a, gconstpointer b) {
    const RpUndoTable *const first = *(const RpUndoTable *const *)a;
    const RpUndoTable *const second = *(const RpUndoTable *const *)b;
    return first->level != second->level ? (first->level < second->level ? -1 : 1)
                                         : (first->entity < second->entity ? -1 : 1);
}

/* Children one level below their parents. In a circle the levels stop somewhere; what that leaves in the way
 * is tried again at the end of the rollback. */
void rp_undo_tables_sort(GPtrArray *tables) {
    for (guint round = 0; round < tables->len; round++)
        for (guint c = 0; c < tables->len; c++)
            for (guint p = 0; p < tables->len; p++) {
                RpUndoTable *child = g_ptr_array_index(tables, c);
                const RpUndoTable *parent = g_ptr_array_index(tables, p);
                if (child->table->oid != parent->table->oid && child->level <= parent->level &&
                    parent->level < tables->len && refers(child, parent))
                    child->level = parent->level + 1;
            }
    g_ptr_array_sort(tables, by_level);
}

GPtrArray *rp_undo_tables_read(PGconn *connection, const RpRollback *rollback, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, rollback->undoes);
    const char *const parameters[] = {number};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT number, schema_name || '.' || table_name, array_to_string(key_columns, E'\\x1f')"
        " FROM redis2pg.run_entities e WHERE run = $1 AND key_columns IS NOT NULL AND EXISTS"
        " (SELECT FROM redis2pg.undo u WHERE u.run = e.run AND u.entity = e.number) ORDER BY number",
        1, parameters, error);
    if (result == NULL)
        return NULL;
    g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func(rp_undo_table_free);
    for (int row = 0; row < PQntuples(result); row++) {
        RpUndoTable *table = read_row(connection, result, row, error);
        if (table == NULL)
            return NULL;
        g_ptr_array_add(tables, table);
    }
    rp_undo_tables_sort(tables);
    return g_steal_pointer(&tables);
}
