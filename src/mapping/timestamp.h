/* Times from text: ISO 8601 (RFC 3339 and the forms that programs write) and Unix numbers. */
#pragma once

#include "base/span.h"
#include "model/reject.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_TIME_ISO8601,
    RP_TIME_UNIX,
    RP_TIME_UNIX_MS,
    RP_TIME_UNIX_US,
    RP_TIME_PATTERN, /* as an RpTimePattern says */
} RpTimeFormat;

/* Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL's timestamps begin. */
#define RP_POSTGRES_EPOCH_US G_GINT64_CONSTANT(946684800000000)

/* Reads a time of any format but RP_TIME_PATTERN (rp_time_pattern_parse reads that one) into microseconds
 * since 2000-01-01 00:00 UTC (postgresql: timestamp_send). Text without a zone of its own is in zone (NULL:
 * UTC). Dates must exist, years are 0001 to 9999, and digits finer than microseconds must be zero (else
 * RP_REJECT_SCALE_EXCEEDED). Unix numbers are whole, but seconds may have a fraction. */
gboolean rp_timestamp_parse(RpSpan text, RpTimeFormat format, GTimeZone *zone, gint64 *microseconds,
                            RpRejectCode *code);

/* Reads YYYY-MM-DD into days since 2000-01-01 (postgresql: date_send). */
gboolean rp_date_parse(RpSpan text, gint32 *days);

/* Reads HH:MM[:SS[.fraction]] up to 24:00:00 into microseconds since midnight (postgresql: time_send). */
gboolean rp_time_parse(RpSpan text, gint64 *microseconds, RpRejectCode *code);

/* The offset of zone from UTC in seconds at that wall-clock time; 0 for NULL. */
gint32 rp_zone_offset(GTimeZone *zone, gint64 local_seconds_unix);

/* Microseconds since 2000-01-01 00:00, from the wall clock of zone (NULL: UTC) to UTC and back. */
gint64 rp_zone_to_utc(GTimeZone *zone, gint64 local_us);
gint64 rp_zone_to_local(GTimeZone *zone, gint64 utc_us);

G_END_DECLS
