/* From record to tuple. A row is encoded straight into the batch's buffer; one that turns out bad is cut
 * off again. On this path nothing is allocated but buffers that grow. */
#include "mapping/mapper.h"

struct RpMapper {
    const RpMapping *mapping;
    GChecksum *sha1;
    RpSpan *values; /* of the current record: name, value, name, value, … */
    guint32 values_capacity;
    RpSpan *fields;   /* of the current record by the entity's field number; NULL data: absent */
    guint32 **hints;  /* by entity and field: where the field stood last time */
    RpBuffer scratch; /* text that a cleaning step made */
    RpConverted converted;
};

/* The record under way. */
typedef struct {
    const RpEntity *entity;
    RpSpan key;
    RpSpan captures[RP_PATTERN_MAX_CAPTURES];
} Row;

/* What a column holds at some step; null when text.data is NULL. */
typedef struct {
    RpSpan text;
    gboolean is_uuid; /* text is the 16 bytes of a UUID */
} Cell;

RpMapper *rp_mapper_new(const RpMapping *mapping) {
    RpMapper *mapper = g_new0(RpMapper, 1);
    mapper->mapping = mapping;
    mapper->sha1 = g_checksum_new(G_CHECKSUM_SHA1);
    mapper->hints = g_new0(guint32 *, mapping->entities->len);
    guint max_fields = 1;
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        mapper->hints[i] = g_new0(guint32, entity->fields->len + 1);
        max_fields = MAX(max_fields, entity->fields->len);
    }
    mapper->fields = g_new0(RpSpan, max_fields);
    return mapper;
}

void rp_mapper_free(RpMapper *mapper) {
    if (mapper == NULL)
        return;
    for (guint i = 0; i < mapper->mapping->entities->len; i++)
        g_free(mapper->hints[i]);
    g_free(mapper->hints);
    g_free(mapper->fields);
    g_free(mapper->values);
    g_checksum_free(mapper->sha1);
    rp_buffer_clear(&mapper->scratch);
    g_free(mapper);
}

/* ---- fields ---- */

/* Finds each field that the entity reads. The hashes of an application are mostly written with the same
 * fields in the same order: where the field stood last time is looked at first. */
static void find_fields(RpMapper *mapper, guint number, const RpEntity *entity, guint32 n_values) {
    guint32 *hints = mapper->hints[number];
    for (guint field = 0; field < entity->fields->len; field++) {
        const RpSpan name = rp_span(g_ptr_array_index(entity->fields, field));
        mapper->fields[field] = (RpSpan){NULL, 0};
        guint32 position = hints[field];
        if (position + 1 >= n_values || !rp_span_equal(mapper->values[position], name))
            for (position = 0; position + 1 < n_values; position += 2)
                if (rp_span_equal(mapper->values[position], name))
                    break;
        if (position + 1 < n_values) {
            hints[field] = position;
            mapper->fields[field] = mapper->values[position + 1];
        }
    }
}

static RpSpan look_up(const RpMapper *mapper, const Row *row, const RpReference *reference) {
    switch (reference->kind) {
    case RP_REFERENCE_FIELD:
        return mapper->fields[reference->index];
    case RP_REFERENCE_KEY:
        return row->key;
    case RP_REFERENCE_CAPTURE:
        return row->captures[reference->index];
    }
    g_assert_not_reached();
}

/* ---- the steps of a column, in their order ---- */

static Cell take_uuid5(RpMapper *mapper, const Row *row, const RpMapColumn *column) {
    RpSpan parts[RP_UUID5_MAX_PARTS];
    for (guint i = 0; i < column->n_parts; i++) {
        const RpUuidPart *part = &column->parts[i];
        parts[i] = part->literal != NULL ? rp_span(part->literal) : look_up(mapper, row, &part->reference);
        if (parts[i].data == NULL)
            return (Cell){0};
    }
    rp_buffer_reset(&mapper->scratch, G_MAXSIZE);
    RpUuid *uuid = (RpUuid *)rp_buffer_reserve(&mapper->scratch, sizeof(RpUuid));
    rp_uuid_v5(&mapper->mapping->uuid_namespace, parts, column->n_parts, mapper->sha1, uuid);
    return (Cell){{(const char *)uuid->bytes, sizeof uuid->bytes}, TRUE};
}

static Cell take_source(RpMapper *mapper, const Row *row, const RpMapColumn *column) {
    switch (column->source) {
    case RP_FROM_REFERENCE:
        return (Cell){look_up(mapper, row, &column->reference), FALSE};
    case RP_FROM_UUID5:
        return take_uuid5(mapper, row, column);
    }
    g_assert_not_reached();
}

static RpSpan trim(RpSpan text) {
    while (text.size > 0 && g_ascii_isspace(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && g_ascii_isspace(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* ASCII letters are changed in the scratch buffer; others go through Unicode's rules. */
static RpSpan change_case(RpMapper *mapper, RpSpan text, gboolean is_upper) {
    rp_buffer_reset(&mapper->scratch, G_MAXSIZE);
    char *out = rp_buffer_reserve(&mapper->scratch, text.size + 1);
    gboolean is_ascii = TRUE;
    for (gsize i = 0; i < text.size; i++) {
        is_ascii = is_ascii && (guchar)text.data[i] < 0x80;
        out[i] = is_upper ? g_ascii_toupper(text.data[i]) : g_ascii_tolower(text.data[i]);
    }
    if (is_ascii || !rp_span_is_text(text)) /* what is no text is refused later, as it is */
        return (RpSpan){out, text.size};
    g_autofree char *changed =
        is_upper ? g_utf8_strup(text.data, (gssize)text.size) : g_utf8_strdown(text.data, (gssize)text.size);
    rp_buffer_reset(&mapper->scratch, G_MAXSIZE);
    rp_buffer_append(&mapper->scratch, changed, strlen(changed));
    return (RpSpan){mapper->scratch.data, mapper->scratch.size};
}

static RpSpan map_value(const RpMapColumn *column, RpSpan text) {
    if (text.size > RP_REJECT_VALUE_BYTES) /* longer than any value that a map holds in practice */
        return text;
    char name[RP_REJECT_VALUE_BYTES + 1];
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    const char *mapped = g_hash_table_lookup(column->map, name);
    return mapped != NULL && strlen(name) == text.size ? rp_span(mapped) : text;
}

static Cell clean(RpMapper *mapper, const RpMapColumn *column, Cell cell) {
    if (cell.text.data == NULL || cell.is_uuid)
        return cell;
    if (column->trims)
        cell.text = trim(cell.text);
    if (column->lowers || column->uppers)
        cell.text = change_case(mapper, cell.text, column->uppers);
    if (column->nulls_empty && cell.text.size == 0)
        cell.text.data = NULL;
    if (column->map != NULL && cell.text.data != NULL)
        cell.text = map_value(column, cell.text);
    return cell;
}

static gboolean refuse_null(const RpMapColumn *column, RpProblem *problem) {
    if (column->is_required)
        return rp_problem_set(problem, RP_REJECT_MISSING_FIELD, "is absent and required");
    return rp_problem_set(problem, RP_REJECT_NOT_NULL, "is absent, and the column is NOT NULL");
}

static gboolean check_rules(RpMapper *mapper, const Row *row, const RpMapColumn *column, RpSpan text,
                            RpProblem *problem) {
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        const RpSpan other = rule->has_reference ? look_up(mapper, row, &rule->reference) : (RpSpan){0};
        if (!rule->check(rule, text, &mapper->converted, other, problem))
            return FALSE;
    }
    return TRUE;
}

/* A UUID that was computed goes into a uuid column as it is, and into others as text. */
static gboolean append_uuid(RpMapper *mapper, const Row *row, const RpMapColumn *column, RpSpan bytes,
                            RpTuples *tuples, RpProblem *problem) {
    char text[37];
    rp_uuid_format((const RpUuid *)bytes.data, text);
    if (column->conversion.column->kind == RP_TYPE_UUID) {
        rp_buffer_append_u32(&tuples->bytes, (guint32)bytes.size);
        rp_buffer_append(&tuples->bytes, bytes.data, bytes.size);
    } else if (!column->convert(&column->conversion, rp_span(text), &tuples->bytes, &mapper->converted,
                                problem)) {
        return FALSE;
    }
    return check_rules(mapper, row, column, rp_span(text), problem);
}

/* Appends one field of the tuple. *shown gets the text to show when it is refused. */
static gboolean append_field(RpMapper *mapper, const Row *row, const RpMapColumn *column, RpTuples *tuples,
                             RpSpan *shown, RpProblem *problem) {
    Cell cell = clean(mapper, column, take_source(mapper, row, column));
    if (cell.text.data == NULL && column->fallback != NULL)
        cell = (Cell){rp_span(column->fallback), FALSE};
    *shown = cell.is_uuid ? (RpSpan){0} : cell.text;
    if (cell.text.data == NULL) {
        if (column->is_required || column->conversion.column->is_not_null)
            return refuse_null(column, problem);
        rp_tuples_add_null(tuples);
        return TRUE;
    }
    if (cell.is_uuid)
        return append_uuid(mapper, row, column, cell.text, tuples, problem);
    return column->convert(&column->conversion, cell.text, &tuples->bytes, &mapper->converted, problem) &&
           check_rules(mapper, row, column, cell.text, problem);
}

/* ---- records ---- */

static void reject(RpBatch *batch, guint32 record, guint32 entity, const RpMapColumn *column, RpSpan shown,
                   const RpProblem *problem) {
    const char *mask = column != NULL && column->is_sensitive ? RP_MASK : NULL;
    const RpReject reject = {
        .entity = entity,
        .record = record,
        .stage = RP_STAGE_MAP,
        .code = problem->code,
        .column = column != NULL ? g_strdup(column->name) : NULL,
        .constraint = g_strdup(problem->constraint),
        .message = column != NULL ? g_strdup_printf("%s %s", column->name, problem->message)
                                  : g_strdup(problem->message),
        .value = shown.data == NULL ? NULL
                 : mask != NULL     ? g_strdup(mask)
                                    : rp_span_show(shown, RP_REJECT_VALUE_BYTES),
    };
    rp_batch_take_reject(batch, &reject);
}

static void load_values(RpMapper *mapper, const RpBatch *batch, guint32 record) {
    const guint32 n_values = rp_records_get(&batch->records, record)->n_values;
    if (n_values > mapper->values_capacity) {
        mapper->values_capacity = n_values;
        mapper->values = g_renew(RpSpan, mapper->values, n_values);
    }
    rp_records_values(&batch->records, record, mapper->values, n_values);
}

static void map_record(RpMapper *mapper, RpBatch *batch, guint32 record) {
    const RpRecord *head = rp_records_get(&batch->records, record);
    const guint32 number = head->entity;
    Row row = {.entity = g_ptr_array_index(mapper->mapping->entities, number),
               .key = rp_records_key(&batch->records, record)};
    if (!rp_pattern_match(row.entity->keys, row.key, row.captures))
        g_assert_not_reached(); /* the reader chose the key by the same pattern */
    load_values(mapper, batch, record);
    find_fields(mapper, number, row.entity, head->n_values);

    RpTuples *tuples = &batch->tuples[number];
    rp_tuples_begin_row(tuples, record, row.entity->columns->len);
    for (guint i = 0; i < row.entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(row.entity->columns, i);
        RpSpan shown;
        RpProblem problem = {0};
        if (!append_field(mapper, &row, column, tuples, &shown, &problem)) {
            rp_tuples_cut_row(tuples);
            reject(batch, record, number, column, shown, &problem);
            return;
        }
    }
    rp_tuples_end_row(tuples);
}

static void reject_whole(RpBatch *batch, guint32 record, RpRejectCode code) {
    const RpRecord *head = rp_records_get(&batch->records, record);
    RpProblem problem = {0};
    if (code == RP_REJECT_WRONG_TYPE)
        rp_problem_set(&problem, code, "the key holds a %s, not a hash",
                       rp_record_type_name((RpRecordType)head->type));
    else
        rp_problem_set(&problem, code, "the key holds more bytes than --max-value-bytes allows");
    reject(batch, record, head->entity, NULL, (RpSpan){0}, &problem);
}

void rp_mapper_map(RpMapper *mapper, RpBatch *batch) {
    for (guint32 record = 0; record < batch->records.index->len; record++) {
        const RpRecord *head = rp_records_get(&batch->records, record);
        RpCounts *counts = &batch->counts[head->entity];
        counts->read++;
        switch ((RpReadOutcome)head->outcome) {
        case RP_READ_OK:
            map_record(mapper, batch, record);
            break;
        case RP_READ_VANISHED:
            counts->vanished++;
            break;
        case RP_READ_WRONG_TYPE:
            reject_whole(batch, record, RP_REJECT_WRONG_TYPE);
            break;
        case RP_READ_TOO_LARGE:
            reject_whole(batch, record, RP_REJECT_TOO_LARGE);
            break;
        }
    }
    rp_batch_seal_map(batch);
}
