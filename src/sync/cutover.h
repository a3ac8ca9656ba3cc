/* The cutover gate: whether all that Redis has has arrived, at a moment in which nobody writes to it.
 *
 * It stands beside a sync that runs in another process, takes no lock, and changes nothing in the target. */
#pragma once

#include "pipeline/load.h"
#include "reconcile/reconcile.h"

#include <glib.h>

G_BEGIN_DECLS

/* Asks somebody to stop what writes to Redis, and waits for the answer. FALSE with an error: it was not
 * stopped, or *is_cancelled (atomic) was set. */
typedef gboolean (*RpCutoverConfirm)(gpointer data, const gint *is_cancelled, GError **error);

/* All borrowed. */
typedef struct {
    /* redis, postgres, mapping (bound without errors), observe and the sizes; what is about writing means
     * nothing here. */
    const RpLoadOptions *load;
    RpLevel level; /* not counts */
    guint n_rounds;
    guint limit;
    /* How writers are stopped, in this order: each that is set. */
    RpCutoverConfirm confirm;
    gpointer confirm_data;
    const char *hook;        /* a command for /bin/sh, whose output goes to stderr */
    gboolean pauses_writes;  /* CLIENT PAUSE … WRITE; released before the result is there, whatever it is */
    guint max_pause_seconds; /* from the stop of the writers to the verdict; 0 is none */
    guint64 n_allowed;       /* open rejects and differences that are tolerated, together */
    guint64 max_lag_ms;      /* of the sync before writers are stopped */
} RpCutoverOptions;

typedef struct {
    gboolean is_go;
    GPtrArray *reasons; /* of char *: why not */
    GPtrArray *notes;   /* of char *: what to know of a verdict either way */
    gboolean has_offset;
    guint64 offset;    /* of the replication stream when writers stood still */
    gint64 paused_ms;  /* from their stop to the verdict; -1: they were not stopped */
    gint64 drained_ms; /* of it, until the target had all; -1: it did not come to that */
    char *capture;     /* "replica" or "notify"; NULL: there is no sync */
    char *started_at;  /* ISO 8601, UTC */
    double seconds;
    guint64 n_rejects; /* that were open at the verdict, or at the refusal */
    guint64 n_parked;
    RpReconcileResult *reconcile; /* NULL: it did not come to that */
    char *source_run_id;          /* of the Redis process, as INFO says */
    char *redis_version;
} RpCutoverResult;

RpCutoverResult *rp_cutover_result_new(void);
void rp_cutover_result_free(RpCutoverResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpCutoverResult, rp_cutover_result_free)

/* Checks, has writers stopped, waits until all has arrived, compares and gives a verdict. A refusal is TRUE,
 * with its reasons. FALSE with RP_STOP_ERROR after SIGINT or SIGTERM, and when a server could not be asked.
 * Redis is not paused any more in any case. The ledger must be there. From the main thread. */
gboolean rp_cutover(const RpCutoverOptions *options, RpCutoverResult *result, GError **error);

G_END_DECLS
