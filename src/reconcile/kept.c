/* Which rows are kept, as SQL and by their identity. */
#include "reconcile/kept.h"

#include "sink/key_sql.h"

/* ---- the ledger ---- */

/* An older ledger has no such table, and whoever only compares may have no right to it. */
static gboolean has_lifetimes(PGconn *connection, gboolean *has_them, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'redis2pg' AND c.relname = 'lifetimes' AND has_schema_privilege(n.oid, 'USAGE')"
        " AND has_table_privilege(c.oid, 'SELECT'))",
        0, NULL, error);
    if (result == NULL)
        return FALSE;
    *has_them = rp_postgres_is_true(result, 0, 0);
    return TRUE;
}

gboolean rp_kept_probe(PGconn *connection, const RpUnit *leader, gboolean *has_some, GError **error) {
    *has_some = FALSE;
    if (leader->kept_probe == NULL)
        return TRUE;
    g_autoptr(PGresult) result = rp_postgres_query(connection, leader->kept_probe, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    *has_some = rp_postgres_is_true(result, 0, 0);
    return TRUE;
}

/* ---- conditions ---- */

/* What is put together for one statement. */
typedef struct {
    GString *kept;
    GString *not_kept;
    GString *names; /* of entities, as literals */
} Words;

static void add_words(Words *words, const char *name, const char *condition) {
    g_string_append_printf(words->kept, "%s%s", words->kept->len > 0 ? " OR " : "", condition);
    g_string_append_printf(words->not_kept, "%s NOT %s", words->not_kept->len > 0 ? " AND" : " WHERE",
                           condition);
    g_string_append_printf(words->names, "%s%s", words->names->len > 0 ? ", " : "", name);
}

static void add_entity(Words *words, PGconn *connection, const RpEntity *entity, const char *alias) {
    if (entity->on_delete != RP_WHEN_GONE_KEEP && entity->on_expire != RP_WHEN_GONE_KEEP)
        return;
    g_autofree char *key = rp_key_sql_new(connection, entity, alias);
    if (key == NULL)
        return;
    g_autofree char *name = rp_postgres_literal(connection, entity->name);
    g_autofree char *condition =
        g_strdup_printf("EXISTS (SELECT FROM redis2pg.lifetimes l WHERE l.entity = %s AND l.departed_at IS "
                        "NOT NULL AND l.key_digest = md5(convert_to(%s, 'UTF8'))::uuid)",
                        name, key);
    add_words(words, name, condition);
}

/* Of all entities whose rows stand in the table. */
static void add_table(Words *words, PGconn *connection, const RpUnits *units, const RpTable *table,
                      const char *alias) {
    for (guint i = 0; i < units->units->len; i++) {
        const RpUnit *unit = rp_units_get(units, i);
        if (unit->link == NULL && unit->entity->table->oid == table->oid)
            add_entity(words, connection, unit->entity, alias);
    }
}

static const RpTable *table_of(const RpUnits *units, const char *entity) {
    return rp_mapping_find_entity(&units->mapping, entity)->table;
}

static void words_init(Words *words) {
    *words = (Words){g_string_new(NULL), g_string_new(NULL), g_string_new(NULL)};
}

static void words_clear(Words *words) {
    g_string_free(words->kept, TRUE);
    g_string_free(words->not_kept, TRUE);
    g_string_free(words->names, TRUE);
}

static char *dup_text(const GString *text) {
    return text->len > 0 ? g_strdup(text->str) : NULL;
}

static void prepare_unit(PGconn *connection, const RpUnits *units, RpUnit *unit) {
    Words own, all;
    words_init(&own);
    words_init(&all);
    if (unit->link != NULL) {
        add_table(&all, connection, units, table_of(units, unit->link->member_entity), "t");
        add_table(&all, connection, units, table_of(units, unit->link->owner_entity), "o");
    } else {
        add_entity(&own, connection, unit->entity, "t");
        if (unit->leader == unit->number)
            add_table(&all, connection, units, unit->entity->table, "t");
    }
    unit->kept = dup_text(unit->link != NULL ? all.kept : own.kept);
    unit->not_kept = dup_text(all.not_kept);
    if (all.names->len > 0)
        unit->kept_probe = g_strdup_printf("SELECT EXISTS (SELECT FROM redis2pg.lifetimes WHERE departed_at "
                                           "IS NOT NULL AND entity IN (%s))",
                                           all.names->str);
    words_clear(&own);
    words_clear(&all);
}

gboolean rp_kept_prepare(PGconn *connection, RpUnits *units, GError **error) {
    gboolean has_them = FALSE;
    if (!has_lifetimes(connection, &has_them, error))
        return FALSE;
    for (guint i = 0; has_them && i < units->units->len; i++)
        prepare_unit(connection, units, g_ptr_array_index(units->units, i));
    return TRUE;
}

/* ---- rows ---- */

typedef struct {
    guint keeper;
    RpKeptTake take;
    gpointer data;
} Reading;

static gboolean take_row(const RpUnit *leader, const RpSpan *values, gpointer data, GError **error) {
    const Reading *reading = data;
    return reading->take(leader, reading->keeper, values, reading->data, error);
}

gboolean rp_kept_read(PGconn *connection, const RpUnits *units, const RpUnit *leader,
                      const gint *is_cancelled, RpKeptTake take, gpointer data, GError **error) {
    gboolean has_some;
    if (!rp_kept_probe(connection, leader, &has_some, error))
        return FALSE;
    for (guint i = leader->number; has_some && i < units->units->len; i++) {
        const RpUnit *unit = rp_units_get(units, i);
        Reading reading = {i, take, data};
        if (unit->leader != leader->number || unit->kept == NULL)
            continue;
        g_autofree char *where = g_strdup_printf(" WHERE %s", unit->kept);
        if (!rp_target_read_where(connection, leader, where, is_cancelled, take_row, &reading, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- by identity ---- */

GHashTable *rp_kept_rows_new(void) {
    return g_hash_table_new_full(rp_hash_of_hash, rp_hash_is_same, g_free, NULL);
}

gboolean rp_kept_rows_add(GHashTable *rows, const RpHash *identity, guint keeper) {
    if (g_hash_table_contains(rows, identity))
        return FALSE;
    return g_hash_table_insert(rows, g_memdup2(identity, sizeof *identity), GUINT_TO_POINTER(keeper));
}

int rp_kept_rows_find(GHashTable *rows, const RpHash *identity) {
    gpointer keeper;
    return g_hash_table_lookup_extended(rows, identity, NULL, &keeper) ? (int)GPOINTER_TO_UINT(keeper) : -1;
}
