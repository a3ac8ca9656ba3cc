/* Taking keys and indexes off tables that are loaded in bulk.
 *
 * 1. What is taken off stands in the ledger, by the same transaction: as long as an entry is not marked as
 * put back, the table lacks it.
 * 2. Only tables that are locked and empty lose anything.
 * 3. Definitions are written with pg_catalog alone in the search path: they mean the same in any session. */
#include "ledger/set_aside.h"

#include "base/error.h"
#include "ledger/set_aside_obstacles.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- which tables ---- */

char *rp_set_aside_tables(const RpMapping *mapping, const char *const *only) {
    GString *text = g_string_new("{");
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        if (only == NULL || g_strv_contains(only, entity->name))
            g_string_append_printf(text, "%s%u", text->len > 1 ? "," : "", entity->table->oid);
    }
    g_string_append_c(text, '}');
    return g_string_free(text, FALSE);
}

/* ---- taking ---- */

/* $1 run, $2 the tables. */
static const char NOTE_INDEXES_SQL[] =
    "INSERT INTO redis2pg.set_aside (run, number, target, target_name, kind, name, create_index,"
    " add_constraint, comments, is_unique, is_plain, key_expressions, predicate, is_nulls_equal, columns)"
    " SELECT $1, row_number() OVER (ORDER BY x.indrelid, i.relname), x.indrelid,"
    "  format('%I.%I', n.nspname, t.relname), 'index', i.relname, pg_get_indexdef(x.indexrelid),"
    "  CASE WHEN c.oid IS NOT NULL THEN format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s USING INDEX %I%s%s',"
    "   n.nspname, t.relname, c.conname, CASE c.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, "
    "i.relname,"
    "   CASE WHEN c.condeferrable THEN ' DEFERRABLE' END, CASE WHEN c.condeferred THEN ' INITIALLY DEFERRED' "
    "END) END,"
    "  nullif(concat_ws('; ', format('COMMENT ON INDEX %I.%I IS ', n.nspname, i.relname) ||"
    "   quote_literal(obj_description(x.indexrelid, 'pg_class')),"
    "   CASE WHEN c.oid IS NOT NULL THEN format('COMMENT ON CONSTRAINT %I ON %I.%I IS ', c.conname, "
    "n.nspname,"
    "    t.relname) || quote_literal(obj_description(c.oid, 'pg_constraint')) END), ''),"
    "  x.indisunique, x.indisunique AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL,"
    "  ARRAY (SELECT pg_get_indexdef(x.indexrelid, k::integer, false) FROM generate_series(1, x.indnkeyatts) "
    "k),"
    "  pg_get_expr(x.indpred, x.indrelid), coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false),"
    "  ARRAY (SELECT a.attname FROM unnest(x.indkey::int2[]) WITH ORDINALITY k (local, n) JOIN pg_attribute a"
    "   ON a.attrelid = x.indrelid AND a.attnum = k.local WHERE k.n <= x.indnkeyatts ORDER BY k.n)"
    " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
    " JOIN pg_namespace n ON n.oid = t.relnamespace LEFT JOIN pg_constraint c ON c.conindid = x.indexrelid"
    "  AND c.conrelid = x.indrelid AND c.contype IN ('p', 'u') WHERE x.indrelid = ANY ($2::oid[])";

/* Foreign keys of the tables, and those of others that refer to them: without its key nothing can refer to a
 * table. Those of a table come after those of its parents. */
static const char NOTE_FOREIGN_KEYS_SQL[] =
    "WITH RECURSIVE edges (child, parent) AS (SELECT conrelid, confrelid FROM pg_constraint WHERE contype = "
    "'f'"
    "  AND conrelid <> confrelid AND (conrelid = ANY ($2::oid[]) OR confrelid = ANY ($2::oid[]))),"
    " levels (target, level) AS (SELECT unnest($2::oid[]), 0 UNION SELECT e.child, l.level + 1 FROM levels l"
    "  JOIN edges e ON e.parent = l.target WHERE l.level <= cardinality($2::oid[]))"
    " INSERT INTO redis2pg.set_aside (run, number, target, target_name, kind, name, add_constraint, comments,"
    "  columns, referenced, referenced_name, referenced_columns)"
    " SELECT $1, (SELECT count(*) FROM redis2pg.set_aside WHERE run = $1) + row_number() OVER (ORDER BY"
    "  (SELECT max(l.level) FROM levels l WHERE l.target = c.conrelid), c.conrelid, c.conname), c.conrelid,"
    "  format('%I.%I', n.nspname, t.relname), 'foreign', c.conname,"
    "  format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, t.relname, c.conname, "
    "pg_get_constraintdef(c.oid)),"
    "  format('COMMENT ON CONSTRAINT %I ON %I.%I IS ', c.conname, n.nspname, t.relname) ||"
    "   quote_literal(obj_description(c.oid, 'pg_constraint')),"
    "  ARRAY (SELECT a.attname FROM unnest(c.conkey) WITH ORDINALITY k (local, n) JOIN pg_attribute a"
    "   ON a.attrelid = c.conrelid AND a.attnum = k.local ORDER BY k.n), c.confrelid,"
    "  (SELECT format('%I.%I', m.nspname, p.relname) FROM pg_class p JOIN pg_namespace m ON m.oid = "
    "p.relnamespace"
    "   WHERE p.oid = c.confrelid),"
    "  ARRAY (SELECT a.attname FROM unnest(c.confkey) WITH ORDINALITY k (remote, n) JOIN pg_attribute a"
    "   ON a.attrelid = c.confrelid AND a.attnum = k.remote ORDER BY k.n)"
    " FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = "
    "t.relnamespace"
    " WHERE c.contype = 'f' AND (c.conrelid = ANY ($2::oid[]) OR c.confrelid = ANY ($2::oid[]))";

/* Foreign keys first: a key that something refers to stays. */
static const char LIST_DROPS_SQL[] =
    "SELECT CASE WHEN add_constraint IS NOT NULL THEN format('ALTER TABLE %s DROP CONSTRAINT %I', "
    "target_name, name)"
    " ELSE format('DROP INDEX %s', (SELECT format('%I.%I', n.nspname, s.name) FROM pg_class t JOIN "
    "pg_namespace n"
    " ON n.oid = t.relnamespace WHERE t.oid = s.target)) END FROM redis2pg.set_aside s WHERE run = $1"
    " ORDER BY kind = 'index', number";

static gboolean take_off(PGconn *connection, const char *run, const char *tables, GError **error) {
    const char *const parameters[] = {run, tables};
    g_autoptr(PGresult) indexes = rp_postgres_query(connection, NOTE_INDEXES_SQL, 2, parameters, error);
    g_autoptr(PGresult) foreign_keys =
        indexes != NULL ? rp_postgres_query(connection, NOTE_FOREIGN_KEYS_SQL, 2, parameters, error) : NULL;
    g_autoptr(PGresult) drops =
        foreign_keys != NULL ? rp_postgres_query(connection, LIST_DROPS_SQL, 1, parameters, error) : NULL;
    if (drops == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(drops); row++)
        if (!rp_postgres_run(connection, PQgetvalue(drops, row, 0), error))
            return FALSE;
    return TRUE;
}

static gboolean lock_tables(PGconn *connection, const RpMapping *mapping, const char *const *only,
                            GError **error) {
    g_autoptr(GString) sql = g_string_new(NULL);
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        if (only == NULL || g_strv_contains(only, entity->name))
            g_string_append_printf(sql, "%s%s", sql->len > 0 ? ", " : "LOCK TABLE ", entity->table->quoted);
    }
    g_string_append(sql, " IN ACCESS EXCLUSIVE MODE");
    return rp_postgres_run(connection, sql->str, error);
}

static gboolean take_all(PGconn *connection, guint64 run, const RpMapping *mapping, const char *const *only,
                         char **obstacle, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    g_autofree char *tables = rp_set_aside_tables(mapping, only);
    const char *const parameters[] = {number};
    if (!rp_postgres_run(connection, "SET LOCAL lock_timeout = '2s'; SET LOCAL search_path = pg_catalog",
                         error) ||
        !lock_tables(connection, mapping, only, error) ||
        !rp_set_aside_obstacle(connection, mapping, only, obstacle, error))
        return FALSE;
    if (*obstacle != NULL)
        return TRUE;
    g_autoptr(PGresult) noted = rp_postgres_query(
        connection, "UPDATE redis2pg.runs SET strategy = 'bulk' WHERE run = $1", 1, parameters, error);
    return noted != NULL && take_off(connection, number, tables, error);
}

/* A right that is missing, a view that depends on a key, an event trigger, a table that others work on: there
 * are more reasons than can be foreseen. None of them is a reason not to merge. */
static gboolean is_refusal(const GError *trouble) {
    const char *sqlstate = rp_sink_error_get_sqlstate(trouble);
    static const char *const classes[] = {"0A", "22", "23", "2B", "40", "42", "55", "P0"};
    for (guint i = 0; sqlstate != NULL && i < G_N_ELEMENTS(classes); i++)
        if (strncmp(sqlstate, classes[i], 2) == 0)
            return TRUE;
    return FALSE;
}

gboolean rp_set_aside_take(PGconn *connection, guint64 run, const RpMapping *mapping, const char *const *only,
                           char **obstacle, GError **error) {
    g_autoptr(GError) trouble = NULL;
    *obstacle = NULL;
    if (take_all(connection, run, mapping, only, obstacle, &trouble))
        return TRUE;
    if (is_refusal(trouble)) {
        *obstacle = g_strdup_printf("keys and indexes cannot be set aside: %s", trouble->message);
        return TRUE;
    }
    g_propagate_prefixed_error(error, g_steal_pointer(&trouble), "setting keys and indexes aside: ");
    return FALSE;
}

/* ---- what is off ---- */

/* Whether there is a ledger of a version that can have set anything aside, which the role may read. */
static gboolean has_table(PGconn *connection, gboolean *has_it, GError **error) {
    g_autoptr(PGresult) found = rp_postgres_query(
        connection,
        "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname "
        "= "
        "'redis2pg' AND c.relname = 'set_aside' AND has_schema_privilege(n.oid, 'USAGE') AND "
        "has_table_privilege(c.oid, 'SELECT'))",
        0, NULL, error);
    *has_it = found != NULL && rp_postgres_is_true(found, 0, 0);
    return found != NULL;
}

gboolean rp_set_aside_find(PGconn *connection, guint64 *run, guint *n_definitions, GError **error) {
    gboolean has_it;
    *run = *n_definitions = 0;
    if (!has_table(connection, &has_it, error))
        return FALSE;
    if (!has_it)
        return TRUE;
    g_autoptr(PGresult) found =
        rp_postgres_query(connection,
                          "SELECT run, count(*) FROM redis2pg.set_aside WHERE restored_at IS NULL GROUP BY "
                          "run ORDER BY run DESC LIMIT 1",
                          0, NULL, error);
    if (found == NULL || PQntuples(found) == 0)
        return found != NULL;
    *run = g_ascii_strtoull(PQgetvalue(found, 0, 0), NULL, 10);
    *n_definitions = (guint)g_ascii_strtoull(PQgetvalue(found, 0, 1), NULL, 10);
    return TRUE;
}

gboolean rp_set_aside_refuse(PGconn *connection, guint64 but_for, GError **error) {
    guint64 run;
    guint n_definitions;
    if (!rp_set_aside_find(connection, &run, &n_definitions, error))
        return FALSE;
    if (run == 0 || run == but_for)
        return TRUE;
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "run %" G_GUINT64_FORMAT " has set %u keys and indexes of its tables aside, and was "
                "interrupted: `redis2pg run --resume` completes it, `redis2pg rollback %" G_GUINT64_FORMAT
                "` undoes it; both put them back",
                run, n_definitions, run);
    return FALSE;
}

gboolean rp_set_aside_forget(PGconn *connection, guint64 run, GError **error) {
    return rp_postgres_runf(connection, error, "DELETE FROM redis2pg.again WHERE run = %" G_GUINT64_FORMAT,
                            run) &&
           rp_postgres_runf(connection, error,
                            "UPDATE redis2pg.undo SET loaded_keys = NULL WHERE run = %" G_GUINT64_FORMAT
                            " AND loaded_keys IS NOT NULL",
                            run);
}

/* ---- the catalogue as it will be ---- */

static char **names_in(const char *json) {
    /* An array of names as JSON text, which the query below makes: nobody else writes it. */
    json_t *array = json_loads(json, 0, NULL);
    const gsize n_names = json_array_size(array);
    char **names = g_new0(char *, n_names + 1);
    for (gsize i = 0; i < n_names; i++)
        names[i] = g_strdup(json_string_value(json_array_get(array, i)));
    json_decref(array);
    return names;
}

static void add_constraint(RpTable *table, const PGresult *found, int row) {
    RpConstraint *constraint = rp_constraint_new();
    constraint->name = g_strdup(PQgetvalue(found, row, 0));
    constraint->kind = rp_postgres_is_true(found, row, 1) ? RP_CONSTRAINT_FOREIGN : RP_CONSTRAINT_UNIQUE;
    constraint->columns = names_in(PQgetvalue(found, row, 2));
    constraint->referenced_columns = names_in(PQgetvalue(found, row, 5));
    if (constraint->kind == RP_CONSTRAINT_FOREIGN) {
        constraint->referenced_oid = (guint32)strtoul(PQgetvalue(found, row, 3), NULL, 10);
        constraint->referenced_table = g_strdup(PQgetvalue(found, row, 4));
    }
    g_ptr_array_add(table->constraints, constraint);
}

/* As the catalogue is read (sink/catalog.c): checks are made in this order. */
static gint compare_constraints(gconstpointer a, gconstpointer b) {
    const RpConstraint *first = *(const RpConstraint *const *)a, *second = *(const RpConstraint *const *)b;
    return first->kind != second->kind ? (gint)first->kind - (gint)second->kind
                                       : strcmp(first->name, second->name);
}

gboolean rp_set_aside_complete(PGconn *connection, RpTable *table, GError **error) {
    gboolean has_it;
    if (!has_table(connection, &has_it, error))
        return FALSE;
    if (!has_it)
        return TRUE;
    g_autofree char *oid = g_strdup_printf("%u", table->oid);
    const char *const parameters[] = {oid};
    g_autoptr(PGresult) found = rp_postgres_query(
        connection,
        "SELECT name, kind = 'foreign', array_to_json(columns), referenced, "
        "referenced_name, coalesce(array_to_json(referenced_columns), '[]')"
        " FROM redis2pg.set_aside WHERE target = $1::oid AND built_at IS NULL AND restored_at IS NULL"
        " AND (is_plain OR kind = 'foreign')",
        1, parameters, error);
    if (found == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(found); row++)
        add_constraint(table, found, row);
    if (PQntuples(found) > 0)
        g_ptr_array_sort(table->constraints, compare_constraints);
    return TRUE;
}
