/* The canonical text of a jsonb value: the very text that PostgreSQL gives for it (postgresql:
 * src/backend/utils/adt/jsonb.c, jsonb_util.c), but for zeros at the end of a number's fraction, which are
 * dropped: 1.0 and 1.00 are equal for PostgreSQL, and are written 1 here. Two texts give the same canonical
 * text exactly when PostgreSQL's jsonb holds them equal. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

/* Memory that is used again from text to text. All zero at first; owned by one thread. */
typedef struct {
    RpBuffer members; /* of the objects that are open */
    RpBuffer sorted;  /* an object's members on their way to their places */
    RpBuffer plain;   /* strings without their escapes */
    gsize max_bytes;  /* of a canonical text; 0: 1 GB, the most that PostgreSQL can send */
} RpCanonicalJson;

void rp_canonical_json_clear(RpCanonicalJson *json);

/* Appends the canonical text of any JSON text that rp_json_check takes. FALSE, and out is as before, for a
 * text that it does not take, and for one whose canonical text is longer than max_bytes. Members of
 * objects that are not in jsonb's order (shorter names first) are copied once for each object that they lie
 * in: at most RP_JSON_MAX_DEPTH times. */
gboolean rp_canonical_json_append(RpCanonicalJson *json, RpSpan text, RpBuffer *out);

/* The same of a text that PostgreSQL wrote: it is in order already, however deep it is nested. Whatever it
 * holds is never read beyond its end; what is no jsonb comes out as something. */
void rp_canonical_json_append_stored(RpSpan text, RpBuffer *out);

G_END_DECLS
