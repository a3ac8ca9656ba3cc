/* Values as JSON, for documents that are put together. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* Null for NULL, and for what is not UTF-8. The caller owns it. */
static inline json_t *rp_json_values_text(const char *text) {
    json_t *json = text != NULL ? json_string(text) : NULL;
    return json != NULL ? json : json_null();
}

/* Counts and numbers of runs are less than 2^63. The caller owns it. */
static inline json_t *rp_json_values_number(guint64 value) {
    return json_integer((json_int_t)value);
}

G_END_DECLS
