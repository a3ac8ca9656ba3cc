/* What the steps of a cutover share. */
#pragma once

#include "reconcile/pulse.h"
#include "sync/cutover.h"

#include <libpq-fe.h>

G_BEGIN_DECLS

typedef struct {
    const RpCutoverOptions *options;
    RpCutoverResult *result;
    PGconn *postgres;
    redisContext *redis;
    gint is_cancelled;  /* atomic */
    char *source;       /* where Redis is, without user and password */
    gint64 stopped_us;  /* when writers were stopped (monotonic time); 0: they were not */
    gint64 until_us;    /* when the verdict must be there */
    gboolean is_paused; /* we have paused Redis */
    RpPulse still;      /* of Redis, when writers stood still */
    char *since;        /* that moment by PostgreSQL's clock */
} RpCutover;

/* Adds a reason not to go, or a note. */
void rp_cutover_refuse(RpCutover *cutover, const char *format, ...) G_GNUC_PRINTF(2, 3);
void rp_cutover_note(RpCutover *cutover, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Whether the time for the pause is over; then that is a reason, with what was being done. */
gboolean rp_cutover_is_late(RpCutover *cutover, const char *what);

/* RP_STOP_ERROR when a signal came. */
gboolean rp_cutover_goes_on(const RpCutover *cutover, GError **error);

/* ---- cutover_sync.c ---- */

/* What the ledger says of the sync. */
typedef struct {
    gboolean exists;   /* else nothing else is set */
    gboolean is_ours;  /* it follows this Redis with this mapping */
    gboolean is_live;  /* it was seen within ten seconds, and is following */
    gboolean is_after; /* seen after writers stood still */
    char *state;
    char *capture;
    char *mapping;
    char *source;
    char *rescan_reason;
    char *seen_at;
    guint64 lag_ms;
    guint64 lag_bytes;
    guint64 keys_waiting;
    guint64 stream_offset;
    guint64 source_offset;
    guint64 n_parked;
} RpCutoverSync;

void rp_cutover_sync_clear(RpCutoverSync *sync);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpCutoverSync, rp_cutover_sync_clear)

gboolean rp_cutover_sync_read(const RpCutover *cutover, RpCutoverSync *sync, GError **error);

/* Adds a reason when the sync cannot be relied on now. */
void rp_cutover_sync_check(RpCutover *cutover, const RpCutoverSync *sync);

/* Waits until the target has all that Redis had when writers stood still. What keeps it from that within the
 * time is a reason. */
gboolean rp_cutover_drain(RpCutover *cutover, GError **error);

/* ---- cutover_preflight.c ---- */

/* Adds a reason for each thing that is not as it must be. Nothing is changed. */
gboolean rp_cutover_preflight(RpCutover *cutover, GError **error);

/* Counts the open rejects of the mapping's entities and this source into the result. */
gboolean rp_cutover_count_rejects(RpCutover *cutover, GError **error);

/* ---- cutover_writers.c ---- */

/* Has writers stopped, by every way that was asked for, and notes the moment. What fails is a reason. */
gboolean rp_cutover_stop_writers(RpCutover *cutover, GError **error);

/* Lets Redis go on, if we have paused it. */
void rp_cutover_release(RpCutover *cutover);

/* Adds a reason when Redis was written to since writers stood still. */
gboolean rp_cutover_check_stillness(RpCutover *cutover, GError **error);

/* ---- hook.c ---- */

/* Runs the command by /bin/sh with its output on stderr, until it ends, *is_cancelled (atomic) is set, or
 * that monotonic time comes: then it and what it has started are ended. FALSE: *why says how it failed; the
 * caller frees it. */
gboolean rp_hook_run(const char *command, gint64 until_us, const gint *is_cancelled, char **why);

/* ---- cutover_verdict.c ---- */

/* Reasons and notes out of the reconciliation and the open rejects. */
void rp_cutover_judge(RpCutover *cutover);

G_END_DECLS
