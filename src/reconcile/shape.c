/* A snapshot of tables whose shape is known.
 *
 * 1. All tables are locked before the snapshot is taken: rows that an ALTER TABLE has written anew are not
 *    seen by a snapshot that is older than it. LOCK TABLE takes none; reading the catalogue does.
 * 2. Their shape is looked at behind the lock, so that it holds to the end of the transaction. */
#include "reconcile/shape.h"

#include "base/error.h"
#include "sink/catalog.h"

#include <string.h>

/* ---- shapes ---- */

static gboolean complain(const RpTable *bound, const char *what, GError **error) {
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "table %s has changed since the mapping was bound to it: %s. Run it again", bound->shown,
                what);
    return FALSE;
}

static gboolean complain_of_column(const RpTable *bound, const char *column, const char *what,
                                   GError **error) {
    g_autofree char *text = g_strdup_printf("column \"%s\" %s", column, what);
    return complain(bound, text, error);
}

static gboolean compare_shapes(const RpTable *bound, const RpTable *now, GError **error) {
    for (guint i = 0; i < bound->columns->len; i++) {
        const RpColumn *column = g_ptr_array_index(bound->columns, i);
        const RpColumn *found = rp_table_find_column(now, column->name);
        if (found == NULL)
            return complain_of_column(bound, column->name, "is gone", error);
        if (strcmp(found->type_name, column->type_name) != 0)
            return complain_of_column(bound, column->name, "has another type", error);
    }
    return TRUE;
}

static gboolean check_shape(PGconn *connection, const RpEntity *entity, GError **error) {
    RpTable *read = NULL;
    if (!rp_catalog_read_table(connection, entity->table_name, &read, error))
        return FALSE;
    g_autoptr(RpTable) now = read;
    if (now == NULL || now->oid != entity->table->oid)
        return complain(entity->table, now == NULL ? "it is gone" : "it is another one", error);
    return compare_shapes(entity->table, now, error);
}

/* ---- locks ---- */

/* Why a table could not be locked, where it is known better than by the error of the attempt. The transaction
 * has been rolled back. */
static void explain_refusal(PGconn *connection, const RpTable *table, GError **error) {
    g_autofree char *oid = g_strdup_printf("%u", table->oid);
    const char *const parameters[] = {oid};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, "SELECT has_table_privilege($1::oid, 'SELECT'), quote_ident(current_user)", 1, parameters,
        NULL);
    if (result == NULL || rp_postgres_is_true(result, 0, 0))
        return;
    if (PQgetisnull(result, 0, 0)) {
        g_clear_error(error);
        complain(table, "it is gone", error);
        return;
    }
    g_prefix_error(error, "%s may not be read (GRANT SELECT ON %s TO %s): ", table->shown, table->quoted,
                   PQgetvalue(result, 0, 1));
}

typedef gboolean (*Treat)(PGconn *connection, const RpEntity *entity, GError **error);

static gboolean lock(PGconn *connection, const RpEntity *entity, GError **error) {
    g_autoptr(GError) trouble = NULL;
    if (rp_postgres_runf(connection, &trouble, "LOCK TABLE %s IN ACCESS SHARE MODE", entity->table->quoted))
        return TRUE;
    rp_postgres_run(connection, "ROLLBACK", NULL);
    explain_refusal(connection, entity->table, &trouble);
    g_propagate_error(error, g_steal_pointer(&trouble));
    return FALSE;
}

static gboolean treat_all(PGconn *connection, const RpUnits *units, Treat treat, GError **error) {
    for (guint i = 0; i < units->units->len; i++) {
        const RpUnit *unit = rp_units_get(units, i);
        if (unit->link == NULL && unit->is_wanted && !treat(connection, unit->entity, error))
            return FALSE;
    }
    return TRUE;
}

gboolean rp_shape_begin(PGconn *connection, const RpUnits *units, GError **error) {
    if (!rp_postgres_run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", error))
        return FALSE;
    if (treat_all(connection, units, lock, error) && treat_all(connection, units, check_shape, error) &&
        rp_postgres_run(connection, "SELECT 1", error)) /* no table at all: the snapshot is taken here */
        return TRUE;
    rp_postgres_run(connection, "ROLLBACK", NULL);
    return FALSE;
}

gboolean rp_shape_end(PGconn *connection, GError **error) {
    return rp_postgres_run(connection, "COMMIT", error);
}
