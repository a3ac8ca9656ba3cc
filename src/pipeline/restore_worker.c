/* Units of a restore, whatever comes in between.
 *
 * 1. A unit is repeated whole after a trouble that may pass; what came of a lost COMMIT its next try sees.
 * 2. The first error ends all. */
#include "pipeline/restore_worker.h"

#include "base/error.h"
#include "base/log.h"
#include "pipeline/restore_steps.h"
#include "pipeline/session.h"
#include "sink/trouble.h"
#include "sink/unit.h"

#define SAY_US G_USEC_PER_SEC

static void cancel_clear(RpRestoreCancel *cancel) {
    PQfreeCancel(cancel->cancel);
}

void rp_restore_cancel_unref(gpointer cancel) {
    g_atomic_rc_box_release_full(cancel, (GDestroyNotify)cancel_clear);
}

static void fail(RpRestoring *restoring, GError *error) {
    g_mutex_lock(&restoring->mutex);
    if (restoring->error == NULL)
        restoring->error = g_steal_pointer(&error);
    g_atomic_int_set(&restoring->is_over, 1);
    g_cond_broadcast(&restoring->changed);
    g_mutex_unlock(&restoring->mutex);
    g_clear_error(&error);
}

/* ---- connections ---- */

static void disconnect(RpRestoreWorker *worker) {
    RpRestoring *restoring = worker->restoring;
    if (worker->cancel != NULL) {
        g_mutex_lock(&restoring->mutex);
        g_ptr_array_remove_fast(restoring->cancels, worker->cancel);
        g_mutex_unlock(&restoring->mutex);
    }
    worker->cancel = NULL;
    g_clear_pointer(&worker->connection, PQfinish);
}

static void keep_cancel(RpRestoreWorker *worker) {
    RpRestoring *restoring = worker->restoring;
    worker->cancel = g_atomic_rc_box_new0(RpRestoreCancel);
    worker->cancel->cancel = PQgetCancel(worker->connection);
    g_mutex_lock(&restoring->mutex);
    g_ptr_array_add(restoring->cancels, worker->cancel);
    g_mutex_unlock(&restoring->mutex);
}

static PGconn *open_connection(const RpRestore *restore, GError **error) {
    g_autoptr(PGconn) connection = rp_postgres_connect(restore->postgres, error);
    if (connection == NULL)
        return NULL;
    rp_session_limit(connection, restore->timeout_seconds, restore->is_cancelled);
    return rp_restore_session_prepare(connection, error) ? g_steal_pointer(&connection) : NULL;
}

gboolean rp_restore_worker_reach(RpRestoreWorker *worker, GError **error) {
    if (worker->connection != NULL && PQstatus(worker->connection) == CONNECTION_OK)
        return TRUE;
    disconnect(worker);
    g_autoptr(PGconn) connection = open_connection(worker->restoring->restore, error);
    if (connection == NULL || !rp_predecessor_end(&worker->session, connection, error) ||
        !rp_predecessor_note(&worker->session, connection, error))
        return FALSE;
    worker->connection = g_steal_pointer(&connection);
    keep_cancel(worker);
    return TRUE;
}

/* ---- units ---- */

static gboolean try_unit(RpRestoreWorker *worker, const RpRestoreUnit *unit, RpRestoreResult *result,
                         GError **error) {
    const RpRestoring *restoring = worker->restoring;
    RpRestoreSession session = {worker->connection, restoring->run, restoring->restore->by_run,
                                restoring->restore->by_attempt, restoring->plan};
    if (rp_restore_unit_do(&session, unit, result, error))
        return TRUE;
    rp_unit_abort(worker->connection);
    return FALSE;
}

/* Rows that are not found any more may be those that an earlier try took out, whose COMMIT was not answered.
 */
static void doubt(const RpRestoreUnit *unit, RpRestoreResult *result) {
    if (unit->work == RP_RESTORE_FAILING || unit->work == RP_RESTORE_TWINS ||
        unit->work == RP_RESTORE_UNFIT || unit->work == RP_RESTORE_ORPHANS)
        result->n_taken_out = MAX(result->n_taken_out, 1);
}

static gboolean do_unit(RpRestoreWorker *worker, const RpRestoreUnit *unit, RpRestoreResult *result,
                        GError **error) {
    for (gboolean is_repeated = FALSE;; is_repeated = TRUE) {
        GError *trouble = NULL;
        if (rp_restore_worker_reach(worker, &trouble) && try_unit(worker, unit, result, &trouble)) {
            rp_outage_end(&worker->outage);
            if (is_repeated)
                doubt(unit, result);
            return TRUE;
        }
        if (!rp_trouble_passes(trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        const gboolean is_away = worker->connection == NULL || PQstatus(worker->connection) != CONNECTION_OK;
        if (!rp_outage_wait(&worker->outage, trouble, is_away, &worker->restoring->is_over, error))
            return FALSE;
    }
}

static void name_unit(const RpRestoreUnit *unit, GError **error) {
    g_autofree char *what = rp_restore_unit_describe(unit);
    g_prefix_error(error, "%s: ", what);
}

/* With the mutex. */
static void say_progress(RpRestoring *restoring, const RpRestoreUnit *unit) {
    const gint64 now = g_get_monotonic_time();
    if (unit->entry == NULL || now - restoring->said_at < SAY_US)
        return;
    guint n_all, n_done;
    rp_restore_plan_count(restoring->plan, &n_all, &n_done);
    restoring->said_at = now;
    rp_log(RP_LOG_INFO, "indexes and keys are being put back: %u of %u (%s)", n_done, n_all,
           unit->entry->what->name);
}

/* What the server refused is the end only if nothing of ours stands against it. */
static gboolean end_unit(RpRestoring *restoring, RpRestoreUnit *unit, RpRestoreResult *result,
                         GError **error) {
    if (result->refusal != NULL) {
        name_unit(unit, &result->refusal);
        rp_outage_add_words(result->refusal, "; the rows that stand against it are not this run's, which "
                                             "takes out only its own: change or delete them, and go on");
    }
    g_mutex_lock(&restoring->mutex);
    restoring->n_taken_out += result->n_taken_out;
    const gboolean is_fine = rp_restore_plan_end(restoring->plan, unit, result->outcome, result->n_taken_out,
                                                 g_steal_pointer(&result->refusal), error);
    if (is_fine)
        say_progress(restoring, unit);
    g_cond_broadcast(&restoring->changed);
    g_mutex_unlock(&restoring->mutex);
    return is_fine;
}

/* NULL: there is nothing left to do. */
static RpRestoreUnit *take_unit(RpRestoring *restoring) {
    RpRestoreUnit *unit = NULL;
    g_mutex_lock(&restoring->mutex);
    while (!g_atomic_int_get(&restoring->is_over) && (unit = rp_restore_plan_next(restoring->plan)) == NULL &&
           !rp_restore_plan_is_done(restoring->plan))
        g_cond_wait(&restoring->changed, &restoring->mutex);
    g_mutex_unlock(&restoring->mutex);
    return unit;
}

static void work_through(RpRestoreWorker *worker) {
    RpRestoreUnit *unit;
    while ((unit = take_unit(worker->restoring)) != NULL) {
        RpRestoreResult result = {0};
        GError *error = NULL;
        if (!do_unit(worker, unit, &result, &error)) {
            name_unit(unit, &error);
            fail(worker->restoring, error);
            return;
        }
        if (!end_unit(worker->restoring, unit, &result, &error)) {
            fail(worker->restoring, error);
            return;
        }
    }
}

void rp_restore_worker_init(RpRestoreWorker *worker) {
    rp_outage_init(&worker->outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK,
                   worker->restoring->restore->retry_seconds);
}

void rp_restore_worker_clear(RpRestoreWorker *worker) {
    disconnect(worker);
    rp_predecessor_clear(&worker->session);
    rp_outage_clear(&worker->outage);
}

/* A server may have no room for more than one: the others work for it then. */
gpointer rp_restore_worker_work(gpointer data) {
    RpRestoreWorker *worker = data;
    RpRestoring *restoring = worker->restoring;
    GError *trouble = NULL;
    if (worker->is_first || rp_restore_worker_reach(worker, &trouble))
        work_through(worker);
    else
        rp_log(RP_LOG_DEBUG, "putting back goes on with a connection less: %s", trouble->message);
    g_clear_error(&trouble);
    g_mutex_lock(&restoring->mutex);
    restoring->n_working--;
    g_cond_broadcast(&restoring->changed);
    g_mutex_unlock(&restoring->mutex);
    return NULL;
}
