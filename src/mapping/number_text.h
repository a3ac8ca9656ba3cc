/* Numbers and times that references give, as text. */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    char bytes[48]; /* ends with a NUL */
} RpNumberText;

void rp_number_text_integer(RpNumberText *text, gint64 number);

/* A Unix time, of which `units` make a second, as ISO 8601 in UTC with microseconds. */
void rp_number_text_time(RpNumberText *text, gint64 unix_time, gint64 units);

/* A sorted set's score in the shortest way that means the same number: written itself, or made in *made. */
RpSpan rp_number_text_score(RpNumberText *made, RpSpan written);

G_END_DECLS
