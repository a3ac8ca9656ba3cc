/* Reads numeric's wire form, which is hostile until it is read. */
#include "reconcile/numeric_wire.h"

#define HEADER_BYTES       8
#define LAST_GROUP         9999
#define SIGN_POSITIVE      0x0000
#define SIGN_NEGATIVE      0x4000
#define SIGN_NAN           0xC000
#define SIGN_INFINITY      0xD000
#define SIGN_NEG_INFINITY  0xF000
#define LAST_DISPLAY_SCALE 0x3FFF /* NUMERIC_DSCALE_MASK */

static gboolean read_sign(guint sign, RpNumericWire *numeric) {
    numeric->is_negative = sign == SIGN_NEGATIVE;
    numeric->class = sign == SIGN_NAN            ? RP_NUMERIC_NAN
                     : sign == SIGN_INFINITY     ? RP_NUMERIC_INFINITY
                     : sign == SIGN_NEG_INFINITY ? RP_NUMERIC_MINUS_INFINITY
                                                 : RP_NUMERIC_FINITE;
    return sign == SIGN_POSITIVE || sign == SIGN_NEGATIVE || numeric->class != RP_NUMERIC_FINITE;
}

static void strip(RpNumericWire *numeric) {
    while (numeric->n_groups > 0 && rp_numeric_wire_group(numeric->groups, 0) == 0) {
        numeric->groups += 2;
        numeric->n_groups--;
        numeric->weight--;
    }
    while (numeric->n_groups > 0 && rp_numeric_wire_group(numeric->groups, numeric->n_groups - 1) == 0)
        numeric->n_groups--;
    if (numeric->n_groups == 0) {
        numeric->weight = 0;
        numeric->is_negative = FALSE;
    }
}

gboolean rp_numeric_wire_read(RpSpan wire, RpNumericWire *numeric) {
    if (wire.size < HEADER_BYTES)
        return FALSE;
    numeric->n_groups = rp_numeric_wire_group(wire.data, 0);
    numeric->weight = (gint16)rp_numeric_wire_group(wire.data, 1);
    numeric->display_scale = rp_numeric_wire_group(wire.data, 3);
    numeric->groups = wire.data + HEADER_BYTES;
    if (!read_sign(rp_numeric_wire_group(wire.data, 2), numeric) || numeric->n_groups > G_MAXINT16 ||
        wire.size != HEADER_BYTES + 2 * (gsize)numeric->n_groups)
        return FALSE;
    for (guint i = 0; i < numeric->n_groups; i++)
        if (rp_numeric_wire_group(numeric->groups, i) > LAST_GROUP)
            return FALSE;
    if (numeric->class != RP_NUMERIC_FINITE)
        return numeric->n_groups == 0;
    strip(numeric);
    return numeric->display_scale <= LAST_DISPLAY_SCALE;
}
