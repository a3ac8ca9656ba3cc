/* The SQL of the raw table: the cast of its text, and the statements that make staged rows of it. */
#include "sink/merge_raw.h"

static RpRawSql raw_sql_new(RpMergeSql *generator) {
    return (RpRawSql){.generator = generator,
                      .definitions = g_string_new(NULL),
                      .names = g_string_new(NULL),
                      .functions = g_string_new(NULL),
                      .values = g_string_new(NULL),
                      .cast_cases = g_string_new(NULL),
                      .cast_values = g_string_new(NULL),
                      .null_cases = g_string_new(NULL),
                      .null_values = g_string_new(NULL),
                      .nullable = g_string_new(NULL)};
}

static void raw_sql_clear(RpRawSql *raw) {
    GString *const texts[] = {raw->definitions, raw->names,       raw->functions,
                              raw->values,      raw->cast_cases,  raw->cast_values,
                              raw->null_cases,  raw->null_values, raw->nullable};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_string_free(texts[i], TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpRawSql, raw_sql_clear)

static gboolean is_looked_up(const RpMapColumn *column) {
    return column->source == RP_FROM_LOOKUP;
}

static gboolean is_cast(const RpMapColumn *column) {
    return !is_looked_up(column) && column->conversion.column->kind == RP_TYPE_OTHER;
}

gboolean rp_merge_needs_raw(const RpEntity *entity) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (is_looked_up(column) || is_cast(column))
            return TRUE;
    }
    return FALSE;
}

void rp_raw_join(GString *sql, const char *separator, const char *text) {
    g_string_append_printf(sql, "%s%s", sql->len > 0 ? separator : "", text);
}

/* ---- fields of the raw table ---- */

char *rp_raw_field_name(const RpRawTarget *target, guint position) {
    return g_strdup_printf("f%u_%u", target->number, position);
}

static char *function_name(const RpRawSql *raw, const RpRawTarget *target, guint position) {
    return g_strdup_printf("pg_temp.r2p_casts_%u_%u_%u", raw->generator->plan->number, target->number,
                           position);
}

/* Conditions that no text is to blame for, by their class: connection, transaction, resources, state,
 * operator, system. Any other one is how some type refuses a text: regrole says undefined_object. */
#define NOT_OF_THE_TEXT "'08', '40', '53', '55', '57', '58'"

/* A block with EXCEPTION is a subtransaction, but one that writes nothing: rows keep the xmin of the batch.
 */
static void add_function(RpRawSql *raw, const RpRawTarget *target, guint position, const RpColumn *type) {
    g_autofree char *name = function_name(raw, target, position);
    g_autofree char *body = g_strdup_printf(
        "DECLARE made %s; BEGIN made := value::%s; RETURN true; EXCEPTION WHEN OTHERS THEN"
        " IF left(SQLSTATE, 2) IN (" NOT_OF_THE_TEXT ") THEN RAISE; END IF; RETURN false; END",
        type->type_name, type->cast_name);
    g_autofree char *literal = rp_postgres_literal(raw->generator->connection, body);
    g_string_append_printf(
        raw->functions, "; CREATE OR REPLACE FUNCTION %s(value text) RETURNS boolean LANGUAGE plpgsql AS %s",
        name, literal);
}

static void add_cast_case(RpRawSql *raw, const RpRawTarget *target, guint position, const RpColumn *type) {
    g_autofree char *field = rp_raw_field_name(target, position);
    g_autofree char *function = function_name(raw, target, position);
    const guint verdict = rp_merge_add_verdict(
        raw->generator, RP_REJECT_INVALID_VALUE, target->column,
        g_strdup_printf("%s is not what PostgreSQL reads as %s", target->column->name, type->type_name));
    g_string_append_printf(raw->cast_cases, " WHEN NOT %s(r.%s) THEN %u", function, field, verdict);
    g_string_append_printf(raw->cast_values, " WHEN %u THEN j.%s", verdict, field);
}

/* Adds a field to the raw table. The result gives its value in the type that is asked for: the field itself,
 * or its text cast, which is null where that fails and the column wants no reject. */
char *rp_raw_add_field(RpRawSql *raw, const RpRawTarget *target, guint position, const RpColumn *type) {
    g_autofree char *field = rp_raw_field_name(target, position);
    g_autofree char *definition =
        g_strdup_printf("%s %s", field, type->kind == RP_TYPE_OTHER ? "text" : type->type_name);
    rp_raw_join(raw->definitions, ", ", definition);
    rp_raw_join(raw->names, ", ", field);
    if (type->kind != RP_TYPE_OTHER)
        return g_strdup_printf("r.%s", field);
    add_function(raw, target, position, type);
    if (target->column->on_invalid == RP_INVALID_REJECTS) {
        add_cast_case(raw, target, position, type);
        return g_strdup_printf("r.%s::%s", field, type->cast_name);
    }
    g_autofree char *function = function_name(raw, target, position);
    return g_strdup_printf("CASE WHEN %s(r.%s) THEN r.%s::%s END", function, field, field, type->cast_name);
}

/* ---- columns ---- */

/* A column that is cast or looked up can come out null although the mapper let its row pass. */
void rp_raw_add_null_cases(RpRawSql *raw, const RpRawTarget *target) {
    const RpMapColumn *column = target->column;
    if (!column->is_required && !column->conversion.column->is_not_null)
        return;
    const guint verdict = rp_merge_add_verdict(
        raw->generator, column->is_required ? RP_REJECT_MISSING_FIELD : RP_REJECT_NOT_NULL, column,
        g_strdup_printf(column->is_required ? "%s is absent and required"
                                            : "%s is absent, and the column is NOT NULL",
                        column->name));
    g_string_append_printf(raw->null_cases, " WHEN s.%s IS NULL THEN %u", target->quoted, verdict);
}

/* The modifier of the column's type is left to the assignment: a cast would cut a value to fit. The
 * default stands for what is absent, and for what is refused only where on_invalid says so. */
void rp_raw_append_value(RpRawSql *raw, const RpRawTarget *target, const char *value) {
    const RpMapColumn *column = target->column;
    rp_raw_join(raw->values, ", ", "");
    if (column->fallback == NULL) {
        g_string_append(raw->values, value);
        return;
    }
    g_autofree char *literal = rp_postgres_literal(raw->generator->connection, column->fallback);
    g_autofree char *fallback = g_strdup_printf("%s::%s", literal, column->conversion.column->cast_name);
    g_autofree char *field = rp_raw_field_name(target, 0);
    if (is_cast(column) && column->on_invalid == RP_INVALID_IS_NULL)
        g_string_append_printf(raw->values, "CASE WHEN r.%s IS NULL THEN %s ELSE %s END", field, fallback,
                               value);
    else
        g_string_append_printf(raw->values, "coalesce(%s, %s)", value, fallback);
}

static void add_cast(RpRawSql *raw, const RpRawTarget *target) {
    g_autofree char *value = rp_raw_add_field(raw, target, 0, target->column->conversion.column);
    rp_raw_append_value(raw, target, value);
    if (target->column->fallback != NULL || target->column->on_invalid == RP_INVALID_REJECTS)
        return;
    g_autofree char *is_null = g_strdup_printf("s.%s IS NULL", target->quoted);
    rp_raw_join(raw->nullable, " OR ", is_null);
    rp_raw_add_null_cases(raw, target);
}

static void add_column(RpRawSql *raw, const RpRawTarget *target) {
    if (is_looked_up(target->column)) {
        rp_raw_add_looked_up(raw, target);
    } else if (is_cast(target->column)) {
        add_cast(raw, target);
    } else {
        g_autofree char *field = rp_raw_add_field(raw, target, 0, target->column->conversion.column);
        rp_raw_join(raw->values, ", ", field);
    }
}

/* ---- statements ---- */

/* A statement that gives ordinal, verdict and value of the rows of from that some WHEN of cases fits; NULL
 * when there is none. */
static char *select_raw_verdicts(const GString *cases, const GString *values, const char *from) {
    if (cases->len == 0)
        return NULL;
    return g_strdup_printf("SELECT j." RP_SQL_ORDINAL ", j.r2p_verdict, CASE j.r2p_verdict%s"
                           " WHEN NULL THEN NULL::text END FROM (SELECT r.*, CASE%s END AS r2p_verdict %s) j"
                           " WHERE j.r2p_verdict IS NOT NULL ORDER BY j." RP_SQL_ORDINAL,
                           values->str, cases->str, from);
}

static void make_statements(RpRawSql *raw, const char *staged_names) {
    RpMergePlan *plan = raw->generator->plan;
    plan->create_raw_sql =
        g_strdup_printf("CREATE TEMPORARY TABLE %s (%s, " RP_SQL_ORDINAL " integer) ON COMMIT DELETE ROWS%s",
                        plan->raw, raw->definitions->str, raw->functions->str);
    g_free(plan->copy_sql);
    plan->copy_sql = g_strdup_printf("COPY %s (%s, " RP_SQL_ORDINAL ") FROM STDIN (FORMAT binary)", plan->raw,
                                     raw->names->str);
    plan->cast_sql =
        g_strdup_printf("INSERT INTO %s (%s, " RP_SQL_ORDINAL ") SELECT %s, r." RP_SQL_ORDINAL " FROM %s r",
                        plan->stage, staged_names, raw->values->str, plan->raw);
    g_autofree char *from_raw = g_strdup_printf("FROM %s r", plan->raw);
    plan->judge_casts_sql = select_raw_verdicts(raw->cast_cases, raw->cast_values, from_raw);
    g_autofree char *from_both =
        g_strdup_printf("FROM %s s JOIN %s r ON r." RP_SQL_ORDINAL " = s." RP_SQL_ORDINAL " WHERE %s",
                        plan->stage, plan->raw, raw->nullable->str);
    plan->judge_nulls_sql = select_raw_verdicts(raw->null_cases, raw->null_values, from_both);
}

void rp_merge_make_raw_stage(RpMergeSql *generator) {
    const RpEntity *entity = generator->entity;
    if (!rp_merge_needs_raw(entity))
        return;
    g_auto(RpRawSql) raw = raw_sql_new(generator);
    g_autoptr(GString) staged_names = g_string_new(NULL);
    generator->plan->raw = g_strdup_printf("pg_temp.r2p_raw_%u", generator->plan->number);
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        g_autofree char *quoted = rp_postgres_identifier(generator->connection, column->name);
        add_column(&raw, &(const RpRawTarget){column, i, quoted});
        rp_raw_join(staged_names, ", ", quoted);
    }
    make_statements(&raw, staged_names->str);
}
