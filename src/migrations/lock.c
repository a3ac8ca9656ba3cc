/* The lock that keeps two runners of migrations out of one database. A session that waits in
 * pg_advisory_lock() holds a snapshot, and CREATE INDEX CONCURRENTLY in the other session waits for that
 * snapshot: so the lock is asked for again and again, and never waited for. */
#include "migrations/lock.h"

#include "base/error.h"
#include "base/log.h"
#include "sink/connection.h"

#define POLL_MICROSECONDS (100 * G_TIME_SPAN_MILLISECOND)

static gboolean try_lock(PGconn *connection, gboolean *is_ours, GError **error) {
    g_autofree char *sql = g_strdup_printf("SELECT pg_catalog.pg_try_advisory_lock(%" G_GINT64_FORMAT ")",
                                           RP_MIGRATION_LOCK_KEY);
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    if (result == NULL) {
        g_prefix_error(error, "taking the migration lock: ");
        return FALSE;
    }
    *is_ours = PQgetvalue(result, 0, 0)[0] == 't';
    return TRUE;
}

gboolean rp_migration_lock_take(PGconn *connection, guint limit_seconds, GError **error) {
    const gint64 deadline = g_get_monotonic_time() + (gint64)limit_seconds * G_TIME_SPAN_SECOND;
    gboolean is_ours = FALSE;
    gboolean has_said_so = FALSE;
    for (;;) {
        if (!try_lock(connection, &is_ours, error))
            return FALSE;
        if (is_ours)
            return TRUE;
        if (g_get_monotonic_time() >= deadline)
            break;
        if (!has_said_so)
            rp_log(RP_LOG_INFO, "another session migrates this database: waiting for up to %u s",
                   limit_seconds);
        has_said_so = TRUE;
        g_usleep(POLL_MICROSECONDS);
    }
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "another session migrates this database, and still held the lock after %u s (advisory lock "
                "%" G_GINT64_FORMAT " in pg_locks)",
                limit_seconds, RP_MIGRATION_LOCK_KEY);
    return FALSE;
}

void rp_migration_lock_release(PGconn *connection) {
    g_autofree char *sql =
        g_strdup_printf("SELECT pg_catalog.pg_advisory_unlock(%" G_GINT64_FORMAT ")", RP_MIGRATION_LOCK_KEY);
    g_autoptr(PGresult) result = PQexec(connection, sql);
    (void)result;
}
