/* A look at a sample of the keys, before anything is read. */
#pragma once

#include "mapping/mapping.h"
#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Connects to Redis, notes its version and size, and looks at up to n_keys keys: patterns that no entity,
 * link or ignore of the mapping covers become warnings. mapping may be NULL: then only the server is looked
 * at. FALSE with RP_SOURCE_ERROR when Redis could not be asked. */
gboolean rp_sample_keys(const RpRedisAddress *address, const RpMapping *mapping, guint64 n_keys,
                        RpFindings *findings, GError **error);

G_END_DECLS
