/* Attempts at a run: the first one, and those that go on with it where it was interrupted. */
#pragma once

#include "mapping/mapping.h"
#include "model/batch.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* One attempt at a run, as its threads have to know it. Plain data. */
typedef struct {
    guint64 run;
    guint32 number;      /* from 0; the only one that may write to the ledger */
    gint64 began_at_us;  /* when the run began: Unix time in microseconds */
    guint32 pass;        /* where reading begins: the pass (beyond the last one when nothing is left), */
    guint64 cursor;      /* the SCAN cursor in it, */
    guint64 first_batch; /* and the number of the first batch there */
    guint64 last_batch;  /* of earlier attempts before that place, when there is one: for messages */
    guint64 n_rejects;   /* that earlier attempts left, */
    guint64 n_committed; /* and batches that they committed, portions counted each */
    /* Earlier attempts wrote batches that this one reads again. */
    gboolean has_superseded;
} RpAttempt;

/* This process, among all that ever were: a UUID at random. A process id comes again. Borrowed. */
const char *rp_ledger_owner(void);

/* The first attempt, for a run that has just been written; inside its transaction. source_run_id (of INFO)
 * names the Redis process, for which alone its cursors are good. */
gboolean rp_ledger_begin_attempt(PGconn *connection, guint64 run, gint64 began_at_us,
                                 const char *source_run_id, RpAttempt *attempt, GError **error);

/* Begins the next attempt, in a transaction of its own, with the target's lock: from the end of the unbroken
 * prefix of committed pages when the Redis process is the same, else from the start of the pass. What earlier
 * attempts committed beyond is superseded: the rows stand and stay counted as they were written, all else
 * about it is forgotten. Waits for transactions of the attempt before, which can commit nothing from then on.
 * must_be_ours: RP_GUARD_ERROR unless the run is open, and this process's. */
gboolean rp_ledger_continue_attempt(PGconn *connection, guint64 run, const char *source_run_id,
                                    gboolean must_be_ours, RpAttempt *attempt, GError **error);

/* Which run `--resume` goes on with. */
typedef struct {
    guint64 run;      /* 0: none */
    gboolean is_bulk; /* its strategy */
    char *entities;   /* of its settings: the JSON array of the entities that it loads, or "null" for all */
    char *why_not;    /* when there is none: what the last run of the mapping and the source is; or NULL */
} RpInterrupted;

void rp_interrupted_clear(RpInterrupted *interrupted);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpInterrupted, rp_interrupted_clear)

/* Looks for the last run of this source and mapping, and whether it can be
 * continued: it is interrupted, failed, or open while this connection holds the lock, and no rollback has
 * touched it. */
gboolean rp_ledger_find_interrupted(PGconn *connection, const char *source, const RpMapping *mapping,
                                    RpInterrupted *interrupted, GError **error);

G_END_DECLS
