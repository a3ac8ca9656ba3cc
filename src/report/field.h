/* Members of a report's JSON, read with patience: what is not there is empty, zero or false. All that is
 * given is borrowed from the document. */
#pragma once

#include "base/span.h"

#include <jansson.h>

G_BEGIN_DECLS

/* A text; empty when there is none. */
RpSpan rp_field_span(const json_t *object, const char *name);
/* The same as a C string; what follows a NUL in it is left out. */
const char *rp_field_text(const json_t *object, const char *name);
/* Whether a text stands there that is not empty. */
gboolean rp_field_has_text(const json_t *object, const char *name);

guint64 rp_field_number(const json_t *object, const char *name);
double rp_field_real(const json_t *object, const char *name);
gboolean rp_field_is_true(const json_t *object, const char *name);

/* The sum of a number over the objects of an array. */
guint64 rp_field_sum(const json_t *array, const char *name);

/* An array, or NULL, of which jansson says that it has no elements. */
json_t *rp_field_list(const json_t *object, const char *name);

/* A value of any kind as text: a string as it is, NULL for null, else its JSON. The caller frees it. */
char *rp_field_show(const json_t *value);

/* "key=value, …" of an object such as {"order_id": "o1"}; any other value as rp_field_show. */
char *rp_field_show_key(const json_t *key);

/* "3.2 s", "4 min 10 s", "2 h 5 min". The caller frees it. */
char *rp_field_show_seconds(double seconds);

G_END_DECLS
