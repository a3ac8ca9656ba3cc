/* Whole numbers, decimals, and floating point. */
#include "mapping/converters.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
    guint8 size_bytes;
    gint64 minimum;
    gint64 maximum;
    const char *name;
} IntegerType;

static const IntegerType INTEGER_TYPES[] = {
    [RP_TYPE_INT2] = {2, G_MININT16, G_MAXINT16, "smallint"},
    [RP_TYPE_INT4] = {4, G_MININT32, G_MAXINT32, "integer"},
    [RP_TYPE_INT8] = {8, G_MININT64, G_MAXINT64, "bigint"},
};

/* Reads [+-]digits: no blanks, no trailing letters. */
static gboolean read_whole(RpSpan text, const char *type, gint64 *value, RpProblem *problem) {
    const char *at = text.data;
    const char *end = text.data + text.size;
    const gboolean is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return rp_problem_set(problem, RP_REJECT_INVALID_INTEGER, "is no whole number");
    gint64 number = 0;
    gboolean has_overflow = FALSE;
    for (; at < end; at++) {
        if (!g_ascii_isdigit(*at))
            return rp_problem_set(problem, RP_REJECT_INVALID_INTEGER, "is no whole number");
        const gint64 digit = is_negative ? '0' - *at : *at - '0';
        has_overflow = has_overflow || __builtin_mul_overflow(number, 10, &number) ||
                       __builtin_add_overflow(number, digit, &number);
    }
    if (has_overflow)
        return rp_problem_set(problem, RP_REJECT_OUT_OF_RANGE, "is out of the range of %s", type);
    *value = number;
    return TRUE;
}

static gboolean refuse_decimal(RpRejectCode code, const char *type, RpProblem *problem) {
    if (code == RP_REJECT_INVALID_DECIMAL)
        return rp_problem_set(problem, code, "is no decimal number");
    if (code == RP_REJECT_OUT_OF_RANGE)
        return rp_problem_set(problem, code, "is out of the range of %s", type);
    return rp_problem_set(problem, code, "has more decimal places than %s holds", type);
}

/* Reads a decimal that division or rounding makes whole. */
static gboolean read_quotient(const RpConversion *conversion, RpSpan text, const char *type,
                              RpConverted *converted, RpProblem *problem) {
    const RpDecimalForm form = {
        .precision = 19, .divisor = conversion->divisor, .rounding = conversion->rounding};
    RpRejectCode code;
    if (!rp_decimal_read(text, &form, &converted->decimal, &code))
        return refuse_decimal(code, type, problem);
    if (converted->decimal.is_nan)
        return refuse_decimal(RP_REJECT_INVALID_DECIMAL, type, problem);
    if (!rp_decimal_to_integer(&converted->decimal, &converted->integer))
        return refuse_decimal(RP_REJECT_OUT_OF_RANGE, type, problem);
    return TRUE;
}

gboolean rp_convert_integer(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                            RpConverted *converted, RpProblem *problem) {
    const IntegerType *type = &INTEGER_TYPES[conversion->column->kind];
    const gboolean is_whole = conversion->divisor == 0 && conversion->rounding == RP_ROUND_NONE;
    if (!(is_whole ? read_whole(text, type->name, &converted->integer, problem)
                   : read_quotient(conversion, text, type->name, converted, problem)))
        return FALSE;
    if (converted->integer < type->minimum || converted->integer > type->maximum)
        return rp_problem_set(problem, RP_REJECT_OUT_OF_RANGE, "is out of the range of %s", type->name);
    rp_buffer_append_u32(out, type->size_bytes);
    const guint64 big_endian = GUINT64_TO_BE((guint64)converted->integer);
    rp_buffer_append(out, (const char *)&big_endian + 8 - type->size_bytes, type->size_bytes);
    return TRUE;
}

gboolean rp_convert_numeric(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                            RpConverted *converted, RpProblem *problem) {
    const RpColumn *column = conversion->column;
    const RpDecimalForm form = {.precision = column->precision,
                                .scale = column->scale,
                                .divisor = conversion->divisor,
                                .rounding = conversion->rounding};
    RpRejectCode code;
    if (!rp_decimal_read(text, &form, &converted->decimal, &code))
        return refuse_decimal(code, column->type_name, problem);
    rp_decimal_append(&converted->decimal, out);
    return TRUE;
}

/* A number's text, checked, and ended with a NUL. */
typedef struct {
    char text[RP_DECIMAL_MAX_DIGITS + 64];
    gboolean is_zero;
    gboolean is_infinite;
} Real;

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && g_ascii_isdigit(*at))
        at++;
    return at;
}

/* Whether the bytes are [+-]digits[.digits][e[+-]digits]. */
static gboolean is_real(const char *at, const char *end) {
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    const char *whole = skip_digits(at, end);
    gboolean has_digits = whole > at;
    at = whole;
    if (at < end && *at == '.') {
        at++;
        const char *places = skip_digits(at, end);
        has_digits = has_digits || places > at;
        at = places;
    }
    if (has_digits && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        has_digits = at < end && g_ascii_isdigit(*at);
        at = skip_digits(at, end);
    }
    return has_digits && at == end;
}

/* Whether the bytes are NaN, [+-]Infinity or [+-]inf, in any case. */
static gboolean is_special(RpSpan text, Real *real) {
    static const char *const words[] = {"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (strlen(words[i]) == text.size && g_ascii_strncasecmp(words[i], text.data, text.size) == 0) {
            real->is_infinite = i > 0;
            return TRUE;
        }
    return FALSE;
}

/* Whether all digits before the exponent are zeros. */
static gboolean is_zero(RpSpan text) {
    for (gsize i = 0; i < text.size && text.data[i] != 'e' && text.data[i] != 'E'; i++)
        if (text.data[i] >= '1' && text.data[i] <= '9')
            return FALSE;
    return TRUE;
}

static gboolean read_real(const RpConversion *conversion, RpSpan text, Real *real, RpProblem *problem) {
    real->is_infinite = FALSE;
    if (!is_real(text.data, text.data + text.size) && !is_special(text, real))
        return rp_problem_set(problem, RP_REJECT_INVALID_DECIMAL, "is no number");
    if (text.size >= sizeof real->text)
        return rp_problem_set(problem, RP_REJECT_OUT_OF_RANGE, "has more digits than %s is read from",
                              conversion->column->type_name);
    memcpy(real->text, text.data, text.size);
    real->text[text.size] = '\0';
    real->is_zero = is_zero(text);
    return TRUE;
}

/* As PostgreSQL: a number may become zero or infinity only when it is written so (postgresql:
 * src/backend/utils/adt/float.c, float8in_internal). */
static gboolean check_real(const Real *real, double value, const RpConversion *conversion,
                           RpProblem *problem) {
    if ((isinf(value) && !real->is_infinite) || (value == 0 && !real->is_zero))
        return rp_problem_set(problem, RP_REJECT_OUT_OF_RANGE, "is out of the range of %s",
                              conversion->column->type_name);
    return TRUE;
}

/* The locale whose decimal point is a point, whatever the process has set. */
static locale_t c_locale(void) {
    static gsize once = 0;
    static locale_t locale;
    if (g_once_init_enter(&once)) {
        locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        g_once_init_leave(&once, 1);
    }
    return locale;
}

gboolean rp_convert_float4(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                           RpProblem *problem) {
    Real real;
    if (!read_real(conversion, text, &real, problem))
        return FALSE;
    const float value = strtof_l(real.text, NULL, c_locale()); /* not through double: that rounds twice */
    if (!check_real(&real, value, conversion, problem))
        return FALSE;
    converted->real = value;
    guint32 bits;
    memcpy(&bits, &value, sizeof bits);
    rp_buffer_append_u32(out, sizeof bits);
    rp_buffer_append_u32(out, bits);
    return TRUE;
}

gboolean rp_convert_float8(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                           RpProblem *problem) {
    Real real;
    if (!read_real(conversion, text, &real, problem))
        return FALSE;
    converted->real = strtod_l(real.text, NULL, c_locale());
    if (!check_real(&real, converted->real, conversion, problem))
        return FALSE;
    guint64 bits;
    memcpy(&bits, &converted->real, sizeof bits);
    rp_buffer_append_u32(out, sizeof bits);
    rp_buffer_append_u64(out, bits);
    return TRUE;
}
