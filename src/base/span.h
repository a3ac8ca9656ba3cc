/* A borrowed run of bytes: it may hold NUL, and it may be no UTF-8. */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

typedef struct {
    const char *data;
    gsize size;
} RpSpan;

#define RP_SPAN_OF(literal) ((RpSpan){(literal), sizeof(literal) - 1})

static inline RpSpan rp_span(const char *text) {
    return (RpSpan){text, strlen(text)};
}

static inline gboolean rp_span_equal(RpSpan a, RpSpan b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* How much of a key messages show. */
#define RP_SHOWN_KEY_BYTES 300

/* The bytes as redis-cli shows them inside its quotes: printable ASCII and valid UTF-8 as they are,
 * backslash doubled, \n \r \t \a \b and \xff for the rest. At most max_bytes of the source are shown,
 * then "…". The caller frees the text. */
char *rp_span_show(RpSpan span, gsize max_bytes);

/* The bytes as hexadecimal digits. The caller frees the text. */
char *rp_span_hex(RpSpan span);

/* Whether the bytes are UTF-8 without NUL: what a PostgreSQL text can hold. */
gboolean rp_span_is_text(RpSpan span);

G_END_DECLS
