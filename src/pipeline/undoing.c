/* One unit of a rollback, whatever comes in between.
 *
 * 1. A unit's transaction is repeated whole after a trouble that may pass. Whether a COMMIT whose answer was
 * lost took place is asked of the ledger, on a connection that has the lock: then the lost one is over.
 * 2. A unit that PostgreSQL refuses is cut in two, each a transaction of its own, until the refused rows
 * stand alone. They are kept. */
#include "pipeline/undoing.h"
#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "ledger/lock.h"
#include "ledger/runs.h"
#include "pipeline/session.h"
#include "sink/trouble.h"
#include "sink/unit.h"

/* As the writers' (pipeline/session.c): joins go by keys. Whoever waits for a table's lock has others wait
 * behind it: not for long, but again and again. */
static const char SESSION_SQL[] = "SET temp_buffers = '24MB'; SET work_mem = '32MB'; SET jit = off;"
                                  "SET enable_hashjoin = off; SET enable_mergejoin = off;"
                                  "SET lock_timeout = '2s'";

static const char BEGIN_WITH[] = "SET CONSTRAINTS ALL IMMEDIATE";

/* ---- the connection ---- */

static void set_connection(RpUndoing *undoing, PGconn *connection) {
    g_mutex_lock(&undoing->mutex);
    PQfreeCancel(undoing->cancel);
    undoing->cancel = connection != NULL ? PQgetCancel(connection) : NULL;
    PQfinish(undoing->connection);
    undoing->connection = connection;
    g_mutex_unlock(&undoing->mutex);
}

gboolean rp_undoing_connect(RpUndoing *undoing, GError **error) {
    g_autoptr(PGconn) connection = rp_postgres_connect(undoing->options->postgres, error);
    if (connection == NULL)
        return FALSE;
    rp_session_limit(connection, undoing->options->timeout_seconds, &undoing->is_cancelled);
    if (!rp_postgres_run(connection, SESSION_SQL, error) || !rp_ledger_lock(connection, error) ||
        (undoing->is_opened && !undoing->options->is_dry_run &&
         !rp_ledger_note_holder(connection, undoing->rollback.run, error)))
        return FALSE;
    set_connection(undoing, g_steal_pointer(&connection));
    return TRUE;
}

gboolean rp_undoing_is_stopped(RpUndoing *undoing, GError **error) {
    if (!g_atomic_int_get(&undoing->is_stopping))
        return FALSE;
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "interrupted by a signal");
    return TRUE;
}

gboolean rp_undoing_begin(RpUndoing *undoing, GError **error) {
    return rp_unit_begin(undoing->connection, BEGIN_WITH, error);
}

gboolean rp_undoing_commit(RpUndoing *undoing, GError **error) {
    if (!rp_unit_commit(undoing->connection, error))
        return FALSE;
    if (!undoing->options->is_dry_run)
        return TRUE;
    /* What COMMIT would empty. */
    if (!rp_postgres_run(undoing->connection, "TRUNCATE pg_temp.r2p_rest", error))
        return FALSE;
    for (guint i = 0; i < undoing->tables->len; i++)
        if (!rp_postgres_runf(undoing->connection, error, "TRUNCATE %s",
                              ((const RpUndoTable *)g_ptr_array_index(undoing->tables, i))->stage))
            return FALSE;
    return TRUE;
}

void rp_undoing_abort(RpUndoing *undoing) {
    if (undoing->connection != NULL)
        rp_unit_abort(undoing->connection);
}

/* Waiting ends with the first signal. */
static gboolean wait_out(RpUndoing *undoing) {
    return rp_retry_wait(&undoing->retry, &undoing->is_stopping);
}

/* The session that was lost may hold the lock until the server notices: to find it taken is a trouble that
 * may pass, too. */
static gboolean reconnect(RpUndoing *undoing, GError **trouble) {
    rp_event_note(RP_EVENT_POSTGRES_LOST);
    rp_log(RP_LOG_WARNING, "%s: connecting again", (*trouble)->message);
    set_connection(undoing, NULL);
    for (;;) {
        g_autoptr(GError) obstacle = NULL;
        if (rp_undoing_connect(undoing, &obstacle) &&
            (undoing->is_closing || rp_rollback_check(undoing->connection, &undoing->rollback, &obstacle)) &&
            rp_undo_stage_prepare(undoing->connection, &undoing->rollback, undoing->tables, &obstacle))
            break;
        const gboolean is_taken = obstacle->domain == RP_GUARD_ERROR && undoing->connection == NULL;
        if ((!rp_trouble_passes(obstacle) && !is_taken) || !wait_out(undoing)) {
            if (rp_undoing_is_stopped(undoing, NULL))
                return FALSE; /* for the trouble, which passes */
            g_clear_error(trouble);
            *trouble = g_steal_pointer(&obstacle);
            return FALSE;
        }
        set_connection(undoing, NULL);
    }
    rp_event_note(RP_EVENT_POSTGRES_BACK);
    g_clear_error(trouble);
    return TRUE;
}

gboolean rp_undoing_recover(RpUndoing *undoing, GError **trouble) {
    const gboolean is_lost = PQstatus(undoing->connection) != CONNECTION_OK;
    if (!rp_trouble_passes(*trouble) || (is_lost && undoing->options->is_dry_run) || !wait_out(undoing))
        return FALSE;
    if (is_lost)
        return reconnect(undoing, trouble);
    rp_log(RP_LOG_DEBUG, "%s: trying again", (*trouble)->message);
    g_clear_error(trouble);
    return TRUE;
}

/* ---- one transaction ---- */

/* reason: NULL to undo the unit, else to keep it. */
static gboolean do_once(RpUndoing *undoing, const RpUndoUnit *unit, guint64 cursor, const char *reason,
                        RpUndone *undone, GError **error) {
    PGconn *connection = undoing->connection;
    const RpRollback *rollback = &undoing->rollback;
    return rp_undoing_begin(undoing, error) && rp_event_pass(RP_EVENT_BATCH_BEGUN, error) &&
           (reason == NULL
                ? rp_undo_unit_work(connection, rollback, unit, undoing->pass, undoing->batch, undone, error)
                : rp_undo_unit_keep(connection, rollback, unit, reason, undone, error)) &&
           rp_event_pass(RP_EVENT_ROWS_UNDONE, error) &&
           rp_undo_unit_account(connection, rollback, unit, undone, undoing->pass, undoing->batch, cursor,
                                error) &&
           rp_event_pass(RP_EVENT_BATCH_ACCOUNTED, error) && rp_event_pass(RP_EVENT_BEFORE_COMMIT, error) &&
           rp_undoing_commit(undoing, error) && rp_event_pass(RP_EVENT_AFTER_COMMIT, error);
}

static void note_done(RpUndoing *undoing, const RpUndone *undone) {
    rp_retry_reset(&undoing->retry);
    undoing->batch++;
    g_mutex_lock(&undoing->mutex);
    undoing->progress.rows_undone += undone->n_deleted + undone->n_restored + undone->n_reinserted;
    undoing->progress.rows_kept += undone->n_kept;
    g_mutex_unlock(&undoing->mutex);
}

/* In a dry run nothing is lost: after its savepoint is released the unit is done. */
static gboolean is_done(RpUndoing *undoing, gboolean *out, GError **error) {
    if (!rp_undo_unit_is_done(undoing->connection, &undoing->rollback, undoing->pass, undoing->batch, out,
                              error))
        return FALSE;
    if (*out)
        rp_event_note(RP_EVENT_COMMIT_SETTLED);
    else
        rp_event_note(RP_EVENT_BATCH_REPEATED);
    return TRUE;
}

/* Repeats the transaction until it is done, or a row is to blame, or the trouble does not pass. */
static gboolean do_transaction(RpUndoing *undoing, const RpUndoUnit *unit, guint64 cursor, const char *reason,
                               GError **error) {
    for (;;) {
        RpUndone undone = {0};
        GError *trouble = NULL;
        gboolean is_settled = FALSE;
        if (do_once(undoing, unit, cursor, reason, &undone, &trouble)) {
            note_done(undoing, &undone);
            return TRUE;
        }
        rp_undoing_abort(undoing);
        while (!is_settled) {
            if (!rp_undoing_recover(undoing, &trouble)) {
                g_propagate_error(error, trouble);
                return FALSE;
            }
            gboolean stands = FALSE;
            is_settled = is_done(undoing, &stands, &trouble);
            if (is_settled && stands) {
                note_done(undoing, &undone);
                return TRUE;
            }
        }
    }
}

/* ---- rows that are refused ---- */

/* What the server says may quote values; its SQLSTATE and the constraint's name do not. */
static char *explain(const GError *refusal) {
    const char *sqlstate = rp_sink_error_get_sqlstate(refusal);
    const char *constraint = rp_sink_error_get_constraint(refusal);
    if (sqlstate == NULL)
        return g_strdup("a trigger, a rule or a policy keeps it as it is");
    return g_strdup_printf("PostgreSQL refuses it: SQLSTATE %s%s%s", sqlstate,
                           constraint != NULL ? ", constraint " : "", constraint != NULL ? constraint : "");
}

/* The cursor may pass an entry of inserted rows only with its last row. */
static guint64 cursor_of_part(const RpUndoUnit *unit, guint64 cursor, const RpUndoUnit *part,
                              gboolean is_last) {
    if (is_last)
        return cursor;
    if (unit->is_again)
        return part->last;
    return unit->operation == RP_UNDO_INSERT && unit->first == unit->last ? unit->first + 1 : part->first;
}

/* Rows that are referred to are told from the others by one look, not by a search. */
static gboolean look_closer(const RpUndoUnit *unit, const GError *refusal) {
    if (unit->operation != RP_UNDO_INSERT || unit->table->is_wary ||
        g_strcmp0(rp_sink_error_get_sqlstate(refusal), RP_FOREIGN_KEY_VIOLATION) != 0)
        return FALSE;
    unit->table->is_wary = TRUE;
    return TRUE;
}

/* A transaction that is rolled back. */
static gboolean passes(RpUndoing *undoing, const RpUndoUnit *unit) {
    RpUndone undone;
    const gboolean is_fine =
        rp_undoing_begin(undoing, NULL) && rp_undo_unit_work(undoing->connection, &undoing->rollback, unit,
                                                             undoing->pass, undoing->batch, &undone, NULL);
    rp_undoing_abort(undoing);
    return is_fine;
}

/* A policy, or a trigger with an SQLSTATE of its own, refuses some rows; a missing right refuses all. The
 * first and the last row tell. */
static gboolean is_of_some_rows(RpUndoing *undoing, const RpUndoUnit *unit, const GError *refusal) {
    if (!g_error_matches(refusal, RP_SINK_ERROR, RP_SINK_ERROR_FATAL))
        return FALSE;
    RpUndoUnit first = *unit, last = *unit, other;
    while (rp_undo_unit_split(&first, &first, &other))
        ;
    while (rp_undo_unit_split(&last, &other, &last))
        ;
    undoing->is_of_rows = undoing->is_of_rows || passes(undoing, &first) || passes(undoing, &last);
    return undoing->is_of_rows;
}

gboolean rp_undoing_do_unit(RpUndoing *undoing, const RpUndoUnit *unit, guint64 cursor, GError **error) {
    GError *trouble = NULL;
    if (rp_undoing_is_stopped(undoing, error))
        return FALSE;
    if (do_transaction(undoing, unit, cursor, NULL, &trouble))
        return TRUE;
    if (look_closer(unit, trouble)) {
        g_error_free(trouble);
        return rp_undoing_do_unit(undoing, unit, cursor, error);
    }
    RpUndoUnit parts[2];
    if (g_atomic_int_get(&undoing->is_cancelled) ||
        (!g_error_matches(trouble, RP_SINK_ERROR, RP_SINK_ERROR_DATA) &&
         !is_of_some_rows(undoing, unit, trouble))) {
        g_propagate_error(error, trouble);
        return FALSE;
    }
    if (!rp_undo_unit_split(unit, &parts[0], &parts[1])) {
        g_autofree char *reason = explain(trouble);
        g_error_free(trouble);
        return do_transaction(undoing, unit, cursor, reason, error);
    }
    g_error_free(trouble);
    for (guint i = 0; i < 2; i++)
        if (!rp_undoing_do_unit(undoing, &parts[i], cursor_of_part(unit, cursor, &parts[i], i == 1), error))
            return FALSE;
    return TRUE;
}
