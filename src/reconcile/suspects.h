/* Rows of both sides that may differ, in memory: those of the buckets that are looked at. */
#pragma once

#include "base/buffer.h"
#include "reconcile/digest.h"
#include "reconcile/result.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    GArray *rows;   /* ours */
    RpBuffer names; /* Redis keys of the source's rows, key values of the target's; then hashes of columns */
} RpSuspects;

void rp_suspects_init(RpSuspects *suspects);
void rp_suspects_clear(RpSuspects *suspects);
void rp_suspects_reset(RpSuspects *suspects);

/* What is known of a row. All borrowed until the call returns. */
typedef struct {
    guint unit;
    RpDigest digest;
    RpSpan name;            /* the Redis key; of the target's what rp_look_join_key makes */
    guint64 element;        /* tells apart what a key gives (RpSourceRow) */
    const guint64 *columns; /* a hash of each of so many columns, or NULL */
    guint n_columns;
} RpSuspect;

void rp_suspects_add_source(RpSuspects *suspects, const RpSuspect *suspect);
void rp_suspects_add_target(RpSuspects *suspects, const RpSuspect *suspect);
/* A record that would give a row of that identity, and is refused. */
void rp_suspects_add_refused(RpSuspects *suspects, guint unit, const RpHash *identity);

/* Rows in memory. */
guint rp_suspects_get_size(const RpSuspects *suspects);

/* One row that is not equal on both sides. name is the Redis key, or of an extra row the name that it was
 * added with; borrowed. */
typedef struct {
    RpDifferenceKind kind;
    guint unit; /* of the source's row; of an extra one the leader */
    RpHash identity;
    RpSpan name;
    gboolean is_twin;    /* missing: another row of Redis with this identity has met a row of PostgreSQL */
    gboolean is_refused; /* extra: a record of this identity is there, and the mapping refuses it */
    /* Of a different row, where they were given: hashes of the columns on both sides; not aligned. */
    const char *source_columns;
    const char *target_columns;
} RpSuspicion;

typedef void (*RpSuspicionTake)(const RpSuspicion *suspicion, gpointer data);

/* Pairs the rows by identity. n_equal, n_source: by unit; added to. Rows that were read twice count once,
 * and so do rows of several keys that are equal in everything. Of
 * several rows of Redis with one identity one meets the row of PostgreSQL (the one that equals it, if there
 * is one), and the others are missing. */
void rp_suspects_settle(RpSuspects *suspects, guint64 *n_source, guint64 *n_equal, RpSuspicionTake take,
                        gpointer data);

G_END_DECLS
