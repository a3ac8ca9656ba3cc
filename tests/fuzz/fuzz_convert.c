/* Converters. The first line chooses a column of target_table.h and its refinements, a character each; what
 * follows is the text. */
#include "mapping/convert.h"

#include "input.h"
#include "target_table.h"

#define PREFIX "before"

static guint32 read_u32(const char *at) {
    guint32 value;
    memcpy(&value, at, sizeof value);
    return GUINT32_FROM_BE(value);
}

static gint16 read_i16(const char *at) {
    gint16 value;
    memcpy(&value, at, sizeof value);
    return (gint16)GINT16_FROM_BE(value);
}

/* Sign and special values of numeric's wire form (postgresql: src/backend/utils/adt/numeric.c). */
static void check_numeric(RpSpan field) {
    g_assert(field.size >= 8);
    const gint16 n_groups = read_i16(field.data);
    const guint16 sign = (guint16)read_i16(field.data + 4);
    g_assert(n_groups >= 0 && field.size == 8 + 2 * (gsize)n_groups);
    g_assert(sign == 0 || sign == 0x4000 || (sign == 0xC000 && n_groups == 0));
    g_assert(read_i16(field.data + 6) >= 0);
    for (int i = 0; i < n_groups; i++) {
        const gint16 group = read_i16(field.data + 8 + 2 * i);
        g_assert(group >= 0 && group <= 9999);
        g_assert(group != 0 || (i > 0 && i < n_groups - 1));
    }
}

static gsize fixed_size(RpTypeKind kind) {
    switch (kind) {
    case RP_TYPE_BOOL:
        return 1;
    case RP_TYPE_INT2:
        return 2;
    case RP_TYPE_INT4:
    case RP_TYPE_FLOAT4:
    case RP_TYPE_DATE:
        return 4;
    case RP_TYPE_INT8:
    case RP_TYPE_FLOAT8:
    case RP_TYPE_TIME:
    case RP_TYPE_TIMESTAMP:
    case RP_TYPE_TIMESTAMPTZ:
        return 8;
    case RP_TYPE_UUID:
        return 16;
    default:
        return 0;
    }
}

static void check_field(const RpColumn *column, RpSpan field);

static void check_array(const RpColumn *column, RpSpan field) {
    g_assert(field.size >= 12 && read_u32(field.data + 8) == column->element->type_oid);
    const guint32 n_dimensions = read_u32(field.data);
    if (n_dimensions == 0) {
        g_assert(field.size == 12);
        return;
    }
    g_assert(n_dimensions == 1 && field.size >= 20 && read_u32(field.data + 16) == 1);
    const char *at = field.data + 20;
    const char *end = field.data + field.size;
    for (guint32 n_left = read_u32(field.data + 12); n_left > 0; n_left--) {
        g_assert(end - at >= 4);
        const guint32 size = read_u32(at);
        at += 4;
        if (size == G_MAXUINT32)
            continue;
        g_assert((gsize)(end - at) >= size);
        check_field(column->element, (RpSpan){at, size});
        at += size;
    }
    g_assert(at == end);
}

static void check_field(const RpColumn *column, RpSpan field) {
    if (fixed_size(column->kind) > 0)
        g_assert(field.size == fixed_size(column->kind));
    else if (column->kind == RP_TYPE_NUMERIC)
        check_numeric(field);
    else if (column->kind == RP_TYPE_ARRAY)
        check_array(column, field);
    else if (column->kind == RP_TYPE_JSONB)
        g_assert(field.size > 1 && field.data[0] == 1 &&
                 rp_json_check((RpSpan){field.data + 1, field.size - 1}, RP_JSON_ANY) == NULL);
    else if (column->kind != RP_TYPE_BYTEA)
        g_assert(rp_span_is_text(field));
    if (column->kind == RP_TYPE_TEXT && column->max_characters >= 0 && !column->is_padded)
        g_assert(rp_text_characters(field) <= (gsize)column->max_characters);
}

/* The limits that a column itself sets. */
static void choose_limits(Input *input, RpColumn *column) {
    static const int PRECISIONS[] = {-1, 1, 5, 38, 1000};
    static const int SCALES[] = {0, 2, 5, -3, 1000, -1000};
    column->precision = column->kind == RP_TYPE_NUMERIC ? PRECISIONS[input_choose(input, 5)] : -1;
    column->scale = SCALES[input_choose(input, 6)];
    column->max_characters = column->kind == RP_TYPE_TEXT ? (int)input_choose(input, 10) - 1 : -1;
    column->is_padded = column->max_characters > 0 && input_choose(input, 2) == 1;
    column->is_not_null = input_choose(input, 2) == 1;
}

static void choose_time(Input *input, RpConversion *conversion) {
    static const char *const PATTERNS[] = {"%d/%m/%Y %H:%M:%S", "%s", "%Y%j", "%H:%M"};
    conversion->time_format = (RpTimeFormat)input_choose(input, RP_TIME_PATTERN + 1);
    const guint pattern = input_choose(input, G_N_ELEMENTS(PATTERNS));
    char *problem = NULL;
    if (conversion->time_format == RP_TIME_PATTERN)
        conversion->time_pattern = rp_time_pattern_new(PATTERNS[pattern], &problem);
    g_assert(problem == NULL);
    if (input_choose(input, 2) == 1)
        conversion->zone = g_time_zone_new_identifier("+05:45");
}

static void choose_rest(Input *input, RpConversion *conversion) {
    static char *const YES[] = {"y", "1", NULL}, *const NO[] = {"n", "0", "", NULL};
    static char *const SEPARATORS[] = {NULL, ",", "::"};
    static const guint32 DIVISORS[] = {0, 1, 3, 100, 1000000000};
    conversion->json_shape = (RpJsonShape)input_choose(input, 3);
    conversion->divisor = DIVISORS[input_choose(input, G_N_ELEMENTS(DIVISORS))];
    conversion->rounding = (RpRounding)input_choose(input, 4);
    conversion->encoding = (RpByteEncoding)input_choose(input, 3);
    conversion->separator = SEPARATORS[input_choose(input, G_N_ELEMENTS(SEPARATORS))];
    if (input_choose(input, 2) == 1) {
        conversion->true_words = (char **)YES;
        conversion->false_words = (char **)NO;
    }
}

static void check_outcome(const RpConversion *conversion, gboolean is_fine, const RpBuffer *out,
                          const RpProblem *problem) {
    const gsize before = strlen(PREFIX);
    g_assert(out->size >= before && memcmp(out->data, PREFIX, before) == 0);
    if (!is_fine) {
        g_assert(problem->code < RP_N_REJECT_CODES && problem->message[0] != '\0');
        g_assert(g_utf8_validate(problem->message, -1, NULL));
        return;
    }
    g_assert(out->size >= before + 4 && read_u32(out->data + before) == out->size - before - 4);
    check_field(conversion->column, (RpSpan){out->data + before + 4, out->size - before - 4});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    const RpSpan choices = input_line(&input);
    Input choice = {choices.data, choices.data + choices.size};
    RpColumn *column = target_column_at(input_choose(&choice, G_N_ELEMENTS(TARGET_COLUMNS)));
    choose_limits(&choice, column->element != NULL ? column->element : column);
    RpConversion conversion = {.column = column};
    choose_time(&choice, &conversion);
    choose_rest(&choice, &conversion);
    g_auto(RpBuffer) out = {0};
    rp_buffer_append(&out, PREFIX, strlen(PREFIX));
    RpConverted converted;
    RpProblem problem = {.code = RP_N_REJECT_CODES};
    const RpConverter convert = rp_converter_for(column->kind);
    check_outcome(&conversion, convert(&conversion, input_rest(&input), &out, &converted, &problem), &out,
                  &problem);
    g_clear_pointer(&conversion.zone, g_time_zone_unref);
    g_clear_pointer(&conversion.time_pattern, rp_time_pattern_free);
    RpTable *table = rp_table_new(); /* columns are freed by their table */
    g_ptr_array_add(table->columns, column);
    rp_table_free(table);
    return 0;
}
