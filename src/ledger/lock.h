/* The lock that keeps two runs out of one target. */
#pragma once

#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* "redis2pg" in ASCII as a bigint, so that no other tool takes it by chance. */
#define RP_LEDGER_LOCK_KEY "8243105097038590055"

/* An SQL expression: the process id of the session that holds it; null when nobody does. */
#define RP_LEDGER_LOCK_HOLDER                                                                                \
    "(SELECT l.pid FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = " \
    "1"                                                                                                      \
    " AND (l.classid::bigint << 32) + l.objid::bigint = " RP_LEDGER_LOCK_KEY                                 \
    " AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) LIMIT 1)"

/* Takes the target's lock (an advisory lock of the database, held by this connection until it closes), so
 * that two runs on one target exclude each other. RP_GUARD_ERROR that names the run, host and process which
 * hold it when it is taken. A holder that has just died on this machine is waited for: some seconds at most.
 */
gboolean rp_ledger_lock(PGconn *connection, GError **error);

/* Gives up every advisory lock of the connection: nobody has to wait for its session to end. */
void rp_ledger_unlock(PGconn *connection);

/* A session that writes batches shows so by a shared lock with this key ("redis2pw"). */
#define RP_LEDGER_WRITER_KEY      "8243105097038590071"
#define RP_LEDGER_SHOW_WRITER_SQL "SELECT pg_advisory_lock_shared(" RP_LEDGER_WRITER_KEY ")"

/* Ends the sessions of writers whose process has lost the target's lock, which this connection holds, and may
 * not know it: they hold rows that are to be written now. Where this role may not end them they are waited
 * for. */
void rp_ledger_end_lost_writers(PGconn *connection);

/* Notes that this connection, which has taken the lock again, holds it for the run: others are told so. */
gboolean rp_ledger_note_holder(PGconn *connection, guint64 run, GError **error);

G_END_DECLS
