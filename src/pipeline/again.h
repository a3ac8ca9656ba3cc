/* The later passes of a bulk load: the Redis keys of rows that were taken out of the tables again. */
#pragma once

#include "pipeline/key_reader.h"

#include <glib.h>

G_BEGIN_DECLS

/* Reads the keys that redis2pg.again has for the entities of the pass (rp_crew_is_of_pass) as they are now,
 * in the order in which the first pass read them. cursor: how many of them earlier batches of the pass hold;
 * the position of a batch says the same. The reader is open; called from the reading thread. */
gboolean rp_again_read(RpCrew *crew, RpKeyReader *keys, guint pass, guint64 cursor, GError **error);

G_END_DECLS
