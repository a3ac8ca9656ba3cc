/* The records of a batch in one buffer. */
#include "model/record.h"

static const char *const TYPE_NAMES[] = {
    [RP_RECORD_HASH] = "hash",   [RP_RECORD_STRING] = "string", [RP_RECORD_LIST] = "list",
    [RP_RECORD_SET] = "set",     [RP_RECORD_ZSET] = "zset",     [RP_RECORD_STREAM] = "stream",
    [RP_RECORD_OTHER] = "other",
};

const char *rp_record_type_name(RpRecordType type) {
    return TYPE_NAMES[type];
}

RpRecordType rp_record_type_parse(const char *name) {
    for (guint type = 0; type < RP_RECORD_OTHER; type++)
        if (strcmp(name, TYPE_NAMES[type]) == 0)
            return (RpRecordType)type;
    return RP_RECORD_OTHER;
}

gboolean rp_record_type_has_elements(RpRecordType type) {
    return type == RP_RECORD_LIST || type == RP_RECORD_SET || type == RP_RECORD_ZSET ||
           type == RP_RECORD_STREAM;
}

void rp_records_init(RpRecords *records) {
    *records = (RpRecords){.index = g_array_new(FALSE, FALSE, sizeof(RpRecord))};
}

void rp_records_clear(RpRecords *records) {
    rp_buffer_clear(&records->bytes);
    g_clear_pointer(&records->index, g_array_unref);
}

void rp_records_reset(RpRecords *records, gsize keep_bytes) {
    rp_buffer_reset(&records->bytes, keep_bytes);
    g_array_set_size(records->index, 0);
}

static void append_sized(RpBuffer *bytes, RpSpan span) {
    const guint32 size = (guint32)span.size;
    char *room = rp_buffer_reserve(bytes, sizeof size + span.size);
    memcpy(room, &size, sizeof size);
    if (span.size > 0)
        memcpy(room + sizeof size, span.data, span.size);
    bytes->size += sizeof size + span.size;
}

/* Reads the sized span at *offset and moves past it. */
static RpSpan take_sized(const RpBuffer *bytes, gsize *offset) {
    guint32 size;
    memcpy(&size, bytes->data + *offset, sizeof size);
    const RpSpan span = {bytes->data + *offset + sizeof size, size};
    *offset += sizeof size + size;
    return span;
}

RpRecord *rp_records_begin(RpRecords *records, guint32 entity, RpRecordType type, RpSpan key) {
    const RpRecord record = {.offset = records->bytes.size,
                             .entity = entity,
                             .type = (guint8)type,
                             .ttl_ms = -2,
                             .expires_at_ms = -2,
                             .index = -1};
    append_sized(&records->bytes, key);
    g_array_append_val(records->index, record);
    return &g_array_index(records->index, RpRecord, records->index->len - 1);
}

void rp_records_add_value(RpRecords *records, RpSpan value) {
    append_sized(&records->bytes, value);
    g_array_index(records->index, RpRecord, records->index->len - 1).n_values++;
}

void rp_records_drop_values(RpRecords *records) {
    RpRecord *record = &g_array_index(records->index, RpRecord, records->index->len - 1);
    gsize offset = record->offset;
    take_sized(&records->bytes, &offset);
    records->bytes.size = offset;
    record->n_values = 0;
}

void rp_records_cut(RpRecords *records, guint position) {
    if (position == records->index->len)
        return;
    records->bytes.size = rp_records_get(records, position)->offset;
    g_array_set_size(records->index, position);
}

RpSpan rp_records_key(const RpRecords *records, guint position) {
    gsize offset = rp_records_get(records, position)->offset;
    return take_sized(&records->bytes, &offset);
}

guint32 rp_records_values(const RpRecords *records, guint position, RpSpan *values, guint32 capacity) {
    const RpRecord *record = rp_records_get(records, position);
    gsize offset = record->offset;
    take_sized(&records->bytes, &offset);
    const guint32 n_taken = MIN(record->n_values, capacity);
    for (guint32 i = 0; i < n_taken; i++)
        values[i] = take_sized(&records->bytes, &offset);
    return record->n_values;
}

/* The element's own name within its key: its index, its member, its id. */
gboolean rp_records_is_same(const RpRecords *records, guint a, guint b) {
    const RpRecord *first = rp_records_get(records, a);
    const RpRecord *second = rp_records_get(records, b);
    if (!rp_span_equal(rp_records_key(records, a), rp_records_key(records, b)) ||
        first->index != second->index)
        return FALSE;
    if (!rp_record_type_has_elements((RpRecordType)first->type) || first->type == RP_RECORD_LIST ||
        first->n_values == 0 || second->n_values == 0)
        return TRUE;
    RpSpan name, other;
    rp_records_values(records, a, &name, 1);
    rp_records_values(records, b, &other, 1);
    return rp_span_equal(name, other);
}

static void append_bulk(RpBuffer *raw, RpSpan span) {
    char head[32];
    const int size = g_snprintf(head, sizeof head, "$%" G_GSIZE_FORMAT "\r\n", span.size);
    rp_buffer_append(raw, head, (gsize)size);
    rp_buffer_append(raw, span.data, span.size);
    rp_buffer_append(raw, "\r\n", 2);
}

void rp_records_append_raw(const RpRecords *records, guint position, RpBuffer *raw) {
    const RpRecord *record = rp_records_get(records, position);
    gsize offset = record->offset;
    char text[48];
    const gboolean has_index = record->index >= 0;
    int size = g_snprintf(text, sizeof text, "*%u\r\n", record->n_values + (has_index ? 4 : 3));
    rp_buffer_append(raw, text, (gsize)size);
    append_bulk(raw, take_sized(&records->bytes, &offset));
    append_bulk(
        raw,
        rp_span(record->is_partial && record->type == RP_RECORD_HASH ? "hash*" : TYPE_NAMES[record->type]));
    size = g_snprintf(text, sizeof text, ":%" G_GINT64_FORMAT "\r\n", record->ttl_ms);
    rp_buffer_append(raw, text, (gsize)size);
    if (has_index) {
        size = g_snprintf(text, sizeof text, ":%" G_GINT64_FORMAT "\r\n", record->index);
        rp_buffer_append(raw, text, (gsize)size);
    }
    for (guint32 i = 0; i < record->n_values; i++)
        append_bulk(raw, take_sized(&records->bytes, &offset));
}
