/* Binding: an entity meets its table. */
#include "mapping/mapping.h"

/* A text of the mapping's own must convert, and pass the rules that look at nothing else. */
static void check_own_text(const RpMapColumn *column, const char *word, const char *text,
                           RpFindings *findings) {
    g_auto(RpBuffer) scratch = {0};
    RpConverted converted;
    RpProblem problem;
    gboolean is_fine = column->is_hashed ||
                       column->convert(&column->conversion, rp_span(text), &scratch, &converted, &problem);
    for (guint i = 0; is_fine && i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        is_fine = rule->has_reference || (rule->needs_bound && !rule->has_bound) ||
                  rule->check(rule, rp_span(text), &converted, (RpSpan){0}, &problem);
    }
    if (!is_fine)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "default_does_not_fit", column->place, NULL,
                        "%s \"%s\" of column \"%s\" %s", word, text, column->name, problem.message);
}

static void check_own_texts(const RpMapColumn *column, RpFindings *findings) {
    const gboolean is_cleaned = column->trims || column->lowers || column->uppers || column->map != NULL ||
                                column->replaced != NULL || column->nulls_empty;
    if (column->convert == NULL || column->source == RP_FROM_LOOKUP)
        return;
    if (column->fallback != NULL)
        check_own_text(column, "default", column->fallback, findings);
    if (column->source == RP_FROM_CONST && column->n_parts == 1 && !is_cleaned &&
        column->on_invalid == RP_INVALID_REJECTS)
        check_own_text(column, "const", column->parts[0].literal, findings);
}

#define KIND(kind) (1u << (kind))

enum {
    TIMES = KIND(RP_TYPE_TIMESTAMP) | KIND(RP_TYPE_TIMESTAMPTZ) | KIND(RP_TYPE_DATE),
    NUMBERS = KIND(RP_TYPE_INT2) | KIND(RP_TYPE_INT4) | KIND(RP_TYPE_INT8) | KIND(RP_TYPE_NUMERIC),
};

/* What each refinement is for. */
static const struct {
    RpRefinement refinement;
    const char *word;
    guint kinds;
} REFINEMENTS[] = {
    {RP_REFINES_TIMESTAMP, "timestamp", TIMES | KIND(RP_TYPE_TIME)},
    {RP_REFINES_ZONE, "zone", TIMES | KIND(RP_TYPE_TIME)},
    {RP_REFINES_BOOLEAN, "boolean", KIND(RP_TYPE_BOOL)},
    {RP_REFINES_DIVIDE, "divide", NUMBERS},
    {RP_REFINES_ROUND, "round", NUMBERS},
    {RP_REFINES_JSON, "json", KIND(RP_TYPE_JSON) | KIND(RP_TYPE_JSONB)},
    {RP_REFINES_ENCODING, "encoding", KIND(RP_TYPE_BYTEA)},
    {RP_REFINES_HASH, "hash", KIND(RP_TYPE_TEXT) | KIND(RP_TYPE_BYTEA)},
};

static void refuse_fit(const RpMapColumn *column, const char *word, RpFindings *findings) {
    rp_findings_add(findings, RP_SEVERITY_ERROR, "type_does_not_fit", column->place, NULL,
                    "column \"%s\" is %s: \"%s\" does not fit it", column->name,
                    column->conversion.column->type_name, word);
}

/* Refinements of an array are those of its elements. */
static void check_refinements(const RpMapColumn *column, RpFindings *findings) {
    const RpColumn *target = column->conversion.column;
    const gboolean is_array = target->kind == RP_TYPE_ARRAY;
    const RpTypeKind kind = is_array ? target->element->kind : target->kind;
    for (guint i = 0; i < G_N_ELEMENTS(REFINEMENTS); i++)
        if ((column->refinements & REFINEMENTS[i].refinement) && !(REFINEMENTS[i].kinds & KIND(kind)))
            refuse_fit(column, REFINEMENTS[i].word, findings);
    if ((column->refinements & RP_REFINES_SPLIT) && !is_array)
        refuse_fit(column, "split", findings);
    if ((column->refinements & RP_REFINES_HASH) && is_array)
        refuse_fit(column, "hash", findings);
    if (column->conversion.rounding != RP_ROUND_NONE && kind == RP_TYPE_NUMERIC &&
        (is_array ? target->element : target)->precision < 0)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "type_does_not_fit", column->place, NULL,
                        "column \"%s\" is %s: it has no scale that \"round\" could round to", column->name,
                        target->type_name);
    if (column->source == RP_FROM_UUID5 && kind != RP_TYPE_UUID && kind != RP_TYPE_TEXT &&
        kind != RP_TYPE_OTHER)
        refuse_fit(column, "uuid5", findings);
}

/* A minimum above a maximum lets nothing through. */
static void check_order(const RpMapColumn *column, RpFindings *findings) {
    const RpRule *least = NULL, *most = NULL, *shortest = NULL, *longest = NULL;
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        if (strcmp(rule->word, "min") == 0)
            least = rule;
        else if (strcmp(rule->word, "max") == 0)
            most = rule;
        else if (strcmp(rule->word, "min_length") == 0)
            shortest = rule;
        else if (strcmp(rule->word, "max_length") == 0)
            longest = rule;
    }
    if (shortest != NULL && longest != NULL && shortest->limit > longest->limit)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "rule_does_not_fit", column->place, NULL,
                        "column \"%s\": no text has at least %s characters and at most %s", column->name,
                        shortest->text, longest->text);
    const RpTypeKind kind = column->conversion.column->kind;
    if (least != NULL && most != NULL && rp_converted_is_ordered(kind) &&
        rp_converted_compare(kind, &least->bound, &most->bound) > 0)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "rule_does_not_fit", column->place, NULL,
                        "column \"%s\": no value is at least %s and at most %s", column->name, least->text,
                        most->text);
}

static void bind_bounds(RpMapColumn *column, RpFindings *findings) {
    gboolean is_fine = TRUE;
    for (guint i = 0; i < column->rules->len; i++) {
        RpRule *rule = g_ptr_array_index(column->rules, i);
        const RpTypeKind kind = column->conversion.column->kind;
        rule->kind = kind;
        if (!rule->needs_bound)
            continue;
        if (column->is_hashed) {
            refuse_fit(column, rule->word, findings);
            is_fine = FALSE;
            continue;
        }
        g_auto(RpBuffer) scratch = {0};
        RpProblem problem;
        /* A bound may be finer or larger than what the column holds: only its type counts. */
        RpColumn wide = *column->conversion.column;
        wide.precision = -1;
        RpConversion conversion = column->conversion;
        conversion.column = &wide;
        conversion.divisor = 0; /* bounds are of what is stored */
        conversion.rounding = RP_ROUND_NONE;
        if (!rp_converted_is_ordered(kind))
            rp_findings_add(findings, RP_SEVERITY_ERROR, "rule_does_not_fit", column->place, NULL,
                            "\"%s\" has no meaning for column \"%s\" of type %s", rule->word, column->name,
                            wide.type_name);
        else if (!rp_converter_for(kind)(&conversion, rp_span(rule->text), &scratch, &rule->bound, &problem))
            rp_findings_add(findings, RP_SEVERITY_ERROR, "rule_does_not_fit", column->place, NULL,
                            "%s of column \"%s\": \"%s\" %s", rule->word, column->name, rule->text,
                            problem.message);
        else
            rule->has_bound = TRUE;
        is_fine = is_fine && rule->has_bound;
    }
    if (is_fine)
        check_order(column, findings);
}

/* $now and $expires_at are ISO 8601 text: no other form of time reads them. */
static void check_made_times(const RpMapColumn *column, RpFindings *findings) {
    const gboolean is_time =
        column->source == RP_FROM_REFERENCE && (column->parts[0].reference.kind == RP_REFERENCE_NOW ||
                                                column->parts[0].reference.kind == RP_REFERENCE_EXPIRES_AT);
    if (is_time && (column->refinements & RP_REFINES_TIMESTAMP) &&
        column->conversion.time_format != RP_TIME_ISO8601)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "type_does_not_fit", column->place,
                        "leave \"timestamp\" out",
                        "column \"%s\": $now and $expires_at are written in ISO 8601", column->name);
}

/* A pattern must name what the column holds. */
static void check_pattern(const RpMapColumn *column, RpFindings *findings) {
    const RpTimePattern *pattern = column->conversion.time_pattern;
    const RpColumn *target = column->conversion.column;
    const gboolean is_time =
        (target->kind == RP_TYPE_ARRAY ? target->element->kind : target->kind) == RP_TYPE_TIME;
    if (pattern != NULL && !(is_time ? rp_time_pattern_has_time(pattern) : rp_time_pattern_has_date(pattern)))
        rp_findings_add(findings, RP_SEVERITY_ERROR, "type_does_not_fit", column->place, NULL,
                        "column \"%s\" is %s: the time format names no %s", column->name, target->type_name,
                        is_time ? "time of day" : "date");
}

static void check_nulls(const RpMapColumn *column, RpFindings *findings) {
    if (column->on_invalid == RP_INVALID_IS_NULL && column->conversion.column->is_not_null)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "words_conflict", column->place, NULL,
                        "column \"%s\" is NOT NULL: \"on_invalid: null\" does not fit it", column->name);
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
    if (column->lookup != NULL)
        rp_lookup_bind(column, findings);
    check_refinements(column, findings);
    check_made_times(column, findings);
    check_pattern(column, findings);
    check_nulls(column, findings);
    bind_bounds(column, findings);
    check_own_texts(column, findings);
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

/* Whether a reference always gives something. */
static gboolean is_always_there(const RpReference *reference) {
    switch (reference->kind) {
    case RP_REFERENCE_KEY:
    case RP_REFERENCE_CAPTURE:
    case RP_REFERENCE_VALUE:
    case RP_REFERENCE_SCORE:
    case RP_REFERENCE_ID:
    case RP_REFERENCE_INDEX:
    case RP_REFERENCE_DB:
    case RP_REFERENCE_NOW:
        return TRUE;
    case RP_REFERENCE_FIELD:
    case RP_REFERENCE_JSON:
    case RP_REFERENCE_TTL_MS:
    case RP_REFERENCE_EXPIRES_AT:
        return FALSE;
    }
    g_assert_not_reached();
}

static gboolean can_be_null(const RpMapColumn *column) {
    if (column->is_required || column->fallback != NULL)
        return FALSE;
    if (column->source == RP_FROM_LOOKUP || column->source == RP_FROM_COALESCE || column->nulls_empty ||
        column->on_invalid == RP_INVALID_IS_NULL)
        return TRUE;
    for (guint i = 0; i < column->n_parts; i++)
        if (column->parts[i].literal == NULL && !is_always_there(&column->parts[i].reference))
            return TRUE;
    return FALSE;
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

void rp_entity_bind(RpEntity *entity, const RpTable *table, RpFindings *findings) {
    entity->table = table;
    for (guint i = 0; i < entity->columns->len; i++)
        bind_column(g_ptr_array_index(entity->columns, i), table, findings);
    check_unmapped_columns(entity, findings);
    check_key(entity, findings);
    entity->n_tuple_fields = 0;
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        entity->n_tuple_fields += column->lookup != NULL ? column->lookup->matches->len : 1;
    }
    rp_lookups_bind_privacy(entity);
    rp_identity_bind(entity, findings);
}

/* A column that two entities write in rows of the same identity has the value of whichever came last. */
static void check_shared_columns(const RpEntity *later, const RpEntity *earlier, RpFindings *findings) {
    for (guint i = 0; i < later->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(later->columns, i);
        if (!g_strv_contains((const char *const *)later->key, column->name) &&
            rp_entity_find_column(earlier, column->name) != NULL)
            rp_findings_add(
                findings, RP_SEVERITY_NOTE, "column_written_twice", column->place, NULL,
                "entities \"%s\" and \"%s\" both write column \"%s\" of %s: where they give the same "
                "row, the later one's value stays",
                earlier->name, later->name, column->name, later->table->shown);
    }
}

#define MAX_NOTES 1000 /* about shared columns: each pair of entities may have some */

void rp_mapping_check_tables(const RpMapping *mapping, RpFindings *findings) {
    const guint n_before = findings->items->len;
    for (guint i = 0; i < mapping->entities->len; i++)
        for (guint j = 0; j < i && findings->items->len - n_before < MAX_NOTES; j++) {
            const RpEntity *later = g_ptr_array_index(mapping->entities, i);
            const RpEntity *earlier = g_ptr_array_index(mapping->entities, j);
            if (later->table != NULL && earlier->table != NULL && later->table->oid == earlier->table->oid)
                check_shared_columns(later, earlier, findings);
        }
}
