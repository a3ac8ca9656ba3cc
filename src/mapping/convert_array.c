/* Arrays of one dimension, from JSON arrays or from text that a separator parts (postgresql:
 * src/backend/utils/adt/arrayfuncs.c, array_send). */
#include "mapping/converters.h"
#include "mapping/json_text.h"

#define NULL_ELEMENT 0xFFFFFFFFu /* -1: the size of a null */

/* What PostgreSQL can allocate for one value (MaxAllocSize). Padded elements are much longer than their text:
 * this bounds them. */
#define MAX_ARRAY_BYTES 0x3FFFFFFFu

/* An array that is being written. */
typedef struct {
    RpConversion conversion; /* of its elements */
    RpConverter convert;
    RpBuffer *out;
    gsize start; /* of the size before the array */
    guint32 n_elements;
    gboolean has_null;
    RpConverted *converted;
    RpProblem *problem;
} Array;

/* The numbers before the elements; counts are written when they are known. */
enum {
    AT_SIZE = 0,
    AT_DIMENSIONS = 4,
    AT_HAS_NULL = 8,
    AT_ELEMENT_TYPE = 12,
    EMPTY_BYTES = 16,
    AT_N_ELEMENTS = 16,
    AT_FIRST_INDEX = 20,
    HEADER_BYTES = 24,
};

static void put_u32(const Array *array, gsize at, guint32 value) {
    const guint32 big_endian = GUINT32_TO_BE(value);
    memcpy(array->out->data + array->start + at, &big_endian, sizeof big_endian);
}

static void begin(Array *array) {
    array->start = array->out->size;
    rp_buffer_reserve(array->out, HEADER_BYTES);
    array->out->size += HEADER_BYTES;
}

static void end(const Array *array) {
    const gboolean is_empty = array->n_elements == 0;
    if (is_empty) /* no dimension */
        array->out->size = array->start + EMPTY_BYTES;
    put_u32(array, AT_SIZE, (guint32)(array->out->size - array->start - 4));
    put_u32(array, AT_DIMENSIONS, !is_empty);
    put_u32(array, AT_HAS_NULL, array->has_null ? 1 : 0);
    put_u32(array, AT_ELEMENT_TYPE, array->conversion.column->type_oid);
    if (is_empty)
        return;
    put_u32(array, AT_N_ELEMENTS, array->n_elements);
    put_u32(array, AT_FIRST_INDEX, 1);
}

/* Puts the element's position before the message. Positions count from 1, as in PostgreSQL. */
static gboolean refuse_element(const Array *array) {
    char message[sizeof array->problem->message];
    g_strlcpy(message, array->problem->message, sizeof message);
    return rp_problem_set(array->problem, array->problem->code, "element %u %s", array->n_elements + 1,
                          message);
}

static gboolean check_size(const Array *array) {
    if (array->out->size - array->start <= MAX_ARRAY_BYTES)
        return TRUE;
    return rp_problem_set(array->problem, RP_REJECT_TOO_LARGE, "makes an array of more than 1 GB");
}

static gboolean add(Array *array, RpSpan text) {
    if (!array->convert(&array->conversion, text, array->out, array->converted, array->problem))
        return refuse_element(array);
    array->n_elements++;
    return check_size(array);
}

static gboolean add_null(Array *array) {
    if (array->conversion.column->is_not_null) {
        rp_problem_set(array->problem, RP_REJECT_NOT_NULL, "is null, and %s is NOT NULL",
                       array->conversion.column->type_name);
        return refuse_element(array);
    }
    array->has_null = TRUE;
    rp_buffer_append_u32(array->out, NULL_ELEMENT);
    array->n_elements++;
    return check_size(array);
}

static gboolean add_parts(Array *array, RpSpan text, RpSpan separator) {
    const char *at = text.data;
    const char *stop = text.data + text.size;
    while (text.size > 0) {
        const char *part_end =
            separator.size > 0 ? memmem(at, (gsize)(stop - at), separator.data, separator.size) : NULL;
        const gboolean is_last = part_end == NULL;
        if (!add(array, (RpSpan){at, (gsize)((is_last ? stop : part_end) - at)}))
            return FALSE;
        if (is_last)
            break;
        at = part_end + separator.size;
    }
    return TRUE;
}

static gboolean add_json(Array *array, RpSpan json, RpBuffer *scratch) {
    const RpColumn *column = array->conversion.column;
    if (json.data[0] == 'n')
        return add_null(array);
    if (column->kind == RP_TYPE_JSON || column->kind == RP_TYPE_JSONB)
        return add(array, json);
    if (json.data[0] == '{' || json.data[0] == '[') {
        rp_problem_set(array->problem, RP_REJECT_INVALID_VALUE, "is a JSON %s, which %s cannot hold",
                       json.data[0] == '{' ? "object" : "array", column->type_name);
        return refuse_element(array);
    }
    scratch->size = 0;
    if (memchr(json.data, '\\', json.size) != NULL)
        rp_buffer_reserve(scratch, json.size);
    return add(array, rp_json_value_text(json, scratch));
}

static gboolean add_json_elements(Array *array, RpSpan text) {
    if (!rp_convert_check_text(text, array->problem))
        return FALSE;
    const char *trouble = rp_json_check(text, RP_JSON_ARRAY);
    if (trouble != NULL)
        return rp_problem_set(array->problem, RP_REJECT_INVALID_JSON, "is no JSON array: %s", trouble);
    g_auto(RpBuffer) scratch = {0};
    RpJsonElements elements;
    RpSpan element;
    rp_json_elements_init(&elements, text);
    while (rp_json_elements_next(&elements, &element))
        if (!add_json(array, element, &scratch))
            return FALSE;
    return TRUE;
}

gboolean rp_convert_array(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                          RpProblem *problem) {
    Array array = {.conversion = *conversion, .out = out, .converted = converted, .problem = problem};
    array.conversion.column = conversion->column->element;
    array.conversion.separator = NULL;
    array.convert = rp_converter_for(array.conversion.column->kind);
    begin(&array);
    if (!(conversion->separator != NULL ? add_parts(&array, text, rp_span(conversion->separator))
                                        : add_json_elements(&array, text)))
        return FALSE;
    end(&array);
    return TRUE;
}
