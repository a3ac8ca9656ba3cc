/* What PostgreSQL's catalogue says of a target table. */
#pragma once

#include "model/table.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Reads columns, types, keys, foreign keys and checks of the table that name ("users", "shop.users") stands
 * for on this connection. *table is NULL when there is no such table. FALSE with RP_SINK_ERROR when the
 * catalogue could not be read. The caller owns the table. */
gboolean rp_catalog_read_table(PGconn *connection, const char *name, RpTable **table, GError **error);

G_END_DECLS
