/* Reading the raw record of a reject.
 *
 * 1. What is accepted is what rp_records_append_raw writes, byte for byte: one RESP2 array of bulk strings
 * and integers in their shortest form.
 * 2. A size is compared with what is left before anything is done with it. */
#include "model/raw.h"

#define PARTIAL_HASH "hash*"

/* Takes a line that begins with the mark and holds a number. */
static gboolean take_number(RpSpan *rest, char mark, gint64 *number) {
    if (rest->size < 4 || rest->data[0] != mark)
        return FALSE;
    const char *end = memchr(rest->data, '\r', MIN(rest->size - 1, 24));
    if (end == NULL || end[1] != '\n')
        return FALSE;
    char text[24], shortest[24];
    const gsize size = (gsize)(end - rest->data) - 1;
    memcpy(text, rest->data + 1, size);
    text[size] = '\0';
    *number = g_ascii_strtoll(text, NULL, 10);
    g_snprintf(shortest, sizeof shortest, "%" G_GINT64_FORMAT, *number);
    if (strlen(shortest) != size || memcmp(shortest, text, size) != 0)
        return FALSE;
    *rest = (RpSpan){end + 2, rest->size - size - 3};
    return TRUE;
}

static gboolean take_bulk(RpSpan *rest, RpSpan *bulk) {
    gint64 size;
    if (!take_number(rest, '$', &size) || size < 0 || rest->size < 2 || (guint64)size > rest->size - 2)
        return FALSE;
    *bulk = (RpSpan){rest->data, (gsize)size};
    if (memcmp(rest->data + size, "\r\n", 2) != 0)
        return FALSE;
    *rest = (RpSpan){rest->data + size + 2, rest->size - (gsize)size - 2};
    return TRUE;
}

static gboolean read_type(RpRaw *raw, RpSpan word) {
    raw->is_partial = rp_span_equal(word, RP_SPAN_OF(PARTIAL_HASH));
    raw->type = RP_RECORD_HASH;
    if (raw->is_partial)
        return TRUE;
    for (guint type = 0; type <= RP_RECORD_OTHER; type++)
        if (rp_span_equal(word, rp_span(rp_record_type_name((RpRecordType)type)))) {
            raw->type = (RpRecordType)type;
            return TRUE;
        }
    return FALSE;
}

gboolean rp_raw_open(RpRaw *raw, RpSpan bytes) {
    gint64 n_elements;
    RpSpan rest = bytes, word;
    *raw = (RpRaw){.index = -1};
    if (!take_number(&rest, '*', &n_elements) || n_elements < 3 || n_elements > G_MAXINT32 ||
        !take_bulk(&rest, &raw->key) || !take_bulk(&rest, &word) || !read_type(raw, word) ||
        !take_number(&rest, ':', &raw->ttl_ms) || raw->ttl_ms < -2)
        return FALSE;
    raw->n_values = (guint32)n_elements - 3;
    if (rest.size > 0 && rest.data[0] == ':') {
        if (raw->n_values == 0 || !take_number(&rest, ':', &raw->index) || raw->index < 0)
            return FALSE;
        raw->n_values--;
    }
    raw->rest = rest;
    for (guint32 i = 0; i < raw->n_values; i++)
        if (!take_bulk(&rest, &word) || word.size > G_MAXUINT32)
            return FALSE;
    return rest.size == 0;
}

gboolean rp_raw_take(RpRaw *raw, RpSpan *value) {
    if (raw->n_values == 0)
        return FALSE;
    raw->n_values--;
    return take_bulk(&raw->rest, value);
}

gboolean rp_raw_is_whole(const RpRaw *raw) {
    switch (raw->type) {
    case RP_RECORD_HASH:
        return raw->n_values >= 2 && raw->n_values % 2 == 0;
    case RP_RECORD_STREAM:
        return raw->n_values % 2 == 1;
    case RP_RECORD_ZSET:
        return raw->n_values == 2;
    case RP_RECORD_LIST:
        return raw->n_values == 1 && raw->index >= 0;
    case RP_RECORD_STRING:
    case RP_RECORD_SET:
        return raw->n_values == 1;
    case RP_RECORD_OTHER:
        return FALSE;
    }
    g_assert_not_reached();
}

RpRecord *rp_raw_append(RpRaw *raw, guint32 entity, RpRecords *records) {
    RpRecord *record = rp_records_begin(records, entity, raw->type, raw->key);
    record->ttl_ms = raw->ttl_ms;
    record->index = raw->index;
    record->is_partial = (guint8)raw->is_partial;
    RpSpan value;
    while (rp_raw_take(raw, &value))
        rp_records_add_value(records, value);
    return record;
}
