/* Brings values of each kind into the form by which the two sides are compared. */
#include "reconcile/canonical.h"

#include "reconcile/numeric_wire.h"

#include <math.h>

#define MAX_DIMENSIONS 6 /* MAXDIM of postgresql */
#define NULL_ELEMENT   G_MAXUINT32

static const char SOUND = 1, MALFORMED = 0;

static gboolean append_value(RpCanonical *canonical, const RpColumn *column, RpSpan wire, gboolean is_stored,
                             RpBuffer *out);

static gboolean append_same(RpSpan wire, gsize size_bytes, RpBuffer *out) {
    rp_buffer_append(out, wire.data, wire.size);
    return wire.size == size_bytes;
}

static gboolean append_text(const RpColumn *column, RpSpan wire, RpBuffer *out) {
    while (column->is_padded && wire.size > 0 && wire.data[wire.size - 1] == ' ')
        wire.size--;
    rp_buffer_append(out, wire.data, wire.size);
    return TRUE;
}

static gboolean append_float4(RpSpan wire, RpBuffer *out) {
    guint32 bits;
    float value;
    if (wire.size != sizeof bits)
        return FALSE;
    memcpy(&bits, wire.data, sizeof bits);
    bits = GUINT32_FROM_BE(bits);
    memcpy(&value, &bits, sizeof value);
    rp_buffer_append_u32(out, isnan(value) ? G_MAXUINT32 : value == 0 ? 0 : bits);
    return TRUE;
}

static gboolean append_float8(RpSpan wire, RpBuffer *out) {
    guint64 bits;
    double value;
    if (wire.size != sizeof bits)
        return FALSE;
    memcpy(&bits, wire.data, sizeof bits);
    bits = GUINT64_FROM_BE(bits);
    memcpy(&value, &bits, sizeof value);
    rp_buffer_append_u64(out, isnan(value) ? G_MAXUINT64 : value == 0 ? 0 : bits);
    return TRUE;
}

static gboolean append_numeric(RpSpan wire, RpBuffer *out) {
    RpNumericWire numeric;
    if (!rp_numeric_wire_read(wire, &numeric))
        return FALSE;
    const guint8 head = (guint8)(numeric.class << 1 | (numeric.is_negative ? 1 : 0));
    rp_buffer_append(out, &head, 1);
    if (numeric.class != RP_NUMERIC_FINITE)
        return TRUE;
    rp_buffer_append_u32(out, (guint32)numeric.weight);
    rp_buffer_append(out, numeric.groups, 2 * (gsize)numeric.n_groups);
    return TRUE;
}

static gboolean append_jsonb(RpCanonical *canonical, RpSpan wire, gboolean is_stored, RpBuffer *out) {
    if (wire.size == 0 || wire.data[0] != 1) /* version of jsonb_send */
        return FALSE;
    const RpSpan text = {wire.data + 1, wire.size - 1};
    if (!is_stored)
        return rp_canonical_json_append(&canonical->json, text, out);
    rp_canonical_json_append_stored(text, out);
    return TRUE;
}

/* ---- arrays ---- */

static gboolean take_u32(RpSpan *left, guint32 *value) {
    if (left->size < sizeof *value)
        return FALSE;
    memcpy(value, left->data, sizeof *value);
    *value = GUINT32_FROM_BE(*value);
    left->data += sizeof *value;
    left->size -= sizeof *value;
    return TRUE;
}

/* Appends the dimensions and bounds. An array without elements has no dimension. */
static gboolean append_shape(RpSpan *left, guint64 *n_elements, RpBuffer *out) {
    const gsize start = out->size;
    guint32 n_dimensions, flags, type_oid, length, bound;
    if (!take_u32(left, &n_dimensions) || n_dimensions > MAX_DIMENSIONS || !take_u32(left, &flags) ||
        !take_u32(left, &type_oid))
        return FALSE;
    *n_elements = n_dimensions > 0;
    rp_buffer_append_u32(out, n_dimensions);
    for (guint32 i = 0; i < n_dimensions; i++) {
        if (!take_u32(left, &length) || !take_u32(left, &bound) || length > G_MAXINT32)
            return FALSE;
        rp_buffer_append_u32(out, length);
        rp_buffer_append_u32(out, bound);
        *n_elements *= length;
        if (*n_elements > left->size) /* before it can overflow; an element has four bytes at least */
            return FALSE;
    }
    if (*n_elements == 0) {
        out->size = start;
        rp_buffer_append_u32(out, 0);
    }
    return TRUE;
}

static gboolean append_element(RpCanonical *canonical, const RpColumn *column, RpSpan *left,
                               gboolean is_stored, RpBuffer *out) {
    guint32 size;
    if (!take_u32(left, &size))
        return FALSE;
    if (size == NULL_ELEMENT) {
        rp_buffer_append_u32(out, NULL_ELEMENT);
        return TRUE;
    }
    if (size > left->size)
        return FALSE;
    const gsize start = out->size;
    rp_buffer_append_u32(out, 0); /* its size, which is known when it is written */
    rp_canonical_append(canonical, column, (RpSpan){left->data, size}, is_stored, out);
    const guint32 written = GUINT32_TO_BE((guint32)(out->size - start - sizeof written));
    memcpy(out->data + start, &written, sizeof written);
    left->data += size;
    left->size -= size;
    return TRUE;
}

static gboolean append_array(RpCanonical *canonical, const RpColumn *column, RpSpan wire, gboolean is_stored,
                             RpBuffer *out) {
    guint64 n_elements;
    if (column->element == NULL || !append_shape(&wire, &n_elements, out))
        return FALSE;
    for (; n_elements > 0; n_elements--)
        if (!append_element(canonical, column->element, &wire, is_stored, out))
            return FALSE;
    return wire.size == 0;
}

/* ---- all kinds ---- */

/* FALSE for what is no value of the kind; then out may have some of it. */
static gboolean append_value(RpCanonical *canonical, const RpColumn *column, RpSpan wire, gboolean is_stored,
                             RpBuffer *out) {
    switch (column->kind) {
    case RP_TYPE_BOOL:
        return append_same(wire, 1, out);
    case RP_TYPE_INT2:
        return append_same(wire, 2, out);
    case RP_TYPE_INT4:
    case RP_TYPE_DATE:
        return append_same(wire, 4, out);
    case RP_TYPE_INT8:
    case RP_TYPE_TIME:
    case RP_TYPE_TIMESTAMP:
    case RP_TYPE_TIMESTAMPTZ:
        return append_same(wire, 8, out);
    case RP_TYPE_UUID:
        return append_same(wire, 16, out);
    case RP_TYPE_FLOAT4:
        return append_float4(wire, out);
    case RP_TYPE_FLOAT8:
        return append_float8(wire, out);
    case RP_TYPE_NUMERIC:
        return append_numeric(wire, out);
    case RP_TYPE_TEXT:
        return append_text(column, wire, out);
    case RP_TYPE_JSONB:
        return append_jsonb(canonical, wire, is_stored, out);
    case RP_TYPE_ARRAY:
        return append_array(canonical, column, wire, is_stored, out);
    case RP_TYPE_OTHER:
    case RP_TYPE_BYTEA:
    case RP_TYPE_JSON:
    case RP_TYPE_ENUM:
        return append_same(wire, wire.size, out);
    }
    return FALSE;
}

void rp_canonical_append(RpCanonical *canonical, const RpColumn *column, RpSpan wire, gboolean is_stored,
                         RpBuffer *out) {
    const gsize start = out->size;
    rp_buffer_append(out, &SOUND, 1);
    if (append_value(canonical, column, wire, is_stored, out))
        return;
    out->size = start;
    rp_buffer_append(out, &MALFORMED, 1);
    rp_buffer_append(out, wire.data, wire.size);
}

void rp_canonical_clear(RpCanonical *canonical) {
    rp_canonical_json_clear(&canonical->json);
}
