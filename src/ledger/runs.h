/* Runs in the ledger: opening and closing. */
#pragma once

#include "ledger/attempts.h"
#include "mapping/mapping.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* What a run says of itself when it opens. Borrowed. */
typedef struct {
    const char *kind;     /* "run" */
    const char *strategy; /* "merge" */
    const RpMapping *mapping;
    const char *source;        /* "host:port db N" */
    const char *source_run_id; /* of INFO */
    const char *redis_version; /* of INFO, or NULL: Redis is not asked */
    const char *settings;      /* a JSON object */
} RpRunHead;

/* Closes runs that were left open, but for one (0: all), as interrupted, and says so. Call it with the lock:
 * then whoever left one open is gone. */
gboolean rp_ledger_close_abandoned(PGconn *connection, guint64 but_for, GError **error);

/* Writes the run and its entities, and begins its first attempt. Runs that were left open by a process that
 * died are closed as interrupted, and said so. Call it with the lock. */
gboolean rp_ledger_open_run(PGconn *connection, const RpRunHead *head, RpAttempt *attempt, GError **error);

/* Ends the run with a status and, unless NULL, the reason. RP_GUARD_ERROR when another process goes on with
 * it. */
gboolean rp_ledger_close_run(PGconn *connection, guint64 run, const char *status, const char *reason,
                             GError **error);

G_END_DECLS
