/* The mapper: records, each a line that chooses the entity, what came of reading and its times, a line with
 * the end of the key, and its values a line each up to an empty one. */
#include "mapping/mapper.h"

#include "input.h"
#include "target_table.h"

static RpMapping *get_mapping(void) {
    static RpMapping *mapping;
    static RpTable *table;
    if (mapping != NULL)
        return mapping;
    table = target_table();
    g_autoptr(RpFindings) findings = rp_findings_new();
    mapping = rp_mapping_load(RICH_MAPPING, findings);
    for (guint i = 0; i < mapping->entities->len; i++) {
        RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        for (guint j = 0; j < entity->columns->len; j++) {
            RpMapColumn *column = g_ptr_array_index(entity->columns, j);
            if (column->lookup != NULL)
                column->lookup->table = table;
        }
        rp_entity_bind(entity, table, findings);
    }
    for (guint i = 0; i < findings->items->len; i++) {
        const RpFinding *finding = g_ptr_array_index(findings->items, i);
        if (finding->severity == RP_SEVERITY_ERROR)
            g_error("%s %s %s", finding->code, finding->place, finding->text);
    }
    return mapping;
}

/* Each record as the reader makes them: values only of what was read, and no half pairs. */
static guint32 values_of(RpRecordType type, guint32 n_lines) {
    switch (type) {
    case RP_RECORD_HASH:
        return n_lines / 2 * 2;
    case RP_RECORD_STREAM:
        return n_lines / 2 * 2 + 1;
    case RP_RECORD_ZSET:
        return 2;
    default:
        return 1;
    }
}

static gint64 choose_time(Input *input) {
    static const gint64 TIMES[] = {-2, -1, 0, 1700000000123, G_MAXINT64};
    return TIMES[input_choose(input, G_N_ELEMENTS(TIMES))];
}

static void add_values(Input *input, RpRecords *records, RpRecord *record) {
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(RpSpan));
    for (RpSpan line = input_line(input); line.size > 0; line = input_line(input)) {
        if (line.size == 1 && line.data[0] == '-') /* an empty value */
            line.size = 0;
        g_array_append_val(lines, line);
    }
    const guint32 n_values = values_of((RpRecordType)record->type, lines->len);
    for (guint32 i = 0; record->outcome == RP_READ_OK && i < n_values; i++)
        rp_records_add_value(records, i < lines->len ? g_array_index(lines, RpSpan, i) : RP_SPAN_OF(""));
}

static void add_record(Input *input, const RpMapping *mapping, RpRecords *records) {
    const RpSpan head = input_line(input);
    Input choice = {head.data, head.data + head.size};
    const RpSpan name = input_line(input);
    const guint number = input_choose(&choice, mapping->entities->len);
    const RpEntity *entity = g_ptr_array_index(mapping->entities, number);
    g_auto(RpBuffer) key = {0};
    rp_buffer_append(&key, "t:", 2);
    rp_buffer_append(&key, name.size > 0 ? name.data : "x", MAX(name.size, 1));
    RpRecord *record = rp_records_begin(records, number, entity->scope.type, (RpSpan){key.data, key.size});
    record->outcome = (guint8)input_choose(&choice, RP_READ_TOO_LARGE + 1);
    record->ttl_ms = choose_time(&choice);
    record->expires_at_ms = choose_time(&choice);
    record->index = entity->scope.type == RP_RECORD_LIST ? input_choose(&choice, 10) : -1;
    add_values(input, records, record);
}

static guint32 read_u32(const char *at) {
    guint32 value;
    memcpy(&value, at, sizeof value);
    return GUINT32_FROM_BE(value);
}

static void check_row(const RpTuples *tuples, guint ordinal, guint n_fields) {
    const char *at = tuples->bytes.data + rp_tuples_get(tuples, ordinal)->offset;
    const char *end = tuples->bytes.data + rp_tuples_row_end(tuples, ordinal);
    g_assert(end - at > 2 && ((guint8)at[0] << 8 | (guint8)at[1]) == (int)n_fields + 1);
    at += 2;
    for (guint i = 0; i <= n_fields; i++) {
        g_assert(end - at >= 4);
        const guint32 size = read_u32(at);
        at += 4;
        if (size == G_MAXUINT32)
            continue;
        g_assert((gsize)(end - at) >= size);
        if (i == n_fields)
            g_assert(size == 4 && read_u32(at) == ordinal);
        at += size;
    }
    g_assert(at == end);
}

static void check_rejects(const RpBatch *batch) {
    for (guint i = 0; i < batch->rejects->len; i++) {
        const RpReject *reject = &g_array_index(batch->rejects, RpReject, i);
        g_assert(reject->code < RP_N_REJECT_CODES && reject->record < batch->records.index->len);
        g_assert(g_utf8_validate(reject->message, -1, NULL) && strchr(reject->message, '\n') == NULL);
        g_assert(reject->value == NULL || g_utf8_validate(reject->value, -1, NULL));
        g_auto(RpBuffer) raw = {0};
        rp_records_append_raw(&batch->records, reject->record, &raw);
        g_assert(raw.size > 0);
    }
}

static void check_portion(const RpMapping *mapping, const RpBatch *batch) {
    g_assert(batch->n_map_rejects == batch->rejects->len);
    guint64 n_rejected = 0;
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        const RpTuples *tuples = &batch->tuples[i];
        const RpCounts *counts = &batch->counts[i];
        g_assert(counts->read == tuples->rows->len + counts->rejected + counts->vanished);
        n_rejected += counts->rejected;
        for (guint row = 0; row < tuples->rows->len; row++)
            check_row(tuples, row, entity->n_tuple_fields);
    }
    g_assert(n_rejected == batch->rejects->len);
    check_rejects(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    const RpMapping *mapping = get_mapping();
    g_autoptr(RpBatch) batch = rp_batch_new(mapping->entities->len);
    while (input.at < input.end)
        add_record(&input, mapping, &batch->records);
    const RpOccasion occasion = {.database = 3, .now_us = 1700000000123456};
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapping, &occasion, 3, 1000);
    for (;;) {
        rp_mapper_map(mapper, batch);
        check_portion(mapping, batch);
        if (batch->is_whole)
            return 0;
        rp_batch_next_portion(batch);
    }
}
