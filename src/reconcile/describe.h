/* Differences that are shown: the key and the columns that differ, as PostgreSQL writes their values. */
#pragma once

#include "reconcile/look.h"
#include "reconcile/result.h"

#include <glib.h>

G_BEGIN_DECLS

/* A difference that is to be described, and where it was found. */
typedef struct RpListed RpListed;
struct RpListed {
    RpDifference *difference; /* gets key and columns; may be stolen */
    const RpUnit *unit;
    RpHash identity;
    char *name; /* the Redis key, or an extra row's key values (rp_look_join_key) */
    gsize name_size;
    /* Set when it is described: PostgreSQL holds both rows equal, though their bytes differ, or they have
     * become equal. */
    gboolean is_equal;
    /* Set when it is described: positions (guint) of columns that are equal though their bytes differ. */
    GArray *alike;
    RpListed *twin; /* another one of the same identity, or NULL; borrowed */
};

void rp_listed_free(gpointer listed);

/* Reads the rows of the listed ones (RpListed) on both sides, as they are now. Of one whose record is gone
 * meanwhile only the Redis key is told. */
gboolean rp_describe(const RpLookPlace *place, PGconn *connection, GPtrArray *listed, GError **error);

G_END_DECLS
