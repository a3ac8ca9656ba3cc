/* Which converter a kind of column has, and how its values compare. */
#include "mapping/convert.h"

#include "mapping/converters.h"

#include <math.h>
#include <stdarg.h>

gboolean rp_problem_set(RpProblem *problem, RpRejectCode code, const char *format, ...) {
    problem->code = code;
    va_list arguments;
    va_start(arguments, format);
    g_vsnprintf(problem->message, sizeof problem->message, format, arguments);
    va_end(arguments);
    const char *end; /* not in the middle of a character */
    if (!g_utf8_validate(problem->message, -1, &end))
        problem->message[end - problem->message] = '\0';
    return FALSE;
}

/* By which member of RpConverted values of a kind compare. */
typedef enum {
    UNORDERED,
    BY_INTEGER,
    BY_REAL,
    BY_DECIMAL,
} Order;

static const struct {
    RpConverter convert;
    Order order;
} KINDS[] = {
    [RP_TYPE_OTHER] = {rp_convert_text, UNORDERED},
    [RP_TYPE_BOOL] = {rp_convert_bool, UNORDERED},
    [RP_TYPE_INT2] = {rp_convert_integer, BY_INTEGER},
    [RP_TYPE_INT4] = {rp_convert_integer, BY_INTEGER},
    [RP_TYPE_INT8] = {rp_convert_integer, BY_INTEGER},
    [RP_TYPE_FLOAT4] = {rp_convert_float4, BY_REAL},
    [RP_TYPE_FLOAT8] = {rp_convert_float8, BY_REAL},
    [RP_TYPE_NUMERIC] = {rp_convert_numeric, BY_DECIMAL},
    [RP_TYPE_TEXT] = {rp_convert_text, UNORDERED},
    [RP_TYPE_BYTEA] = {rp_convert_bytea, UNORDERED},
    [RP_TYPE_UUID] = {rp_convert_uuid, UNORDERED},
    [RP_TYPE_DATE] = {rp_convert_date, BY_INTEGER},
    [RP_TYPE_TIME] = {rp_convert_time, BY_INTEGER},
    [RP_TYPE_TIMESTAMP] = {rp_convert_timestamp, BY_INTEGER},
    [RP_TYPE_TIMESTAMPTZ] = {rp_convert_timestamptz, BY_INTEGER},
    [RP_TYPE_JSON] = {rp_convert_json, UNORDERED},
    [RP_TYPE_JSONB] = {rp_convert_jsonb, UNORDERED},
    [RP_TYPE_ENUM] = {rp_convert_enum, UNORDERED},
    [RP_TYPE_ARRAY] = {rp_convert_array, UNORDERED},
};

G_STATIC_ASSERT(G_N_ELEMENTS(KINDS) == RP_TYPE_ARRAY + 1);

RpConverter rp_converter_for(RpTypeKind kind) {
    return KINDS[kind].convert;
}

gboolean rp_converted_is_ordered(RpTypeKind kind) {
    return KINDS[kind].order != UNORDERED;
}

static int compare_reals(double a, double b) {
    if (isnan(a) || isnan(b))
        return (isnan(a) != 0) - (isnan(b) != 0);
    return (a > b) - (a < b);
}

int rp_converted_compare(RpTypeKind kind, const RpConverted *a, const RpConverted *b) {
    switch (KINDS[kind].order) {
    case BY_DECIMAL:
        return rp_decimal_compare(&a->decimal, &b->decimal);
    case BY_REAL:
        return compare_reals(a->real, b->real);
    case BY_INTEGER:
        return (a->integer > b->integer) - (a->integer < b->integer);
    case UNORDERED:
        break;
    }
    g_assert_not_reached();
}

gboolean rp_converted_is_nan(RpTypeKind kind, const RpConverted *converted) {
    switch (KINDS[kind].order) {
    case BY_DECIMAL:
        return converted->decimal.is_nan;
    case BY_REAL:
        return isnan(converted->real) != 0;
    case BY_INTEGER:
    case UNORDERED:
        return FALSE;
    }
    g_assert_not_reached();
}
