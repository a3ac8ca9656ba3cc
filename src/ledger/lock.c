/* Taking the target's lock, and who has it. */
#include "ledger/lock.h"

#include "base/error.h"
#include "base/log.h"
#include "ledger/summary.h"

#include <errno.h>
#include <signal.h>

#define DEAD_HOLDER_US                                                                                       \
    (10 * G_USEC_PER_SEC)                  /* how long PostgreSQL may take to see that a process is gone     \
                                            */
#define LEAVING_US    (2 * G_USEC_PER_SEC) /* and how long to end the session of one that has closed its run */
#define LOOK_AGAIN_US (50 * 1000)

/* Who holds the lock is known by its session: a run that was left open by a process that died holds none. A
 * dry run asks before it has brought the ledger up to date: backend may be a column that is not there. */
static const char HOLDER_SQL[] =
    "SELECT h.pid, r.kind, r.run, r.host, r.pid, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD "
    "HH24:MI:SS')"
    " || ' UTC' FROM (SELECT " RP_LEDGER_LOCK_HOLDER
    " AS pid) h LEFT JOIN redis2pg.runs r ON r.status = 'open'"
    " AND (to_jsonb(r) ->> 'backend')::integer = h.pid WHERE h.pid IS NOT NULL ORDER BY r.run DESC NULLS LAST"
    " LIMIT 1";

/* Where the ledger is not there, or is not to be seen yet. */
static const char HOLDER_ALONE_SQL[] =
    "SELECT h.pid, NULL, NULL, NULL, NULL FROM (SELECT " RP_LEDGER_LOCK_HOLDER
    " AS pid) h WHERE h.pid IS NOT NULL";

/* Whether the session that holds the lock is of a process of this machine that is gone: PostgreSQL has not
 * noticed yet. */
static gboolean is_dead(PGresult *holder) {
    const char *pid = PQntuples(holder) == 1 ? PQgetvalue(holder, 0, 4) : "";
    return pid[0] != '\0' && g_str_equal(PQgetvalue(holder, 0, 3), g_get_host_name()) &&
           kill((pid_t)g_ascii_strtoll(pid, NULL, 10), 0) != 0 && errno == ESRCH;
}

/* Whether no run of the holder is open: one that has ended leaves the lock to PostgreSQL, and may be followed
 * by the next a moment later. */
static gboolean may_be_leaving(PGresult *holder) {
    return PQntuples(holder) == 0 || PQgetisnull(holder, 0, 2);
}

static gboolean refuse(PGresult *holder, GError **error) {
    if (PQntuples(holder) == 0)
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "another run worked on this target a moment ago: try again");
    else if (PQgetisnull(holder, 0, 2))
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "another run works on this target: it is a dry run, or just beginning, in PostgreSQL's "
                    "session %s",
                    PQgetvalue(holder, 0, 0));
    else
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "another run works on this target: %s %s on host %s, process %s, since %s",
                    PQgetvalue(holder, 0, 1), PQgetvalue(holder, 0, 2), PQgetvalue(holder, 0, 3),
                    PQgetvalue(holder, 0, 4), PQgetvalue(holder, 0, 5));
    return FALSE;
}

static PGresult *find_holder(PGconn *connection, GError **error) {
    gboolean exists;
    return rp_ledger_exists(connection, &exists, error)
               ? rp_postgres_query(connection, exists ? HOLDER_SQL : HOLDER_ALONE_SQL, 0, NULL, error)
               : NULL;
}

/* FALSE without an error: somebody else has it. */
static gboolean try_lock(PGconn *connection, GError **error) {
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, "SELECT pg_try_advisory_lock(" RP_LEDGER_LOCK_KEY ")", 0, NULL, error);
    return result != NULL && rp_postgres_is_true(result, 0, 0);
}

gboolean rp_ledger_lock(PGconn *connection, GError **error) {
    const gint64 start = g_get_monotonic_time();
    for (;;) {
        GError *trouble = NULL;
        if (try_lock(connection, &trouble))
            return TRUE;
        g_autoptr(PGresult) holder = trouble == NULL ? find_holder(connection, &trouble) : NULL;
        if (holder == NULL) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        const gint64 patience_us = is_dead(holder) ? DEAD_HOLDER_US : may_be_leaving(holder) ? LEAVING_US : 0;
        if (g_get_monotonic_time() >= start + patience_us)
            return refuse(holder, error);
        g_usleep(LOOK_AGAIN_US);
    }
}

void rp_ledger_unlock(PGconn *connection) {
    rp_postgres_run(connection, "SELECT pg_advisory_unlock_all()", NULL);
}

void rp_ledger_end_lost_writers(PGconn *connection) {
    g_autoptr(PGresult) ended = rp_postgres_query(
        connection,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' "
        "AND l.granted"
        " AND l.objsubid = 1 AND (l.classid::bigint << 32) + l.objid::bigint = " RP_LEDGER_WRITER_KEY
        " AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())",
        0, NULL, NULL);
    if (ended != NULL && PQgetvalue(ended, 0, 0)[0] != '0')
        rp_log(RP_LOG_WARNING, "%s sessions of a process that has lost its run were ended",
               PQgetvalue(ended, 0, 0));
}

gboolean rp_ledger_note_holder(PGconn *connection, guint64 run, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    g_autoptr(PGresult) noted =
        rp_postgres_query(connection, "UPDATE redis2pg.runs SET backend = pg_backend_pid() WHERE run = $1", 1,
                          parameters, error);
    return noted != NULL;
}
