/* From record to tuples. A row is encoded straight into the batch's buffer; one that turns out bad is cut
 * off again. On this path nothing is allocated but buffers that grow. */
#include "mapping/mapper.h"

#include "mapping/cell.h"

struct RpMapper {
    const RpMapping *mapping;
    guint portion_rows;
    gsize portion_bytes;
    RpCellMaker maker;
    RpConverted converted;
    /* Where a batch that is mapped in portions goes on. */
    guint32 record;
    gboolean is_among_elements;
};

/* The row under way. */
typedef struct {
    RpBatch *batch;
    const RpEntity *entity;
    guint32 number; /* of the entity */
    guint32 record;
    guint32 element;
} Row;

RpMapper *rp_mapper_new(const RpMapping *mapping, const RpOccasion *occasion, guint portion_rows,
                        gsize portion_bytes) {
    RpMapper *mapper = g_new0(RpMapper, 1);
    mapper->mapping = mapping;
    mapper->portion_rows = portion_rows;
    mapper->portion_bytes = portion_bytes;
    rp_cell_maker_init(&mapper->maker, mapping, occasion);
    return mapper;
}

void rp_mapper_free(RpMapper *mapper) {
    if (mapper == NULL)
        return;
    rp_cell_maker_clear(&mapper->maker);
    g_free(mapper);
}

/* ---- columns ---- */

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

static gboolean check_rules(RpMapper *mapper, const RpMapColumn *column, RpSpan text, RpProblem *problem) {
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        RpSpan other = {0};
        if (rule->has_reference && !rp_reading_get(mapper->maker.reading, &rule->reference, &other, problem))
            return FALSE;
        if (!rule->check(rule, text, &mapper->converted, other, problem))
            return FALSE;
    }
    return TRUE;
}

/* A UUID that was computed goes into a uuid column as it is, and into others as text. */
static gboolean append_uuid(RpMapper *mapper, const RpMapColumn *column, RpSpan bytes, RpTuples *tuples,
                            RpProblem *problem) {
    char text[37];
    const gboolean is_plain = column->conversion.column->kind == RP_TYPE_UUID;
    if (!is_plain || column->rules->len > 0)
        rp_uuid_format((const RpUuid *)bytes.data, text);
    if (is_plain) {
        rp_buffer_append_u32(&tuples->bytes, (guint32)bytes.size);
        rp_buffer_append(&tuples->bytes, bytes.data, bytes.size);
    } else if (!column->convert(&column->conversion, rp_span(text), &tuples->bytes, &mapper->converted,
                                problem)) {
        return FALSE;
    }
    return column->rules->len == 0 || check_rules(mapper, column, rp_span(text), problem);
}

/* Rules are about what was digested, not about the digest. A bytea column holds its bytes, others hex. */
static gboolean append_digest(RpMapper *mapper, const RpMapColumn *column, RpSpan text, RpTuples *tuples,
                              RpProblem *problem) {
    if (!check_rules(mapper, column, text, problem))
        return FALSE;
    if (column->conversion.column->kind != RP_TYPE_BYTEA)
        return column->convert(&column->conversion, rp_cell_digest_text(&mapper->maker, text), &tuples->bytes,
                               &mapper->converted, problem);
    const RpSpan digest = rp_cell_digest_bytes(&mapper->maker, text);
    rp_buffer_append_u32(&tuples->bytes, (guint32)digest.size);
    rp_buffer_append(&tuples->bytes, digest.data, digest.size);
    return TRUE;
}

static gboolean append_value(RpMapper *mapper, const RpMapColumn *column, const RpCell *cell,
                             RpTuples *tuples, RpProblem *problem) {
    if (cell->is_uuid)
        return append_uuid(mapper, column, cell->text, tuples, problem);
    if (column->is_hashed)
        return append_digest(mapper, column, cell->text, tuples, problem);
    return column->convert(&column->conversion, cell->text, &tuples->bytes, &mapper->converted, problem) &&
           check_rules(mapper, column, cell->text, problem);
}

/* What the mapping puts in the place of a value that was refused. */
static gboolean replace_invalid(RpMapper *mapper, const RpMapColumn *column, RpTuples *tuples,
                                RpProblem *problem) {
    switch (column->on_invalid) {
    case RP_INVALID_REJECTS:
        return FALSE;
    case RP_INVALID_IS_NULL:
        return append_null(column, tuples, problem);
    case RP_INVALID_IS_DEFAULT:
        return append_value(mapper, column, &(RpCell){rp_span(column->fallback), FALSE}, tuples, problem);
    }
    g_assert_not_reached();
}

/* *shown gets the text to show when it is refused. */
static gboolean append_cell(RpMapper *mapper, const RpMapColumn *column, RpTuples *tuples, RpSpan *shown,
                            RpProblem *problem) {
    RpCell cell;
    const gsize size_before = tuples->bytes.size;
    const gboolean is_made = rp_cell_make(&mapper->maker, column, &cell, problem);
    *shown = cell.is_uuid ? (RpSpan){0} : cell.text;
    if (is_made && cell.text.data == NULL)
        return append_null(column, tuples, problem);
    if (is_made && append_value(mapper, column, &cell, tuples, problem))
        return TRUE;
    tuples->bytes.size = size_before;
    return replace_invalid(mapper, column, tuples, problem);
}

static gboolean convert_matches(RpMapper *mapper, const RpLookup *lookup, RpTuples *tuples, RpSpan *shown,
                                RpProblem *problem) {
    for (guint i = 0; i < lookup->matches->len; i++) {
        const RpLookupMatch *match = g_ptr_array_index(lookup->matches, i);
        *shown = (RpSpan){0};
        if (!rp_reading_get(mapper->maker.reading, &match->reference, shown, problem))
            return FALSE;
        if (shown->data == NULL)
            rp_tuples_add_null(tuples);
        else if (!match->convert(&match->conversion, *shown, &tuples->bytes, &mapper->converted, problem))
            return FALSE;
    }
    return TRUE;
}

/* A looked-up column goes as what PostgreSQL has to look for. By nulls nothing is found, and null or the
 * default comes of it. */
static gboolean append_matches(RpMapper *mapper, const RpMapColumn *column, RpTuples *tuples, RpSpan *shown,
                               RpProblem *problem) {
    const gsize size_before = tuples->bytes.size;
    if (convert_matches(mapper, column->lookup, tuples, shown, problem))
        return TRUE;
    if (column->on_invalid == RP_INVALID_REJECTS)
        return FALSE;
    tuples->bytes.size = size_before;
    for (guint i = 0; i < column->lookup->matches->len; i++)
        rp_tuples_add_null(tuples);
    return TRUE;
}

/* ---- rows ---- */

/* Takes no column when the whole record is refused. */
static void reject(const Row *row, const RpMapColumn *column, RpSpan shown, const RpProblem *problem) {
    const gboolean is_masked = column != NULL && rp_column_is_masked(column);
    const RpReject reject = {
        .entity = row->number,
        .record = row->record,
        .element = row->element,
        .stage = RP_STAGE_MAP,
        .code = problem->code,
        .column = column != NULL ? g_strdup(column->name) : NULL,
        .constraint = g_strdup(problem->constraint),
        .message = column != NULL ? g_strdup_printf("%s %s", column->name, problem->message)
                                  : g_strdup(problem->message),
        .value = shown.data == NULL ? NULL
                 : is_masked        ? g_strdup(RP_MASK)
                                    : rp_span_show(shown, RP_REJECT_VALUE_BYTES),
    };
    rp_batch_take_reject(row->batch, &reject);
}

static void map_row(RpMapper *mapper, const Row *row) {
    RpTuples *tuples = &row->batch->tuples[row->number];
    row->batch->counts[row->number].read++;
    rp_tuples_begin_row(tuples, row->record, row->element, row->entity->n_tuple_fields);
    for (guint i = 0; i < row->entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(row->entity->columns, i);
        RpSpan shown = {0};
        RpProblem problem;
        problem.constraint = NULL;
        if (column->source == RP_FROM_LOOKUP ? append_matches(mapper, column, tuples, &shown, &problem)
                                             : append_cell(mapper, column, tuples, &shown, &problem))
            continue;
        rp_tuples_cut_row(tuples);
        reject(row, column, shown, &problem);
        return;
    }
    rp_tuples_end_row(tuples);
}

static void reject_whole(const Row *row, const RpProblem *problem) {
    row->batch->counts[row->number].read++;
    reject(row, NULL, (RpSpan){0}, problem);
}

/* ---- records ---- */

static gboolean is_portion_full(const RpMapper *mapper, const Row *row) {
    const RpTuples *tuples = &row->batch->tuples[row->number];
    return row->entity->scope.has_each &&
           (tuples->rows->len + row->batch->rejects->len >= mapper->portion_rows ||
            tuples->bytes.size >= mapper->portion_bytes);
}

/* FALSE when the portion is full before the last element. */
static gboolean map_elements(RpMapper *mapper, Row *row) {
    RpProblem problem = {0};
    if (!mapper->is_among_elements && !rp_reading_begin_elements(mapper->maker.reading, &problem)) {
        reject_whole(row, &problem);
        return TRUE;
    }
    mapper->is_among_elements = TRUE;
    while (!is_portion_full(mapper, row)) {
        if (!rp_reading_next_element(mapper->maker.reading)) {
            mapper->is_among_elements = FALSE;
            return TRUE;
        }
        row->element = rp_reading_get_element(mapper->maker.reading);
        map_row(mapper, row);
    }
    return FALSE;
}

static gboolean map_record(RpMapper *mapper, Row *row) {
    if (!mapper->is_among_elements)
        rp_reading_begin(mapper->maker.reading, &row->batch->records, row->record);
    if (row->entity->scope.has_each)
        return map_elements(mapper, row);
    map_row(mapper, row);
    return TRUE;
}

static void refuse_type(const Row *row, RpRecordType type) {
    RpProblem problem = {0};
    rp_problem_set(&problem, RP_REJECT_WRONG_TYPE, "the key holds a %s, not a %s", rp_record_type_name(type),
                   rp_record_type_name(row->entity->scope.type));
    reject_whole(row, &problem);
}

static void refuse_size(const Row *row) {
    RpProblem problem = {0};
    rp_problem_set(&problem, RP_REJECT_TOO_LARGE, "%s holds more bytes than --max-value-bytes allows",
                   rp_record_type_has_elements(row->entity->scope.type) ? "an element" : "the key");
    reject_whole(row, &problem);
}

/* FALSE when there is more of the record than the portion takes. */
static gboolean take_record(RpMapper *mapper, RpBatch *batch) {
    const RpRecord *head = rp_records_get(&batch->records, mapper->record);
    Row row = {batch, g_ptr_array_index(mapper->mapping->entities, head->entity), head->entity,
               mapper->record, 0};
    switch ((RpReadOutcome)head->outcome) {
    case RP_READ_OK:
        return map_record(mapper, &row);
    case RP_READ_VANISHED:
        batch->counts[head->entity].read++;
        batch->counts[head->entity].vanished++;
        return TRUE;
    case RP_READ_WRONG_TYPE:
        refuse_type(&row, (RpRecordType)head->type);
        return TRUE;
    case RP_READ_TOO_LARGE:
        refuse_size(&row);
        return TRUE;
    }
    g_assert_not_reached();
}

void rp_mapper_map(RpMapper *mapper, RpBatch *batch) {
    if (batch->portion == 0) {
        mapper->record = 0;
        mapper->is_among_elements = FALSE; /* the batch before may have been given up in the middle */
    }
    while (mapper->record < batch->records.index->len && take_record(mapper, batch))
        mapper->record++;
    batch->is_whole = mapper->record == batch->records.index->len;
    rp_batch_seal_map(batch);
}
