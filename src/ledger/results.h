/* Results that the ledger keeps of what changed nothing: a reconciliation, or a cutover, is a run that is
 * closed as it is written down. */
#pragma once

#include "mapping/mapping.h"
#include "sink/connection.h"

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* Borrowed. */
typedef struct {
    const char *kind; /* "reconcile" or "cutover" */
    /* What kept it from what it was for (a cutover that was refused); NULL: nothing. */
    const char *trouble;
    const RpMapping *mapping;
    const char *source;        /* where Redis was, without user and password */
    const char *source_run_id; /* of INFO */
    const char *redis_version;
    const char *settings; /* a JSON object */
    double seconds;       /* that it took, until now */
} RpResultHead;

/* Keeps the result (a JSON object, whose "run" is set to the number that it gets) as a run of that kind. */
gboolean rp_ledger_keep_result(PGconn *connection, const RpResultHead *head, json_t *result, GError **error);

/* Reads it back: *result is NULL for a run of another kind; the caller owns it. */
gboolean rp_ledger_read_result(PGconn *connection, guint64 run, json_t **result, GError **error);

G_END_DECLS
