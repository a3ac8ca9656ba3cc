/* Opening and closing a rollback, and its supervisor.
 *
 * Only a rollback that came to its end makes its run a rolled back one. */
#include "pipeline/rollback.h"

#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "ledger/lock.h"
#include "ledger/runs.h"
#include "ledger/set_aside.h"
#include "pipeline/restore.h"
#include "pipeline/signals.h"
#include "pipeline/undoing.h"
#include "sink/trouble.h"
#include "sink/unit.h"

#define WATCH_MS            100
#define RESTORE_CONNECTIONS 2

/* ---- opening and closing ---- */

/* A bulk load that did not come to its end is undone like any other run once its tables have their keys. From
 * the opening on nobody goes on with it: what was taken out of its tables is not merged. */
static gboolean restore_all(RpUndoing *undoing, guint64 run, GError **error) {
    const RpRollbackOptions *options = undoing->options;
    const RpRestore restore = {.postgres = options->postgres,
                               .n_connections = RESTORE_CONNECTIONS,
                               .by_run = undoing->rollback.run,
                               .by_attempt = undoing->rollback.attempt,
                               .timeout_seconds = options->timeout_seconds,
                               .retry_seconds = options->retry_seconds,
                               .is_stopping = &undoing->is_stopping,
                               .is_cancelled = &undoing->is_cancelled};
    RpRestored restored;
    undoing->is_opened = TRUE;
    rp_ledger_end_lost_writers(undoing->connection);
    return rp_restore_run(&restore, run, &restored, error);
}

/* Inside the transaction that opens the rollback; afterwards in another one. */
static gboolean restore_first(RpUndoing *undoing, GError **error) {
    guint64 run;
    guint n_definitions;
    if (!rp_set_aside_refuse(undoing->connection, undoing->options->run, error) ||
        !rp_set_aside_find(undoing->connection, &run, &n_definitions, error))
        return FALSE;
    if (run == 0)
        return TRUE;
    if (!undoing->options->is_dry_run)
        return rp_unit_commit(undoing->connection, error) && restore_all(undoing, run, error) &&
               rp_undoing_begin(undoing, error);
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "run %" G_GUINT64_FORMAT
                " has set %u keys and indexes of its tables aside: only a rollback that is no "
                "--dry-run puts them back",
                run, n_definitions);
    return FALSE;
}

static gboolean open_once(RpUndoing *undoing, GError **error) {
    PGconn *connection = undoing->connection;
    if ((undoing->options->is_dry_run && !rp_unit_rehearse(connection, error)) ||
        !rp_undoing_begin(undoing, error) ||
        !rp_rollback_open(connection, undoing->options->run, &undoing->rollback, error))
        return FALSE;
    undoing->rollback.is_dry_run = undoing->options->is_dry_run;
    if (!restore_first(undoing, error) || !rp_set_aside_forget(connection, undoing->rollback.undoes, error))
        return FALSE;
    undoing->tables = rp_undo_tables_read(connection, &undoing->rollback, error);
    if (undoing->tables == NULL || !rp_unit_commit(connection, error))
        return FALSE;
    undoing->is_opened = TRUE;
    rp_event_note(undoing->rollback.is_continued ? RP_EVENT_RUN_CONTINUED : RP_EVENT_RUN_OPENED);
    return rp_undo_stage_prepare(connection, &undoing->rollback, undoing->tables, error);
}

/* A lock is waited for here, too. Who loses the connection has not begun. */
static gboolean open_rollback(RpUndoing *undoing, GError **error) {
    for (;;) {
        GError *trouble = NULL;
        if (open_once(undoing, &trouble))
            return TRUE;
        rp_unit_abort(undoing->connection);
        rp_unit_end_rehearsal(undoing->connection);
        if (undoing->is_opened || PQstatus(undoing->connection) != CONNECTION_OK ||
            !rp_undoing_recover(undoing, &trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        g_clear_pointer(&undoing->tables, g_ptr_array_unref);
    }
}

static gboolean close_once(RpUndoing *undoing, GError **error) {
    return rp_event_pass(RP_EVENT_BEFORE_CLOSE, error) && rp_undoing_begin(undoing, error) &&
           rp_undo_compare_kept(undoing->connection, &undoing->rollback, undoing->tables, error) &&
           rp_rollback_close(undoing->connection, &undoing->rollback, error) &&
           rp_undoing_commit(undoing, error);
}

static gboolean close_rollback(RpUndoing *undoing, GError **error) {
    undoing->is_closing = TRUE;
    for (;;) {
        GError *trouble = NULL;
        gboolean is_complete = FALSE;
        if (close_once(undoing, &trouble)) {
            rp_event_note(RP_EVENT_RUN_CLOSED);
            return TRUE;
        }
        rp_undoing_abort(undoing);
        if (!rp_undoing_recover(undoing, &trouble) ||
            !rp_rollback_is_complete(undoing->connection, &undoing->rollback, &is_complete, &trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        if (is_complete)
            return TRUE;
    }
}

static gboolean is_interruption(const GError *error) {
    return error->domain == RP_STOP_ERROR || rp_trouble_passes(error);
}

/* What PostgreSQL says of a statement that was cancelled by the second signal is no error of its own. */
static void take_for_signal(RpUndoing *undoing, GError **why) {
    if (!g_atomic_int_get(&undoing->is_cancelled) || (*why)->domain != RP_SINK_ERROR)
        return;
    g_clear_error(why);
    rp_undoing_is_stopped(undoing, why);
}

/* A rollback that is not ours any more is left to whom it belongs. */
static void give_up(RpUndoing *undoing, const GError *why) {
    g_autoptr(GError) trouble = NULL;
    if (!undoing->is_opened || undoing->options->is_dry_run || why->domain == RP_GUARD_ERROR)
        return;
    if (undoing->connection == NULL || PQstatus(undoing->connection) != CONNECTION_OK ||
        !rp_ledger_close_run(undoing->connection, undoing->rollback.run,
                             is_interruption(why) ? "interrupted" : "failed", why->message, &trouble))
        rp_log(RP_LOG_WARNING, "run %" G_GUINT64_FORMAT " stays open in the ledger%s%s",
               undoing->rollback.run, trouble != NULL ? ": " : "", trouble != NULL ? trouble->message : "");
}

static void tell_error(const RpUndoing *undoing, GError *why, GError **error) {
    if (!undoing->is_opened) {
        g_propagate_error(error, why);
        return;
    }
    const gboolean is_stop = is_interruption(why);
    g_set_error(error, is_stop ? RP_STOP_ERROR : why->domain, is_stop ? RP_STOP_ERROR_INTERRUPTED : why->code,
                "rolling back run %" G_GUINT64_FORMAT ": %s%s", undoing->rollback.undoes, why->message,
                is_stop && !undoing->options->is_dry_run ? " (the same command goes on)" : "");
    g_error_free(why);
}

static gboolean read_summary(RpUndoing *undoing, RpRollbackSummary **summary, GError **error) {
    if (undoing->connection == NULL || PQstatus(undoing->connection) != CONNECTION_OK)
        return TRUE;
    return rp_rollback_read(undoing->connection, undoing->rollback.run, summary, error);
}

static gboolean work(RpUndoing *undoing, RpRollbackSummary **summary, GError **error) {
    GError *why = NULL;
    if (rp_undoing_connect(undoing, &why) && open_rollback(undoing, &why) &&
        rp_undo_walks_do(undoing, &why) && close_rollback(undoing, &why))
        return read_summary(undoing, summary, error);
    take_for_signal(undoing, &why);
    give_up(undoing, why);
    if (undoing->is_opened && !undoing->options->is_dry_run)
        read_summary(undoing, summary, NULL);
    tell_error(undoing, why, error);
    return FALSE;
}

/* ---- the supervisor ---- */

typedef struct {
    RpUndoing undoing;
    RpRollbackSummary *summary;
    GError *error;
    gboolean is_fine;
    gint is_over; /* atomic */
} Job;

static gpointer do_job(gpointer data) {
    Job *job = data;
    job->is_fine = work(&job->undoing, &job->summary, &job->error);
    g_atomic_int_set(&job->is_over, 1);
    return NULL;
}

static void on_signal(RpUndoing *undoing) {
    char message[256];
    if (!g_atomic_int_get(&undoing->is_stopping)) {
        g_atomic_int_set(&undoing->is_stopping, 1);
        rp_log(RP_LOG_WARNING, "interrupted: the rows in hand are being committed (once more to abort)");
        return;
    }
    g_atomic_int_set(&undoing->is_cancelled, 1);
    rp_log(RP_LOG_WARNING, "interrupted again: the open transaction is aborted");
    g_mutex_lock(&undoing->mutex);
    if (undoing->cancel != NULL)
        PQcancel(undoing->cancel, message, sizeof message);
    g_mutex_unlock(&undoing->mutex);
}

static void watch(Job *job, const RpSignals *signals) {
    RpUndoing *undoing = &job->undoing;
    const gint64 start = g_get_monotonic_time();
    while (!g_atomic_int_get(&job->is_over)) {
        if (rp_signals_wait(signals, WATCH_MS))
            on_signal(undoing);
        if (undoing->options->observe == NULL)
            continue;
        g_mutex_lock(&undoing->mutex);
        RpRollbackProgress progress = undoing->progress;
        g_mutex_unlock(&undoing->mutex);
        progress.seconds = (double)(g_get_monotonic_time() - start) / 1e6;
        undoing->options->observe(&progress, undoing->options->observe_data);
    }
}

gboolean rp_roll_back(const RpRollbackOptions *options, RpRollbackSummary **summary, GError **error) {
    RpSignals signals;
    rp_signals_block(&signals);
    Job job = {.undoing = {.options = options}};
    g_mutex_init(&job.undoing.mutex);
    rp_retry_init(&job.undoing.retry, options->retry_seconds);
    GThread *thread = g_thread_new("rollback", do_job, &job);
    watch(&job, &signals);
    g_thread_join(thread);
    PQfreeCancel(job.undoing.cancel);
    PQfinish(job.undoing.connection);
    g_clear_pointer(&job.undoing.tables, g_ptr_array_unref);
    g_mutex_clear(&job.undoing.mutex);
    rp_signals_unblock(&signals);
    *summary = job.summary;
    if (job.error != NULL)
        g_propagate_error(error, job.error);
    return job.is_fine;
}
