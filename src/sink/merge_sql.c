/* Shared pieces of the generated SQL. */
#include "sink/merge_sql.h"

#include "sink/unit.h"

char *rp_sql_join(RpMergeSql *generator, const char *const *names, const char *separator,
                  RpSqlColumn append) {
    GString *sql = g_string_new(NULL);
    for (guint i = 0; names[i] != NULL; i++) {
        g_autofree char *quoted = rp_postgres_identifier(generator->connection, names[i]);
        if (i > 0)
            g_string_append(sql, separator);
        append(sql, quoted, rp_table_find_column(generator->table, names[i]));
    }
    return g_string_free(sql, FALSE);
}

void rp_sql_name(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append(sql, quoted);
}

void rp_sql_staged(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "s.%s", quoted);
}

void rp_sql_standing(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "t.%s", quoted);
}

void rp_sql_definition(GString *sql, const char *quoted, const RpColumn *column) {
    g_string_append_printf(sql, "%s %s", quoted, column->type_name);
}

void rp_sql_set(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "%s = s.%s", quoted, quoted);
}

void rp_sql_equal(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "t.%s = s.%s", quoted, quoted);
}

static gboolean is_text(const RpColumn *column) {
    return (column->kind == RP_TYPE_ARRAY ? column->element : column)->kind == RP_TYPE_TEXT;
}

/* Equality is not sameness: '1 mon' equals '30 days', a citext its other case, and a collation may be blind
 * to more. Of types that we know nothing of the images are compared, cast, as a domain does not go with its
 * base type. */
void rp_sql_distinct(GString *sql, const char *quoted, const RpColumn *column) {
    if (column->kind == RP_TYPE_OTHER)
        g_string_append_printf(sql, "pg_catalog.record_image_ne(ROW(t.%s::%s), ROW(s.%s::%s))", quoted,
                               column->cast_name, quoted, column->cast_name);
    else if (is_text(column))
        g_string_append_printf(sql,
                               "t.%s COLLATE pg_catalog.\"C\" IS DISTINCT FROM s.%s COLLATE pg_catalog.\"C\"",
                               quoted, quoted);
    else if (column->is_comparable)
        g_string_append_printf(sql, "t.%s IS DISTINCT FROM s.%s", quoted, quoted);
    else
        g_string_append_printf(sql, "t.%s::text IS DISTINCT FROM s.%s::text", quoted, quoted);
}

void rp_sql_other_equal(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "u.%s = s.%s", quoted, quoted);
}

void rp_sql_other_distinct(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "u.%s IS DISTINCT FROM s.%s", quoted, quoted);
}

void rp_sql_staged_not_null(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "s.%s IS NOT NULL", quoted);
}

gboolean rp_sql_maps_all(const RpEntity *entity, char **names) {
    for (; *names != NULL; names++)
        if (rp_entity_find_column(entity, *names) == NULL)
            return FALSE;
    return TRUE;
}

char *rp_sql_identity(RpMergeSql *generator) {
    g_autofree char *key =
        rp_sql_join(generator, (const char *const *)generator->entity->key, ", ", rp_sql_standing);
    return g_strdup_printf("md5(ROW(%s)::text)::uuid", key);
}

char *rp_sql_claimed_by_other(RpMergeSql *generator) {
    g_autofree char *identity = rp_sql_identity(generator);
    return g_strdup_printf("coalesce((SELECT c.xmin <> " RP_UNIT_XID " FROM %s c WHERE c.run = "
                           "$1::bigint AND c.target = %u"
                           " AND c.identity = %s LIMIT 1), false)",
                           generator->ledger->claims, generator->table->oid, identity);
}
