/* Beginning and continuing runs.
 *
 * 1. An attempt goes on where every page before is in a committed batch: batches may commit out of order, and
 * a batch may end within a page.
 * 2. A row that any attempt wrote is counted once, where it was written. A batch beyond the place keeps only
 * that of its account, and is superseded.
 * 3. Only the newest attempt writes: a batch locks the row of its run, so this one waits for those under way,
 * and later ones find another number there. */
#include "ledger/attempts.h"

#include "base/error.h"
#include "ledger/lock.h"
#include "ledger/unload.h"

#include <unistd.h>

static guint64 number_at(const PGresult *result, int row, int field) {
    return g_ascii_strtoull(PQgetvalue(result, row, field), NULL, 10);
}

/* Runs a statement about the run ($1), and, unless it is NULL, one other value ($2). */
static PGresult *query(PGconn *connection, const char *sql, guint64 run, const char *other, GError **error) {
    char number[24];
    g_snprintf(number, sizeof number, "%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number, other};
    return rp_postgres_query(connection, sql, other != NULL ? 2 : 1, parameters, error);
}

const char *rp_ledger_owner(void) {
    static gsize owner = 0;
    if (g_once_init_enter(&owner))
        g_once_init_leave(&owner, (gsize)g_uuid_string_random());
    return (const char *)owner;
}

/* Writes the attempt, and makes it the one that may write. */
static gboolean write_attempt(PGconn *connection, const RpAttempt *attempt, const char *source_run_id,
                              GError **error) {
    char run[24], number[24], pid[24], pass[24], cursor[24], first_batch[24];
    g_snprintf(run, sizeof run, "%" G_GUINT64_FORMAT, attempt->run);
    g_snprintf(number, sizeof number, "%u", attempt->number);
    g_snprintf(pid, sizeof pid, "%d", (int)getpid());
    g_snprintf(pass, sizeof pass, "%u", attempt->pass);
    g_snprintf(cursor, sizeof cursor, "%" G_GUINT64_FORMAT, attempt->cursor);
    g_snprintf(first_batch, sizeof first_batch, "%" G_GUINT64_FORMAT, attempt->first_batch);
    const char *const parameters[] = {run,    number,      g_get_host_name(), pid, source_run_id, pass,
                                      cursor, first_batch, rp_ledger_owner()};
    g_autoptr(PGresult) written = rp_postgres_query(
        connection,
        "WITH opened AS (UPDATE redis2pg.runs SET status = 'open', attempt = $2::integer, host = $3, pid = "
        "$4::integer,"
        " owner = $9::uuid, source_run_id = $5, backend = " RP_LEDGER_LOCK_HOLDER
        ", ended_at = NULL, error = NULL WHERE run = "
        "$1::bigint)"
        "INSERT INTO redis2pg.attempts (run, attempt, host, pid, source_run_id, pass, cursor, first_batch)"
        " VALUES ($1::bigint, $2::integer, $3, $4::integer, $5, $6::integer, $7::numeric, $8::bigint)",
        G_N_ELEMENTS(parameters), parameters, error);
    return written != NULL;
}

gboolean rp_ledger_begin_attempt(PGconn *connection, guint64 run, gint64 began_at_us,
                                 const char *source_run_id, RpAttempt *attempt, GError **error) {
    *attempt = (RpAttempt){.run = run, .began_at_us = began_at_us};
    return write_attempt(connection, attempt, source_run_id, error);
}

/* ---- where to go on ---- */

/* Locks the run: what is committed now is all that it has committed. FALSE, too, when it should be this
 * process's, and is not. */
static gboolean lock_run(PGconn *connection, guint64 run, gboolean must_be_ours, GError **error) {
    g_autoptr(PGresult) locked = query(connection,
                                       "SELECT status = 'open' AND coalesce(owner = $2::uuid, false) FROM "
                                       "redis2pg.runs WHERE run = $1 FOR UPDATE",
                                       run, rp_ledger_owner(), error);
    if (locked == NULL || !must_be_ours || (PQntuples(locked) == 1 && rp_postgres_is_true(locked, 0, 0)))
        return locked != NULL;
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "run %" G_GUINT64_FORMAT " was closed, or is continued by another process", run);
    return FALSE;
}

/* The last attempt's beginning, with the number of the pass that was being written when it ended. */
static gboolean read_last(PGconn *connection, RpAttempt *attempt, char **source_run_id, GError **error) {
    g_autoptr(PGresult) last =
        query(connection,
              "SELECT a.attempt, a.source_run_id, a.cursor, a.first_batch, a.pass,"
              " coalesce((SELECT max(b.pass) FROM redis2pg.batches b WHERE b.run = a.run), 0),"
              " (extract(epoch FROM r.started_at) * 1000000)::bigint"
              " FROM redis2pg.attempts a JOIN redis2pg.runs r USING (run) WHERE a.run = $1"
              " ORDER BY a.attempt DESC LIMIT 1",
              attempt->run, NULL, error);
    if (last == NULL)
        return FALSE;
    if (PQntuples(last) == 0) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "the ledger has no run %" G_GUINT64_FORMAT,
                    attempt->run);
        return FALSE;
    }
    const guint32 began_in = (guint32)number_at(last, 0, 4);
    attempt->number = (guint32)number_at(last, 0, 0) + 1;
    attempt->pass = MAX((guint32)number_at(last, 0, 5), began_in);
    attempt->cursor = attempt->pass == began_in ? number_at(last, 0, 2) : 0;
    attempt->first_batch = attempt->pass == began_in ? number_at(last, 0, 3) : 0;
    attempt->began_at_us = (gint64)number_at(last, 0, 6);
    *source_run_id = g_strdup(PQgetvalue(last, 0, 1));
    return TRUE;
}

/* Moves the attempt to the end of the unbroken prefix of the pass: batches are numbered in the order of
 * reading, without a gap within an attempt. */
static gboolean find_prefix(PGconn *connection, RpAttempt *attempt, gboolean *is_pass_end, GError **error) {
    char run[24], pass[24], first[24];
    g_snprintf(run, sizeof run, "%" G_GUINT64_FORMAT, attempt->run);
    g_snprintf(pass, sizeof pass, "%u", attempt->pass);
    g_snprintf(first, sizeof first, "%" G_GUINT64_FORMAT, attempt->first_batch);
    const char *const parameters[] = {run, pass, first};
    g_autoptr(PGresult) found =
        rp_postgres_query(connection,
                          "SELECT number, cursor_after, is_pass_end FROM (SELECT b.*, row_number() OVER "
                          "(ORDER BY number) - 1 AS place"
                          " FROM redis2pg.batches b WHERE run = $1 AND pass = $2 AND number >= $3 AND "
                          "is_whole AND NOT is_superseded) b"
                          " WHERE number = $3::bigint + place AND is_page_end ORDER BY number DESC LIMIT 1",
                          G_N_ELEMENTS(parameters), parameters, error);
    if (found == NULL)
        return FALSE;
    *is_pass_end = FALSE;
    if (PQntuples(found) == 0)
        return TRUE;
    attempt->last_batch = number_at(found, 0, 0);
    attempt->first_batch = attempt->last_batch + 1;
    attempt->cursor = number_at(found, 0, 1);
    *is_pass_end = rp_postgres_is_true(found, 0, 2);
    return TRUE;
}

static gboolean find_place(PGconn *connection, RpAttempt *attempt, const char *source_run_id,
                           GError **error) {
    g_autofree char *read_from = NULL;
    gboolean is_pass_end;
    if (!read_last(connection, attempt, &read_from, error) ||
        !find_prefix(connection, attempt, &is_pass_end, error))
        return FALSE;
    if (is_pass_end) {
        attempt->pass++;
        attempt->cursor = attempt->first_batch = 0;
    } else if (g_strcmp0(read_from, source_run_id) != 0) {
        attempt->cursor = attempt->first_batch = 0;
    }
    return TRUE;
}

/* ---- what is beyond ---- */

/* $1 run; the batches of the pass $2 from number $3 on. */
#define BEYOND "b.run = $1 AND b.pass = $2 AND b.number >= $3 AND NOT b.is_superseded"

static const char *const SUPERSEDE[] = {
    "DELETE FROM redis2pg.rejects r USING redis2pg.batches b WHERE r.run = b.run AND r.pass = b.pass AND "
    "r.batch ="
    " b.number AND " BEYOND,
    "DELETE FROM redis2pg.claims c USING redis2pg.batches b WHERE c.xmin = b.xid::xid AND " BEYOND,
    "UPDATE redis2pg.batch_counts c SET read = inserted + updated, unchanged = 0, rejected = 0, filtered = 0,"
    " vanished = 0, parked = 0 FROM redis2pg.batches b WHERE c.run = b.run AND c.pass = b.pass AND c.batch = "
    "b.number"
    " AND c.portion = b.portion AND " BEYOND,
    "UPDATE redis2pg.batches b SET is_superseded = true, keys_scanned = 0, keys_mapped = 0, keys_ignored = 0,"
    " keys_unmapped = 0, unmapped = NULL WHERE " BEYOND,
};

/* A later pass of a bulk load merges, and meets what the first one wrote as a merge does. */
static gboolean unload(PGconn *connection, const RpAttempt *attempt, GError **error) {
    gboolean is_bulk;
    return rp_ledger_is_bulk(connection, attempt->run, &is_bulk, error) &&
           (!is_bulk || attempt->pass > 0 || rp_ledger_unload(connection, attempt, error));
}

static gboolean supersede(PGconn *connection, RpAttempt *attempt, GError **error) {
    char run[24], pass[24], first[24];
    g_snprintf(run, sizeof run, "%" G_GUINT64_FORMAT, attempt->run);
    g_snprintf(pass, sizeof pass, "%u", attempt->pass);
    g_snprintf(first, sizeof first, "%" G_GUINT64_FORMAT, attempt->first_batch);
    const char *const parameters[] = {run, pass, first};
    for (guint i = 0; i < G_N_ELEMENTS(SUPERSEDE); i++) {
        g_autoptr(PGresult) done =
            rp_postgres_query(connection, SUPERSEDE[i], G_N_ELEMENTS(parameters), parameters, error);
        if (done == NULL)
            return FALSE;
    }
    g_autoptr(PGresult) left = rp_postgres_query(
        connection,
        "SELECT (SELECT count(*) FROM redis2pg.rejects WHERE run = $1),"
        " EXISTS (SELECT FROM redis2pg.batches WHERE run = $1 AND is_superseded),"
        " greatest($3::bigint, (SELECT max(number) + 1 FROM redis2pg.batches WHERE run = $1 AND pass = $2)),"
        " (SELECT count(*) FROM redis2pg.batches WHERE run = $1)",
        G_N_ELEMENTS(parameters), parameters, error);
    if (left == NULL)
        return FALSE;
    attempt->n_rejects = number_at(left, 0, 0);
    attempt->has_superseded = rp_postgres_is_true(left, 0, 1);
    attempt->first_batch = number_at(left, 0, 2);
    attempt->n_committed = number_at(left, 0, 3);
    return TRUE;
}

/* A process that was lost may still have a transaction open, which holds the run until PostgreSQL sees that
 * nobody is there: that can take minutes. */
static void explain_wait(GError *error) {
    if (g_strcmp0(rp_sink_error_get_sqlstate(error), "55P03") == 0)
        g_prefix_error(
            &error, "a process that was at it still has a transaction open in PostgreSQL (it ends with its "
                    "session: pg_stat_activity, pg_terminate_backend): ");
}

gboolean rp_ledger_continue_attempt(PGconn *connection, guint64 run, const char *source_run_id,
                                    gboolean must_be_ours, RpAttempt *attempt, GError **error) {
    GError *trouble = NULL;
    *attempt = (RpAttempt){.run = run};
    if (rp_postgres_run(connection, "BEGIN; SET LOCAL lock_timeout = '20s'", &trouble) &&
        lock_run(connection, run, must_be_ours, &trouble) &&
        find_place(connection, attempt, source_run_id, &trouble) && unload(connection, attempt, &trouble) &&
        supersede(connection, attempt, &trouble) &&
        write_attempt(connection, attempt, source_run_id, &trouble) &&
        rp_postgres_run(connection, "COMMIT", &trouble))
        return TRUE;
    rp_postgres_run(connection, "ROLLBACK", NULL);
    explain_wait(trouble);
    g_propagate_prefixed_error(error, trouble, "going on with run %" G_GUINT64_FORMAT ": ", run);
    return FALSE;
}

/* ---- which run ---- */

void rp_interrupted_clear(RpInterrupted *interrupted) {
    g_clear_pointer(&interrupted->entities, g_free);
    g_clear_pointer(&interrupted->why_not, g_free);
}

static char *say_why_not(const PGresult *last) {
    const char *run = PQgetvalue(last, 0, 0);
    if (!PQgetisnull(last, 0, 2))
        return g_strdup_printf("run %s was rolled back by run %s", run, PQgetvalue(last, 0, 2));
    if (!rp_postgres_is_true(last, 0, 4))
        return g_strdup_printf(
            "run %s read with another mapping: what it wrote may differ from what this one gives", run);
    if (rp_postgres_is_true(last, 0, 5))
        return g_strdup_printf("run %s was rolled back, and restored: its rows are those of another run now",
                               run);
    return g_strdup_printf("run %s is %s", run, PQgetvalue(last, 0, 1));
}

/* $1 source, $2 digest and $3 path of the mapping: a file that was edited since is the same mapping, and
 * another text. */
static const char LAST_RUN_SQL[] =
    "SELECT run, status, undone_by, coalesce(settings -> 'entities', 'null'), mapping_digest = $2,"
    " EXISTS (SELECT FROM redis2pg.runs b WHERE b.undoes = r.run), strategy = 'bulk' FROM redis2pg.runs r"
    " WHERE kind = 'run' AND source = $1 AND (mapping_digest = $2 OR mapping = $3) ORDER BY run DESC LIMIT 1";

gboolean rp_ledger_find_interrupted(PGconn *connection, const char *source, const RpMapping *mapping,
                                    RpInterrupted *interrupted, GError **error) {
    const char *const parameters[] = {source, mapping->digest, mapping->path};
    *interrupted = (RpInterrupted){0};
    g_autoptr(PGresult) last =
        rp_postgres_query(connection, LAST_RUN_SQL, G_N_ELEMENTS(parameters), parameters, error);
    if (last == NULL)
        return FALSE;
    if (PQntuples(last) == 0)
        return TRUE;
    const char *status = PQgetvalue(last, 0, 1);
    const char *const interruptions[] = {"open", "interrupted", "failed", NULL};
    if (PQgetisnull(last, 0, 2) && rp_postgres_is_true(last, 0, 4) && !rp_postgres_is_true(last, 0, 5) &&
        g_strv_contains(interruptions, status)) {
        interrupted->run = number_at(last, 0, 0);
        interrupted->entities = g_strdup(PQgetvalue(last, 0, 3));
        interrupted->is_bulk = rp_postgres_is_true(last, 0, 6);
    } else {
        interrupted->why_not = say_why_not(last);
    }
    return TRUE;
}
