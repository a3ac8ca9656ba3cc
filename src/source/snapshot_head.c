/* Auxiliary fields: an opcode, a name and a value, both strings of the RDB format, of which short ones and
 * numbers occur there. */
#include "source/snapshot_head.h"

#define MAGIC_SIZE 9 /* "REDIS0011", "VALKEY080" */
#define OPCODE_AUX 0xFA
#define UNKNOWN    (-1)

typedef struct {
    RpSpan text;
    gboolean is_number;
    gint64 number;
} Field;

static gboolean take_bytes(RpSpan *rest, gsize size, RpSpan *bytes) {
    if (size > rest->size)
        return FALSE;
    *bytes = (RpSpan){rest->data, size};
    rest->data += size;
    rest->size -= size;
    return TRUE;
}

/* Little-endian, with a sign. */
static gboolean take_integer(RpSpan *rest, gsize size, Field *field) {
    RpSpan bytes;
    guint32 value = 0;
    if (!take_bytes(rest, size, &bytes))
        return FALSE;
    for (gsize i = 0; i < size; i++)
        value |= (guint32)(guint8)bytes.data[i] << (8 * i);
    field->is_number = TRUE;
    field->number = size == 1 ? (gint8)value : size == 2 ? (gint16)value : (gint32)value;
    return TRUE;
}

static gboolean take_field(RpSpan *rest, Field *field) {
    RpSpan byte;
    *field = (Field){0};
    if (!take_bytes(rest, 1, &byte))
        return FALSE;
    const guint8 first = (guint8)*byte.data;
    switch (first >> 6) {
    case 0:
        return take_bytes(rest, first & 0x3F, &field->text);
    case 1:
        return take_bytes(rest, 1, &byte) &&
               take_bytes(rest, (gsize)(first & 0x3F) << 8 | (guint8)*byte.data, &field->text);
    case 3:
        return (first & 0x3F) <= 2 && take_integer(rest, (gsize)1 << (first & 0x3F), field);
    default:
        return FALSE;
    }
}

static gint read_database(const Field *value) {
    gint64 number = value->number;
    g_autofree char *text = g_strndup(value->text.data, value->text.size);
    if (!value->is_number && !g_ascii_string_to_signed(text, 10, 0, G_MAXINT, &number, NULL))
        return UNKNOWN;
    return number >= 0 && number <= G_MAXINT ? (gint)number : UNKNOWN;
}

gint rp_snapshot_head_find_database(RpSpan head) {
    RpSpan rest = head, opcode;
    Field name, value;
    if (!take_bytes(&rest, MAGIC_SIZE, &opcode))
        return UNKNOWN;
    while (take_bytes(&rest, 1, &opcode) && (guint8)*opcode.data == OPCODE_AUX && take_field(&rest, &name) &&
           take_field(&rest, &value))
        if (rp_span_equal(name.text, RP_SPAN_OF("repl-stream-db")))
            return read_database(&value);
    return UNKNOWN;
}
