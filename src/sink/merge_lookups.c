/* The SQL of look-ups: which row of another table a raw row goes by, and what it means when there is none. */
#include "sink/merge_raw.h"

/* "FROM table l WHERE l.a = r.f1_0 AND …". Adds a field for each match. */
static char *add_matches(RpRawSql *raw, const RpRawTarget *target) {
    const RpLookup *lookup = target->column->lookup;
    GString *sql = g_string_new(NULL);
    g_string_printf(sql, "FROM %s l WHERE ", lookup->table->quoted);
    for (guint i = 0; i < lookup->matches->len; i++) {
        const RpLookupMatch *match = g_ptr_array_index(lookup->matches, i);
        g_autofree char *quoted = rp_postgres_identifier(raw->generator->connection, match->name);
        g_autofree char *value = rp_raw_add_field(raw, target, i, match->conversion.column);
        g_string_append_printf(sql, "%sl.%s = %s", i > 0 ? " AND " : "", quoted, value);
    }
    return g_string_free(sql, FALSE);
}

static guint add_miss_verdict(RpRawSql *raw, const RpRawTarget *target) {
    const RpLookup *lookup = target->column->lookup;
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < lookup->matches->len; i++)
        rp_raw_join(names, " and ", ((const RpLookupMatch *)g_ptr_array_index(lookup->matches, i))->name);
    return rp_merge_add_verdict(raw->generator, RP_REJECT_MISSING_REFERENCE, target->column,
                                g_strdup_printf("%s: no row of %s has this %s", target->column->name,
                                                lookup->table->shown, names->str));
}

/* Nothing was found though there was something to look for. A row that is there and holds null has been
 * found; one that came after the look-up has not. */
static void add_miss_case(RpRawSql *raw, const RpRawTarget *target, const char *from) {
    const RpLookup *lookup = target->column->lookup;
    const guint verdict = add_miss_verdict(raw, target);
    g_string_append_printf(raw->null_cases, " WHEN s.%s IS NULL", target->quoted);
    g_string_append_printf(raw->null_values, " WHEN %u THEN concat_ws(', '", verdict);
    for (guint i = 0; i < lookup->matches->len; i++) {
        g_autofree char *field = rp_raw_field_name(target, i);
        g_string_append_printf(raw->null_cases, " AND r.%s IS NOT NULL", field);
        g_string_append_printf(raw->null_values, ", j.%s", field);
    }
    g_string_append_c(raw->null_values, ')');
    if (!rp_table_find_column(lookup->table, lookup->take)->is_not_null) {
        g_autofree char *take = rp_postgres_identifier(raw->generator->connection, lookup->take);
        g_string_append_printf(raw->null_cases, " AND (SELECT true %s AND l.%s IS NULL LIMIT 1) IS NULL",
                               from, take);
    }
    g_string_append_printf(raw->null_cases, " THEN %u", verdict);
}

void rp_raw_add_looked_up(RpRawSql *raw, const RpRawTarget *target) {
    const RpLookup *lookup = target->column->lookup;
    g_autofree char *from = add_matches(raw, target);
    g_autofree char *take = rp_postgres_identifier(raw->generator->connection, lookup->take);
    g_autofree char *value = g_strdup_printf("(SELECT l.%s %s LIMIT 1)::%s", take, from,
                                             target->column->conversion.column->cast_name);
    rp_raw_append_value(raw, target, value);
    if (target->column->fallback != NULL)
        return;
    g_autofree char *is_null = g_strdup_printf("s.%s IS NULL", target->quoted);
    rp_raw_join(raw->nullable, " OR ", is_null);
    if (target->column->on_invalid == RP_INVALID_REJECTS)
        add_miss_case(raw, target, from);
    rp_raw_add_null_cases(raw, target);
}
