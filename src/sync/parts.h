/* What the threads of a sync share: the capture, the feed of the load that follows changes, and the beat. */
#pragma once

#include "sync/sync.h"
#include "sync/touched.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    const RpSyncOptions *options;
    RpTouched *touched;
    gint is_stopping;        /* atomic: the sync ends */
    gint is_to_pause;        /* atomic: a user asked for it */
    gint is_pausing;         /* atomic: nothing is taken, and nothing is in hand */
    gint is_loading;         /* atomic: all keys are being read */
    gint is_caught_up;       /* atomic: all that the source had when it was last asked is committed */
    GMutex mutex;            /* guards what follows */
    char *run_id;            /* of the Redis process that is captured; NULL: none is at the moment */
    GError *error;           /* why the capture ended */
    guint64 run;             /* the one that is open, or was last */
    GQueue *in_hand;         /* of RpTouchedKeys: flushes that are not committed, the oldest first */
    RpStreamPlace committed; /* the checkpoint */
    gint64 last_commit_us;   /* Unix time; 0: none yet */
    guint64 n_parked;
    gint64 heartbeat_us; /* when the heartbeat was written (monotonic time) that was not heard yet; 0: none */
    guint64 stream_lag_ms; /* between Redis and the capture, by the heartbeat; 0 without one */
} RpSyncParts;

/* ---- watch.c: the capture, in a thread of its own ---- */

typedef struct RpWatch RpWatch;

/* Chooses the way to capture, and attaches: from the place on when it is set, and the source still has what
 * came since; otherwise there is a gap (touched), for the reason unless NULL. *why: the choice in words; the
 * caller frees it. */
RpWatch *rp_watch_new(RpSyncParts *parts, const RpStreamPlace *from, const char *reason, const char **capture,
                      char **why, GError **error);
/* Ends the thread, and puts the server's settings back where it had changed them. */
void rp_watch_free(RpWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpWatch, rp_watch_free)

/* ---- follow.c: the run that follows changes ---- */

/* Follows until there is a gap, or another Redis process answers than is captured, or all is caught up where
 * that ends it (TRUE); or until a signal or an error, as rp_load. *summary as rp_load has it. *is_caught_up:
 * it ended because of that. */
gboolean rp_follow(RpSyncParts *parts, gboolean *is_caught_up, RpRunSummary **summary, GError **error);

/* ---- beat.c: about every second ---- */

typedef struct RpBeat RpBeat;

/* Starts the thread: it writes what is seen of the sync to the ledger, reads what is asked of it, has parked
 * keys tried again when they are due, and tells the observer. A server that is away is waited for. */
RpBeat *rp_beat_new(RpSyncParts *parts);
/* Ends it; the ledger says then that the sync is stopped, if it can be reached. */
void rp_beat_free(RpBeat *beat);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpBeat, rp_beat_free)

/* ---- tidy.c: once an hour ---- */

typedef struct RpTidy RpTidy;

/* Starts the thread that drops what is kept of old batches; NULL where it is kept for ever. */
RpTidy *rp_tidy_new(RpSyncParts *parts);
/* Fine for NULL. */
void rp_tidy_free(RpTidy *tidy);

/* ---- rescan.c: all keys ---- */

/* Reads all keys, and deletes rows of keys that are gone (by the policy of their entity, and under the
 * guard). What changes meanwhile waits in the set of touched keys. */
gboolean rp_rescan(RpSyncParts *parts, RpRunSummary **summary, GError **error);

/* The key that the beat writes to Redis where it may. */
#define RP_HEARTBEAT_KEY "redis2pg:heartbeat"

G_END_DECLS
