/* Comparing Redis with PostgreSQL in both directions. Without a repair nothing is written but temporary
 * files. */
#pragma once

#include "pipeline/load.h"
#include "reconcile/result.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    gboolean deletes_extra; /* rows without a record are deleted */
    /* More than this of a table's rows, and more than a hundred, are not deleted, nor those of a table of
     * which Redis gives no row at all: then nothing is done (RP_GUARD_ERROR). 100: all may go. */
    guint max_delete_percent;
    guint n_writers;
    guint64 max_rejects;
    const char *settings; /* a JSON object for the ledger, whose tables must be there; borrowed */
} RpRepairOptions;

typedef struct {
    /* Borrowed: redis, postgres, mapping (bound without errors), only, observe and the sizes; what is about
     * writing means nothing here. */
    const RpLoadOptions *load;
    RpLevel level;
    gboolean is_on_record; /* the ledger is there, and says which rejects are open */
    guint n_rounds; /* how often differences are looked at before they are told, while the source changes */
    guint limit;    /* differences that are listed of each entity, and examples of each link */
    /* What differs is written before it is told, and what is told is what was found after it; NULL: nothing
     * is written. Not at level counts. Borrowed. */
    const RpRepairOptions *repair;
    gint64 until_us; /* monotonic time at which the comparison is given up (RP_GUARD_ERROR); 0: never */
} RpReconcileOptions;

/* Compares all that the mapping names. SIGINT and SIGTERM end it once both servers were reached
 * (RP_STOP_ERROR).
 * FALSE with RP_SOURCE_ERROR or RP_SINK_ERROR when a side could not be read, or changed its shape meanwhile.
 * With a repair also every error of rp_load. The caller owns *result. From the main thread. */
gboolean rp_reconcile(const RpReconcileOptions *options, RpReconcileResult **result, GError **error);

G_END_DECLS
