/* Putting back what a bulk load has set aside (ledger/set_aside.h), over several connections. */
#pragma once

#include "mapping/mapping.h"

#include <glib.h>

G_BEGIN_DECLS

/* Borrowed. */
typedef struct {
    const char *postgres;     /* conninfo */
    const RpMapping *mapping; /* bound: its checks are looked at too; NULL: they are not (a rollback) */
    guint n_connections;      /* at the most */
    guint64 by_run;           /* who puts them back: the run itself, or its rollback; */
    guint by_attempt;         /* as long as that run is open, and this its attempt */
    guint timeout_seconds;    /* for answers that need no work; a build takes as long as it takes */
    guint retry_seconds;
    const gint *is_stopping;  /* atomic: begin nothing more, and give up what is under way */
    const gint *is_cancelled; /* atomic; or NULL */
} RpRestore;

/* What it found. */
typedef struct {
    guint n_restored;    /* indexes and foreign keys that it put back */
    guint64 n_taken_out; /* keys that are to be merged again (redis2pg.again), also of earlier attempts */
    guint64 n_rejects;   /* that the run has then: those of such keys went with their rows */
} RpRestored;

/* Builds the indexes of the run's tables, puts their constraints and foreign keys back and validates them,
 * parents first, and has the tables analysed. Rows of the run that a constraint or a check of the mapping
 * does not hold over are taken out of the tables and out of the run's account and undo log, and their Redis
 * keys noted in redis2pg.again, in one transaction each time. Call it with the target's lock, when no batch
 * is under way. What is back already is left alone: after a crash it goes on where it stood. A run without
 * anything set aside is fine.
 * RP_STOP_ERROR when it was stopped; RP_SINK_ERROR when a constraint cannot be put back, over rows of
 * somebody else, for example: the message names it and says what to do. */
gboolean rp_restore_run(const RpRestore *restore, guint64 run, RpRestored *restored, GError **error);

G_END_DECLS
