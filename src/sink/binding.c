/* Binding a mapping to the live schema. */
#include "sink/binding.h"

#include "sink/catalog.h"

#include <string.h>

/* SQLSTATE insufficient_privilege */
#define NO_PRIVILEGE "42501"

struct RpBinding {
    GPtrArray *tables; /* of RpTable */
};

void rp_binding_free(RpBinding *binding) {
    if (binding == NULL)
        return;
    g_ptr_array_unref(binding->tables);
    g_free(binding);
}

/* The columns that are staged: an expression can see no others. */
static char *mapped_columns(PGconn *connection, const RpEntity *entity) {
    GString *columns = g_string_new(NULL);
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (rp_table_find_column(entity->table, column->name) == NULL)
            continue; /* is a finding of its own */
        g_autofree char *quoted = rp_postgres_identifier(connection, column->name);
        g_string_append_printf(columns, "%s%s", columns->len > 0 ? ", " : "", quoted);
    }
    return g_string_free(columns, FALSE);
}

/* Has the planner look at an expression over the mapped columns. FALSE when PostgreSQL could not be asked;
 * an expression that it refuses is a finding. */
static gboolean try_expression(PGconn *connection, const RpEntity *entity, const RpCheck *check,
                               const char *what, RpFindings *findings, GError **error) {
    g_autofree char *columns = mapped_columns(connection, entity);
    g_autofree char *sql = g_strdup_printf("SELECT (%s)::boolean FROM (SELECT %s FROM %s) s WHERE false",
                                           check->sql, columns, entity->table->quoted);
    g_autoptr(GError) refused = NULL;
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, &refused);
    if (result != NULL)
        return TRUE;
    if (!g_error_matches(refused, RP_SINK_ERROR, RP_SINK_ERROR_FATAL) &&
        !g_error_matches(refused, RP_SINK_ERROR, RP_SINK_ERROR_DATA)) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return FALSE;
    }
    const gboolean is_forbidden = g_strcmp0(rp_sink_error_get_sqlstate(refused), NO_PRIVILEGE) == 0;
    rp_findings_add(findings, RP_SEVERITY_ERROR, is_forbidden ? "missing_privilege" : "bad_sql", check->place,
                    is_forbidden ? "GRANT what redis2pg check names as missing" : NULL,
                    "PostgreSQL refuses %s of entity \"%s\": %s", what, entity->name, refused->message);
    return TRUE;
}

static gboolean try_expressions(PGconn *connection, const RpEntity *entity, RpFindings *findings,
                                GError **error) {
    if (entity->where != NULL && !try_expression(connection, entity, entity->where, "where", findings, error))
        return FALSE;
    for (guint i = 0; i < entity->checks->len; i++) {
        const RpCheck *check = g_ptr_array_index(entity->checks, i);
        g_autofree char *what = g_strdup_printf("check \"%s\"", check->name);
        if (!try_expression(connection, entity, check, what, findings, error))
            return FALSE;
    }
    return TRUE;
}

/* A schema that this role may not use hides what is in it: to_regclass() fails then. */
static void add_missing_usage(PGconn *connection, const RpEntity *entity, RpFindings *findings) {
    const gsize size = strcspn(entity->table_name, ".");
    g_autofree char *schema = g_strndup(entity->table_name, size);
    g_autofree char *quoted_schema = rp_postgres_identifier(connection, schema);
    g_autofree char *quoted_role = rp_postgres_identifier(connection, PQuser(connection));
    g_autofree char *remedy = g_strdup_printf("GRANT USAGE ON SCHEMA %s TO %s", quoted_schema, quoted_role);
    rp_findings_add(findings, RP_SEVERITY_ERROR, "missing_privilege", entity->place, remedy,
                    "role %s may not use schema %s of table \"%s\"", quoted_role, quoted_schema,
                    entity->table_name);
}

/* FALSE when PostgreSQL could not be asked. *table is NULL when it cannot be had; the finding says why. */
static gboolean read_table(PGconn *connection, const RpEntity *entity, RpTable **table, RpFindings *findings,
                           GError **error) {
    g_autoptr(GError) refused = NULL;
    if (!rp_catalog_read_table(connection, entity->table_name, table, &refused)) {
        if (g_strcmp0(rp_sink_error_get_sqlstate(refused), NO_PRIVILEGE) == 0) {
            add_missing_usage(connection, entity, findings);
            return TRUE;
        }
        g_propagate_error(error, g_steal_pointer(&refused));
        return FALSE;
    }
    if (*table == NULL) {
        g_autofree char *place = rp_postgres_place(connection);
        rp_findings_add(findings, RP_SEVERITY_ERROR, "unknown_table", entity->place,
                        "create it, for example with redis2pg schema apply DIR",
                        "table \"%s\" of entity \"%s\" is not there, or is no table (PostgreSQL at %s)",
                        entity->table_name, entity->name, place);
    }
    return TRUE;
}

static gboolean bind_entity(RpBinding *binding, PGconn *connection, RpEntity *entity, RpFindings *findings,
                            GError **error) {
    RpTable *table;
    if (!read_table(connection, entity, &table, findings, error))
        return FALSE;
    if (table == NULL)
        return TRUE;
    g_ptr_array_add(binding->tables, table);
    rp_entity_bind(entity, table, findings);
    if (table->has_deferrable_unique)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "deferrable_unique", entity->place,
                        "ALTER TABLE ... ALTER CONSTRAINT ... NOT DEFERRABLE, or load another table",
                        "table %s has a DEFERRABLE unique constraint, which ON CONFLICT does not take",
                        table->shown);
    return try_expressions(connection, entity, findings, error);
}

RpBinding *rp_binding_new(PGconn *connection, RpMapping *mapping, RpFindings *findings, GError **error) {
    g_autoptr(RpBinding) binding = g_new0(RpBinding, 1);
    binding->tables = g_ptr_array_new_with_free_func((GDestroyNotify)rp_table_free);
    for (guint i = 0; i < mapping->entities->len; i++)
        if (!bind_entity(binding, connection, g_ptr_array_index(mapping->entities, i), findings, error))
            return NULL;
    return g_steal_pointer(&binding);
}
