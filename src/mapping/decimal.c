/* Decimal text to base-10000 groups. */
#include "mapping/decimal.h"

#define NUMERIC_POSITIVE 0x0000
#define NUMERIC_NEGATIVE 0x4000
#define NUMERIC_NAN      0xC000

/* Digits that a quotient by a guint32 may have beyond those of the dividend, if it ends at all: it does so
 * when the divisor's factors are twos (at most 31) and fives. */
#define ENDING_DIGITS 32
/* Digits before the point, as many as a scale can ask for, one to round by, and room to fill a group. */
#define MAX_WORKING_DIGITS (RP_DECIMAL_MAX_DIGITS + 1024 + 8)

/* The digits of a number without sign and point: its value is 0.d1d2… · 10^point. */
typedef struct {
    char digits[MAX_WORKING_DIGITS];
    int n_digits;
    int point;
    int places;        /* decimal places as written, the exponent applied */
    gboolean has_rest; /* a division has not ended: the value is less than one last digit more than this */
} Digits;

static gboolean is_nan(RpSpan text) {
    return text.size == 3 && g_ascii_strncasecmp(text.data, "nan", 3) == 0;
}

/* Reads the exponent after 'e'; FALSE when it is none. Large ones saturate: no number that is not zero has
 * them. */
static gboolean read_exponent(const char *at, const char *end, int *exponent) {
    int sign = 1;
    if (at < end && (*at == '+' || *at == '-'))
        sign = *at++ == '-' ? -1 : 1;
    if (at == end)
        return FALSE;
    int value = 0;
    for (; at < end; at++) {
        if (!g_ascii_isdigit(*at))
            return FALSE;
        value = MIN(value * 10 + (*at - '0'), 1000000);
    }
    *exponent = sign * value;
    return TRUE;
}

static gboolean read_digits(const char *at, const char *end, Digits *number, RpRejectCode *code) {
    int n_before = 0, n_after = 0, exponent = 0;
    gboolean is_after = FALSE;
    *code = RP_REJECT_INVALID_DECIMAL;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.' && !is_after) {
            is_after = TRUE;
            continue;
        }
        if (!g_ascii_isdigit(*at))
            return FALSE;
        if (n_before + n_after == RP_DECIMAL_MAX_DIGITS) {
            *code = RP_REJECT_OUT_OF_RANGE;
            return FALSE;
        }
        number->digits[n_before + n_after] = *at;
        n_after += is_after;
        n_before += !is_after;
    }
    if (n_before + n_after == 0)
        return FALSE;
    if (at < end && !read_exponent(at + 1, end, &exponent))
        return FALSE;
    number->n_digits = n_before + n_after;
    number->point = n_before + exponent;
    number->places = MAX(0, n_after - exponent);
    number->has_rest = FALSE;
    return TRUE;
}

/* Drops zeros at both ends. */
static void strip(Digits *number) {
    int n_leading = 0;
    while (n_leading < number->n_digits && number->digits[n_leading] == '0')
        n_leading++;
    while (number->n_digits > n_leading && number->digits[number->n_digits - 1] == '0')
        number->n_digits--;
    number->n_digits -= n_leading;
    number->point -= n_leading;
    if (n_leading > 0)
        memmove(number->digits, number->digits + n_leading, (gsize)number->n_digits);
    if (number->n_digits == 0)
        number->point = 0;
}

/* Long division, until it ends or n_wanted digits are there and it cannot end any more. */
static void divide(Digits *number, guint32 divisor, int n_wanted) {
    const int n_dividend = number->n_digits;
    const int n_most = MIN(MAX(n_dividend + ENDING_DIGITS, n_wanted), MAX_WORKING_DIGITS);
    guint64 rest = 0;
    int i = 0;
    for (; i < n_dividend || (rest != 0 && i < n_most); i++) {
        rest = rest * 10 + (i < n_dividend ? (guint64)(number->digits[i] - '0') : 0);
        number->digits[i] = (char)('0' + rest / divisor);
        rest %= divisor;
    }
    number->n_digits = i;
    number->has_rest = rest != 0;
    strip(number);
}

/* Whether rounding to the first n_kept digits goes away from zero. */
static gboolean rounds_up(const Digits *number, int n_kept, RpRounding rounding) {
    const char first = number->digits[n_kept];
    const gboolean is_half = first == '5' && n_kept + 1 == number->n_digits && !number->has_rest;
    if (rounding == RP_ROUND_DOWN || first < '5')
        return FALSE;
    if (rounding == RP_ROUND_HALF_UP || !is_half)
        return TRUE;
    return n_kept > 0 && (number->digits[n_kept - 1] - '0') % 2 == 1;
}

/* Rounds to scale decimal places. */
static void round_to(Digits *number, int scale, RpRounding rounding) {
    const int n_kept = number->point + scale;
    if (n_kept >= number->n_digits) {
        number->has_rest = FALSE; /* less than a tenth of the last place: see n_wanted of divide */
        return;
    }
    const gboolean is_up = n_kept >= 0 && rounds_up(number, n_kept, rounding);
    number->has_rest = FALSE;
    number->n_digits = MAX(n_kept, 0);
    if (is_up) {
        int i = n_kept - 1;
        for (; i >= 0 && number->digits[i] == '9'; i--)
            number->n_digits--;
        if (i >= 0) {
            number->digits[i]++;
        } else { /* all were nines, or there was none: one unit of the place before them */
            number->digits[0] = '1';
            number->n_digits = 1;
            number->point++;
        }
    }
    strip(number);
}

static int group_of(const char *digits, int n_digits) {
    int value = 0;
    for (int i = 0; i < n_digits; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

static void fill_groups(Digits *number, RpDecimal *decimal) {
    /* The first group begins at a multiple of four digits before the point. */
    const int n_before = number->point > 0 ? (number->point + 3) / 4 : -(-number->point / 4);
    const int lead = n_before * 4 - number->point; /* zeros before the first digit, 0 to 3 */
    const int n_groups = (lead + number->n_digits + 3) / 4;
    decimal->weight = (gint16)(n_before - 1);
    decimal->n_groups = (gint16)n_groups;
    memset(number->digits + number->n_digits, '0', 4);
    decimal->groups[0] = (gint16)group_of(number->digits, 4 - lead);
    for (int group = 1; group < n_groups; group++)
        decimal->groups[group] = (gint16)group_of(number->digits + group * 4 - lead, 4);
}

/* Takes digits that the form holds, and says of others why it does not. */
static gboolean take_digits(Digits *number, const RpDecimalForm *form, RpDecimal *decimal,
                            RpRejectCode *code) {
    const int places = MAX(number->n_digits - number->point, 0);
    const gboolean is_bound = form->precision >= 0 && number->n_digits > 0; /* zero fits every type */
    if (is_bound && number->point > form->precision - form->scale) {
        *code = RP_REJECT_OUT_OF_RANGE;
        return FALSE;
    }
    if (number->has_rest || places > RP_DECIMAL_MAX_DIGITS - MAX(number->point, 0) ||
        (is_bound && number->n_digits - number->point > form->scale)) {
        *code = RP_REJECT_SCALE_EXCEEDED;
        return FALSE;
    }
    /* numeric(3,-2) shows no places */
    const int shown = form->precision >= 0 ? MAX(form->scale, 0) : MAX(number->places, places);
    decimal->display_scale = (gint16)MIN(shown, RP_DECIMAL_MAX_DIGITS);
    if (number->n_digits == 0)
        decimal->is_negative = FALSE;
    else
        fill_groups(number, decimal);
    return TRUE;
}

gboolean rp_decimal_read(RpSpan text, const RpDecimalForm *form, RpDecimal *decimal, RpRejectCode *code) {
    decimal->is_nan = is_nan(text);
    decimal->is_negative = FALSE;
    decimal->n_groups = decimal->weight = decimal->display_scale = 0;
    if (decimal->is_nan)
        return TRUE;

    const char *at = text.data;
    const char *end = text.data + text.size;
    if (at < end && (*at == '+' || *at == '-'))
        decimal->is_negative = *at++ == '-';
    Digits number;
    if (!read_digits(at, end, &number, code))
        return FALSE;
    strip(&number);
    if (number.point > RP_DECIMAL_MAX_DIGITS) {
        *code = RP_REJECT_OUT_OF_RANGE;
        return FALSE;
    }
    const gboolean is_rounded = form->rounding != RP_ROUND_NONE && form->precision >= 0;
    if (form->divisor > 1)
        divide(&number, form->divisor, is_rounded ? number.point + form->scale + 1 : 0);
    if (is_rounded)
        round_to(&number, form->scale, form->rounding);
    return take_digits(&number, form, decimal, code);
}

gboolean rp_decimal_parse(RpSpan text, int precision, int scale, RpDecimal *decimal, RpRejectCode *code) {
    const RpDecimalForm form = {.precision = precision, .scale = scale};
    return rp_decimal_read(text, &form, decimal, code);
}

gboolean rp_decimal_to_integer(const RpDecimal *decimal, gint64 *integer) {
    if (decimal->is_nan || decimal->n_groups > MAX(decimal->weight + 1, 0))
        return FALSE;
    gint64 value = 0;
    gboolean has_overflow = FALSE;
    for (int i = 0; i <= decimal->weight && decimal->n_groups > 0 && !has_overflow; i++) {
        const gint64 group = i < decimal->n_groups ? decimal->groups[i] : 0;
        has_overflow = __builtin_mul_overflow(value, 10000, &value) ||
                       __builtin_add_overflow(value, decimal->is_negative ? -group : group, &value);
    }
    *integer = value;
    return !has_overflow;
}

void rp_decimal_append(const RpDecimal *decimal, RpBuffer *out) {
    const guint16 sign = decimal->is_nan        ? NUMERIC_NAN
                         : decimal->is_negative ? NUMERIC_NEGATIVE
                                                : NUMERIC_POSITIVE;
    rp_buffer_append_u32(out, 8 + 2 * (guint32)decimal->n_groups);
    rp_buffer_append_u16(out, (guint16)decimal->n_groups);
    rp_buffer_append_u16(out, (guint16)decimal->weight);
    rp_buffer_append_u16(out, sign);
    rp_buffer_append_u16(out, (guint16)decimal->display_scale);
    for (int i = 0; i < decimal->n_groups; i++)
        rp_buffer_append_u16(out, (guint16)decimal->groups[i]);
}

static int compare_magnitude(const RpDecimal *a, const RpDecimal *b) {
    if (a->n_groups == 0 || b->n_groups == 0)
        return (a->n_groups > 0) - (b->n_groups > 0);
    if (a->weight != b->weight)
        return a->weight < b->weight ? -1 : 1;
    for (int i = 0; i < MIN(a->n_groups, b->n_groups); i++)
        if (a->groups[i] != b->groups[i])
            return a->groups[i] < b->groups[i] ? -1 : 1;
    return (a->n_groups > b->n_groups) - (a->n_groups < b->n_groups);
}

int rp_decimal_compare(const RpDecimal *a, const RpDecimal *b) {
    if (a->is_nan || b->is_nan)
        return a->is_nan - b->is_nan;
    if (a->is_negative != b->is_negative)
        return a->is_negative ? -1 : 1;
    return a->is_negative ? -compare_magnitude(a, b) : compare_magnitude(a, b);
}
