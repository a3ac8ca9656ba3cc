/* JSON of key columns out of PostgreSQL's binary values; of text what its escape_json does. */
#include "ledger/identity_json.h"

#include "mapping/time_text.h"

typedef struct {
    char *before; /* what stands before the value: {"a":  or  ,"b": */
    gsize n_before;
    guint field;
    RpTypeKind kind;
} Part;

struct RpIdentityJson {
    Part *parts;
    guint n_parts;
};

gboolean rp_identity_json_takes(const RpMapColumn *column) {
    const RpColumn *target = column->conversion.column;
    if (!rp_column_is_in_tuple(column) || target->is_padded || target->is_folding)
        return FALSE;
    switch (target->kind) {
    case RP_TYPE_BOOL:
    case RP_TYPE_INT2:
    case RP_TYPE_INT4:
    case RP_TYPE_INT8:
    case RP_TYPE_TEXT:
    case RP_TYPE_BYTEA:
    case RP_TYPE_UUID:
    case RP_TYPE_DATE:
    case RP_TYPE_TIMESTAMP:
    case RP_TYPE_TIMESTAMPTZ:
    case RP_TYPE_ENUM:
        return TRUE;
    case RP_TYPE_FLOAT4:
    case RP_TYPE_FLOAT8:
    case RP_TYPE_NUMERIC:
    case RP_TYPE_TIME:
    case RP_TYPE_JSON:
    case RP_TYPE_JSONB:
    case RP_TYPE_ARRAY:
    case RP_TYPE_OTHER:
        return FALSE;
    }
    g_assert_not_reached();
}

/* ---- values ---- */

static void append_literal(RpBuffer *text, const char *literal) {
    rp_buffer_append(text, literal, strlen(literal));
}

/* 0: the byte stands as it is. */
static char escape_of(guchar byte) {
    switch (byte) {
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '"':
    case '\\':
        return (char)byte;
    default:
        return byte < ' ' ? 'u' : 0;
    }
}

static void append_escape(RpBuffer *text, guchar byte, char escape) {
    char code[7];
    const int size = escape == 'u' ? g_snprintf(code, sizeof code, "\\u%04x", byte)
                                   : g_snprintf(code, sizeof code, "\\%c", escape);
    rp_buffer_append(text, code, (gsize)size);
}

static void append_text(RpBuffer *text, const char *value, gsize size) {
    gsize plain = 0; /* where the run of bytes begins that stand as they are */
    rp_buffer_append(text, "\"", 1);
    for (gsize i = 0; i < size; i++) {
        const char escape = escape_of((guchar)value[i]);
        if (G_LIKELY(escape == 0))
            continue;
        rp_buffer_append(text, value + plain, i - plain);
        append_escape(text, (guchar)value[i], escape);
        plain = i + 1;
    }
    rp_buffer_append(text, value + plain, size - plain);
    rp_buffer_append(text, "\"", 1);
}

/* postgresql: byteaout() with bytea_output hex, whose backslash JSON doubles. */
static void append_bytes(RpBuffer *text, const char *value, gsize size) {
    static const char DIGITS[] = "0123456789abcdef";
    append_literal(text, "\"\\\\x");
    char *at = rp_buffer_reserve(text, 2 * size);
    for (gsize i = 0; i < size; i++) {
        *at++ = DIGITS[(guchar)value[i] >> 4];
        *at++ = DIGITS[(guchar)value[i] & 15];
    }
    text->size += 2 * size;
    append_literal(text, "\"");
}

static void append_uuid(RpBuffer *text, const char *value) {
    static const char DIGITS[] = "0123456789abcdef";
    char *at = rp_buffer_reserve(text, 38);
    *at++ = '"';
    for (guint i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = DIGITS[(guchar)value[i] >> 4];
        *at++ = DIGITS[(guchar)value[i] & 15];
    }
    *at = '"';
    text->size += 38;
}

/* A number of 2, 4 or 8 bytes, the highest first. */
static gint64 integer_of(const char *value, gsize size) {
    guint64 bits = (guchar)value[0] & 0x80 ? G_MAXUINT64 : 0;
    for (gsize i = 0; i < size; i++)
        bits = bits << 8 | (guchar)value[i];
    return (gint64)bits;
}

static void append_integer(RpBuffer *text, gint64 number) {
    char digits[20];
    gsize n = sizeof digits;
    guint64 rest = number < 0 ? -(guint64)number : (guint64)number;
    do
        digits[--n] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        rp_buffer_append(text, "-", 1);
    rp_buffer_append(text, digits + n, sizeof digits - n);
}

static void take_time(RpBuffer *text, char *time) {
    append_text(text, time, strlen(time));
    g_free(time);
}

static void append_value(RpBuffer *text, RpTypeKind kind, const char *value, gsize size) {
    switch (kind) {
    case RP_TYPE_BOOL:
        append_literal(text, value[0] != 0 ? "true" : "false");
        break;
    case RP_TYPE_INT2:
    case RP_TYPE_INT4:
    case RP_TYPE_INT8:
        append_integer(text, integer_of(value, size));
        break;
    case RP_TYPE_BYTEA:
        append_bytes(text, value, size);
        break;
    case RP_TYPE_UUID:
        append_uuid(text, value);
        break;
    case RP_TYPE_DATE:
        take_time(text, rp_time_text_date((gint32)integer_of(value, size)));
        break;
    case RP_TYPE_TIMESTAMP:
    case RP_TYPE_TIMESTAMPTZ:
        take_time(text, rp_time_text_timestamp(integer_of(value, size), kind == RP_TYPE_TIMESTAMPTZ));
        break;
    case RP_TYPE_TEXT:
    case RP_TYPE_ENUM:
    default: /* no other is taken */
        append_text(text, value, size);
        break;
    }
}

/* ---- rows ---- */

RpIdentityJson *rp_identity_json_new(const RpEntity *entity) {
    RpIdentityJson *json = g_new0(RpIdentityJson, 1);
    json->n_parts = g_strv_length(entity->key);
    json->parts = g_new0(Part, json->n_parts);
    for (guint i = 0; i < json->n_parts; i++) {
        const RpMapColumn *column = rp_entity_find_column(entity, entity->key[i]);
        g_assert(rp_identity_json_takes(column));
        RpBuffer before = {0};
        append_literal(&before, i > 0 ? "," : "{");
        append_text(&before, column->name, strlen(column->name));
        append_literal(&before, ":");
        json->parts[i] = (Part){before.data, before.size, rp_entity_find_field(entity, column),
                                column->conversion.column->kind};
    }
    return json;
}

void rp_identity_json_free(RpIdentityJson *json) {
    if (json == NULL)
        return;
    for (guint i = 0; i < json->n_parts; i++)
        g_free(json->parts[i].before);
    g_free(json->parts);
    g_free(json);
}

void rp_identity_json_append(const RpIdentityJson *json, const RpTuples *tuples, guint ordinal,
                             RpBuffer *text) {
    for (guint i = 0; i < json->n_parts; i++) {
        const Part *part = &json->parts[i];
        const RpSpan field = rp_tuples_get_field(tuples, ordinal, part->field);
        rp_buffer_append(text, part->before, part->n_before);
        if (memcmp(field.data, "\xff\xff\xff\xff", 4) == 0) /* size -1 */
            append_literal(text, "null");
        else
            append_value(text, part->kind, field.data + 4, field.size - 4);
    }
    rp_buffer_append(text, "}", 1);
}
