/* Steps over JSON that has passed rp_json_check, and values of it as text. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"
#include "mapping/json.h"

#include <glib.h>

G_BEGIN_DECLS

/* From the first byte of a value to the one after its last. */
const char *rp_json_skip_value(const char *at, const char *end);
/* The same of a string, from its opening quote. */
const char *rp_json_skip_string(const char *at);

/* What stands between the quotes of a string that rp_json_skip_string has passed. */
RpSpan rp_json_inside(const char *string, const char *after);
/* Writes the content of a string's inside, which is never longer; gives its size. */
gsize rp_json_unescape(RpSpan inside, char *out);

/* A JSON value as text: a string's content, null (NULL data) for null, else the JSON itself. What has to be
 * unescaped is appended to scratch, whose room must suffice (a string's content is never longer than its
 * JSON): the result is borrowed from there, or from value. */
RpSpan rp_json_value_text(RpSpan value, RpBuffer *scratch);

/* The elements of an array, or the members of an object, that has passed rp_json_check, one after the other.
 */
typedef struct {
    const char *at;
    const char *end;
} RpJsonElements;

void rp_json_elements_init(RpJsonElements *elements, RpSpan container);
gboolean rp_json_elements_next(RpJsonElements *elements, RpSpan *element);

/* The same walk over an object: the next member's name, as it stands between its quotes. */
gboolean rp_json_elements_next_name(RpJsonElements *elements, RpSpan *name);

G_END_DECLS
