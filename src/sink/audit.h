/* `check` on the side of PostgreSQL: privileges, tables and settings that decide whether a migration goes
 * well. */
#pragma once

#include "mapping/mapping.h"
#include "model/finding.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Adds what keeps a run from writing, what would change or lose its rows, and what is worth knowing.
 * mapping is bound as far as that goes (NULL: only the server is looked at); n_connections is how many
 * connections a run opens. Nothing is written. What this role may not look at is a note: FALSE, with
 * RP_SINK_ERROR, only when PostgreSQL could not be asked. */
gboolean rp_postgres_audit(PGconn *connection, const RpMapping *mapping, guint n_connections,
                           RpFindings *findings, GError **error);

/* Compares the room that data_bytes (of Redis; 0: not known) will take about with what is free, where that
 * can be seen: on a server that is reached by a Unix socket and tells its data directory. */
gboolean rp_postgres_audit_room(PGconn *connection, guint64 data_bytes, RpFindings *findings, GError **error);

G_END_DECLS
