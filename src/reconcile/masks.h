/* What no report may show: a column that is sensitive for one entity holds the same values for all others of
 * its table. */
#pragma once

#include "mapping/mapping.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpMasks RpMasks;

/* Of all entities of the mapping, which is bound without errors; nothing is borrowed. */
RpMasks *rp_masks_new(const RpMapping *mapping);
void rp_masks_free(RpMasks *masks);

/* Whether values of the table's column are masked. */
gboolean rp_masks_has(const RpMasks *masks, guint32 table_oid, const char *column);

/* Whether Redis keys of the entity are: a masked column holds one, or a part of one. */
gboolean rp_masks_hide_key(const RpMasks *masks, const RpEntity *entity);

G_END_DECLS
