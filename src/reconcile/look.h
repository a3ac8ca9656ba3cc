/* A look at the rows of some buckets on both sides, as they are now. */
#pragma once

#include "pipeline/survey.h"
#include "reconcile/sides.h"
#include "reconcile/suspects.h"

#include <glib.h>

G_BEGIN_DECLS

/* What every look of a reconciliation needs. Borrowed. */
typedef struct {
    const RpUnits *units;
    const RpSurvey *survey; /* of everything; its take, next and data are replaced */
    const char *postgres;
    guint timeout_seconds;
    const gint *is_cancelled;
    guint64 seed;
    guint32 n_buckets;
    RpSpool *keys;        /* of the first reading; when it is lost everything is read */
    gboolean has_columns; /* columns are hashed too */
} RpLookPlace;

typedef struct {
    const RpLookPlace *place;
    const guint8 *is_wanted; /* by leader's number and bucket */
    gboolean reads_all;      /* keys that came since the first reading are to be found too */
    RpSuspects suspects;     /* what was found; cleared by rp_look_clear */
    GHashTable *kept;       /* rows of the wanted buckets that are kept, unless their key is there (kept.h) */
    gboolean has_come_back; /* of one of them it is: the aggregates are without it */
    GArray *refused; /* ours: keys of rows that `checks` of the mapping refused, which only a look asks */
    /* Ours: aggregates of the wanted rows on both sides. */
    RpTotals source;
    RpTotals target;
    /* Where it is set, by leader's number and bucket: rows of the target in other buckets go to rest. */
    const guint8 *is_differing;
    RpTotals *rest;
} RpLook;

void rp_look_init(RpLook *look, const RpLookPlace *place);
void rp_look_clear(RpLook *look);

/* Reads the rows of the wanted buckets, one side after the other: the source last. Replaces what was found
 * before. */
gboolean rp_look(RpLook *look, PGconn *connection, GError **error);

/* Adds what was refused to the list of the first reading, and counts it by unit. */
void rp_look_take_refused(const RpLook *look, RpSpool *refused, guint64 *n_refused);

/* The key columns' values of a row as one run of bytes: size (4 bytes, -1: null) and bytes of each; and the
 * values out of it, borrowed. */
void rp_look_join_key(const RpUnit *unit, const RpSpan *values, RpBuffer *joined);
void rp_look_part_key(const RpUnit *unit, RpSpan joined, RpSpan *values);

G_END_DECLS
