/* The canonical text of what PostgreSQL wrote itself: only fractions may have to be changed. */
#include "reconcile/canonical_json.h"
#include "reconcile/canonical_number.h"

/* Past the string whose opening quote is at `at`, or to the end. */
static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end)
            at++;
    return MIN(at + 1, end);
}

void rp_canonical_json_append_stored(RpSpan text, RpBuffer *out) {
    const char *end = text.data + text.size;
    const char *copied = text.data;
    /* Most texts have no point at all. */
    const char *at = text.size > 0 && memchr(text.data, '.', text.size) != NULL ? text.data : end;
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
        } else if (*at == '.') {
            rp_buffer_append(out, copied, (gsize)(at - copied));
            at = copied = rp_canonical_number_append_fraction(at, end, out);
        } else {
            at++;
        }
    }
    rp_buffer_append(out, copied, (gsize)(end - copied));
}
