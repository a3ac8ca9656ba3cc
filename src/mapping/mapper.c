/* From record to tuples. A row is encoded straight into the batch's buffer; one that turns out bad is cut
 * off again. On this path nothing is allocated but buffers that grow. */
#include "mapping/mapper.h"

#include "mapping/field.h"

#include <string.h>

struct RpMapper {
    const RpMapping *mapping;
    guint portion_rows;
    gsize portion_bytes;
    RpFieldMaker maker;
    /* Where a batch that is mapped in portions goes on. */
    guint32 record;
    gboolean is_among_elements;
    /* What was identified last: elements of one record come in their order. */
    struct {
        const RpBatch *batch; /* NULL: nothing to go on from */
        guint64 number;
        guint32 record;
        guint32 element;
        RpTuples row; /* its key columns */
    } identified;
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
    rp_field_maker_init(&mapper->maker, mapping, occasion);
    rp_tuples_init(&mapper->identified.row);
    return mapper;
}

void rp_mapper_free(RpMapper *mapper) {
    if (mapper == NULL)
        return;
    rp_field_maker_clear(&mapper->maker);
    rp_tuples_clear(&mapper->identified.row);
    g_free(mapper);
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
        RpSpan shown;
        RpProblem problem;
        if (rp_field_append(&mapper->maker, column, tuples, &shown, &problem))
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
    if (!mapper->is_among_elements && !rp_reading_begin_elements(mapper->maker.cells.reading, &problem)) {
        reject_whole(row, &problem);
        return TRUE;
    }
    mapper->is_among_elements = TRUE;
    while (!is_portion_full(mapper, row)) {
        if (!rp_reading_next_element(mapper->maker.cells.reading)) {
            mapper->is_among_elements = FALSE;
            return TRUE;
        }
        row->element = rp_reading_get_element(mapper->maker.cells.reading);
        map_row(mapper, row);
    }
    return FALSE;
}

static gboolean map_record(RpMapper *mapper, Row *row) {
    if (!mapper->is_among_elements)
        rp_reading_begin(mapper->maker.cells.reading, &row->batch->records, row->record);
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
    batch->part.first = mapper->record;
    batch->part.begins_within_key =
        batch->portion == 0 ? batch->begins_within_key : mapper->is_among_elements;
    while (mapper->record < batch->records.index->len && take_record(mapper, batch))
        mapper->record++;
    batch->is_whole = mapper->record == batch->records.index->len;
    batch->part.end = batch->is_whole ? mapper->record : mapper->record + 1;
    batch->part.ends_within_key = batch->is_whole ? batch->ends_within_key : TRUE;
    rp_batch_seal_map(batch);
}

/* ---- identities ---- */

/* Of a record without values only what its key tells can be asked for. */
static gboolean is_of_key(const RpReference *reference) {
    return reference->kind == RP_REFERENCE_KEY || reference->kind == RP_REFERENCE_CAPTURE ||
           reference->kind == RP_REFERENCE_DB;
}

static gboolean is_told_by_key(const RpMapColumn *column) {
    for (guint i = 0; i < column->n_parts; i++)
        if (column->parts[i].literal == NULL && !is_of_key(&column->parts[i].reference))
            return FALSE;
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        if (rule->has_reference && !is_of_key(&rule->reference))
            return FALSE;
    }
    return TRUE;
}

static gboolean can_be_made(const RpMapColumn *column, const RpRecord *head) {
    return column->source != RP_FROM_LOOKUP && column->conversion.column->kind != RP_TYPE_OTHER &&
           (head->outcome == RP_READ_OK || is_told_by_key(column));
}

/* Whether the reading stands before the element, in the same record. */
static gboolean stands_before(const RpMapper *mapper, const RpBatch *batch, guint32 record, guint32 element) {
    return mapper->identified.batch == batch && mapper->identified.number == batch->number &&
           mapper->identified.record == record && mapper->identified.element < element;
}

/* Whatever was identified before, the reading stands elsewhere now. */
static void begin_identified(RpMapper *mapper, const RpBatch *batch, guint32 record) {
    mapper->identified.batch = NULL;
    rp_reading_begin(mapper->maker.cells.reading, &batch->records, record);
}

/* Stands on the element that a reject was about. A record of which no element can be told has none. */
static gboolean find_element(RpMapper *mapper, const RpBatch *batch, guint32 record, guint32 element) {
    RpReading *reading = mapper->maker.cells.reading;
    RpProblem problem = {0};
    if (!stands_before(mapper, batch, record, element)) {
        begin_identified(mapper, batch, record);
        if (!rp_reading_begin_elements(reading, &problem))
            return FALSE;
    }
    mapper->identified.batch = NULL;
    while (rp_reading_next_element(reading)) {
        if (rp_reading_get_element(reading) != element)
            continue;
        mapper->identified.batch = batch;
        mapper->identified.number = batch->number;
        mapper->identified.record = record;
        mapper->identified.element = element;
        return TRUE;
    }
    return FALSE;
}

static gboolean make_identity(RpMapper *mapper, const RpEntity *entity, const RpRecord *head) {
    mapper->identified.row.bytes.size = 0;
    for (char **name = entity->key; *name != NULL; name++) {
        const RpMapColumn *column = rp_entity_find_column(entity, *name);
        RpSpan shown;
        RpProblem problem;
        if (!can_be_made(column, head) ||
            !rp_field_append(&mapper->maker, column, &mapper->identified.row, &shown, &problem))
            return FALSE;
    }
    return TRUE;
}

static void part_identity(const RpMapper *mapper, const RpEntity *entity, RpSpan *values) {
    const char *at = mapper->identified.row.bytes.data;
    for (guint i = 0; entity->key[i] != NULL; i++) {
        guint32 size;
        memcpy(&size, at, sizeof size);
        size = GUINT32_FROM_BE(size);
        at += sizeof size;
        values[i] = size == G_MAXUINT32 ? (RpSpan){0} : (RpSpan){at, size};
        at += size == G_MAXUINT32 ? 0 : size;
    }
}

gboolean rp_mapper_identify(RpMapper *mapper, const RpBatch *batch, guint32 record, guint32 element,
                            RpSpan *values) {
    const RpRecord *head = rp_records_get(&batch->records, record);
    const RpEntity *entity = g_ptr_array_index(mapper->mapping->entities, head->entity);
    const gboolean has_many = entity->scope.has_each || rp_record_type_has_elements(entity->scope.type);
    if (head->outcome != RP_READ_OK && has_many)
        return FALSE; /* it stands for rows that nobody can count */
    if (!entity->scope.has_each)
        begin_identified(mapper, batch, record);
    else if (!find_element(mapper, batch, record, element))
        return FALSE;
    if (!make_identity(mapper, entity, head))
        return FALSE;
    part_identity(mapper, entity, values);
    return TRUE;
}

gboolean rp_mapper_identify_key(RpMapper *mapper, const RpBatch *batch, guint32 record, RpSpan *values) {
    const RpRecord *head = rp_records_get(&batch->records, record);
    const RpEntity *entity = g_ptr_array_index(mapper->mapping->entities, head->entity);
    RpTuples *row = &mapper->identified.row;
    begin_identified(mapper, batch, record);
    row->bytes.size = 0;
    for (char **name = entity->key; *name != NULL; name++) {
        const RpMapColumn *column = rp_entity_find_column(entity, *name);
        const RpReference *held;
        RpProblem problem;
        if (!rp_identity_is_of_key(column, &held))
            rp_tuples_add_null(row);
        else if (!rp_field_append_of_key(&mapper->maker, column, held, row, &problem))
            return FALSE;
    }
    part_identity(mapper, entity, values);
    return TRUE;
}
