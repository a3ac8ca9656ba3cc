/* From a column's words to the bytes of its field. */
#include "mapping/field.h"

void rp_field_maker_init(RpFieldMaker *maker, const RpMapping *mapping, const RpOccasion *occasion) {
    rp_cell_maker_init(&maker->cells, mapping, occasion);
}

void rp_field_maker_clear(RpFieldMaker *maker) {
    rp_cell_maker_clear(&maker->cells);
}

static gboolean refuse_null(const RpMapColumn *column, RpProblem *problem) {
    if (column->is_required)
        return rp_problem_set(problem, RP_REJECT_MISSING_FIELD, "is absent and required");
    return rp_problem_set(problem, RP_REJECT_NOT_NULL, "is absent, and the column is NOT NULL");
}

static gboolean append_null(const RpMapColumn *column, RpTuples *tuples, RpProblem *problem) {
    if (column->is_required || column->conversion.column->is_not_null)
        return refuse_null(column, problem);
    rp_tuples_add_null(tuples);
    return TRUE;
}

static gboolean check_rules(RpFieldMaker *maker, const RpMapColumn *column, RpSpan text, RpProblem *problem) {
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        RpSpan other = {0};
        if (rule->has_reference && !rp_reading_get(maker->cells.reading, &rule->reference, &other, problem))
            return FALSE;
        if (!rule->check(rule, text, &maker->converted, other, problem))
            return FALSE;
    }
    return TRUE;
}

static gboolean convert_value(RpFieldMaker *maker, const RpMapColumn *column, RpSpan text, RpTuples *tuples,
                              RpProblem *problem) {
    return column->convert(&column->conversion, text, &tuples->bytes, &maker->converted, problem);
}

/* A UUID that was computed goes into a uuid column as it is, and into others as text. */
static gboolean store_uuid(RpFieldMaker *maker, const RpMapColumn *column, RpSpan bytes, RpTuples *tuples,
                           RpProblem *problem) {
    if (column->conversion.column->kind == RP_TYPE_UUID) {
        rp_buffer_append_u32(&tuples->bytes, (guint32)bytes.size);
        rp_buffer_append(&tuples->bytes, bytes.data, bytes.size);
        return TRUE;
    }
    char text[37];
    rp_uuid_format((const RpUuid *)bytes.data, text);
    return convert_value(maker, column, rp_span(text), tuples, problem);
}

static gboolean append_uuid(RpFieldMaker *maker, const RpMapColumn *column, RpSpan bytes, RpTuples *tuples,
                            RpProblem *problem) {
    char text[37];
    if (!store_uuid(maker, column, bytes, tuples, problem))
        return FALSE;
    if (column->rules->len == 0)
        return TRUE;
    rp_uuid_format((const RpUuid *)bytes.data, text);
    return check_rules(maker, column, rp_span(text), problem);
}

/* A bytea column holds the digest's bytes, others hex. */
static gboolean store_digest(RpFieldMaker *maker, const RpMapColumn *column, RpSpan text, RpTuples *tuples,
                             RpProblem *problem) {
    if (column->conversion.column->kind != RP_TYPE_BYTEA)
        return convert_value(maker, column, rp_cell_digest_text(&maker->cells, text), tuples, problem);
    const RpSpan digest = rp_cell_digest_bytes(&maker->cells, text);
    rp_buffer_append_u32(&tuples->bytes, (guint32)digest.size);
    rp_buffer_append(&tuples->bytes, digest.data, digest.size);
    return TRUE;
}

static gboolean append_value(RpFieldMaker *maker, const RpMapColumn *column, const RpCell *cell,
                             RpTuples *tuples, RpProblem *problem) {
    if (cell->is_uuid)
        return append_uuid(maker, column, cell->text, tuples, problem);
    if (column->is_hashed) /* rules are about what was digested */
        return check_rules(maker, column, cell->text, problem) &&
               store_digest(maker, column, cell->text, tuples, problem);
    return convert_value(maker, column, cell->text, tuples, problem) &&
           check_rules(maker, column, cell->text, problem);
}

/* What the mapping puts in the place of a value that was refused. */
static gboolean replace_invalid(RpFieldMaker *maker, const RpMapColumn *column, RpTuples *tuples,
                                RpProblem *problem) {
    switch (column->on_invalid) {
    case RP_INVALID_REJECTS:
        return FALSE;
    case RP_INVALID_IS_NULL:
        return append_null(column, tuples, problem);
    case RP_INVALID_IS_DEFAULT:
        return append_value(maker, column, &(RpCell){rp_span(column->fallback), FALSE}, tuples, problem);
    }
    g_assert_not_reached();
}

/* *shown gets the text to show when it is refused. */
static gboolean append_cell(RpFieldMaker *maker, const RpMapColumn *column, RpTuples *tuples, RpSpan *shown,
                            RpProblem *problem) {
    RpCell cell;
    const gsize size_before = tuples->bytes.size;
    const gboolean is_made = rp_cell_make(&maker->cells, column, &cell, problem);
    *shown = cell.is_uuid ? (RpSpan){0} : cell.text;
    if (is_made && cell.text.data == NULL)
        return append_null(column, tuples, problem);
    if (is_made && append_value(maker, column, &cell, tuples, problem))
        return TRUE;
    tuples->bytes.size = size_before;
    return replace_invalid(maker, column, tuples, problem);
}

static gboolean convert_matches(RpFieldMaker *maker, const RpLookup *lookup, RpTuples *tuples, RpSpan *shown,
                                RpProblem *problem) {
    for (guint i = 0; i < lookup->matches->len; i++) {
        const RpLookupMatch *match = g_ptr_array_index(lookup->matches, i);
        *shown = (RpSpan){0};
        if (!rp_reading_get(maker->cells.reading, &match->reference, shown, problem))
            return FALSE;
        if (shown->data == NULL)
            rp_tuples_add_null(tuples);
        else if (!match->convert(&match->conversion, *shown, &tuples->bytes, &maker->converted, problem))
            return FALSE;
    }
    return TRUE;
}

/* A looked-up column goes as what PostgreSQL has to look for. By nulls nothing is found, and null or the
 * default comes of it. */
static gboolean append_matches(RpFieldMaker *maker, const RpMapColumn *column, RpTuples *tuples,
                               RpSpan *shown, RpProblem *problem) {
    const gsize size_before = tuples->bytes.size;
    if (convert_matches(maker, column->lookup, tuples, shown, problem))
        return TRUE;
    if (column->on_invalid == RP_INVALID_REJECTS)
        return FALSE;
    tuples->bytes.size = size_before;
    for (guint i = 0; i < column->lookup->matches->len; i++)
        rp_tuples_add_null(tuples);
    return TRUE;
}

gboolean rp_field_append(RpFieldMaker *maker, const RpMapColumn *column, RpTuples *tuples, RpSpan *shown,
                         RpProblem *problem) {
    *shown = (RpSpan){0};
    problem->constraint = NULL;
    return column->source == RP_FROM_LOOKUP ? append_matches(maker, column, tuples, shown, problem)
                                            : append_cell(maker, column, tuples, shown, problem);
}

gboolean rp_field_append_of_key(RpFieldMaker *maker, const RpMapColumn *column, const RpReference *held,
                                RpTuples *tuples, RpProblem *problem) {
    RpCell cell = {0};
    problem->constraint = NULL;
    if (held != NULL ? !rp_reading_get(maker->cells.reading, held, &cell.text, problem)
                     : !rp_cell_make(&maker->cells, column, &cell, problem))
        return FALSE;
    if (cell.text.data == NULL)
        return append_null(column, tuples, problem);
    if (cell.is_uuid)
        return store_uuid(maker, column, cell.text, tuples, problem);
    return column->is_hashed ? store_digest(maker, column, cell.text, tuples, problem)
                             : convert_value(maker, column, cell.text, tuples, problem);
}
