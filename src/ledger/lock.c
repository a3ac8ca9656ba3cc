/* Taking the target's lock, and who has it. */
#include "ledger/lock.h"

#include "base/error.h"

/* Who holds the lock is known by its session: a run that was left open by a process that died holds none. */
static const char HOLDER_SQL[] =
    "SELECT h.pid, r.kind, r.run, r.host, r.pid, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD "
    "HH24:MI:SS')"
    " || ' UTC' FROM (SELECT " RP_LEDGER_LOCK_HOLDER
    " AS pid) h LEFT JOIN redis2pg.runs r ON r.status = 'open'"
    " AND r.backend = h.pid WHERE h.pid IS NOT NULL ORDER BY r.run DESC NULLS LAST LIMIT 1";

static gboolean refuse(PGconn *connection, GError **error) {
    g_autoptr(PGresult) holder = rp_postgres_query(connection, HOLDER_SQL, 0, NULL, NULL);
    if (holder != NULL && PQntuples(holder) == 1 && !PQgetisnull(holder, 0, 2))
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "another run works on this target: %s %s on host %s, process %s, since %s",
                    PQgetvalue(holder, 0, 1), PQgetvalue(holder, 0, 2), PQgetvalue(holder, 0, 3),
                    PQgetvalue(holder, 0, 4), PQgetvalue(holder, 0, 5));
    else if (holder != NULL && PQntuples(holder) == 1)
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "another run works on this target: it is just beginning, in PostgreSQL's session %s",
                    PQgetvalue(holder, 0, 0));
    else
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "another run worked on this target a moment ago: try again");
    return FALSE;
}

gboolean rp_ledger_lock(PGconn *connection, GError **error) {
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, "SELECT pg_try_advisory_lock(" RP_LEDGER_LOCK_KEY ")", 0, NULL, error);
    if (result == NULL)
        return FALSE;
    return PQgetvalue(result, 0, 0)[0] == 't' ? TRUE : refuse(connection, error);
}

gboolean rp_ledger_note_holder(PGconn *connection, guint64 run, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    g_autoptr(PGresult) noted =
        rp_postgres_query(connection, "UPDATE redis2pg.runs SET backend = pg_backend_pid() WHERE run = $1", 1,
                          parameters, error);
    return noted != NULL;
}
