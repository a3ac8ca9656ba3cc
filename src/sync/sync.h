/* Following Redis: all keys are read once, then each change is, until it is told to stop. */
#pragma once

#include "pipeline/load.h"

#include <glib.h>

G_BEGIN_DECLS

/* How changes are captured. */
typedef enum {
    RP_CAPTURE_AUTO,    /* as a replica, or by notifications where that is refused */
    RP_CAPTURE_REPLICA, /* by the replication stream: nothing is lost */
    RP_CAPTURE_NOTIFY,  /* by keyspace notifications: at most once between two reconciliations */
} RpCaptureKind;

/* What is seen of a sync; a snapshot. */
typedef struct {
    const char *state; /* "loading", "following", "paused" */
    guint64 run;
    guint64 lag_bytes;
    guint64 lag_ms;
    guint64 keys_waiting;
    guint64 n_parked;
    double changes_per_second;
    double seconds; /* since the sync began */
} RpSyncProgress;

typedef void (*RpSyncObserver)(const RpSyncProgress *progress, gpointer data);

/* All borrowed. */
typedef struct {
    /* redis, postgres, mapping (bound without errors), settings, sizes, patience, max_rejects, and the
     * observer of the time in which all keys are read. */
    const RpLoadOptions *load;
    RpCaptureKind capture;
    gboolean configures_notifications; /* sets the server's flags, and puts them back at the end */
    gboolean ends_when_caught_up;
    gboolean begins_anew;      /* forgets the checkpoint, whosever it is */
    gboolean writes_heartbeat; /* a key in Redis, each second, by which the lag is measured */
    guint flush_ms;            /* changes are collected for so long */
    guint max_delete_percent;  /* as RpRepairOptions has it */
    guint park_seconds;        /* how long a row waits for others before it is a reject */
    guint undo_days;           /* before-images are kept for so long; 0: for ever */
    gsize waiting_bytes;       /* what touched keys may take of the memory */
    RpSyncObserver observe;    /* called about every second from a thread of its own; may be NULL */
    gpointer observe_data;
} RpSyncOptions;

typedef struct {
    RpRunSummary *load;  /* of the last time that all keys were read; NULL: they were not */
    RpRunSummary *run;   /* of the last run that followed changes; NULL: there was none */
    const char *capture; /* "replica" or "notify" */
    char *why;           /* that capture was chosen */
    guint64 n_rescans;   /* how often all keys were read again because of a gap */
    guint64 n_parked;    /* rows that wait for others at the end */
} RpSyncResult;

void rp_sync_result_clear(RpSyncResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpSyncResult, rp_sync_result_clear)

/* Follows until a signal (FALSE with RP_STOP_ERROR), or until all is caught up where that was asked for. The
 * ledger must be there. FALSE with RP_USAGE_ERROR when the checkpoint is of another mapping or another server
 * (nothing was touched then), RP_GUARD_ERROR when too much would be deleted, and the errors of rp_load and of
 * the capture. From the main thread. */
gboolean rp_sync(const RpSyncOptions *options, RpSyncResult *result, GError **error);

G_END_DECLS
