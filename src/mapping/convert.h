/* Text to the binary form of a column's type, and the limits that the type sets. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"
#include "mapping/decimal.h"
#include "mapping/json.h"
#include "mapping/time_pattern.h"
#include "mapping/timestamp.h"
#include "model/reject.h"
#include "model/table.h"

#include <glib.h>

G_BEGIN_DECLS

/* Why a value was refused; filled only when something was. */
typedef struct {
    RpRejectCode code;
    const char *constraint; /* name of the rule that failed, or NULL; borrowed */
    char message[200];
} RpProblem;

gboolean rp_problem_set(RpProblem *problem, RpRejectCode code, const char *format, ...)
    G_GNUC_PRINTF(3, 4); /* always FALSE */

/* What `divide` takes at most. */
#define RP_MAX_DIVISOR 1000000000

typedef enum {
    RP_ENCODING_RAW,
    RP_ENCODING_HEX,
    RP_ENCODING_BASE64,
} RpByteEncoding;

/* How a column's text is read: the target's type and the mapping's refinements. */
typedef struct {
    const RpColumn *column;
    RpTimeFormat time_format;
    RpTimePattern *time_pattern; /* the time format's own pattern, with RP_TIME_PATTERN; else NULL */
    GTimeZone *zone;             /* NULL: UTC */
    RpJsonShape json_shape;
    char **true_words; /* NULL: PostgreSQL's own */
    char **false_words;
    guint32 divisor; /* 0: none */
    RpRounding rounding;
    RpByteEncoding encoding;
    char *separator; /* of an array's elements in text, not empty; NULL: the text is a JSON array */
} RpConversion;

/* What a converter read, for rules that compare: integers, days, and microseconds are in integer. */
typedef struct {
    gint64 integer;
    double real; /* of float4 and float8 */
    RpDecimal decimal;
} RpConverted;

/* Appends the value's wire form (postgresql: the type's send function) with its size before it, or says in
 * *problem why not; what was appended until then is the caller's to cut. */
typedef gboolean (*RpConverter)(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                                RpConverted *converted, RpProblem *problem);

/* The converter of a kind, for columns of that kind; RP_TYPE_OTHER's passes text through, to be cast by
 * PostgreSQL. */
RpConverter rp_converter_for(RpTypeKind kind);

/* Whether values of the kind can be compared by rp_converted_compare (min, max). */
gboolean rp_converted_is_ordered(RpTypeKind kind);
/* -1, 0, 1 like strcmp. NaN is greater than every number, as PostgreSQL has it. */
int rp_converted_compare(RpTypeKind kind, const RpConverted *a, const RpConverted *b);
/* NaN is neither less nor more than a bound: it passes neither min nor max. */
gboolean rp_converted_is_nan(RpTypeKind kind, const RpConverted *converted);

/* Characters of UTF-8 text. */
gsize rp_text_characters(RpSpan text);

G_END_DECLS
