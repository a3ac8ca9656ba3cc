/* References without a constraint, and the rows that they leave hanging. */
#include "reconcile/orphans.h"

#include "model/reject.h"
#include "reconcile/sides.h"
#include "sink/wait.h"

#include <string.h>

/* A reference, borrowed from the mapping and the tables; constraint is ours. */
typedef struct {
    const RpEntity *child;
    const char *const *columns;
    const char *parent; /* quoted */
    const char *parent_shown;
    const char *const *parent_columns;
    const char *constraint;
} Reference;

typedef struct {
    PGconn *connection;
    const RpUnits *units;
    guint limit;
    GPtrArray *orphans;
} Search;

/* ---- rows ---- */

/* "FROM child c WHERE …": foreign keys pass rows where a column is null (MATCH SIMPLE). */
static char *orphans_sql(PGconn *connection, const Reference *reference) {
    g_autoptr(GString) nulls = g_string_new(NULL);
    g_autoptr(GString) join = g_string_new(NULL);
    for (guint i = 0; reference->columns[i] != NULL; i++) {
        g_autofree char *own = rp_postgres_identifier(connection, reference->columns[i]);
        g_autofree char *theirs = rp_postgres_identifier(connection, reference->parent_columns[i]);
        g_string_append_printf(nulls, "c.%s IS NOT NULL AND ", own);
        g_string_append_printf(join, "%sp.%s = c.%s", i > 0 ? " AND " : "", theirs, own);
    }
    return g_strdup_printf("FROM %s c WHERE %sNOT EXISTS (SELECT FROM %s p WHERE %s)",
                           reference->child->table->quoted, nulls->str, reference->parent, join->str);
}

static char *key_sql(const Search *search, const RpEntity *entity) {
    g_autoptr(GString) sql = g_string_new("concat_ws(', '");
    for (char **name = entity->key; *name != NULL; name++) {
        g_autofree char *quoted = rp_postgres_identifier(search->connection, *name);
        if (rp_masks_has(search->units->masks, entity->table->oid, *name))
            g_string_append(sql, ", '" RP_MASK "'");
        else
            g_string_append_printf(sql, ", left(c.%s::text, 300)", quoted);
    }
    g_string_append_c(sql, ')');
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

static gboolean add_examples(const Search *search, const Reference *reference, const char *from,
                             RpOrphanResult *orphan, GError **error) {
    g_autofree char *key = key_sql(search, reference->child);
    g_autofree char *sql = g_strdup_printf("SELECT %s %s LIMIT %u", key, from, search->limit);
    g_autoptr(PGresult) rows = rp_postgres_query(search->connection, sql, 0, NULL, error);
    if (rows == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(rows); row++)
        g_ptr_array_add(orphan->examples, g_strdup(PQgetvalue(rows, row, 0)));
    return TRUE;
}

static RpOrphanResult *add_orphan(const Search *search, const Reference *reference) {
    g_autofree char *columns = g_strjoinv(", ", (char **)reference->parent_columns);
    RpOrphanResult *orphan = g_new0(RpOrphanResult, 1);
    *orphan = (RpOrphanResult){.table = g_strdup(reference->child->table->shown),
                               .columns = g_strdupv((char **)reference->columns),
                               .references = g_strdup_printf("%s (%s)", reference->parent_shown, columns),
                               .constraint = g_strdup(reference->constraint),
                               .examples = g_ptr_array_new_with_free_func(g_free)};
    g_ptr_array_add(search->orphans, orphan);
    return orphan;
}

static gboolean count_orphans(const Search *search, const Reference *reference, GError **error) {
    g_autofree char *from = orphans_sql(search->connection, reference);
    g_autofree char *sql = g_strdup_printf("SELECT count(*) %s", from);
    g_autoptr(PGresult) count = rp_postgres_query(search->connection, sql, 0, NULL, error);
    if (count == NULL)
        return FALSE;
    const guint64 n_rows = g_ascii_strtoull(PQgetvalue(count, 0, 0), NULL, 10);
    if (n_rows == 0)
        return TRUE;
    RpOrphanResult *orphan = add_orphan(search, reference);
    orphan->n_rows = n_rows;
    return add_examples(search, reference, from, orphan, error);
}

/* What PostgreSQL refuses (a parent that may not be read) takes nothing from the rest of the result. Only a
 * lost connection ends it all. */
static gboolean look_for(const Search *search, const Reference *reference, GError **error) {
    g_autoptr(GError) trouble = NULL;
    const guint n_orphans = search->orphans->len;
    if (count_orphans(search, reference, &trouble))
        return TRUE;
    if (PQstatus(search->connection) != CONNECTION_OK) {
        g_propagate_prefixed_error(error, g_steal_pointer(&trouble),
                                   "looking for orphans in %s: ", reference->child->table->shown);
        return FALSE;
    }
    g_ptr_array_set_size(search->orphans, (gint)n_orphans);
    add_orphan(search, reference)->not_checked = g_strdup(trouble->message);
    return TRUE;
}

/* ---- foreign keys that are not in force ---- */

static const RpConstraint *find_constraint(const RpTable *table, const char *name) {
    for (guint i = 0; i < table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(table->constraints, i);
        if (constraint->kind == RP_CONSTRAINT_FOREIGN && strcmp(constraint->name, name) == 0)
            return constraint;
    }
    return NULL;
}

static gboolean look_behind_constraints(const Search *search, const RpEntity *entity, GError **error) {
    g_autofree char *oid = g_strdup_printf("%u", entity->table->oid);
    const char *const parameters[] = {oid};
    g_autoptr(PGresult) names = rp_postgres_query(search->connection,
                                                  "SELECT c.conname FROM pg_constraint c WHERE c.conrelid = "
                                                  "$1::oid AND c.contype = 'f' AND (NOT c.convalidated"
                                                  " OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint "
                                                  "= c.oid AND t.tgenabled NOT IN ('O', 'A')))"
                                                  " ORDER BY c.conname",
                                                  1, parameters, error);
    if (names == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(names); row++) {
        const RpConstraint *constraint = find_constraint(entity->table, PQgetvalue(names, row, 0));
        if (constraint == NULL)
            continue;
        const Reference reference = {entity,
                                     (const char *const *)constraint->columns,
                                     constraint->referenced_table,
                                     constraint->referenced_table,
                                     (const char *const *)constraint->referenced_columns,
                                     constraint->name};
        if (!look_for(search, &reference, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- references that only the mapping states ---- */

static gboolean has_foreign_key(const RpTable *child, const char *column, const RpTable *parent) {
    for (guint i = 0; i < child->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(child->constraints, i);
        if (constraint->kind == RP_CONSTRAINT_FOREIGN && constraint->referenced_oid == parent->oid &&
            g_strv_contains((const char *const *)constraint->columns, column))
            return TRUE;
    }
    return FALSE;
}

/* The name that a uuid5 begins with; NULL for another column. */
static const char *uuid_name(const RpMapColumn *column) {
    return column->source == RP_FROM_UUID5 && column->n_parts > 1 ? column->parts[0].literal : NULL;
}

static gboolean is_unique(const RpTable *table, const char *column) {
    const char *const names[] = {column, NULL};
    return rp_table_find_unique(table, names) != NULL;
}

static gboolean look_behind(const Search *search, const RpEntity *child, const char *column,
                            const RpTable *parent, const char *parent_column, GError **error) {
    const char *const columns[] = {column, NULL};
    const char *const parent_columns[] = {parent_column, NULL};
    const Reference reference = {child, columns, parent->quoted, parent->shown, parent_columns, NULL};
    return has_foreign_key(child->table, column, parent) || look_for(search, &reference, error);
}

/* The same name gives the same UUID: a column that repeats the identity of another entity refers to it. */
static gboolean look_behind_uuid(const Search *search, const RpEntity *child, const RpMapColumn *column,
                                 GError **error) {
    const RpUnits *units = search->units;
    for (guint i = 0; i < units->units->len; i++) {
        const RpUnit *unit = rp_units_get(units, i);
        for (guint j = 0; unit->link == NULL && j < unit->entity->columns->len; j++) {
            const RpMapColumn *other = g_ptr_array_index(unit->entity->columns, j);
            if (other == column || g_strcmp0(uuid_name(other), uuid_name(column)) != 0 ||
                other->n_parts != column->n_parts || !is_unique(unit->entity->table, other->name))
                continue;
            if (unit->entity->table->oid == child->table->oid && strcmp(other->name, column->name) == 0)
                continue;
            if (!look_behind(search, child, column->name, unit->entity->table, other->name, error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean look_behind_columns(const Search *search, const RpEntity *entity, GError **error) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (uuid_name(column) != NULL && !is_unique(entity->table, column->name) &&
            !look_behind_uuid(search, entity, column, error))
            return FALSE;
        if (column->source == RP_FROM_LOOKUP && is_unique(column->lookup->table, column->lookup->take) &&
            !look_behind(search, entity, column->name, column->lookup->table, column->lookup->take, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean find_all(const Search *search, GError **error) {
    for (guint i = 0; i < search->units->units->len; i++) {
        const RpUnit *unit = rp_units_get(search->units, i);
        if (unit->link != NULL || !unit->is_wanted)
            continue;
        if (!look_behind_constraints(search, unit->entity, error) ||
            !look_behind_columns(search, unit->entity, error))
            return FALSE;
    }
    return TRUE;
}

gboolean rp_orphans_find(PGconn *connection, const RpUnits *units, guint limit, GPtrArray *orphans,
                         GError **error) {
    const Search search = {connection, units, limit, orphans};
    const guint seconds = rp_wait_change(connection, RP_TARGET_JOIN_SECONDS);
    const gboolean is_fine = find_all(&search, error);
    rp_wait_change(connection, seconds);
    return is_fine;
}
