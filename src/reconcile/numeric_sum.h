/* Exact sums of numerics of any size and scale. */
#pragma once

#include "reconcile/numeric_wire.h"

#include <glib.h>

G_BEGIN_DECLS

/* Groups of base 10000, each the sum of what was added to it: nothing is carried before the sum is shown.
 * There is room for 9·10^14 values, more than a table has. At most 300 KB, whatever is added. All zero at
 * first. */
typedef struct {
    gint64 *groups; /* groups[i] is worth 10000^(lowest + i) */
    int lowest;
    int n_groups;
    guint display_scale; /* the largest of the finite values */
    gboolean has_nan;
    gboolean has_infinity;
    gboolean has_minus_infinity;
} RpNumericSum;

void rp_numeric_sum_clear(RpNumericSum *sum);

/* FALSE, and nothing is added, for a number with more decimal places than PostgreSQL's numeric can have. */
gboolean rp_numeric_sum_add(RpNumericSum *sum, const RpNumericWire *numeric);
void rp_numeric_sum_merge(RpNumericSum *into, const RpNumericSum *other);

/* As PostgreSQL shows its sum(), with `scale` decimal places, at least display_scale: NaN and infinities
 * swallow what is finite, and infinities of both signs make NaN. The caller frees the text. */
char *rp_numeric_sum_show(const RpNumericSum *sum, guint scale);

G_END_DECLS
