/* The first reading: both sides row by row into sums. */
#pragma once

#include "reconcile/buckets.h"
#include "reconcile/source_rows.h"
#include "reconcile/spool.h"
#include "reconcile/totals.h"

#include <glib.h>

G_BEGIN_DECLS

/* How long the target may work on a join before its first row comes: --timeout-seconds is about servers that
 * do not answer. */
#define RP_TARGET_JOIN_SECONDS 3600

/* What both sides keep. */
typedef struct {
    const RpUnits *units;
    gboolean is_counting; /* level counts: no row is hashed */
    guint64 *n_rows;      /* by unit; of the target, by leader */
    RpBuckets buckets;
    /* Of the target, by leader's number and bucket: a check of the mapping refuses a row in it, so that what
     * Redis gives is to be judged although it is equal. */
    guint8 *is_doubtful;
    guint32 *n_kept; /* of the target, by keeper's number and bucket; level counts has but one bucket */
    RpTotals totals;
    RpDigester *digester;
} RpSide;

void rp_side_init(RpSide *side, const RpUnits *units, guint64 seed, gboolean is_counting);
void rp_side_clear(RpSide *side);

/* ---- the source ---- */

typedef struct {
    RpSide side;
    RpSourceRows rows; /* take and refuse are the side's */
    /* The keys that gave rows, or would if their record were not refused, by unit and bucket of the row:
     * which keys to read again where a bucket differs. */
    RpSpool *keys;
    /* Keys of refused records: first the identity that their row would have (RpHash, all zero: not known). */
    RpSpool *refused;
    guint64 *n_refused; /* by unit */
    guint64 n_scanned;
} RpSourceSide;

/* rows.postgres, is_cancelled and timeout_seconds are the caller's to set before it. FALSE when there is no
 * room for temporary files. */
gboolean rp_source_side_init(RpSourceSide *source, const RpUnits *units, guint64 seed, gboolean is_counting,
                             GError **error);
void rp_source_side_clear(RpSourceSide *source);

/* An RpSurveyTake; data is the side. */
gboolean rp_source_side_take(RpBatch *batch, gpointer source, GError **error);

/* ---- the target ---- */

/* Takes the values of a row of the target, of the unit's columns in their order. */
typedef gboolean (*RpTargetTake)(const RpUnit *unit, const RpSpan *values, gpointer data, GError **error);

/* Reads all rows of the unit's table but those that are kept (kept.h), until *is_cancelled (atomic) is set:
 * then RP_STOP_ERROR. */
gboolean rp_target_read(PGconn *connection, const RpUnit *unit, const gint *is_cancelled, RpTargetTake take,
                        gpointer data, GError **error);

/* The same of the rows that where (" WHERE …", or "") chooses. */
gboolean rp_target_read_where(PGconn *connection, const RpUnit *unit, const char *where,
                              const gint *is_cancelled, RpTargetTake take, gpointer data, GError **error);

/* The same of the rows for which a check of the mapping is false. */
gboolean rp_target_read_refused(PGconn *connection, const RpUnit *unit, const gint *is_cancelled,
                                RpTargetTake take, gpointer data, GError **error);

/* An RpTargetTake that marks the row's bucket as doubtful; data is an RpSide. */
gboolean rp_target_side_doubt(const RpUnit *unit, const RpSpan *values, gpointer side, GError **error);

/* An RpKeptTake that counts the row; data is an RpSide. */
gboolean rp_target_side_keep(const RpUnit *leader, guint keeper, const RpSpan *values, gpointer side,
                             GError **error);

/* An RpTargetTake that adds the row up; data is an RpSide. */
gboolean rp_target_side_take(const RpUnit *unit, const RpSpan *values, gpointer side, GError **error);

G_END_DECLS
