/* Canonical forms of values: two values of a column have the same canonical bytes exactly when PostgreSQL
 * holds them equal (its operator `=`; of json, which has none: when the texts are the same). Rows of Redis
 * are compared with rows of PostgreSQL by hashes of these bytes. They are kept nowhere, and may change from
 * version to version. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"
#include "model/table.h"
#include "reconcile/canonical_json.h"

#include <glib.h>

G_BEGIN_DECLS

/* Memory that is used again from value to value. All zero at first; owned by one thread. */
typedef struct {
    RpCanonicalJson json;
} RpCanonical;

void rp_canonical_clear(RpCanonical *canonical);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpCanonical, rp_canonical_clear)

/* Appends the canonical form of a value that is not null. wire: its bytes in PostgreSQL's binary format,
 * without the size before them. is_stored: they came from PostgreSQL, which has brought jsonb into its own
 * normal form; else they are as the mapper writes them.
 *
 * The first byte is 1, or 0 before bytes that are no value of the kind: these follow as they are (so they
 * equal only the same bytes). Whatever wire holds, nothing beyond its end is read. What follows a 1:
 *   bool, integers, uuid, bytea, dates, times, text, enums, json: the bytes as they are
 *   char(n)    without the blanks at the end
 *   numeric    without display scale, and without zero groups at either end
 *   float      -0 is 0, all NaN are one
 *   arrays     dimensions, bounds, and the elements' canonical forms; no flags, no type
 *   jsonb      see reconcile/canonical_json.h
 *
 * Not seen as equal though PostgreSQL may hold them so: texts of a collation that is not deterministic
 * (columns that are is_folding, but not is_padded), and values of kind RP_TYPE_OTHER, which are taken as they
 * are: the mapper writes those as text, so the caller must have PostgreSQL bring both into one form. The same
 * holds for text that the caller did not have in UTF-8 from both sides. */
void rp_canonical_append(RpCanonical *canonical, const RpColumn *column, RpSpan wire, gboolean is_stored,
                         RpBuffer *out);

G_END_DECLS
