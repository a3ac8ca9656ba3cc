/* Transactions, and savepoints in their place.
 *
 * 1. In a rehearsal nothing is ever committed: the transaction around the units ends by ROLLBACK, or with its
 * session.
 * 2. What a unit that is rolled back did to the transaction around it is undone by the same statement: an
 * error in a unit never reaches it. */
#include "sink/unit.h"

#include <libpq-events.h>

#define BEGIN_SQL "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

typedef struct {
    gboolean is_begun;
    gboolean has_ids;
} Rehearsal;

/* libpq keeps it with the connection, and says when that ends. */
static int keep_rehearsal(PGEventId id, void *about, void *unused) {
    (void)unused;
    if (id == PGEVT_CONNDESTROY) {
        const PGEventConnDestroy *event = about;
        g_free(PQinstanceData(event->conn, keep_rehearsal));
    }
    return 1;
}

static Rehearsal *rehearsal_of(const PGconn *connection) {
    return connection != NULL ? PQinstanceData(connection, keep_rehearsal) : NULL;
}

gboolean rp_unit_is_rehearsed(const PGconn *connection) {
    return rehearsal_of(connection) != NULL;
}

gboolean rp_unit_rehearse(PGconn *connection, GError **error) {
    g_assert(rehearsal_of(connection) == NULL);
    /* Fails when it is registered already: it is, after another rehearsal. */
    PQregisterEventProc(connection, keep_rehearsal, "rehearsal", NULL);
    if (!rp_postgres_run(connection, BEGIN_SQL, error))
        return FALSE;
    const int is_kept = PQsetInstanceData(connection, keep_rehearsal, g_new0(Rehearsal, 1));
    g_assert(is_kept != 0);
    return TRUE;
}

gboolean rp_unit_prepare_ids(PGconn *connection, GError **error) {
    Rehearsal *rehearsal = rehearsal_of(connection);
    if (rehearsal == NULL)
        return TRUE;
    rehearsal->has_ids =
        rp_postgres_run(connection, "CREATE TEMPORARY TABLE r2p_unit (is_begun boolean)", error);
    return rehearsal->has_ids;
}

/* A savepoint gets its id with the first row that it writes, and that row tells. */
static gboolean tell_id(PGconn *connection, GError **error) {
    return rp_postgres_run(connection,
                           "WITH unit AS (INSERT INTO pg_temp.r2p_unit VALUES (true) RETURNING xmin)"
                           " SELECT set_config('redis2pg.unit', xmin::text, true) FROM unit",
                           error);
}

gboolean rp_unit_begin(PGconn *connection, const char *then, GError **error) {
    Rehearsal *rehearsal = rehearsal_of(connection);
    if (rehearsal == NULL)
        return rp_postgres_runf(connection, error, BEGIN_SQL "; %s", then != NULL ? then : "");
    g_assert(!rehearsal->is_begun);
    rehearsal->is_begun = rp_postgres_run(connection, "SAVEPOINT redis2pg_unit", error);
    return rehearsal->is_begun && (then == NULL || rp_postgres_run(connection, then, error)) &&
           (!rehearsal->has_ids || tell_id(connection, error));
}

gboolean rp_unit_commit(PGconn *connection, GError **error) {
    Rehearsal *rehearsal = rehearsal_of(connection);
    if (rehearsal == NULL)
        return rp_postgres_run(connection, "COMMIT", error);
    if (!rp_postgres_run(connection, "RELEASE SAVEPOINT redis2pg_unit", error))
        return FALSE;
    rehearsal->is_begun = FALSE;
    return TRUE;
}

void rp_unit_abort(PGconn *connection) {
    Rehearsal *rehearsal = rehearsal_of(connection);
    if (rehearsal == NULL)
        rp_postgres_run(connection, "ROLLBACK", NULL);
    else if (rehearsal->is_begun)
        rp_postgres_run(connection, "ROLLBACK TO SAVEPOINT redis2pg_unit; RELEASE SAVEPOINT redis2pg_unit",
                        NULL);
    if (rehearsal != NULL)
        rehearsal->is_begun = FALSE;
}

void rp_unit_end_rehearsal(PGconn *connection) {
    Rehearsal *rehearsal = rehearsal_of(connection);
    if (rehearsal == NULL)
        return;
    rp_postgres_run(connection, "ROLLBACK", NULL);
    PQsetInstanceData(connection, keep_rehearsal, NULL);
    g_free(rehearsal);
}
