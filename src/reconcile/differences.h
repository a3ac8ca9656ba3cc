/* The differences that were found, however many: counted by unit, and listed in a temporary file. */
#pragma once

#include "reconcile/describe.h"
#include "reconcile/look.h"
#include "reconcile/result.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_N_DIFFERENCE_KINDS 3

typedef struct {
    const RpUnits *units;
    char *source;         /* "host:port db N", whose rejects explain; NULL: there is no ledger */
    RpSpool *list;        /* of RpSuspicion; see rp_differences_entry */
    guint64 *n;           /* by unit and kind */
    guint64 *n_explained; /* by unit: missing ones with an open reject */
    guint64 *n_refused;   /* by unit: extra ones whose record is refused */
} RpDifferences;

/* source is copied. FALSE when there is no room for a temporary file. */
gboolean rp_differences_init(RpDifferences *differences, const RpUnits *units, const char *source,
                             GError **error);
void rp_differences_clear(RpDifferences *differences);

void rp_differences_add(RpDifferences *differences, const RpSuspicion *suspicion);

static inline guint64 rp_differences_count(const RpDifferences *differences, guint unit,
                                           RpDifferenceKind kind) {
    return differences->n[unit * RP_N_DIFFERENCE_KINDS + kind];
}

/* Asks the ledger (where source is set) which missing rows have an open reject, and gives those to
 * describe, as an array of RpListed that frees them: at most limit of each unit, and apart from them 10,000
 * (or limit, where it is more) different ones of a unit with columns that only PostgreSQL can compare. */
GPtrArray *rp_differences_explain(RpDifferences *differences, PGconn *connection, guint64 limit,
                                  GError **error);

/* What an entry of the list says; its hashes of columns are not kept. */
RpSuspicion rp_differences_entry(const RpSpoolEntry *entry);

/* Of the refused keys in spool (unit, then RpHash and key) those without an open reject; unrecorded: by
 * unit. */
gboolean rp_differences_check_refused(const RpDifferences *differences, RpSpool *spool, PGconn *connection,
                                      guint64 *unrecorded, GError **error);

G_END_DECLS
