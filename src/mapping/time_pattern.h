/* Times written in a form of their own, as a pattern of % directives says (strftime's letters). */
#pragma once

#include "base/span.h"
#include "model/reject.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpTimePattern RpTimePattern;

/* What a pattern takes of memory at most, about. */
#define RP_TIME_PATTERN_COST 10000

/* Compiles a pattern: %Y %m %d %e %y %b %B %j (date), %H %I %M %S %f %p %T (time of day; %f is a fraction of
 * a second, one to nine digits), %F, %z, %s (Unix seconds), %% and literal bytes. NULL with a message (the
 * caller frees it) in *problem for other directives and for one that contradicts another. */
RpTimePattern *rp_time_pattern_new(const char *text, char **problem);
void rp_time_pattern_free(RpTimePattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpTimePattern, rp_time_pattern_free)

/* Whether the pattern names a whole date, and a time of day. */
gboolean rp_time_pattern_has_date(const RpTimePattern *pattern);
gboolean rp_time_pattern_has_time(const RpTimePattern *pattern);

/* Reads text that fits the pattern to its end. *local_us: microseconds of the wall clock since 2000-01-01
 * 00:00 (without a date: since midnight); *offset_s: the zone's offset that the text names, valid when
 * *has_offset. Dates must exist; digits finer than microseconds must be zero (else
 * RP_REJECT_SCALE_EXCEEDED). */
gboolean rp_time_pattern_parse(const RpTimePattern *pattern, RpSpan text, gint64 *local_us,
                               gboolean *has_offset, gint32 *offset_s, RpRejectCode *code);

G_END_DECLS
