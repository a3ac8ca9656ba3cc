/* Shortest texts of floating-point numbers. */
#include "reconcile/real_text.h"

#include <math.h>
#include <string.h>

/* What the two types differ in. */
typedef struct {
    int mantissa_bits;
    int least_exponent; /* of the last bit: that of the least number of all */
    int most_digits;    /* that any number needs */
    int plain_digits;   /* numbers with more digits before the point are shown with an exponent */
} Format;

static const Format FLOAT8 = {53, -1074, 17, 15};
static const Format FLOAT4 = {24, -149, 9, 6};

/* digits · 10^exponent */
typedef struct {
    guint64 digits;
    int exponent;
} Decimal;

static guint64 odd_part(guint64 number) {
    return number >> __builtin_ctzll(number);
}

/* Whether the odd parts of a · 5^n_fives and b are the same. */
static gboolean is_multiple(guint64 a, int n_fives, guint64 b) {
    a = odd_part(a);
    for (; n_fives > 0; n_fives--)
        if (__builtin_mul_overflow(a, 5, &a))
            return FALSE;
    return a == odd_part(b);
}

/* Whether a decimal that is read as the number lies in the middle between it and a neighbour. */
static gboolean is_tie(const Format *format, double value, Decimal decimal) {
    int exponent;
    const double fraction = frexp(value, &exponent);
    const int last_bit = MAX(exponent - format->mantissa_bits, format->least_exponent);
    const guint64 mantissa = (guint64)ldexp(fraction, exponent - last_bit);
    /* Below a power of two the middle is nearer, a multiple of 2^54 - 1 or 2^26 - 1: those have as many
     * digits as the power itself, which is tried first. */
    const guint64 middles[] = {2 * mantissa + 1, 2 * mantissa - 1};
    for (guint i = 0; i < G_N_ELEMENTS(middles); i++)
        if (decimal.exponent >= 0 ? is_multiple(decimal.digits, decimal.exponent, middles[i])
                                  : is_multiple(middles[i], -decimal.exponent, decimal.digits))
            return TRUE;
    return FALSE;
}

static gboolean is_read_back(const Format *format, double value, Decimal decimal) {
    char text[64];
    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT "e%d", decimal.digits, decimal.exponent);
    const double read = g_ascii_strtod(text, NULL);
    const gboolean is_same = format == &FLOAT4 ? (float)read == (float)value : read == value;
    return is_same && !is_tie(format, value, decimal);
}

/* The number with that many digits. */
static Decimal round_to(double value, int n_digits) {
    char form[8], text[64];
    g_snprintf(form, sizeof form, "%%.%de", n_digits - 1);
    g_ascii_formatd(text, sizeof text, form, value);
    char *mark = strchr(text, 'e');
    Decimal decimal = {0, (int)g_ascii_strtoll(mark + 1, NULL, 10) - (n_digits - 1)};
    for (const char *at = text; at < mark; at++)
        if (g_ascii_isdigit(*at))
            decimal.digits = decimal.digits * 10 + (guint64)(*at - '0');
    return decimal;
}

/* Below a power of two numbers lie closer together than above it: what is nearest may be no longer the
 * number, while the next greater one is. */
static Decimal shorten(const Format *format, double value) {
    Decimal decimal = {0};
    for (int n_digits = 1; n_digits <= format->most_digits; n_digits++) {
        decimal = round_to(value, n_digits);
        if (is_read_back(format, value, decimal))
            return decimal;
        const Decimal next = {decimal.digits + 1, decimal.exponent};
        if (is_read_back(format, value, next))
            return next;
    }
    return decimal;
}

static void append_scientific(GString *text, const char *digits, int point) {
    g_string_append_c(text, digits[0]);
    if (digits[1] != '\0')
        g_string_append_printf(text, ".%s", digits + 1);
    g_string_append_printf(text, "e%c%02d", point > 0 ? '+' : '-', ABS(point - 1));
}

/* 0.digits · 10^point */
static void append_plain(GString *text, const char *digits, int point) {
    const int n_digits = (int)strlen(digits);
    if (point <= 0)
        g_string_append(text, "0.");
    for (int i = point; i < 0; i++)
        g_string_append_c(text, '0');
    for (int i = 0; i < MAX(n_digits, point); i++) {
        if (i > 0 && i == point)
            g_string_append_c(text, '.');
        g_string_append_c(text, i < n_digits ? digits[i] : '0');
    }
}

static char *show(const Format *format, double value) {
    if (isnan(value))
        return g_strdup("NaN");
    if (isinf(value))
        return g_strdup(value < 0 ? "-Infinity" : "Infinity");
    GString *text = g_string_new(signbit(value) ? "-" : "");
    if (value == 0) {
        g_string_append_c(text, '0');
        return g_string_free(text, FALSE);
    }
    Decimal decimal = shorten(format, fabs(value));
    for (; decimal.digits % 10 == 0; decimal.exponent++)
        decimal.digits /= 10;
    char digits[32];
    const int point =
        g_snprintf(digits, sizeof digits, "%" G_GUINT64_FORMAT, decimal.digits) + decimal.exponent;
    if (point - 1 < -4 || point - 1 >= format->plain_digits)
        append_scientific(text, digits, point);
    else
        append_plain(text, digits, point);
    return g_string_free(text, FALSE);
}

char *rp_real_text_float8(double value) {
    return show(&FLOAT8, value);
}

char *rp_real_text_float4(float value) {
    return show(&FLOAT4, value);
}
