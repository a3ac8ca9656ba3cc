/* Reading pg_catalog. */
#include "sink/catalog.h"

#include <stdlib.h>
#include <string.h>

static const char FIND_TABLE_SQL[] =
    "SELECT c.oid, n.nspname, c.relname, EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid"
    "  AND x.indisunique AND NOT x.indimmediate),"
    "  c.relkind = 'r' AND NOT c.relispartition AND NOT row_security_active(c.oid)"
    "  AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND "
    "g.tgenabled <> "
    "'D' AND g.tgtype & 4 <> 0)"
    "  AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '3') FROM pg_class "
    "c JOIN pg_namespace n ON n.oid = "
    "c.relnamespace "
    "WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p')";

/* What a type is, of the base type t of b (typid, typmod, is_not_null). Arrays that PostgreSQL made for a
 * type have it as their element; vectors and the like do not count as arrays. */
#define TYPE_FIELDS                                                                                          \
    "format_type(b.typid, b.typmod), format_type(b.typid, -1), t.typname, t.typtype,"                        \
    " n.nspname = 'pg_catalog', b.typmod, b.is_not_null, b.declared, t.oid,"                                 \
    " t.typtype IN ('e', 'r', 'm') OR t.typname = 'varchar' OR EXISTS ("                                     \
    "   SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod"                                        \
    "   WHERE o.opcintype = t.oid AND o.opcdefault AND m.amname IN ('btree', 'hash')),"                      \
    " (SELECT e.oid FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)"

#define N_TYPE_FIELDS 11

/* Domains are followed to their base type; the outermost type modifier counts, and any NOT NULL on the way.
 */
#define DOMAINS(first)                                                                                       \
    "WITH RECURSIVE base (number, declared, typid, typmod, is_not_null) AS (" first "  UNION ALL"            \
    "  SELECT b.number, b.declared, t.typbasetype, CASE WHEN b.typmod >= 0 THEN b.typmod ELSE t.typtypmod "  \
    "END, b.is_not_null OR t.typnotnull FROM base b JOIN pg_type t ON t.oid = b.typid WHERE t.typtype = "    \
    "'d') "

#define BASE_TYPE                                                                                            \
    " FROM base b JOIN pg_type t ON t.oid = b.typid AND t.typtype <> 'd'"                                    \
    " JOIN pg_namespace n ON n.oid = t.typnamespace "

#define ATTRIBUTES                                                                                           \
    "SELECT attnum, atttypid, atttypid, atttypmod, attnotnull FROM pg_attribute"                             \
    " WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped"

/* attcollation is the domain's, unless the column states another. */
#define ATTRIBUTE_FIELDS                                                                                     \
    "a.attname, a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '',"                                 \
    " a.attgenerated <> '' OR a.attidentity = 'a', t.typname = 'bpchar' OR EXISTS ("                         \
    "   SELECT FROM pg_collation l WHERE l.oid = a.attcollation AND NOT l.collisdeterministic)"

static const char COLUMNS_SQL[] = DOMAINS(
    ATTRIBUTES) "SELECT " TYPE_FIELDS ", " ATTRIBUTE_FIELDS BASE_TYPE
                "JOIN pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.number ORDER BY a.attnum";

/* The type $1 with the modifier $2. */
static const char ELEMENT_SQL[] =
    DOMAINS("  SELECT 1, $1::oid, $1::oid, $2::integer, false") "SELECT " TYPE_FIELDS BASE_TYPE;

static const char LABELS_SQL[] =
    "SELECT enumlabel FROM pg_enum WHERE enumtypid = $1::oid ORDER BY enumsortorder";

/* A row for each column of each constraint (one with no column for a CHECK without any). Unique indexes that
 * are no constraint count as well, unless they are partial or over expressions. */
static const char CONSTRAINTS_SQL[] =
    "SELECT c.conname, c.contype, pg_get_expr(c.conbin, c.conrelid), c.confrelid,"
    "  (SELECT format('%I.%I', n.nspname, p.relname) FROM pg_class p JOIN pg_namespace n ON n.oid = "
    "p.relnamespace"
    "   WHERE p.oid = c.confrelid), a.attname, f.attname, k.n "
    "FROM pg_constraint c LEFT JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (local, remote, "
    "n) ON true "
    "LEFT JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.local "
    "LEFT JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = k.remote "
    "WHERE c.conrelid = $1::oid AND c.contype IN ('c', 'f') "
    "UNION ALL "
    "SELECT i.relname, 'u', NULL, 0::oid, NULL, a.attname, NULL, k.n "
    "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
    "CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k (local, n) "
    "JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.local "
    "WHERE x.indrelid = $1::oid AND x.indisunique AND x.indimmediate AND x.indisvalid AND x.indpred IS NULL"
    "  AND x.indexprs IS NULL AND k.n <= x.indnkeyatts "
    "ORDER BY 2 DESC, 1, 8";

typedef struct {
    const char *name;
    RpTypeKind kind;
} TypeName;

static const TypeName TYPE_NAMES[] = {
    {"bool", RP_TYPE_BOOL},           {"int2", RP_TYPE_INT2},
    {"int4", RP_TYPE_INT4},           {"int8", RP_TYPE_INT8},
    {"float4", RP_TYPE_FLOAT4},       {"float8", RP_TYPE_FLOAT8},
    {"numeric", RP_TYPE_NUMERIC},     {"text", RP_TYPE_TEXT},
    {"varchar", RP_TYPE_TEXT},        {"bpchar", RP_TYPE_TEXT},
    {"bytea", RP_TYPE_BYTEA},         {"uuid", RP_TYPE_UUID},
    {"date", RP_TYPE_DATE},           {"time", RP_TYPE_TIME},
    {"timestamp", RP_TYPE_TIMESTAMP}, {"timestamptz", RP_TYPE_TIMESTAMPTZ},
    {"json", RP_TYPE_JSON},           {"jsonb", RP_TYPE_JSONB},
};

static RpTypeKind kind_of(const char *name, char type, gboolean is_builtin) {
    if (type == 'e')
        return RP_TYPE_ENUM;
    for (guint i = 0; is_builtin && i < G_N_ELEMENTS(TYPE_NAMES); i++)
        if (strcmp(TYPE_NAMES[i].name, name) == 0)
            return TYPE_NAMES[i].kind;
    return RP_TYPE_OTHER;
}

/* Type modifiers: varchar.c (length + 4), numeric.c (make_numeric_typmod, scale is 11 bits and signed). */
static void set_limits(RpColumn *column, const char *type, int modifier) {
    if (modifier >= 0 && (column->kind == RP_TYPE_TIME || column->kind == RP_TYPE_TIMESTAMP ||
                          column->kind == RP_TYPE_TIMESTAMPTZ))
        column->precision = modifier; /* timestamp.c, anytimestamp_typmod_check */
    column->is_padded = strcmp(type, "bpchar") == 0;
    if (modifier < 4)
        return;
    if (strcmp(type, "varchar") == 0 || strcmp(type, "bpchar") == 0)
        column->max_characters = modifier - 4;
    if (strcmp(type, "numeric") == 0) {
        column->precision = ((modifier - 4) >> 16) & 0xffff;
        column->scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
    }
}

static gboolean is_true(PGresult *result, int row, int field) {
    return PQgetvalue(result, row, field)[0] == 't';
}

static guint32 oid_at(PGresult *result, int row, int field) {
    return (guint32)strtoul(PQgetvalue(result, row, field), NULL, 10);
}

static gboolean read_labels(PGconn *connection, const char *oid, RpColumn *column, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, LABELS_SQL, 1, &oid, error);
    if (result == NULL)
        return FALSE;
    const int n_labels = PQntuples(result);
    column->labels = g_new0(char *, (gsize)n_labels + 1);
    for (int i = 0; i < n_labels; i++)
        column->labels[i] = g_strdup(PQgetvalue(result, i, 0));
    return TRUE;
}

/* Fills the column from a row of TYPE_FIELDS. */
static gboolean set_type(PGconn *connection, PGresult *result, int row, RpColumn *column, GError **error) {
    const char *type = PQgetvalue(result, row, 2);
    column->type_name = g_strdup(PQgetvalue(result, row, 0));
    column->cast_name = g_strdup(PQgetvalue(result, row, 1));
    column->kind = kind_of(type, PQgetvalue(result, row, 3)[0], is_true(result, row, 4));
    set_limits(column, type, atoi(PQgetvalue(result, row, 5)));
    column->is_not_null = is_true(result, row, 6);
    column->type_oid = oid_at(result, row, 7);
    column->is_comparable = is_true(result, row, 9);
    return column->kind != RP_TYPE_ENUM || read_labels(connection, PQgetvalue(result, row, 8), column, error);
}

/* An array has the modifier of its elements, and can be compared when they can. What its elements are is kept
 * only when they convert on the fast path. An array of a domain over arrays has elements of kind OTHER. */
static gboolean set_element(PGconn *connection, PGresult *result, int row, RpColumn *column, GError **error) {
    const int element_field = 10;
    if (PQgetisnull(result, row, element_field))
        return TRUE;
    const char *const parameters[] = {PQgetvalue(result, row, element_field), PQgetvalue(result, row, 5)};
    g_autoptr(PGresult) described = rp_postgres_query(connection, ELEMENT_SQL, 2, parameters, error);
    g_autoptr(RpColumn) element = rp_column_new();
    if (described == NULL || !set_type(connection, described, 0, element, error))
        return FALSE;
    column->is_comparable = element->is_comparable;
    if (element->kind == RP_TYPE_OTHER)
        return TRUE;
    column->kind = RP_TYPE_ARRAY;
    element->name = g_strdup(column->name);
    column->element = g_steal_pointer(&element);
    return TRUE;
}

static gboolean read_columns(PGconn *connection, const char *oid, RpTable *table, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, COLUMNS_SQL, 1, &oid, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++) {
        RpColumn *column = rp_column_new();
        g_ptr_array_add(table->columns, column);
        column->name = g_strdup(PQgetvalue(result, row, N_TYPE_FIELDS));
        column->has_default = is_true(result, row, N_TYPE_FIELDS + 1);
        column->is_generated = is_true(result, row, N_TYPE_FIELDS + 2);
        column->is_folding = is_true(result, row, N_TYPE_FIELDS + 3);
        if (!set_type(connection, result, row, column, error) ||
            !set_element(connection, result, row, column, error))
            return FALSE;
    }
    return TRUE;
}

static void strv_add(char ***list, const char *text) {
    const guint length = *list != NULL ? g_strv_length(*list) : 0;
    *list = g_renew(char *, *list, length + 2);
    (*list)[length] = g_strdup(text);
    (*list)[length + 1] = NULL;
}

static RpConstraint *constraint_from(PGresult *result, int row) {
    RpConstraint *constraint = rp_constraint_new();
    constraint->name = g_strdup(PQgetvalue(result, row, 0));
    switch (PQgetvalue(result, row, 1)[0]) {
    case 'c':
        constraint->kind = RP_CONSTRAINT_CHECK;
        constraint->expression = g_strdup(PQgetvalue(result, row, 2));
        break;
    case 'f':
        constraint->kind = RP_CONSTRAINT_FOREIGN;
        constraint->referenced_oid = (guint32)strtoul(PQgetvalue(result, row, 3), NULL, 10);
        constraint->referenced_table = g_strdup(PQgetvalue(result, row, 4));
        break;
    default:
        constraint->kind = RP_CONSTRAINT_UNIQUE;
    }
    constraint->columns = g_new0(char *, 1);
    constraint->referenced_columns = g_new0(char *, 1);
    return constraint;
}

static gboolean read_constraints(PGconn *connection, const char *oid, RpTable *table, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, CONSTRAINTS_SQL, 1, &oid, error);
    if (result == NULL)
        return FALSE;
    RpConstraint *constraint = NULL;
    for (int row = 0; row < PQntuples(result); row++) {
        /* A check may have the name of an index. */
        if (row == 0 || strcmp(PQgetvalue(result, row - 1, 0), PQgetvalue(result, row, 0)) != 0 ||
            strcmp(PQgetvalue(result, row - 1, 1), PQgetvalue(result, row, 1)) != 0) {
            constraint = constraint_from(result, row);
            g_ptr_array_add(table->constraints, constraint);
        }
        if (!PQgetisnull(result, row, 5))
            strv_add(&constraint->columns, PQgetvalue(result, row, 5));
        if (!PQgetisnull(result, row, 6))
            strv_add(&constraint->referenced_columns, PQgetvalue(result, row, 6));
    }
    return TRUE;
}

/* "users" or "shop.users" with each part quoted, as to_regclass reads it. */
static char *quote_name(PGconn *connection, const char *name) {
    const char *dot = strchr(name, '.');
    if (dot == NULL)
        return rp_postgres_identifier(connection, name);
    g_autofree char *schema = g_strndup(name, (gsize)(dot - name));
    return rp_postgres_qualified(connection, schema, dot + 1);
}

gboolean rp_catalog_read_table(PGconn *connection, const char *name, RpTable **table, GError **error) {
    *table = NULL;
    g_autofree char *quoted = quote_name(connection, name);
    const char *const parameters[] = {quoted};
    g_autoptr(PGresult) result = rp_postgres_query(connection, FIND_TABLE_SQL, 1, parameters, error);
    if (result == NULL)
        return FALSE;
    if (PQntuples(result) == 0)
        return TRUE;
    const char *oid = PQgetvalue(result, 0, 0);
    g_autoptr(RpTable) found = rp_table_new();
    found->oid = (guint32)strtoul(oid, NULL, 10);
    found->schema = g_strdup(PQgetvalue(result, 0, 1));
    found->name = g_strdup(PQgetvalue(result, 0, 2));
    found->has_deferrable_unique = is_true(result, 0, 3);
    found->is_plain = is_true(result, 0, 4);
    found->shown = g_strconcat(found->schema, ".", found->name, NULL);
    found->quoted = rp_postgres_qualified(connection, found->schema, found->name);
    if (!read_columns(connection, oid, found, error) || !read_constraints(connection, oid, found, error)) {
        g_prefix_error(error, "reading the catalogue of %s: ", found->shown);
        return FALSE;
    }
    *table = g_steal_pointer(&found);
    return TRUE;
}
