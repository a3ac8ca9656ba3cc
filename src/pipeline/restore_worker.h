/* The threads of a restore: each takes what may be done from the plan, and does it on a connection of its
 * own. */
#pragma once

#include "base/outage.h"
#include "pipeline/restore.h"
#include "pipeline/restore_plan.h"
#include "sink/predecessor.h"

#include <glib.h>

G_BEGIN_DECLS

/* In an atomic box (g_atomic_rc_box): kept as long as somebody cancels by it. */
typedef struct {
    PGcancel *cancel;
} RpRestoreCancel;

void rp_restore_cancel_unref(gpointer cancel);

/* What the threads share. */
typedef struct {
    const RpRestore *restore;
    guint64 run;
    gint is_over; /* atomic: begin nothing more, wait for nothing */
    GMutex mutex; /* guards what follows */
    GCond changed;
    RpRestorePlan *plan;
    GPtrArray *cancels;  /* of RpRestoreCancel: of the connections that stand */
    GError *error;       /* the first */
    guint n_working;     /* threads */
    guint64 n_taken_out; /* rows */
    gint64 said_at;      /* progress, the last time */
} RpRestoring;

/* A thread's own. */
typedef struct {
    RpRestoring *restoring;
    gboolean is_first; /* works in any case; others only where the server has room for them */
    PGconn *connection;
    RpRestoreCancel *cancel; /* held by restoring->cancels */
    RpPredecessor session;
    RpOutage outage;
} RpRestoreWorker;

/* Sets restoring and is_first before; clear closes the connection. Not in the thread. */
void rp_restore_worker_init(RpRestoreWorker *worker);
void rp_restore_worker_clear(RpRestoreWorker *worker);

/* Sees to it that the connection stands. */
gboolean rp_restore_worker_reach(RpRestoreWorker *worker, GError **error);

/* The thread's function: works until all is done, something fails, or is_over is set. */
gpointer rp_restore_worker_work(gpointer worker);

G_END_DECLS
