/* Sums, minima and maxima of wire values. */
#include "reconcile/aggregate.h"

#include "mapping/time_scan.h"
#include "mapping/time_text.h"
#include "reconcile/numeric_sum.h"
#include "reconcile/real_text.h"

#include <math.h>

typedef enum { MIN_RESULT, MAX_RESULT, N_EXTREMES } Extreme;

struct RpAggregate {
    RpTypeKind kind;
    guint64 n_values;
    guint64 n_malformed;
    __int128 sum; /* of integers; of as many as a guint64 counts */
    RpNumericSum numeric;
    gint64 moments[N_EXTREMES]; /* of dates and times */
    double reals[N_EXTREMES];   /* a real fits exactly */
};

static gsize size_of(RpTypeKind kind) {
    switch (kind) {
    case RP_TYPE_INT2:
        return 2;
    case RP_TYPE_INT4:
    case RP_TYPE_FLOAT4:
    case RP_TYPE_DATE:
        return 4;
    default:
        return 8;
    }
}

static gboolean is_sum(RpTypeKind kind) {
    return kind == RP_TYPE_INT2 || kind == RP_TYPE_INT4 || kind == RP_TYPE_INT8 || kind == RP_TYPE_NUMERIC;
}

static gboolean is_moment(RpTypeKind kind) {
    return kind == RP_TYPE_DATE || kind == RP_TYPE_TIME || kind == RP_TYPE_TIMESTAMP ||
           kind == RP_TYPE_TIMESTAMPTZ;
}

static gboolean is_real(RpTypeKind kind) {
    return kind == RP_TYPE_FLOAT4 || kind == RP_TYPE_FLOAT8;
}

RpAggregate *rp_aggregate_new(const RpColumn *column) {
    if (!is_sum(column->kind) && !is_moment(column->kind) && !is_real(column->kind))
        return NULL;
    RpAggregate *aggregate = g_new0(RpAggregate, 1);
    aggregate->kind = column->kind;
    return aggregate;
}

void rp_aggregate_free(RpAggregate *aggregate) {
    if (aggregate == NULL)
        return;
    rp_numeric_sum_clear(&aggregate->numeric);
    g_free(aggregate);
}

/* ---- adding ---- */

/* An integer of the wire form's size. */
static gint64 read_integer(RpSpan wire) {
    guint64 value = (gint8)wire.data[0] < 0 ? G_MAXUINT64 : 0;
    for (gsize i = 0; i < wire.size; i++)
        value = value << 8 | (guint8)wire.data[i];
    return (gint64)value;
}

static double read_real(RpSpan wire) {
    const guint64 bits = (guint64)read_integer(wire);
    if (wire.size == sizeof(float)) {
        const guint32 narrow = (guint32)bits;
        float value;
        memcpy(&value, &narrow, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* NaN is greater than every number, and equal to itself. */
static gboolean is_less(double a, double b) {
    return isnan(b) ? !isnan(a) : a < b;
}

static void take_moments(RpAggregate *aggregate, gint64 least, gint64 greatest) {
    const gboolean is_first = aggregate->n_values == 0;
    gint64 *moments = aggregate->moments;
    moments[MIN_RESULT] = is_first ? least : MIN(moments[MIN_RESULT], least);
    moments[MAX_RESULT] = is_first ? greatest : MAX(moments[MAX_RESULT], greatest);
}

static void take_reals(RpAggregate *aggregate, double least, double greatest) {
    double *reals = aggregate->reals;
    if (aggregate->n_values == 0 || is_less(least, reals[MIN_RESULT]))
        reals[MIN_RESULT] = least;
    if (aggregate->n_values == 0 || is_less(reals[MAX_RESULT], greatest))
        reals[MAX_RESULT] = greatest;
}

static gboolean add_numeric(RpAggregate *aggregate, RpSpan wire) {
    RpNumericWire numeric;
    return rp_numeric_wire_read(wire, &numeric) && rp_numeric_sum_add(&aggregate->numeric, &numeric);
}

static gboolean add_fixed(RpAggregate *aggregate, RpSpan wire) {
    if (wire.size != size_of(aggregate->kind))
        return FALSE;
    if (is_real(aggregate->kind)) {
        const double value = read_real(wire);
        const double real = value == 0 ? 0 : value; /* no -0 */
        take_reals(aggregate, real, real);
        return TRUE;
    }
    const gint64 value = read_integer(wire);
    if (aggregate->kind == RP_TYPE_TIME && (value < 0 || value > RP_USEC_PER_DAY))
        return FALSE;
    if (is_moment(aggregate->kind))
        take_moments(aggregate, value, value);
    else
        aggregate->sum += value;
    return TRUE;
}

void rp_aggregate_add(RpAggregate *aggregate, RpSpan wire) {
    if (aggregate->kind == RP_TYPE_NUMERIC ? add_numeric(aggregate, wire) : add_fixed(aggregate, wire))
        aggregate->n_values++;
    else
        aggregate->n_malformed++;
}

void rp_aggregate_merge(RpAggregate *into, const RpAggregate *other) {
    g_assert(into->kind == other->kind);
    into->n_malformed += other->n_malformed;
    if (other->n_values == 0)
        return;
    into->sum += other->sum;
    rp_numeric_sum_merge(&into->numeric, &other->numeric);
    take_moments(into, other->moments[MIN_RESULT], other->moments[MAX_RESULT]);
    take_reals(into, other->reals[MIN_RESULT], other->reals[MAX_RESULT]);
    into->n_values += other->n_values;
}

/* ---- results ---- */

guint64 rp_aggregate_n_malformed(const RpAggregate *aggregate) {
    return aggregate->n_malformed;
}

guint rp_aggregate_n_results(const RpAggregate *aggregate) {
    return is_sum(aggregate->kind) ? 1 : N_EXTREMES;
}

const char *rp_aggregate_name(const RpAggregate *aggregate, guint result) {
    return is_sum(aggregate->kind) ? "sum" : result == MIN_RESULT ? "min" : "max";
}

static char *show_integer(__int128 value) {
    char text[48];
    char *at = text + sizeof text;
    unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    *--at = '\0';
    do {
        *--at = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--at = '-';
    return g_strdup(at);
}

char *rp_aggregate_show(const RpAggregate *aggregate, guint result) {
    g_assert(result < rp_aggregate_n_results(aggregate));
    if (aggregate->n_values == 0)
        return NULL;
    switch (aggregate->kind) {
    case RP_TYPE_NUMERIC:
        return rp_numeric_sum_show(&aggregate->numeric, aggregate->numeric.display_scale);
    case RP_TYPE_DATE:
        return rp_time_text_date((gint32)aggregate->moments[result]);
    case RP_TYPE_TIME:
        return rp_time_text_time(aggregate->moments[result]);
    case RP_TYPE_TIMESTAMP:
    case RP_TYPE_TIMESTAMPTZ:
        return rp_time_text_timestamp(aggregate->moments[result], aggregate->kind == RP_TYPE_TIMESTAMPTZ);
    case RP_TYPE_FLOAT4:
        return rp_real_text_float4((float)aggregate->reals[result]);
    case RP_TYPE_FLOAT8:
        return rp_real_text_float8(aggregate->reals[result]);
    default:
        return show_integer(aggregate->sum);
    }
}

gboolean rp_aggregate_is_equal(const RpAggregate *a, const RpAggregate *b) {
    if (a->n_malformed + b->n_malformed > 0 || (a->n_values == 0) != (b->n_values == 0))
        return FALSE;
    if (a->kind == RP_TYPE_NUMERIC) {
        const guint scale = MAX(a->numeric.display_scale, b->numeric.display_scale);
        g_autofree char *left = rp_numeric_sum_show(&a->numeric, scale);
        g_autofree char *right = rp_numeric_sum_show(&b->numeric, scale);
        return strcmp(left, right) == 0;
    }
    for (guint i = 0; i < N_EXTREMES; i++)
        if (a->moments[i] != b->moments[i] || is_less(a->reals[i], b->reals[i]) ||
            is_less(b->reals[i], a->reals[i]))
            return FALSE;
    return a->sum == b->sum;
}
