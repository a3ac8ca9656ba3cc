/* Passes over the keys: parents before children, by the foreign keys and look-ups between mapped tables. */
#pragma once

#include "mapping/mapping.h"

#include <glib.h>

G_BEGIN_DECLS

/* The pass of each entity (a GArray of guint32, by entity), from 0: an entity comes after all entities that
 * its table's foreign keys refer to and whose tables its columns look into. NULL with RP_USAGE_ERROR when
 * they refer to each other in a circle. */
GArray *rp_passes_plan(const RpMapping *mapping, guint *n_passes, GError **error);

G_END_DECLS
