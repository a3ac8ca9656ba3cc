/* Having PostgreSQL judge what a mapping leaves to it. */
#include "sink/bind_sql.h"

#define WHAT_TO_GRANT "GRANT what redis2pg check names as missing"

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

/* Has PostgreSQL plan a statement. FALSE when it could not be asked; *refusal is set when it refused. */
static gboolean try_statement(PGconn *connection, const char *sql, GError **refusal, GError **error) {
    g_autoptr(GError) refused = NULL;
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, &refused);
    if (result != NULL)
        return TRUE;
    const gboolean is_answer = g_error_matches(refused, RP_SINK_ERROR, RP_SINK_ERROR_FATAL) ||
                               g_error_matches(refused, RP_SINK_ERROR, RP_SINK_ERROR_DATA);
    g_propagate_error(is_answer ? refusal : error, g_steal_pointer(&refused));
    return is_answer;
}

static gboolean is_refused_as(const GError *refusal, const char *sqlstate) {
    return g_strcmp0(rp_sink_error_get_sqlstate(refusal), sqlstate) == 0;
}

/* The ways in which an expression is tried; each must pass by itself. First it stands as in the merge; then
 * as one argument of two, where parentheses that it closes and opens make no sense. */
static const struct {
    const char *before, *after;
} FRAMES[] = {{"(", "\n) IS TRUE"}, {"pg_catalog.num_nulls(", "\n, true) = 0"}};

static gboolean try_expression(PGconn *connection, const RpEntity *entity, const RpCheck *check,
                               const char *what, RpFindings *findings, GError **error) {
    g_autofree char *columns = mapped_columns(connection, entity);
    g_autoptr(GError) refused = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(FRAMES) && refused == NULL; i++) {
        g_autofree char *sql =
            g_strdup_printf("SELECT FROM (SELECT %s FROM %s) s WHERE false AND %s%s%s", columns,
                            entity->table->quoted, FRAMES[i].before, check->sql, FRAMES[i].after);
        if (!try_statement(connection, sql, &refused, error))
            return FALSE;
    }
    if (refused == NULL)
        return TRUE;
    const gboolean is_forbidden = is_refused_as(refused, RP_NO_PRIVILEGE);
    rp_findings_add(findings, RP_SEVERITY_ERROR, is_forbidden ? "missing_privilege" : "bad_sql", check->place,
                    is_forbidden ? WHAT_TO_GRANT : NULL, "PostgreSQL refuses %s of entity \"%s\": %s", what,
                    entity->name, refused->message);
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

/* ---- values that PostgreSQL makes ---- */

/* SQLSTATE cannot_coerce */
#define CANNOT_COERCE "42846"

#define KIND(kind) (1u << (kind))

enum {
    INTEGERS = KIND(RP_TYPE_INT2) | KIND(RP_TYPE_INT4) | KIND(RP_TYPE_INT8),
    FRACTIONS = KIND(RP_TYPE_NUMERIC) | KIND(RP_TYPE_FLOAT4) | KIND(RP_TYPE_FLOAT8),
    MOMENTS = KIND(RP_TYPE_TIMESTAMP) | KIND(RP_TYPE_TIMESTAMPTZ),
};

/* Casts of PostgreSQL that round or leave something out, and say nothing. Others that do not fit fail. */
static const struct {
    guint from, to; /* kinds */
} CUTTING_CASTS[] = {
    {FRACTIONS | KIND(RP_TYPE_JSON) | KIND(RP_TYPE_JSONB), INTEGERS},
    {INTEGERS, KIND(RP_TYPE_BOOL)},
    {MOMENTS, KIND(RP_TYPE_DATE) | KIND(RP_TYPE_TIME)},
    {KIND(RP_TYPE_OTHER), KIND(RP_TYPE_TIME)}, /* an interval has days, a timetz its zone */
};

static gboolean cuts_digits(const RpColumn *from, const RpColumn *to) {
    if (to->kind != RP_TYPE_NUMERIC || to->precision < 0 || !(FRACTIONS & KIND(from->kind)))
        return FALSE;
    return from->kind != RP_TYPE_NUMERIC || from->precision < 0 || from->scale > to->scale;
}

/* FALSE, with a finding, when values that are taken could be cut to fit the column. */
static gboolean check_take(const RpMapColumn *column, const RpColumn *target, RpFindings *findings) {
    const RpLookup *lookup = column->lookup;
    const RpColumn *taken = rp_table_find_column(lookup->table, lookup->take);
    const gboolean are_arrays = taken->kind == RP_TYPE_ARRAY && target->kind == RP_TYPE_ARRAY;
    const RpColumn *from = are_arrays ? taken->element : taken;
    const RpColumn *to = are_arrays ? target->element : target;
    gboolean cuts = cuts_digits(from, to);
    for (guint i = 0; i < G_N_ELEMENTS(CUTTING_CASTS); i++)
        cuts = cuts || ((CUTTING_CASTS[i].from & KIND(from->kind)) && (CUTTING_CASTS[i].to & KIND(to->kind)));
    if (cuts)
        rp_findings_add(
            findings, RP_SEVERITY_ERROR, "type_does_not_fit", lookup->place,
            "take a column of the same type, or change the type of one of them",
            "column \"%s\" is %s: PostgreSQL would cut values of column \"%s\" of %s, which is %s, "
            "to fit it",
            column->name, target->type_name, lookup->take, lookup->table->shown, taken->type_name);
    return !cuts;
}

static gboolean try_take(PGconn *connection, const RpMapColumn *column, const RpColumn *target,
                         RpFindings *findings, GError **error) {
    const RpLookup *lookup = column->lookup;
    g_autofree char *take = rp_postgres_identifier(connection, lookup->take);
    g_autoptr(GString) sql = g_string_new("SELECT ");
    for (guint i = 0; i < lookup->matches->len; i++) {
        const RpLookupMatch *match = g_ptr_array_index(lookup->matches, i);
        g_autofree char *quoted = rp_postgres_identifier(connection, match->name);
        g_string_append_printf(sql, "l.%s, ", quoted);
    }
    g_string_append_printf(sql, "(l.%s)::%s FROM %s l WHERE false", take, target->cast_name,
                           lookup->table->quoted);
    g_autoptr(GError) refused = NULL;
    if (!try_statement(connection, sql->str, &refused, error))
        return FALSE;
    if (refused == NULL)
        return TRUE;
    const char *code = is_refused_as(refused, CANNOT_COERCE)     ? "type_does_not_fit"
                       : is_refused_as(refused, RP_NO_PRIVILEGE) ? "missing_privilege"
                                                                 : "bad_sql";
    rp_findings_add(findings, RP_SEVERITY_ERROR, code, lookup->place,
                    is_refused_as(refused, RP_NO_PRIVILEGE) ? WHAT_TO_GRANT : NULL,
                    "column \"%s\" is %s, and cannot be taken from column \"%s\" of %s: %s", column->name,
                    target->type_name, lookup->take, lookup->table->shown, refused->message);
    return TRUE;
}

/* A default that PostgreSQL is to cast; the mapping's own converters have judged the others. */
static gboolean try_default(PGconn *connection, const RpMapColumn *column, const RpColumn *target,
                            RpFindings *findings, GError **error) {
    g_autofree char *literal = rp_postgres_literal(connection, column->fallback);
    g_autofree char *sql = g_strdup_printf("SELECT %s::%s", literal, target->cast_name);
    g_autoptr(GError) refused = NULL;
    if (!try_statement(connection, sql, &refused, error))
        return FALSE;
    if (refused != NULL)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "default_does_not_fit", column->place, NULL,
                        "default \"%s\" of column \"%s\": %s", column->fallback, column->name,
                        refused->message);
    return TRUE;
}

/* What is not there is a finding of its own. */
static gboolean has_known_columns(const RpLookup *lookup) {
    if (lookup->table == NULL || rp_table_find_column(lookup->table, lookup->take) == NULL)
        return FALSE;
    for (guint i = 0; i < lookup->matches->len; i++)
        if (((const RpLookupMatch *)g_ptr_array_index(lookup->matches, i))->conversion.column == NULL)
            return FALSE;
    return TRUE;
}

/* The casts of text to these types cut what is too long, and say nothing. */
static void check_type(const RpMapColumn *column, const RpColumn *target, RpFindings *findings) {
    static const char *const cutting[] = {"name", "\"char\"", "name[]", "\"char\"[]", NULL};
    if (target->kind == RP_TYPE_OTHER && g_strv_contains(cutting, target->cast_name))
        rp_findings_add(findings, RP_SEVERITY_ERROR, "unsupported_type", column->place,
                        "leave the column to its default, or make it text",
                        "column \"%s\" is %s: PostgreSQL would cut a text that is too long for it",
                        column->name, target->type_name);
}

static gboolean try_values(PGconn *connection, const RpEntity *entity, RpFindings *findings, GError **error) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        const RpColumn *target = rp_table_find_column(entity->table, column->name);
        const gboolean is_lookup = column->source == RP_FROM_LOOKUP;
        if (target == NULL) /* is a finding of its own */
            continue;
        check_type(column, target, findings);
        if (is_lookup && has_known_columns(column->lookup) && check_take(column, target, findings) &&
            !try_take(connection, column, target, findings, error))
            return FALSE;
        if (column->fallback != NULL && (is_lookup || target->kind == RP_TYPE_OTHER) &&
            !try_default(connection, column, target, findings, error))
            return FALSE;
    }
    return TRUE;
}

gboolean rp_bind_try_sql(PGconn *connection, const RpEntity *entity, RpFindings *findings, GError **error) {
    return try_expressions(connection, entity, findings, error) &&
           try_values(connection, entity, findings, error);
}
