/* Binding: an entity meets its table. */
#include "mapping/mapping.h"

static void bind_bounds(RpMapColumn *column, RpFindings *findings) {
    for (guint i = 0; i < column->rules->len; i++) {
        RpRule *rule = g_ptr_array_index(column->rules, i);
        const RpTypeKind kind = column->conversion.column->kind;
        rule->kind = kind;
        if (!rule->needs_bound)
            continue;
        g_auto(RpBuffer) scratch = {0};
        RpProblem problem;
        /* A bound may be finer or larger than what the column holds: only its type counts. */
        RpColumn wide = *column->conversion.column;
        wide.precision = -1;
        RpConversion conversion = column->conversion;
        conversion.column = &wide;
        if (!rp_converted_is_ordered(kind))
            rp_findings_add(findings, RP_SEVERITY_ERROR, "rule_does_not_fit", column->place, NULL,
                            "\"%s\" has no meaning for column \"%s\" of type %s", rule->word, column->name,
                            wide.type_name);
        else if (!rp_converter_for(kind)(&conversion, rp_span(rule->text), &scratch, &rule->bound, &problem))
            rp_findings_add(findings, RP_SEVERITY_ERROR, "rule_does_not_fit", column->place, NULL,
                            "%s of column \"%s\": \"%s\" %s", rule->word, column->name, rule->text,
                            problem.message);
    }
}

static void check_default(const RpMapColumn *column, RpFindings *findings) {
    if (column->fallback == NULL)
        return;
    g_auto(RpBuffer) scratch = {0};
    RpConverted converted;
    RpProblem problem;
    if (!column->convert(&column->conversion, rp_span(column->fallback), &scratch, &converted, &problem))
        rp_findings_add(findings, RP_SEVERITY_ERROR, "default_does_not_fit", column->place, NULL,
                        "default \"%s\" of column \"%s\" %s", column->fallback, column->name,
                        problem.message);
}

static void check_refinements(const RpMapColumn *column, RpFindings *findings) {
    const RpColumn *target = column->conversion.column;
    const gboolean is_time = target->kind == RP_TYPE_TIMESTAMP || target->kind == RP_TYPE_TIMESTAMPTZ;
    const gboolean is_json = target->kind == RP_TYPE_JSON || target->kind == RP_TYPE_JSONB;
    const char *word = column->has_timestamp && !is_time ? "timestamp"
                       : column->has_json && !is_json    ? "json"
                                                         : NULL;
    if (word != NULL)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "type_does_not_fit", column->place, NULL,
                        "column \"%s\" is %s: \"%s\" does not fit it", column->name, target->type_name, word);
    if (column->source == RP_FROM_UUID5 && target->kind != RP_TYPE_UUID && target->kind != RP_TYPE_TEXT &&
        target->kind != RP_TYPE_OTHER)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "type_does_not_fit", column->place, NULL,
                        "column \"%s\" is %s: it cannot hold a UUID", column->name, target->type_name);
}

static void bind_column(RpMapColumn *column, const RpTable *table, RpFindings *findings) {
    const RpColumn *target = rp_table_find_column(table, column->name);
    if (target == NULL) {
        rp_findings_add(findings, RP_SEVERITY_ERROR, "unknown_column", column->place, NULL,
                        "table %s has no column \"%s\"", table->shown, column->name);
        return;
    }
    if (target->is_generated)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "generated_column", column->place, "leave it out",
                        "column \"%s\" of %s is generated always and cannot be written", column->name,
                        table->shown);
    column->conversion.column = target;
    column->convert = rp_converter_for(target->kind);
    if (target->kind == RP_TYPE_OTHER)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "unsupported_type", column->place,
                        "leave the column to its default, or give it a type that is supported",
                        "column \"%s\" of %s is %s, to which nothing converts yet", column->name,
                        table->shown, target->type_name);
    check_refinements(column, findings);
    check_default(column, findings);
    bind_bounds(column, findings);
}

static void check_unmapped_columns(const RpEntity *entity, RpFindings *findings) {
    for (guint i = 0; i < entity->table->columns->len; i++) {
        const RpColumn *target = g_ptr_array_index(entity->table->columns, i);
        if (target->is_not_null && !target->has_default &&
            rp_entity_find_column(entity, target->name) == NULL)
            rp_findings_add(
                findings, RP_SEVERITY_ERROR, "not_null_unmapped", entity->place,
                "map it, or give it a default",
                "column \"%s\" of %s is NOT NULL without a default, and entity \"%s\" does not map it",
                target->name, entity->table->shown, entity->name);
    }
}

static gboolean can_be_null(const RpMapColumn *column) {
    const gboolean is_of_key = column->source == RP_FROM_REFERENCE &&
                               column->reference.kind != RP_REFERENCE_FIELD && !column->nulls_empty;
    return !is_of_key && !column->is_required && column->fallback == NULL;
}

static void check_key(const RpEntity *entity, RpFindings *findings) {
    if (rp_table_find_unique(entity->table, (const char *const *)entity->key) == NULL) {
        g_autofree char *key = g_strjoinv(", ", entity->key);
        rp_findings_add(
            findings, RP_SEVERITY_ERROR, "key_not_unique", entity->place, NULL,
            "table %s has no unique constraint on the key (%s) of entity \"%s\": rows are told apart by it",
            entity->table->shown, key, entity->name);
    }
    for (char **name = entity->key; *name != NULL; name++) {
        const RpColumn *target = rp_table_find_column(entity->table, *name);
        const RpMapColumn *column = rp_entity_find_column(entity, *name);
        if (target != NULL && column != NULL && !target->is_not_null && can_be_null(column))
            rp_findings_add(findings, RP_SEVERITY_ERROR, "key_nullable", column->place, "add required: true",
                            "key column \"%s\" of entity \"%s\" could be null", *name, entity->name);
    }
}

static gboolean is_unchanged_capture(const RpMapColumn *column, const RpReference *reference, guint capture) {
    return reference->kind == RP_REFERENCE_CAPTURE && reference->index == capture && !column->lowers &&
           !column->uppers && !column->trims && column->map == NULL;
}

/* Whether different text is a different value of the column's type: not so for numbers (1 and 01), UUIDs
 * (case), char(n) (blanks at the end), and types that we know nothing of (citext). */
static gboolean tells_text_apart(const RpMapColumn *column) {
    const RpColumn *target = column->conversion.column;
    return target != NULL &&
           ((target->kind == RP_TYPE_TEXT && !target->is_padded) || target->kind == RP_TYPE_ENUM ||
            (target->kind == RP_TYPE_UUID && column->source == RP_FROM_UUID5));
}

/* Whether the column holds the capture as it is, or is held to it by `equals`. */
static gboolean column_tells_capture(const RpMapColumn *column, guint capture) {
    if (!tells_text_apart(column))
        return FALSE;
    if (column->source == RP_FROM_REFERENCE && is_unchanged_capture(column, &column->reference, capture))
        return TRUE;
    if (column->source == RP_FROM_UUID5 && column->n_parts == 2)
        return is_unchanged_capture(column, &column->parts[1].reference, capture);
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        if (rule->has_reference && is_unchanged_capture(column, &rule->reference, capture))
            return TRUE;
    }
    return FALSE;
}

/* Different keys differ in a capture; when the identity tells every capture, they differ in identity. */
static gboolean tells_every_capture(const RpEntity *entity) {
    for (guint capture = 0; capture < rp_pattern_n_captures(entity->keys); capture++) {
        gboolean is_told = FALSE;
        for (char **name = entity->key; *name != NULL; name++) {
            const RpMapColumn *column = rp_entity_find_column(entity, *name);
            is_told = is_told || (column != NULL && column_tells_capture(column, capture));
        }
        if (!is_told)
            return FALSE;
    }
    return TRUE;
}

void rp_entity_bind(RpEntity *entity, const RpTable *table, RpFindings *findings) {
    entity->table = table;
    for (guint i = 0; i < entity->columns->len; i++)
        bind_column(g_ptr_array_index(entity->columns, i), table, findings);
    check_unmapped_columns(entity, findings);
    check_key(entity, findings);
    entity->has_key_identity = tells_every_capture(entity);
}
