/* Comparing Redis with PostgreSQL in both directions. Nothing is written but temporary files. */
#pragma once

#include "pipeline/load.h"
#include "reconcile/result.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    /* Borrowed: redis, postgres, mapping (bound without errors), only, observe and the sizes; what is about
     * writing means nothing here. */
    const RpLoadOptions *load;
    RpLevel level;
    gboolean is_on_record; /* the ledger is there, and says which rejects are open */
    guint n_rounds; /* how often differences are looked at before they are told, while the source changes */
    guint limit;    /* differences that are listed of each entity, and examples of each link */
} RpReconcileOptions;

/* Compares all that the mapping names. Blocks SIGINT and SIGTERM while it runs, which end it (RP_STOP_ERROR).
 * FALSE with RP_SOURCE_ERROR or RP_SINK_ERROR when a side could not be read, or changed its shape meanwhile.
 * The caller owns *result. From the main thread. */
gboolean rp_reconcile(const RpReconcileOptions *options, RpReconcileResult **result, GError **error);

G_END_DECLS
