/* Keys that several entities match. */
#pragma once

#include "mapping/mapping.h"

#include <glib.h>

G_BEGIN_DECLS

/* Whether some key matches both patterns, which must be of entities. FALSE also for patterns that are too
 * long to tell. */
gboolean rp_pattern_overlaps(const RpPattern *a, const RpPattern *b);

/* Adds a note for each entity that a key can belong to beside an earlier one. The mapping must be loaded
 * without errors. */
void rp_overlap_note(const RpMapping *mapping, RpFindings *findings);

G_END_DECLS
