/* Adds numerics group by group. */
#include "reconcile/numeric_sum.h"

#define BASE 10000

/* The exponents that groups of numeric can have: weight is an i16, and there are at most 16383 decimal
 * places. */
#define LEAST_EXPONENT (-4096)

/* Room is made for so many groups at once, so that numbers that grow bit by bit do not copy each time. */
#define ROOM_STEP 64

/* Groups that carrying may add above the highest: a group holds less than 10000^5. */
#define CARRY_GROUPS 6

static int floor_to_step(int exponent) {
    return exponent - ((exponent % ROOM_STEP) + ROOM_STEP) % ROOM_STEP;
}

/* Makes room for the exponents from first to last. */
static void cover(RpNumericSum *sum, int first, int last) {
    const int end = sum->lowest + sum->n_groups;
    if (sum->n_groups > 0 && first >= sum->lowest && last < end)
        return;
    const int new_lowest = floor_to_step(sum->n_groups > 0 ? MIN(first, sum->lowest) : first);
    const int new_end = floor_to_step(sum->n_groups > 0 ? MAX(last, end - 1) : last) + ROOM_STEP;
    gint64 *groups = g_new0(gint64, new_end - new_lowest);
    if (sum->n_groups > 0)
        memcpy(groups + (sum->lowest - new_lowest), sum->groups, sizeof *groups * (gsize)sum->n_groups);
    g_free(sum->groups);
    sum->groups = groups;
    sum->lowest = new_lowest;
    sum->n_groups = new_end - new_lowest;
}

gboolean rp_numeric_sum_add(RpNumericSum *sum, const RpNumericWire *numeric) {
    sum->has_nan = sum->has_nan || numeric->class == RP_NUMERIC_NAN;
    sum->has_infinity = sum->has_infinity || numeric->class == RP_NUMERIC_INFINITY;
    sum->has_minus_infinity = sum->has_minus_infinity || numeric->class == RP_NUMERIC_MINUS_INFINITY;
    if (numeric->class != RP_NUMERIC_FINITE)
        return TRUE;
    const int first = numeric->weight - (int)numeric->n_groups + 1;
    if (numeric->n_groups > 0 && first < LEAST_EXPONENT)
        return FALSE;
    sum->display_scale = MAX(sum->display_scale, numeric->display_scale);
    if (numeric->n_groups == 0)
        return TRUE;
    cover(sum, first, numeric->weight);
    gint64 *group = sum->groups + (numeric->weight - sum->lowest);
    for (guint i = 0; i < numeric->n_groups; i++, group--) {
        const gint64 value = rp_numeric_wire_group(numeric->groups, i);
        *group += numeric->is_negative ? -value : value;
    }
    return TRUE;
}

void rp_numeric_sum_merge(RpNumericSum *into, const RpNumericSum *other) {
    into->has_nan = into->has_nan || other->has_nan;
    into->has_infinity = into->has_infinity || other->has_infinity;
    into->has_minus_infinity = into->has_minus_infinity || other->has_minus_infinity;
    into->display_scale = MAX(into->display_scale, other->display_scale);
    if (other->n_groups == 0)
        return;
    cover(into, other->lowest, other->lowest + other->n_groups - 1);
    for (int i = 0; i < other->n_groups; i++)
        into->groups[other->lowest - into->lowest + i] += other->groups[i];
}

/* Brings every group between 0 and 9999; what is left above the last is -1 for a negative number, else 0. */
static gint64 carry(gint64 *groups, int n_groups) {
    gint64 carried = 0;
    for (int i = 0; i < n_groups; i++) {
        const gint64 value = groups[i] + carried;
        const gint64 rest = (value % BASE + BASE) % BASE;
        groups[i] = rest;
        carried = (value - rest) / BASE;
    }
    return carried;
}

static gint64 group_at(const gint64 *groups, int lowest, int n_groups, int exponent) {
    return exponent >= lowest && exponent < lowest + n_groups ? groups[exponent - lowest] : 0;
}

static void append_places(GString *text, const gint64 *groups, int lowest, int n_groups, guint scale) {
    if (scale == 0)
        return;
    g_string_append_c(text, '.');
    const gsize end = text->len + scale;
    for (int exponent = -1; text->len < end; exponent--)
        g_string_append_printf(text, "%04d", (int)group_at(groups, lowest, n_groups, exponent));
    g_string_truncate(text, end);
}

static char *show_finite(const RpNumericSum *sum, guint scale) {
    const int n_groups = sum->n_groups + CARRY_GROUPS;
    g_autofree gint64 *groups = g_new0(gint64, n_groups);
    if (sum->n_groups > 0)
        memcpy(groups, sum->groups, sizeof *groups * (gsize)sum->n_groups);
    const gboolean is_negative = carry(groups, n_groups) < 0;
    if (is_negative) {
        for (int i = 0; i < n_groups; i++)
            groups[i] = i < sum->n_groups ? -sum->groups[i] : 0;
        carry(groups, n_groups);
    }
    GString *text = g_string_new(is_negative ? "-" : "");
    int highest = sum->lowest + n_groups - 1;
    while (highest > 0 && group_at(groups, sum->lowest, n_groups, highest) == 0)
        highest--;
    highest = MAX(highest, 0);
    g_string_append_printf(text, "%d", (int)group_at(groups, sum->lowest, n_groups, highest));
    for (int exponent = highest - 1; exponent >= 0; exponent--)
        g_string_append_printf(text, "%04d", (int)group_at(groups, sum->lowest, n_groups, exponent));
    append_places(text, groups, sum->lowest, n_groups, scale);
    return g_string_free(text, FALSE);
}

char *rp_numeric_sum_show(const RpNumericSum *sum, guint scale) {
    if (sum->has_nan || (sum->has_infinity && sum->has_minus_infinity))
        return g_strdup("NaN");
    if (sum->has_infinity || sum->has_minus_infinity)
        return g_strdup(sum->has_infinity ? "Infinity" : "-Infinity");
    return show_finite(sum, scale);
}

void rp_numeric_sum_clear(RpNumericSum *sum) {
    g_free(sum->groups);
    *sum = (RpNumericSum){0};
}
