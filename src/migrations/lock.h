/* The lock that keeps two runners of migrations out of one database. */
#pragma once

#include <glib.h>
#include <libpq-fe.h>

G_BEGIN_DECLS

/* The advisory lock's key: the ASCII of "r2pg-mig". Session level, one for a database. */
#define RP_MIGRATION_LOCK_KEY G_GINT64_CONSTANT(0x723270672d6d6967)

/* Takes the lock, asking every 100 ms for up to limit_seconds (0: once), and says so when it has to wait.
 * RP_GUARD_ERROR when another session still holds it then. */
gboolean rp_migration_lock_take(PGconn *connection, guint limit_seconds, GError **error);

/* Gives it back; a connection that is gone has given it back already. */
void rp_migration_lock_release(PGconn *connection);

G_END_DECLS
