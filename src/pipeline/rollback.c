/* The order of a rollback, and its supervisor.
 *
 * 1. First inserts and updates are undone, children before parents and the newest first; then deletes,
 * parents before children; then what something stood in the way of is tried again, until that settles nothing
 * more.
 * 2. Each of these walks over a table is a pass of the rollback; its last batch says how far it is. A
 * rollback that is continued takes each up where it stands.
 * 3. Only a rollback that came to its end makes its run a rolled back one. */
#include "pipeline/rollback.h"

#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "ledger/runs.h"
#include "pipeline/signals.h"
#include "pipeline/undoing.h"
#include "sink/trouble.h"

#define WATCH_MS 100

/* ---- the walks ---- */

/* Reading where things stand may meet a passing trouble as well. */
typedef gboolean (*Question)(RpUndoing *undoing, gpointer answer, GError **error);

static gboolean ask(RpUndoing *undoing, Question question, gpointer answer, GError **error) {
    for (;;) {
        GError *trouble = NULL;
        if (question(undoing, answer, &trouble))
            return TRUE;
        if (!rp_undoing_recover(undoing, &trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
    }
}

static gboolean ask_position(RpUndoing *undoing, gpointer answer, GError **error) {
    RpUndoWalk *walk = answer;
    return rp_rollback_position(undoing->connection, &undoing->rollback, undoing->pass, &walk->cursor,
                                &undoing->batch, error);
}

typedef struct {
    const RpUndoWalk *walk;
    RpUndoUnit unit;
    gboolean is_found;
} Next;

static gboolean ask_next(RpUndoing *undoing, gpointer answer, GError **error) {
    Next *next = answer;
    return rp_undo_unit_next(undoing->connection, &undoing->rollback, next->walk, &next->unit,
                             &next->is_found, error);
}

typedef struct {
    guint64 newest;
    guint64 number;
} Blocked;

static gboolean ask_blocked(RpUndoing *undoing, gpointer answer, GError **error) {
    Blocked *blocked = answer;
    return rp_undo_count_blocked(undoing->connection, &undoing->rollback, &blocked->newest, &blocked->number,
                                 error);
}

static gboolean walk_table(RpUndoing *undoing, RpUndoWalk *walk, GError **error) {
    Next next = {.walk = walk};
    undoing->batch = 0;
    if (!ask(undoing, ask_position, walk, error))
        return FALSE;
    for (;;) {
        if (rp_undoing_is_stopped(undoing, error) || !ask(undoing, ask_next, &next, error))
            return FALSE;
        if (!next.is_found)
            return TRUE;
        walk->cursor = walk->is_again ? next.unit.last : next.unit.first;
        if (!rp_undoing_do_unit(undoing, &next.unit, walk->cursor, error))
            return FALSE;
    }
}

/* Passes are numbered by round, kind of walk and entity. */
static guint stride_of(const RpUndoing *undoing) {
    guint stride = 1;
    for (guint i = 0; i < undoing->tables->len; i++)
        stride = MAX(stride, ((const RpUndoTable *)g_ptr_array_index(undoing->tables, i))->entity + 1);
    return stride;
}

/* end: the newest blocked row, for all rounds but the first. */
static gboolean do_round(RpUndoing *undoing, guint round, guint64 end, GError **error) {
    const guint n_tables = undoing->tables->len;
    for (guint kind = 0; kind < 2; kind++)
        for (guint i = 0; i < n_tables; i++) {
            RpUndoTable *table = g_ptr_array_index(undoing->tables, kind == 0 ? n_tables - 1 - i : i);
            RpUndoWalk walk = {.table = table,
                               .is_of_deletes = kind == 1,
                               .is_again = round > 0,
                               .cursor = round > 0 ? 0 : G_MAXINT64,
                               .end = end};
            undoing->pass = (2 * round + kind) * stride_of(undoing) + table->entity;
            if (!walk_table(undoing, &walk, error))
                return FALSE;
        }
    return TRUE;
}

static gboolean do_rounds(RpUndoing *undoing, GError **error) {
    const guint first =
        undoing->rollback.has_position ? undoing->rollback.pass / (2 * stride_of(undoing)) : 0;
    for (guint round = first;; round++) {
        Blocked before, after;
        if (!ask(undoing, ask_blocked, &before, error))
            return FALSE;
        if (round > 0 && before.number == 0)
            return TRUE;
        if (!do_round(undoing, round, before.newest, error) || !ask(undoing, ask_blocked, &after, error))
            return FALSE;
        /* Of a round that an earlier attempt began it is not known what it settled. */
        if (round > 0 && after.number >= before.number && (round != first || !undoing->rollback.is_continued))
            return TRUE;
    }
}

/* ---- opening and closing ---- */

static gboolean open_once(RpUndoing *undoing, GError **error) {
    PGconn *connection = undoing->connection;
    if (!rp_undoing_begin_real(undoing, error) ||
        !rp_rollback_open(connection, undoing->options->run, &undoing->rollback, error))
        return FALSE;
    undoing->rollback.is_dry_run = undoing->options->is_dry_run;
    undoing->tables = rp_undo_tables_read(connection, &undoing->rollback, error);
    if (undoing->tables == NULL ||
        (!undoing->options->is_dry_run && !rp_postgres_run(connection, "COMMIT", error)))
        return FALSE;
    undoing->is_opened = TRUE;
    rp_event_note(undoing->rollback.is_continued ? RP_EVENT_RUN_CONTINUED : RP_EVENT_RUN_OPENED);
    return rp_undo_tables_prepare(connection, &undoing->rollback, undoing->tables, error);
}

/* A lock is waited for here, too. Who loses the connection has not begun. */
static gboolean open_rollback(RpUndoing *undoing, GError **error) {
    for (;;) {
        GError *trouble = NULL;
        if (open_once(undoing, &trouble))
            return TRUE;
        if (undoing->is_opened || PQstatus(undoing->connection) != CONNECTION_OK ||
            !rp_postgres_run(undoing->connection, "ROLLBACK", NULL) ||
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
    if (rp_undoing_connect(undoing, &why) && open_rollback(undoing, &why) && do_rounds(undoing, &why) &&
        close_rollback(undoing, &why))
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
