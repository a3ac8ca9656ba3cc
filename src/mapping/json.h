/* Whether text is JSON that a jsonb column takes, without building a tree. */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_JSON_ANY,
    RP_JSON_OBJECT,
    RP_JSON_ARRAY,
} RpJsonShape;

/* Nesting deeper than this is refused; PostgreSQL's own limit follows from max_stack_depth and is higher. */
#define RP_JSON_MAX_DEPTH 512

/* The first byte that is no blank of JSON, or end. */
static inline const char *rp_json_skip_blanks(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/* Checks RFC 8259, and what PostgreSQL refuses beyond it (postgresql: src/common/jsonapi.c, jsonb.c): an
 * escaped NUL (\u0000), unpaired surrogates, numbers outside of numeric, strings over 256 MB. Bytes must be
 * UTF-8 without NUL; that is checked elsewhere (rp_span_is_text). NULL when all is well, else a fixed text
 * that says what is wrong. */
const char *rp_json_check(RpSpan text, RpJsonShape shape);

G_END_DECLS
