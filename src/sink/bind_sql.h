/* Having PostgreSQL judge what a mapping leaves to it: SQL over the mapped columns, defaults that it casts,
 * and the types of what it looks up. */
#pragma once

#include "mapping/mapping.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Has the planner look at the checks, the where, and the values of a bound entity. What it refuses is added
 * to findings. FALSE when PostgreSQL could not be asked. Nothing is written. */
gboolean rp_bind_try_sql(PGconn *connection, const RpEntity *entity, RpFindings *findings, GError **error);

G_END_DECLS
