/* Reading the JSON of a report. */
#include "report/field.h"

#include <stdlib.h>

RpSpan rp_field_span(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? (RpSpan){json_string_value(value), json_string_length(value)}
                                 : rp_span("");
}

const char *rp_field_text(const json_t *object, const char *name) {
    return rp_field_span(object, name).data;
}

gboolean rp_field_has_text(const json_t *object, const char *name) {
    return rp_field_span(object, name).size > 0;
}

guint64 rp_field_number(const json_t *object, const char *name) {
    const json_int_t number = json_integer_value(json_object_get(object, name));
    return number > 0 ? (guint64)number : 0;
}

double rp_field_real(const json_t *object, const char *name) {
    return json_number_value(json_object_get(object, name));
}

gboolean rp_field_is_true(const json_t *object, const char *name) {
    return json_is_true(json_object_get(object, name));
}

guint64 rp_field_sum(const json_t *array, const char *name) {
    guint64 sum = 0;
    for (size_t i = 0; i < json_array_size(array); i++)
        sum += rp_field_number(json_array_get(array, i), name);
    return sum;
}

json_t *rp_field_list(const json_t *object, const char *name) {
    json_t *list = json_object_get(object, name);
    return json_is_array(list) ? list : NULL;
}

char *rp_field_show(const json_t *value) {
    if (value == NULL || json_is_null(value))
        return NULL;
    if (json_is_string(value))
        return g_strdup(json_string_value(value));
    char *dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

char *rp_field_show_key(const json_t *key) {
    if (!json_is_object(key))
        return rp_field_show(key);
    GString *text = g_string_new(NULL);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)key, name, value) {
        g_autofree char *shown = rp_field_show(value);
        g_string_append_printf(text, "%s%s=%s", text->len > 0 ? ", " : "", name,
                               shown != NULL ? shown : "NULL");
    }
    return g_string_free(text, FALSE);
}

char *rp_field_show_seconds(double seconds) {
    const guint64 whole = (guint64)(seconds + 0.5);
    if (seconds < 99.95)
        return g_strdup_printf("%.1f s", seconds);
    if (whole < 3600)
        return g_strdup_printf("%" G_GUINT64_FORMAT " min %" G_GUINT64_FORMAT " s", whole / 60, whole % 60);
    return g_strdup_printf("%" G_GUINT64_FORMAT " h %" G_GUINT64_FORMAT " min", whole / 3600,
                           whole % 3600 / 60);
}
