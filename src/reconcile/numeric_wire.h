/* A numeric as PostgreSQL sends it (postgresql: src/backend/utils/adt/numeric.c, numeric_send), looked into
 * where it lies. */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_NUMERIC_FINITE,
    RP_NUMERIC_NAN,
    RP_NUMERIC_INFINITY,
    RP_NUMERIC_MINUS_INFINITY,
} RpNumericClass;

/* Groups of four decimal digits, big-endian u16 each, the first worth 10000^weight; without zero groups at
 * either end: zero has none, and weight 0. */
typedef struct {
    RpNumericClass class;
    gboolean is_negative; /* never of zero, nor of what is not finite */
    int weight;
    guint n_groups;
    guint display_scale; /* decimal places that are shown */
    const char *groups;  /* borrowed from the wire form */
} RpNumericWire;

/* FALSE for bytes that are no numeric, whatever they are. */
gboolean rp_numeric_wire_read(RpSpan wire, RpNumericWire *numeric);

/* 0 to 9999. */
static inline guint rp_numeric_wire_group(const char *groups, guint i) {
    return (guint)(guint8)groups[2 * i] << 8 | (guint8)groups[2 * i + 1];
}

G_END_DECLS
