/* What `check` looks at on the two servers, beside the mapping. */
#pragma once

#include "mapping/mapping.h"
#include "sink/connection.h"
#include "source/connection.h"

G_BEGIN_DECLS

/* Looks at PostgreSQL and then at Redis for what a run with this mapping needs, and adds what it finds.
 * mapping is bound as far as that goes; NULL: it has mistakes, and only the servers are looked at. Nothing is
 * written. FALSE with error when a server could not be asked. */
gboolean rp_check_servers(PGconn *postgres, const RpRedisAddress *redis, const RpMapping *mapping,
                          RpFindings *findings, GError **error);

G_END_DECLS
