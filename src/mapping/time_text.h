/* Dates and times as PostgreSQL shows them with DateStyle ISO in UTC. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Days since 2000-01-01: 2025-01-31, 0044-03-15 BC, infinity. The caller frees the text. */
char *rp_time_text_date(gint32 days);

/* Microseconds since midnight, 0 to 24 hours: 23:59:59.5. The caller frees the text. */
char *rp_time_text_time(gint64 microseconds);

/* Microseconds since 2000-01-01 00:00: 2025-01-31 12:00:00, and behind it +00 where has_zone. The caller
 * frees the text. */
char *rp_time_text_timestamp(gint64 microseconds, gboolean has_zone);

G_END_DECLS
