/* Binding a mapping to the live schema. */
#include "sink/binding.h"

#include "sink/bind_sql.h"
#include "sink/catalog.h"

#include <string.h>

struct RpBinding {
    GPtrArray *tables; /* of RpTable */
    RpTableCompletion complete;
};

void rp_binding_free(RpBinding *binding) {
    if (binding == NULL)
        return;
    g_ptr_array_unref(binding->tables);
    g_free(binding);
}

/* Who wants a table: for what is said when it cannot be had. */
typedef struct {
    const char *table_name;
    const char *what; /* "entity", … */
    const char *name;
    const char *place;
} Wish;

/* A schema that this role may not use hides what is in it: to_regclass() fails then. */
static void add_missing_usage(PGconn *connection, const Wish *wish, RpFindings *findings) {
    const gsize size = strcspn(wish->table_name, ".");
    g_autofree char *schema = g_strndup(wish->table_name, size);
    g_autofree char *quoted_schema = rp_postgres_identifier(connection, schema);
    g_autoptr(PGresult) role = rp_postgres_query(connection, "SELECT current_user", 0, NULL, NULL);
    g_autofree char *quoted_role =
        rp_postgres_identifier(connection, role != NULL ? PQgetvalue(role, 0, 0) : PQuser(connection));
    g_autofree char *remedy = g_strdup_printf("GRANT USAGE ON SCHEMA %s TO %s", quoted_schema, quoted_role);
    rp_findings_add(findings, RP_SEVERITY_ERROR, "missing_privilege", wish->place, remedy,
                    "role %s may not use schema %s of table \"%s\"", quoted_role, quoted_schema,
                    wish->table_name);
}

/* Reads a table, which the binding then owns. FALSE when PostgreSQL could not be asked. *table is NULL when
 * it cannot be had; the finding says why. */
static gboolean read_table(RpBinding *binding, PGconn *connection, const Wish *wish, RpTable **table,
                           RpFindings *findings, GError **error) {
    g_autoptr(GError) refused = NULL;
    if (!rp_catalog_read_table(connection, wish->table_name, table, &refused)) {
        if (g_strcmp0(rp_sink_error_get_sqlstate(refused), RP_NO_PRIVILEGE) == 0) {
            add_missing_usage(connection, wish, findings);
            return TRUE;
        }
        g_propagate_error(error, g_steal_pointer(&refused));
        return FALSE;
    }
    if (*table != NULL) {
        g_ptr_array_add(binding->tables, *table);
        return binding->complete == NULL || binding->complete(connection, *table, error);
    }
    g_autofree char *place = rp_postgres_place(connection);
    rp_findings_add(findings, RP_SEVERITY_ERROR, "unknown_table", wish->place,
                    "create it, for example with redis2pg schema apply DIR",
                    "table \"%s\" of %s \"%s\" is not there, or is no table (PostgreSQL at %s)",
                    wish->table_name, wish->what, wish->name, place);
    return TRUE;
}

/* ---- look-ups ---- */

static gboolean has_column(const RpLookup *lookup, const char *name, RpFindings *findings) {
    if (rp_table_find_column(lookup->table, name) != NULL)
        return TRUE;
    rp_findings_add(findings, RP_SEVERITY_ERROR, "unknown_column", lookup->place, NULL,
                    "table %s has no column \"%s\"", lookup->table->shown, name);
    return FALSE;
}

/* Without a unique constraint it would be left to chance which row is found. */
static void check_lookup(const RpLookup *lookup, RpFindings *findings) {
    gboolean has_all = has_column(lookup, lookup->take, findings);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < lookup->matches->len; i++) {
        RpLookupMatch *match = g_ptr_array_index(lookup->matches, i);
        has_all = has_column(lookup, match->name, findings) && has_all;
        g_ptr_array_add(names, match->name);
    }
    g_ptr_array_add(names, NULL);
    const char *const *matched = (const char *const *)names->pdata;
    if (!has_all || rp_table_find_unique(lookup->table, matched) != NULL)
        return;
    g_autofree char *shown = g_strjoinv(", ", (char **)names->pdata);
    rp_findings_add(findings, RP_SEVERITY_ERROR, "lookup_not_unique", lookup->place,
                    "add one, or match by the columns of one",
                    "table %s has no unique constraint on exactly (%s): a look-up may find several rows",
                    lookup->table->shown, shown);
}

static gboolean bind_lookups(RpBinding *binding, PGconn *connection, const RpEntity *entity,
                             const RpTable *own, RpFindings *findings, GError **error) {
    for (guint i = 0; i < entity->columns->len; i++) {
        RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        RpTable *table;
        if (column->source != RP_FROM_LOOKUP)
            continue;
        const Wish wish = {column->lookup->table_name, "the look-up of column", column->name,
                           column->lookup->place};
        if (!read_table(binding, connection, &wish, &table, findings, error))
            return FALSE;
        column->lookup->table = table;
        if (table == NULL)
            continue;
        check_lookup(column->lookup, findings);
        if (own != NULL && table->oid == own->oid)
            rp_findings_add(findings, RP_SEVERITY_ERROR, "lookup_of_own_table", column->lookup->place, NULL,
                            "column \"%s\" looks into %s, the table that entity \"%s\" itself fills: what is "
                            "found would depend on the order of reading",
                            column->name, table->shown, entity->name);
    }
    return TRUE;
}

/* ---- entities ---- */

static gboolean bind_entity(RpBinding *binding, PGconn *connection, RpEntity *entity, RpFindings *findings,
                            GError **error) {
    RpTable *table;
    const Wish wish = {entity->table_name, "entity", entity->name, entity->place};
    if (!read_table(binding, connection, &wish, &table, findings, error) ||
        !bind_lookups(binding, connection, entity, table, findings, error))
        return FALSE;
    if (table == NULL)
        return TRUE;
    rp_entity_bind(entity, table, findings);
    if (table->has_deferrable_unique)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "deferrable_unique", entity->place,
                        "ALTER TABLE ... ALTER CONSTRAINT ... NOT DEFERRABLE, or load another table",
                        "table %s has a DEFERRABLE unique constraint, which ON CONFLICT does not take",
                        table->shown);
    return rp_bind_try_sql(connection, entity, findings, error);
}

RpBinding *rp_binding_new(PGconn *connection, RpMapping *mapping, RpTableCompletion complete,
                          RpFindings *findings, GError **error) {
    g_autoptr(RpBinding) binding = g_new0(RpBinding, 1);
    binding->complete = complete;
    binding->tables = g_ptr_array_new_with_free_func((GDestroyNotify)rp_table_free);
    for (guint i = 0; i < mapping->entities->len; i++)
        if (!bind_entity(binding, connection, g_ptr_array_index(mapping->entities, i), findings, error))
            return NULL;
    rp_mapping_check_tables(mapping, findings);
    return g_steal_pointer(&binding);
}
