/* Decimal text to base-10000 groups. */
#include "mapping/decimal.h"

#define NUMERIC_POSITIVE 0x0000
#define NUMERIC_NEGATIVE 0x4000
#define NUMERIC_NAN      0xC000

/* The digits of a number without sign and point: its value is 0.d1d2… · 10^point. */
typedef struct {
    char digits[RP_DECIMAL_MAX_DIGITS];
    int n_digits;
    int point;
    int places; /* decimal places as written, the exponent applied */
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
    memmove(number->digits, number->digits + n_leading, (gsize)number->n_digits);
    if (number->n_digits == 0)
        number->point = 0;
}

static void fill_groups(const Digits *number, RpDecimal *decimal) {
    /* The first group begins at a multiple of four digits before the point. */
    const int n_before = number->point > 0 ? (number->point + 3) / 4 : -(-number->point / 4);
    const int lead = n_before * 4 - number->point; /* zeros before the first digit, 0 to 3 */
    const int n_groups = (lead + number->n_digits + 3) / 4;
    decimal->weight = (gint16)(n_before - 1);
    decimal->n_groups = (gint16)n_groups;
    for (int group = 0; group < n_groups; group++) {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            const int digit = group * 4 + i - lead;
            value = value * 10 + (digit >= 0 && digit < number->n_digits ? number->digits[digit] - '0' : 0);
        }
        decimal->groups[group] = (gint16)value;
    }
}

gboolean rp_decimal_parse(RpSpan text, int precision, int scale, RpDecimal *decimal, RpRejectCode *code) {
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

    const gboolean is_bound = precision >= 0 && number.n_digits > 0; /* zero fits every type */
    if (number.point > RP_DECIMAL_MAX_DIGITS || (is_bound && number.point > precision - scale)) {
        *code = RP_REJECT_OUT_OF_RANGE;
        return FALSE;
    }
    const int places = number.n_digits - number.point; /* that the value needs */
    if (places > RP_DECIMAL_MAX_DIGITS - MAX(number.point, 0) || (is_bound && places > scale)) {
        *code = RP_REJECT_SCALE_EXCEEDED;
        return FALSE;
    }
    const int shown = precision >= 0 ? MAX(scale, 0) : number.places; /* numeric(3,-2) shows no places */
    decimal->display_scale = (gint16)MIN(shown, RP_DECIMAL_MAX_DIGITS);
    if (number.n_digits == 0)
        decimal->is_negative = FALSE;
    else
        fill_groups(&number, decimal);
    return TRUE;
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
