/* The SQL of one file on its way to the server, and the place in the file when the server refuses it. */
#pragma once

#include <glib.h>
#include <libpq-fe.h>

#include "migrations/set.h"

G_BEGIN_DECLS

/* Refuses a transactional file that begins or ends transactions itself: RP_USAGE_ERROR, naming file and line.
 */
gboolean rp_execute_check(const RpScript *script, GError **error);

/* Sends the file: a transactional one whole, within the caller's transaction; another one statement by
 * statement, each a transaction of its own. RP_MIGRATION_ERROR_FAILED names file, line and SQLSTATE;
 * RP_SINK_ERROR when the server went away. After a failure the caller rolls back whatever is open. */
gboolean rp_execute_script(PGconn *connection, const RpScript *script, GError **error);

G_END_DECLS
