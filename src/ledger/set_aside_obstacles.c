/* Whether a mapping and its tables can be loaded in bulk.
 *
 * Whatever a bulk load would do otherwise than a merge, or could not put back as it was, is left to the
 * merge. */
#include "ledger/set_aside_obstacles.h"
#include "ledger/loaded.h"
#include "ledger/set_aside.h"
#include "sink/merge_plan.h"

/* ---- the mapping ---- */

static const RpEntity *other_of_table(const RpMapping *mapping, const RpEntity *entity) {
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *other = g_ptr_array_index(mapping->entities, i);
        if (other != entity && other->table->oid == entity->table->oid)
            return other;
    }
    return NULL;
}

/* NULL when there is none; the caller frees it. */
static char *obstacle_of_entity(const RpMapping *mapping, const RpEntity *entity) {
    const RpEntity *other = other_of_table(mapping, entity);
    if (other != NULL)
        return g_strdup_printf("entities \"%s\" and \"%s\" both write to %s", entity->name, other->name,
                               entity->table->shown);
    /* Which of a key's elements were filtered nobody keeps: they would be counted again with the key. */
    if (entity->where != NULL && (entity->scope.has_each || rp_record_type_has_elements(entity->scope.type)))
        return g_strdup_printf("entity \"%s\" filters elements of keys by `where`", entity->name);
    if (rp_merge_needs_raw(entity))
        return g_strdup_printf("entity \"%s\" has values that PostgreSQL looks up or casts", entity->name);
    const RpColumn *column = rp_ledger_loaded_obstacle(entity);
    if (column != NULL)
        return g_strdup_printf("the identity of entity \"%s\" has column \"%s\", which is %s%s", entity->name,
                               column->name, column->type_name,
                               column->is_not_null ? "" : " and can be null");
    return NULL;
}

/* ---- the tables ---- */

/* What it says of each of the tables $1; null: nothing. DELETE triggers would see rows that are taken out
 * again. */
static const char TABLES_SQL[] =
    "SELECT c.oid::regclass::text, CASE"
    " WHEN c.relkind <> 'r' OR c.relispartition OR EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN "
    "(i.inhrelid, "
    "i.inhparent)) THEN 'is partitioned, or has a parent or children'"
    " WHEN NOT pg_has_role(c.relowner, 'USAGE') THEN 'is not owned by this role'"
    " WHEN NOT has_schema_privilege(c.relnamespace, 'CREATE') THEN 'stands in a schema in which this role "
    "may not "
    "create indexes'"
    " WHEN row_security_active(c.oid) THEN 'has row-level security'"
    " WHEN EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled "
    "<> "
    "'D' AND g.tgtype & 12 <> 0) THEN 'has a trigger on INSERT or DELETE'"
    " WHEN EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type IN ('3', '4')) THEN 'has "
    "a rule "
    "on INSERT or DELETE'"
    " WHEN EXISTS (SELECT FROM pg_publication_tables p WHERE (p.schemaname, p.tablename) = (n.nspname, "
    "c.relname))"
    "  THEN 'is published'"
    " WHEN c.relreplident = 'i' THEN 'has an index as its replica identity'"
    " END FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::oid[])";

static const char INDEXES_SQL[] =
    "SELECT x.indexrelid::regclass::text, CASE"
    " WHEN x.indisexclusion THEN 'excludes rows in another way than a unique index'"
    " WHEN NOT x.indisvalid OR NOT x.indisready THEN 'is not valid'"
    " WHEN x.indisclustered THEN 'is what the table is clustered by'"
    " WHEN i.reltablespace <> 0 THEN 'has a tablespace of its own'"
    " WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = x.indexrelid AND a.attstattarget >= 0)"
    "  THEN 'has a statistics target of its own'"
    " WHEN x.indisunique AND EXISTS (SELECT FROM unnest(x.indclass::oid[]) k (opclass) JOIN pg_opclass o"
    "  ON o.oid = k.opclass WHERE NOT o.opcdefault) THEN 'compares in a way of its own'"
    " WHEN x.indisunique AND EXISTS (SELECT FROM unnest(x.indkey::int2[], x.indcollation::oid[]) k (local, "
    "collation_oid) JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.local"
    "  WHERE k.collation_oid <> a.attcollation AND k.collation_oid <> 0) THEN 'has a collation of its own'"
    " END FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = ANY ($1::oid[])";

static const char FOREIGN_KEYS_SQL[] =
    "SELECT format('%s of %s', k.conname, k.conrelid::regclass), CASE"
    " WHEN NOT k.convalidated THEN 'is NOT VALID'"
    " WHEN k.conrelid = k.confrelid THEN 'refers to its own table'"
    " WHEN k.confmatchtype = 'f' AND cardinality(k.conkey) > 1 THEN 'is MATCH FULL'"
    " WHEN k.conparentid <> 0 OR c.relkind <> 'r' OR c.relispartition THEN 'is of a partitioned table'"
    " WHEN EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O') THEN 'is "
    "disabled'"
    " WHEN NOT pg_has_role(c.relowner, 'USAGE') THEN 'is of a table that this role does not own'"
    " WHEN NOT has_table_privilege(k.confrelid, 'REFERENCES') THEN 'refers to a table that this role may not "
    "refer "
    "to'"
    " END FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f'"
    " AND (k.conrelid = ANY ($1::oid[]) OR k.confrelid = ANY ($1::oid[]))";

static const struct {
    const char *sql;
    const char *what;
} LOOKS[] = {{TABLES_SQL, "table"}, {INDEXES_SQL, "index"}, {FOREIGN_KEYS_SQL, "foreign key"}};

static gboolean look_at_catalogue(PGconn *connection, const RpMapping *mapping, const char *const *only,
                                  char **obstacle, GError **error) {
    g_autofree char *tables = rp_set_aside_tables(mapping, only);
    const char *const parameters[] = {tables};
    for (guint look = 0; look < G_N_ELEMENTS(LOOKS); look++) {
        g_autoptr(PGresult) found = rp_postgres_query(connection, LOOKS[look].sql, 1, parameters, error);
        if (found == NULL)
            return FALSE;
        for (int row = 0; row < PQntuples(found) && *obstacle == NULL; row++)
            if (!PQgetisnull(found, row, 1))
                *obstacle = g_strdup_printf("%s %s %s", LOOKS[look].what, PQgetvalue(found, row, 0),
                                            PQgetvalue(found, row, 1));
    }
    return TRUE;
}

static gboolean look_for_rows(PGconn *connection, const RpEntity *entity, char **obstacle, GError **error) {
    g_autofree char *sql = g_strdup_printf("SELECT FROM %s LIMIT 1", entity->table->quoted);
    g_autoptr(PGresult) found = rp_postgres_query(connection, sql, 0, NULL, error);
    if (found != NULL && PQntuples(found) > 0)
        *obstacle = g_strdup_printf("table %s has rows", entity->table->shown);
    return found != NULL;
}

/* What refers to an empty table can only be rows that its foreign key has never seen. */
static gboolean look_for_children(PGconn *connection, const RpMapping *mapping, const char *const *only,
                                  char **obstacle, GError **error) {
    g_autofree char *tables = rp_set_aside_tables(mapping, only);
    const char *const parameters[] = {tables};
    g_autoptr(PGresult) children =
        rp_postgres_query(connection,
                          "SELECT DISTINCT format('%I.%I', n.nspname, c.relname) FROM pg_constraint k JOIN "
                          "pg_class c ON c.oid = "
                          "k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' "
                          "AND k.confrelid = ANY "
                          "($1::oid[]) AND NOT k.conrelid = ANY ($1::oid[])",
                          1, parameters, error);
    if (children == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(children) && *obstacle == NULL; row++) {
        g_autofree char *sql = g_strdup_printf("SELECT FROM %s LIMIT 1", PQgetvalue(children, row, 0));
        g_autoptr(PGresult) found = rp_postgres_query(connection, sql, 0, NULL, error);
        if (found == NULL)
            return FALSE;
        if (PQntuples(found) > 0)
            *obstacle = g_strdup_printf("table %s, which refers to one of them, has rows",
                                        PQgetvalue(children, row, 0));
    }
    return TRUE;
}

gboolean rp_set_aside_obstacle(PGconn *connection, const RpMapping *mapping, const char *const *only,
                               char **obstacle, GError **error) {
    *obstacle = NULL;
    for (guint i = 0; i < mapping->entities->len && *obstacle == NULL; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        if (only != NULL && !g_strv_contains(only, entity->name))
            continue;
        *obstacle = obstacle_of_entity(mapping, entity);
        if (*obstacle == NULL && !look_for_rows(connection, entity, obstacle, error))
            return FALSE;
    }
    if (*obstacle == NULL && !look_at_catalogue(connection, mapping, only, obstacle, error))
        return FALSE;
    return *obstacle != NULL || look_for_children(connection, mapping, only, obstacle, error);
}
