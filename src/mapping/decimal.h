/* Exact decimals: text to PostgreSQL's numeric, never through floating point. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"
#include "model/reject.h"

#include <glib.h>

G_BEGIN_DECLS

/* Decimal digits that a value may have, zeros of its exponent included. */
#define RP_DECIMAL_MAX_DIGITS 2000

/* A number as numeric's wire form has it (postgresql: src/backend/utils/adt/numeric.c, numeric_send):
 * groups of four decimal digits, the first worth 10000^weight, without zero groups at either end. */
typedef struct {
    gint16 n_groups;
    gint16 weight;
    gboolean is_negative;
    gboolean is_nan;
    gint16 display_scale; /* decimal places that are shown */
    gint16 groups[RP_DECIMAL_MAX_DIGITS / 4 + 2];
} RpDecimal;

/* Reads [+-]digits[.digits][e[+-]digits] or NaN (any case). precision -1: no limit; else numeric(precision,
 * scale) holds it exactly, or *code says why not: RP_REJECT_INVALID_DECIMAL, _OUT_OF_RANGE,
 * _SCALE_EXCEEDED. */
gboolean rp_decimal_parse(RpSpan text, int precision, int scale, RpDecimal *decimal, RpRejectCode *code);

/* Appends the wire form, with its size before it. */
void rp_decimal_append(const RpDecimal *decimal, RpBuffer *out);

/* -1, 0, 1 like strcmp. NaN is greater than every number, as PostgreSQL has it. */
int rp_decimal_compare(const RpDecimal *a, const RpDecimal *b);

G_END_DECLS
