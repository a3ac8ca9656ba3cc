/* Looking at what the role may do with the tables, and saying the GRANT that is missing. */
#include "sink/audit_topics.h"

#include <string.h>

/* Every live column and xmin, by which the merge knows the rows that it has just written. */
static const char COLUMNS_SQL[] =
    "SELECT a.attname, has_column_privilege(a.attrelid, a.attnum, 'SELECT'),"
    " a.attnum > 0 AND has_column_privilege(a.attrelid, a.attnum, 'INSERT'),"
    " a.attnum > 0 AND has_column_privilege(a.attrelid, a.attnum, 'UPDATE') "
    "FROM pg_attribute a WHERE a.attrelid = $1::oid AND NOT a.attisdropped AND (a.attnum > 0 OR a.attname = "
    "'xmin') ORDER BY a.attnum";

static const char TABLE_SQL[] =
    "SELECT has_schema_privilege(c.relnamespace, 'USAGE'), has_table_privilege(c.oid, 'DELETE'),"
    " n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = "
    "$1::oid";

static char *oid_text(guint32 oid) {
    return g_strdup_printf("%u", oid);
}

static gboolean is_mapped(const RpEntity *entity, const char *name) {
    return rp_entity_find_column(entity, name) != NULL;
}

static gboolean is_mapped_beside_key(const RpEntity *entity, const char *name) {
    return is_mapped(entity, name) && !g_strv_contains((const char *const *)entity->key, name);
}

/* Before-images are whole rows. */
static gboolean is_any(const RpEntity *entity, const char *name) {
    (void)entity;
    (void)name;
    return TRUE;
}

static const struct {
    const char *privilege;
    int field; /* of COLUMNS_SQL */
    gboolean (*needs)(const RpEntity *entity, const char *name);
    gboolean is_by_column; /* whether a GRANT for single columns is worth asking for */
    const char *why;
} NEEDS[] = {
    {"SELECT", 1, is_any, FALSE,
     "the merge compares with the rows that are there, and keeps those that it changes"},
    {"INSERT", 2, is_mapped, TRUE, "the mapping writes rows there"},
    {"UPDATE", 3, is_mapped_beside_key, TRUE, "rows that have changed are updated"},
};

/* "INSERT", or "INSERT (a, b)" where some needed columns have been granted; NULL when nothing is missing. */
static char *what_is_missing(RpPostgresLook *look, const RpEntity *entity, const PGresult *columns,
                             guint need) {
    g_autoptr(GString) list = g_string_new(NULL);
    gboolean has_some = FALSE;
    for (int row = 0; row < PQntuples(columns); row++) {
        const char *name = PQgetvalue(columns, row, 0);
        if (!NEEDS[need].needs(entity, name))
            continue;
        if (rp_postgres_is_true(columns, row, NEEDS[need].field)) {
            has_some = TRUE;
            continue;
        }
        g_autofree char *quoted = rp_postgres_identifier(look->connection, name);
        g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", quoted);
    }
    if (list->len == 0)
        return NULL;
    return has_some && NEEDS[need].is_by_column ? g_strdup_printf("%s (%s)", NEEDS[need].privilege, list->str)
                                                : g_strdup(NEEDS[need].privilege);
}

static void add_schema_usage(RpPostgresLook *look, const char *place, const char *schema) {
    g_autofree char *quoted = rp_postgres_identifier(look->connection, schema);
    g_autofree char *object = g_strconcat("SCHEMA ", quoted, NULL);
    rp_look_add_grant(look, RP_SEVERITY_ERROR, place, "USAGE", object,
                      "without it its tables are out of reach");
}

gboolean rp_look_at_privileges(RpPostgresLook *look, const RpEntity *entity, GError **error) {
    const RpTable *table = entity->table;
    g_autofree char *oid = oid_text(table->oid);
    g_autoptr(PGresult) columns = rp_look_query(look, COLUMNS_SQL, oid, error);
    g_autoptr(PGresult) whole = columns != NULL ? rp_look_query(look, TABLE_SQL, oid, error) : NULL;
    if (whole == NULL)
        return FALSE;
    if (PQntuples(whole) == 1 && !rp_postgres_is_true(whole, 0, 0))
        add_schema_usage(look, table->shown, table->schema);
    for (guint i = 0; i < G_N_ELEMENTS(NEEDS); i++) {
        g_autofree char *what = what_is_missing(look, entity, columns, i);
        if (what != NULL)
            rp_look_add_grant(look, RP_SEVERITY_ERROR, table->shown, what, table->quoted, NEEDS[i].why);
    }
    const gboolean deletes =
        entity->on_delete == RP_WHEN_GONE_DELETE || entity->on_expire == RP_WHEN_GONE_DELETE;
    if (PQntuples(whole) == 1 && !rp_postgres_is_true(whole, 0, 1))
        rp_look_add_grant(look, deletes ? RP_SEVERITY_WARNING : RP_SEVERITY_NOTE, table->shown, "DELETE",
                          table->quoted,
                          deletes ? "the mapping says that rows go with their keys"
                                  : "a run does not need it, to take back what it inserted does");
    return TRUE;
}

/* ---- tables that are only read ---- */

static gboolean may_read(const PGresult *columns, const char *const *names) {
    for (int row = 0; row < PQntuples(columns); row++)
        if (g_strv_contains(names, PQgetvalue(columns, row, 0)) && !rp_postgres_is_true(columns, row, 1))
            return FALSE;
    return TRUE;
}

static gboolean look_at_reading(RpPostgresLook *look, const char *place, guint32 table,
                                const char *const *names, const char *why, GError **error) {
    g_autofree char *oid = oid_text(table);
    g_autoptr(PGresult) columns = rp_look_query(look, COLUMNS_SQL, oid, error);
    g_autoptr(PGresult) whole = columns != NULL ? rp_look_query(look, TABLE_SQL, oid, error) : NULL;
    if (whole == NULL)
        return FALSE;
    if (PQntuples(whole) == 1 && !rp_postgres_is_true(whole, 0, 0))
        add_schema_usage(look, place, PQgetvalue(whole, 0, 2));
    if (PQntuples(whole) == 1 && !may_read(columns, names)) {
        g_autofree char *object =
            rp_postgres_qualified(look->connection, PQgetvalue(whole, 0, 2), PQgetvalue(whole, 0, 3));
        rp_look_add_grant(look, RP_SEVERITY_ERROR, place, "SELECT", object, why);
    }
    return TRUE;
}

gboolean rp_look_at_parents(RpPostgresLook *look, const RpEntity *entity, GError **error) {
    for (guint i = 0; i < entity->table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(entity->table->constraints, i);
        if (constraint->kind == RP_CONSTRAINT_FOREIGN &&
            !look_at_reading(look, entity->table->shown, constraint->referenced_oid,
                             (const char *const *)constraint->referenced_columns,
                             "a foreign key refers to it, and rows without a parent are looked for", error))
            return FALSE;
    }
    return TRUE;
}

/* ---- tables that were not found ---- */

/* The search_path passes over schemas that the role may not use, as if they were not there. A name with its
 * schema is refused when it is looked for. */
static const char HIDDEN_SQL[] = "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = "
                                 "c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relname = $1::text"
                                 " AND NOT has_schema_privilege(n.oid, 'USAGE') ORDER BY 1";

static gboolean look_for_hidden(RpPostgresLook *look, const char *name, const char *place, GError **error) {
    g_autoptr(PGresult) result = rp_look_query(look, HIDDEN_SQL, name, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++)
        add_schema_usage(look, place, PQgetvalue(result, row, 0));
    return TRUE;
}

gboolean rp_look_for_hidden(RpPostgresLook *look, const RpEntity *entity, GError **error) {
    return look_for_hidden(look, entity->table_name, entity->place, error);
}

/* ---- tables that are looked into ---- */

static gboolean look_at_lookup(RpPostgresLook *look, const RpLookup *lookup, GError **error) {
    if (lookup->table == NULL)
        return look_for_hidden(look, lookup->table_name, lookup->place, error);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_ptr_array_add(names, lookup->take);
    for (guint i = 0; i < lookup->matches->len; i++)
        g_ptr_array_add(names, ((const RpLookupMatch *)g_ptr_array_index(lookup->matches, i))->name);
    g_ptr_array_add(names, NULL);
    return look_at_reading(look, lookup->place, lookup->table->oid, (const char *const *)names->pdata,
                           "values are looked up in it", error);
}

gboolean rp_look_at_lookups(RpPostgresLook *look, const RpEntity *entity, GError **error) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (column->source == RP_FROM_LOOKUP && !look_at_lookup(look, column->lookup, error))
            return FALSE;
    }
    return TRUE;
}
