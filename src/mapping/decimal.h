/* Exact decimals: text to PostgreSQL's numeric, never through floating point. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"
#include "model/reject.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_ROUND_NONE, /* more decimal places than the column holds are refused */
    RP_ROUND_HALF_EVEN,
    RP_ROUND_HALF_UP, /* halves away from zero, as PostgreSQL's numeric rounds */
    RP_ROUND_DOWN,    /* towards zero */
} RpRounding;

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

/* What a decimal is to become. */
typedef struct {
    int precision;       /* -1: no limit, and no rounding */
    int scale;           /* meaningless without precision; -1000 to 1000 */
    guint32 divisor;     /* the number is divided by it, exactly; 0: not at all */
    RpRounding rounding; /* to the scale, after the division */
} RpDecimalForm;

/* Reads like rp_decimal_parse, divides, and rounds. The range is that of the rounded number. A quotient that
 * does not end within the scale is RP_REJECT_SCALE_EXCEEDED where nothing rounds it. */
gboolean rp_decimal_read(RpSpan text, const RpDecimalForm *form, RpDecimal *decimal, RpRejectCode *code);

/* The number as an integer; FALSE when it is none, or none of 64 bits. */
gboolean rp_decimal_to_integer(const RpDecimal *decimal, gint64 *integer);

/* Appends the wire form, with its size before it. */
void rp_decimal_append(const RpDecimal *decimal, RpBuffer *out);

/* -1, 0, 1 like strcmp. NaN is greater than every number, as PostgreSQL has it. */
int rp_decimal_compare(const RpDecimal *a, const RpDecimal *b);

G_END_DECLS
