/* JSON numbers without exponents, and without zeros that mean nothing. */
#include "reconcile/canonical_number.h"

#include <string.h>

/* As in mapping/json.c: what is beyond is refused there. */
#define MAX_DIGITS   1000
#define MAX_EXPONENT 1000

/* A number as it is written: spans of digits. */
typedef struct {
    const char *whole;
    gsize n_whole;
    const char *places;
    gsize n_places;
    int exponent;
    gboolean is_negative;
} Number;

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && g_ascii_isdigit(*at))
        at++;
    return at;
}

static gboolean read_exponent(const char **at, const char *end, int *exponent) {
    const gboolean is_negative = *at < end && **at == '-';
    if (*at < end && (**at == '-' || **at == '+'))
        (*at)++;
    const char *digits = *at;
    *at = skip_digits(*at, end);
    int value = 0;
    for (const char *digit = digits; digit < *at; digit++)
        value = MIN(value * 10 + (*digit - '0'), MAX_EXPONENT + 1);
    *exponent = is_negative ? -value : value;
    return *at > digits && value <= MAX_EXPONENT;
}

static gboolean read_number(const char **at, const char *end, Number *number) {
    *number = (Number){.is_negative = **at == '-'};
    number->whole = *at += number->is_negative;
    *at = skip_digits(*at, end);
    number->n_whole = (gsize)(*at - number->whole);
    if (number->n_whole == 0 || (number->n_whole > 1 && *number->whole == '0'))
        return FALSE;
    if (*at < end && **at == '.') {
        number->places = ++*at;
        *at = skip_digits(*at, end);
        number->n_places = (gsize)(*at - number->places);
        if (number->n_places == 0)
            return FALSE;
    }
    if (number->n_whole > MAX_DIGITS || number->n_places > MAX_DIGITS)
        return FALSE;
    if (*at == end || (**at != 'e' && **at != 'E'))
        return TRUE;
    (*at)++;
    return read_exponent(at, end, &number->exponent);
}

/* Appends 0.d1d2… · 10^point, the first and the last of at least one digit being no zero. */
static void append_plain(RpBuffer *out, const char *digits, int n_digits, int point) {
    const int n_whole = CLAMP(point, 0, n_digits);
    char *to = rp_buffer_reserve(out, (gsize)(n_digits + ABS(point) + 2));
    const char *start = to;
    if (n_whole == 0)
        *to++ = '0';
    to = mempcpy(to, digits, (gsize)n_whole);
    for (int i = n_digits; i < point; i++)
        *to++ = '0';
    if (n_whole < n_digits)
        *to++ = '.';
    for (int i = point; i < 0; i++)
        *to++ = '0';
    to = mempcpy(to, digits + n_whole, (gsize)(n_digits - n_whole));
    out->size += (gsize)(to - start);
}

static void append_number(const Number *number, RpBuffer *out) {
    char digits[2 * MAX_DIGITS];
    int n_digits = (int)(number->n_whole + number->n_places), n_leading = 0;
    memcpy(digits, number->whole, number->n_whole);
    if (number->n_places > 0)
        memcpy(digits + number->n_whole, number->places, number->n_places);
    while (n_digits > 0 && digits[n_digits - 1] == '0')
        n_digits--;
    while (n_leading < n_digits && digits[n_leading] == '0')
        n_leading++;
    if (n_digits == 0) {
        rp_buffer_append(out, "0", 1);
        return;
    }
    if (number->is_negative)
        rp_buffer_append(out, "-", 1);
    append_plain(out, digits + n_leading, n_digits - n_leading,
                 (int)number->n_whole - n_leading + number->exponent);
}

gboolean rp_canonical_number_append(const char **at, const char *end, RpBuffer *out) {
    const char *start = *at;
    Number number;
    if (!read_number(at, end, &number))
        return FALSE;
    const gboolean is_plain = number.places == NULL && number.exponent == 0 && *number.whole != '0' &&
                              number.whole + number.n_whole == *at;
    if (is_plain)
        rp_buffer_append(out, start, (gsize)(*at - start));
    else
        append_number(&number, out);
    return TRUE;
}

const char *rp_canonical_number_append_fraction(const char *at, const char *end, RpBuffer *out) {
    const char *after = skip_digits(at + 1, end);
    const char *last = after;
    while (last > at + 1 && last[-1] == '0')
        last--;
    if (last > at + 1)
        rp_buffer_append(out, at, (gsize)(last - at));
    return after;
}
