/* From a mapping's key pattern to an expression that gives a row's key back. */
#include "sink/key_sql.h"

/* Whether PostgreSQL writes a value of the column as the text that it was made of, in the form that is usual.
 */
static gboolean is_written_back(const RpMapColumn *column) {
    const RpColumn *target = column->conversion.column;
    if (target == NULL || column->is_hashed || column->on_invalid != RP_INVALID_REJECTS ||
        column->conversion.divisor > 1 || column->conversion.rounding != RP_ROUND_NONE)
        return FALSE;
    switch (target->kind) {
    case RP_TYPE_TEXT:
        return !target->is_padded;
    case RP_TYPE_ENUM:
    case RP_TYPE_UUID:
    case RP_TYPE_INT2:
    case RP_TYPE_INT4:
    case RP_TYPE_INT8:
        return column->source != RP_FROM_UUID5;
    default:
        return FALSE;
    }
}

static gboolean is_cleaned(const RpMapColumn *column) {
    return column->trims || column->lowers || column->uppers || column->replaced != NULL ||
           column->map != NULL;
}

static gboolean is_held_to(const RpMapColumn *column, const RpReference *wanted) {
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        if (rule->has_reference && rp_reference_equal(&rule->reference, wanted))
            return TRUE;
    }
    return FALSE;
}

static gboolean holds(const RpMapColumn *column, const RpReference *wanted) {
    if (!is_written_back(column))
        return FALSE;
    return is_held_to(column, wanted) ||
           (column->source == RP_FROM_REFERENCE && !is_cleaned(column) && column->parts[0].literal == NULL &&
            rp_reference_equal(&column->parts[0].reference, wanted));
}

/* The column that holds it, as SQL; NULL: none does. */
static char *find_column(PGconn *connection, const RpEntity *entity, const char *alias, RpReferenceKind kind,
                         guint index) {
    const RpReference wanted = {.kind = kind, .index = index};
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (!holds(column, &wanted))
            continue;
        g_autofree char *quoted = rp_postgres_identifier(connection, column->name);
        return g_strdup_printf("%s.%s::text", alias, quoted);
    }
    return NULL;
}

char *rp_key_sql_new(PGconn *connection, const RpEntity *entity, const char *alias) {
    char *whole = find_column(connection, entity, alias, RP_REFERENCE_KEY, 0);
    if (whole != NULL)
        return whole;
    g_autoptr(GString) sql = g_string_new("(");
    guint capture = 0;
    for (guint i = 0; i < rp_pattern_n_parts(entity->keys); i++) {
        const char *literal = rp_pattern_get_literal(entity->keys, i);
        g_autofree char *part = literal != NULL
                                    ? rp_postgres_literal(connection, literal)
                                    : find_column(connection, entity, alias, RP_REFERENCE_CAPTURE, capture++);
        if (part == NULL)
            return NULL;
        g_string_append_printf(sql, "%s%s", i > 0 ? " || " : "", part);
    }
    g_string_append_c(sql, ')');
    return g_string_free(g_steal_pointer(&sql), FALSE);
}
