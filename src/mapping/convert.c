/* One converter a kind of column. */
#include "mapping/convert.h"

#include "mapping/uuid.h"

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

static gboolean convert_bool(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                             RpConverted *converted, RpProblem *problem) {
    (void)conversion;
    static const char *const words[2][6] = {{"false", "f", "no", "n", "off", "0"},
                                            {"true", "t", "yes", "y", "on", "1"}};
    for (guint value = 0; value < 2; value++)
        for (guint i = 0; i < G_N_ELEMENTS(words[0]); i++)
            if (strlen(words[value][i]) == text.size &&
                g_ascii_strncasecmp(words[value][i], text.data, text.size) == 0) {
                const guint8 byte = (guint8)value;
                converted->integer = value;
                rp_buffer_append_u32(out, 1);
                rp_buffer_append(out, &byte, 1);
                return TRUE;
            }
    return rp_problem_set(problem, RP_REJECT_INVALID_BOOLEAN,
                          "is no boolean: true, false, yes, no, 1 or 0 is");
}

/* Reads [+-]digits within the limits: no blanks, no trailing letters. */
static gboolean read_integer(RpSpan text, gint64 minimum, gint64 maximum, const char *type, gint64 *value,
                             RpProblem *problem) {
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
    if (has_overflow || number < minimum || number > maximum)
        return rp_problem_set(problem, RP_REJECT_OUT_OF_RANGE, "is out of the range of %s", type);
    *value = number;
    return TRUE;
}

static gboolean convert_int2(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                             RpConverted *converted, RpProblem *problem) {
    (void)conversion;
    if (!read_integer(text, G_MININT16, G_MAXINT16, "smallint", &converted->integer, problem))
        return FALSE;
    rp_buffer_append_u32(out, 2);
    rp_buffer_append_u16(out, (guint16)converted->integer);
    return TRUE;
}

static gboolean convert_int4(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                             RpConverted *converted, RpProblem *problem) {
    (void)conversion;
    if (!read_integer(text, G_MININT32, G_MAXINT32, "integer", &converted->integer, problem))
        return FALSE;
    rp_buffer_append_u32(out, 4);
    rp_buffer_append_u32(out, (guint32)converted->integer);
    return TRUE;
}

static gboolean convert_int8(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                             RpConverted *converted, RpProblem *problem) {
    (void)conversion;
    if (!read_integer(text, G_MININT64, G_MAXINT64, "bigint", &converted->integer, problem))
        return FALSE;
    rp_buffer_append_u32(out, 8);
    rp_buffer_append_u64(out, (guint64)converted->integer);
    return TRUE;
}

static gboolean convert_numeric(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                                RpConverted *converted, RpProblem *problem) {
    const RpColumn *column = conversion->column;
    RpRejectCode code;
    if (rp_decimal_parse(text, column->precision, column->scale, &converted->decimal, &code)) {
        rp_decimal_append(&converted->decimal, out);
        return TRUE;
    }
    if (code == RP_REJECT_INVALID_DECIMAL)
        return rp_problem_set(problem, code, "is no decimal number");
    if (code == RP_REJECT_OUT_OF_RANGE)
        return rp_problem_set(problem, code, "is out of the range of %s", column->type_name);
    return rp_problem_set(problem, code, "has more decimal places than %s holds", column->type_name);
}

gsize rp_text_characters(RpSpan text) {
    gsize n_characters = 0;
    for (gsize i = 0; i < text.size; i++)
        n_characters += ((guchar)text.data[i] & 0xC0) != 0x80;
    return n_characters;
}

static gboolean check_encoding(RpSpan text, RpProblem *problem) {
    if (G_LIKELY(rp_span_is_text(text)))
        return TRUE;
    return rp_problem_set(problem, RP_REJECT_INVALID_ENCODING, "is not UTF-8 text without NUL");
}

static gboolean convert_text(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                             RpConverted *converted, RpProblem *problem) {
    (void)converted;
    const RpColumn *column = conversion->column;
    if (!check_encoding(text, problem))
        return FALSE;
    gsize padding = 0;
    if (column->max_characters >= 0 && (column->is_padded || text.size > (gsize)column->max_characters)) {
        const gsize n_characters = rp_text_characters(text);
        if (n_characters > (gsize)column->max_characters)
            return rp_problem_set(problem, RP_REJECT_TOO_LONG,
                                  "has %" G_GSIZE_FORMAT " characters, %s holds %d", n_characters,
                                  column->type_name, column->max_characters);
        padding = column->is_padded ? (gsize)column->max_characters - n_characters : 0;
    }
    rp_buffer_append_u32(out, (guint32)(text.size + padding));
    rp_buffer_append(out, text.data, text.size);
    memset(rp_buffer_reserve(out, padding), ' ', padding);
    out->size += padding;
    return TRUE;
}

static gboolean convert_uuid(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                             RpConverted *converted, RpProblem *problem) {
    (void)conversion;
    (void)converted;
    RpUuid uuid;
    if (!rp_uuid_parse(text, &uuid))
        return rp_problem_set(problem, RP_REJECT_INVALID_UUID, "is no UUID");
    rp_buffer_append_u32(out, sizeof uuid.bytes);
    rp_buffer_append(out, uuid.bytes, sizeof uuid.bytes);
    return TRUE;
}

static gboolean convert_date(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                             RpConverted *converted, RpProblem *problem) {
    (void)conversion;
    gint32 days;
    if (!rp_date_parse(text, &days))
        return rp_problem_set(problem, RP_REJECT_INVALID_TIMESTAMP, "is no date (YYYY-MM-DD) that exists");
    converted->integer = days;
    rp_buffer_append_u32(out, 4);
    rp_buffer_append_u32(out, (guint32)days);
    return TRUE;
}

static gboolean read_timestamp(const RpConversion *conversion, RpSpan text, gint64 *microseconds,
                               RpProblem *problem) {
    RpRejectCode code;
    if (rp_timestamp_parse(text, conversion->time_format, conversion->zone, microseconds, &code))
        return TRUE;
    static const char *const forms[] = {"no ISO 8601 time that exists", "no number of Unix seconds",
                                        "no number of Unix milliseconds", "no number of Unix microseconds"};
    if (code == RP_REJECT_SCALE_EXCEEDED)
        return rp_problem_set(problem, code, "is finer than microseconds");
    if (code == RP_REJECT_OUT_OF_RANGE)
        return rp_problem_set(problem, code, "is outside of the years 1 to 9999");
    return rp_problem_set(problem, code, "is %s", forms[conversion->time_format]);
}

static gboolean convert_timestamptz(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                                    RpConverted *converted, RpProblem *problem) {
    if (!read_timestamp(conversion, text, &converted->integer, problem))
        return FALSE;
    rp_buffer_append_u32(out, 8);
    rp_buffer_append_u64(out, (guint64)converted->integer);
    return TRUE;
}

/* A timestamp without zone holds the wall-clock time of the mapping's zone. */
static gboolean convert_timestamp(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                                  RpConverted *converted, RpProblem *problem) {
    gint64 microseconds;
    if (!read_timestamp(conversion, text, &microseconds, problem))
        return FALSE;
    if (conversion->zone != NULL) {
        const gint64 unix_seconds = (microseconds + RP_POSTGRES_EPOCH_US) / 1000000;
        const int interval = g_time_zone_find_interval(conversion->zone, G_TIME_TYPE_UNIVERSAL, unix_seconds);
        microseconds += (gint64)g_time_zone_get_offset(conversion->zone, MAX(interval, 0)) * 1000000;
    }
    converted->integer = microseconds;
    rp_buffer_append_u32(out, 8);
    rp_buffer_append_u64(out, (guint64)microseconds);
    return TRUE;
}

static gboolean check_json(const RpConversion *conversion, RpSpan text, RpProblem *problem) {
    if (!check_encoding(text, problem))
        return FALSE;
    const char *trouble = rp_json_check(text, conversion->json_shape);
    return trouble == NULL
               ? TRUE
               : rp_problem_set(problem, RP_REJECT_INVALID_JSON, "is not the JSON expected: %s", trouble);
}

static gboolean convert_json(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                             RpConverted *converted, RpProblem *problem) {
    (void)converted;
    if (!check_json(conversion, text, problem))
        return FALSE;
    rp_buffer_append_u32(out, (guint32)text.size);
    rp_buffer_append(out, text.data, text.size);
    return TRUE;
}

static gboolean convert_jsonb(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                              RpConverted *converted, RpProblem *problem) {
    (void)converted;
    if (!check_json(conversion, text, problem))
        return FALSE;
    rp_buffer_append_u32(out, (guint32)text.size + 1);
    rp_buffer_append(out, "\1", 1); /* version of jsonb_recv */
    rp_buffer_append(out, text.data, text.size);
    return TRUE;
}

static gboolean convert_enum(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                             RpConverted *converted, RpProblem *problem) {
    (void)converted;
    for (char **label = conversion->column->labels; *label != NULL; label++)
        if (strlen(*label) == text.size && memcmp(*label, text.data, text.size) == 0) {
            rp_buffer_append_u32(out, (guint32)text.size);
            rp_buffer_append(out, text.data, text.size);
            return TRUE;
        }
    if (!check_encoding(text, problem))
        return FALSE;
    return rp_problem_set(problem, RP_REJECT_INVALID_VALUE, "is no label of %s",
                          conversion->column->type_name);
}

RpConverter rp_converter_for(RpTypeKind kind) {
    switch (kind) {
    case RP_TYPE_BOOL:
        return convert_bool;
    case RP_TYPE_INT2:
        return convert_int2;
    case RP_TYPE_INT4:
        return convert_int4;
    case RP_TYPE_INT8:
        return convert_int8;
    case RP_TYPE_NUMERIC:
        return convert_numeric;
    case RP_TYPE_OTHER:
    case RP_TYPE_TEXT:
        return convert_text;
    case RP_TYPE_UUID:
        return convert_uuid;
    case RP_TYPE_DATE:
        return convert_date;
    case RP_TYPE_TIMESTAMP:
        return convert_timestamp;
    case RP_TYPE_TIMESTAMPTZ:
        return convert_timestamptz;
    case RP_TYPE_JSON:
        return convert_json;
    case RP_TYPE_JSONB:
        return convert_jsonb;
    case RP_TYPE_ENUM:
        return convert_enum;
    }
    g_assert_not_reached();
}

gboolean rp_converted_is_ordered(RpTypeKind kind) {
    switch (kind) {
    case RP_TYPE_INT2:
    case RP_TYPE_INT4:
    case RP_TYPE_INT8:
    case RP_TYPE_NUMERIC:
    case RP_TYPE_DATE:
    case RP_TYPE_TIMESTAMP:
    case RP_TYPE_TIMESTAMPTZ:
        return TRUE;
    case RP_TYPE_OTHER:
    case RP_TYPE_BOOL:
    case RP_TYPE_TEXT:
    case RP_TYPE_UUID:
    case RP_TYPE_JSON:
    case RP_TYPE_JSONB:
    case RP_TYPE_ENUM:
        return FALSE;
    }
    g_assert_not_reached();
}

int rp_converted_compare(RpTypeKind kind, const RpConverted *a, const RpConverted *b) {
    if (kind == RP_TYPE_NUMERIC)
        return rp_decimal_compare(&a->decimal, &b->decimal);
    return (a->integer > b->integer) - (a->integer < b->integer);
}
