/* Ending sessions that were given up: the same role may. */
#include "sink/predecessor.h"

void rp_predecessor_clear(RpPredecessor *predecessor) {
    g_clear_pointer(&predecessor->pid, g_free);
    g_clear_pointer(&predecessor->since, g_free);
}

/* A pool between us and the server tells a process id of its own. */
gboolean rp_predecessor_note(RpPredecessor *predecessor, PGconn *connection, GError **error) {
    g_autoptr(PGresult) session =
        rp_postgres_query(connection,
                          "SELECT pid, backend_start FROM pg_catalog.pg_stat_activity WHERE pid = "
                          "pg_catalog.pg_backend_pid()",
                          0, NULL, error);
    if (session == NULL)
        return FALSE;
    rp_predecessor_clear(predecessor);
    if (PQntuples(session) != 1 || PQgetisnull(session, 0, 1) ||
        g_ascii_strtoll(PQgetvalue(session, 0, 0), NULL, 10) != PQbackendPID(connection))
        return TRUE;
    predecessor->pid = g_strdup(PQgetvalue(session, 0, 0));
    predecessor->since = g_strdup(PQgetvalue(session, 0, 1));
    return TRUE;
}

gboolean rp_predecessor_end(const RpPredecessor *predecessor, PGconn *connection, GError **error) {
    const char *const parameters[] = {predecessor->pid, predecessor->since};
    if (predecessor->pid == NULL)
        return TRUE;
    g_autoptr(PGresult) ended = rp_postgres_query(connection,
                                                  "SELECT pg_catalog.pg_terminate_backend(pid) FROM "
                                                  "pg_catalog.pg_stat_activity WHERE pid = $1::integer "
                                                  "AND backend_start = $2::timestamptz",
                                                  G_N_ELEMENTS(parameters), parameters, error);
    return ended != NULL;
}
