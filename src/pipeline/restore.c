/* Putting back what a bulk load has set aside: threads with a connection each, which take what may be done
 * from one plan.
 *
 * 1. A unit is repeated whole after a trouble that may pass; what came of a lost COMMIT its next try sees.
 * 2. The first error, or a stop, ends all: what is under way is cancelled, what is done stands. */
#include "pipeline/restore.h"

#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "base/outage.h"
#include "pipeline/restore_steps.h"
#include "pipeline/session.h"
#include "sink/predecessor.h"
#include "sink/trouble.h"
#include "sink/unit.h"

#define WATCH_US  (20 * 1000)
#define CANCEL_US (200 * 1000) /* between two tries to cancel what is under way */
#define SAY_US    G_USEC_PER_SEC

/* Kept as long as somebody cancels by it. */
typedef struct {
    PGcancel *cancel;
} Cancel;

static void cancel_clear(Cancel *cancel) {
    PQfreeCancel(cancel->cancel);
}

static void cancel_unref(gpointer cancel) {
    g_atomic_rc_box_release_full(cancel, (GDestroyNotify)cancel_clear);
}

typedef struct {
    const RpRestore *restore;
    guint64 run;
    gint is_over;        /* atomic: begin nothing more, wait for nothing */
    gint *is_cancelling; /* atomic: a thread is at it, which may outlive us */
    guint64 n_again;     /* keys, as the ledger last said */
    GMutex mutex;        /* guards what follows */
    GCond changed;
    RpRestorePlan *plan;
    GPtrArray *cancels; /* of Cancel */
    GError *error;      /* the first */
    guint n_working;    /* threads */
    guint64 n_taken_out;
    gint64 said_at;
    gint64 cancelled_at;
} Restoring;

/* A thread's own. */
typedef struct {
    Restoring *restoring;
    gboolean is_first;
    PGconn *connection;
    Cancel *cancel;
    RpPredecessor session;
    RpOutage outage;
} Worker;

static void fail(Restoring *restoring, GError *error) {
    g_mutex_lock(&restoring->mutex);
    if (restoring->error == NULL)
        restoring->error = g_steal_pointer(&error);
    g_atomic_int_set(&restoring->is_over, 1);
    g_cond_broadcast(&restoring->changed);
    g_mutex_unlock(&restoring->mutex);
    g_clear_error(&error);
}

/* ---- connections ---- */

static void disconnect(Worker *worker) {
    Restoring *restoring = worker->restoring;
    if (worker->cancel != NULL) {
        g_mutex_lock(&restoring->mutex);
        g_ptr_array_remove_fast(restoring->cancels, worker->cancel);
        g_mutex_unlock(&restoring->mutex);
    }
    worker->cancel = NULL;
    g_clear_pointer(&worker->connection, PQfinish);
}

static void keep_cancel(Worker *worker) {
    Restoring *restoring = worker->restoring;
    worker->cancel = g_atomic_rc_box_new0(Cancel);
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

static gboolean reach(Worker *worker, GError **error) {
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

static gboolean try_unit(Worker *worker, const RpRestoreUnit *unit, RpRestoreResult *result, GError **error) {
    RpRestoreSession session = {worker->connection, worker->restoring->run, worker->restoring->plan};
    if (rp_restore_unit_do(&session, unit, result, error))
        return TRUE;
    rp_unit_abort(worker->connection);
    return FALSE;
}

static gboolean do_unit(Worker *worker, const RpRestoreUnit *unit, RpRestoreResult *result, GError **error) {
    for (;;) {
        GError *trouble = NULL;
        if (reach(worker, &trouble) && try_unit(worker, unit, result, &trouble)) {
            rp_outage_end(&worker->outage);
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

static void explain(const RpRestoreUnit *unit, GError **error) {
    g_autofree char *what = rp_restore_unit_describe(unit);
    const gboolean is_of_rows = g_error_matches(*error, RP_SINK_ERROR, RP_SINK_ERROR_DATA);
    g_prefix_error(error, "%s: ", what);
    if (is_of_rows)
        rp_outage_add_words(*error, "; the rows that stand against it are not this run's, which takes out "
                                    "only its own: change or delete them");
}

/* With the mutex. */
static void say_progress(Restoring *restoring, const RpRestoreUnit *unit) {
    const gint64 now = g_get_monotonic_time();
    if (unit->entry == NULL || now - restoring->said_at < SAY_US)
        return;
    guint n_all, n_done;
    rp_restore_plan_count(restoring->plan, &n_all, &n_done);
    restoring->said_at = now;
    rp_log(RP_LOG_INFO, "indexes and keys are being put back: %u of %u (%s)", n_done, n_all,
           unit->entry->what->name);
}

static gboolean end_unit(Restoring *restoring, RpRestoreUnit *unit, RpRestoreResult *result, GError **error) {
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
static RpRestoreUnit *take_unit(Restoring *restoring) {
    RpRestoreUnit *unit = NULL;
    g_mutex_lock(&restoring->mutex);
    while (!g_atomic_int_get(&restoring->is_over) && (unit = rp_restore_plan_next(restoring->plan)) == NULL &&
           !rp_restore_plan_is_done(restoring->plan))
        g_cond_wait(&restoring->changed, &restoring->mutex);
    g_mutex_unlock(&restoring->mutex);
    return unit;
}

static void work_through(Worker *worker) {
    RpRestoreUnit *unit;
    while ((unit = take_unit(worker->restoring)) != NULL) {
        RpRestoreResult result = {0};
        GError *error = NULL;
        if (do_unit(worker, unit, &result, &error) && end_unit(worker->restoring, unit, &result, &error))
            continue;
        explain(unit, &error);
        fail(worker->restoring, error);
        return;
    }
}

static void begin_worker(Worker *worker) {
    rp_outage_init(&worker->outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK,
                   worker->restoring->restore->retry_seconds);
}

static void end_worker(Worker *worker) {
    disconnect(worker);
    rp_predecessor_clear(&worker->session);
    rp_outage_clear(&worker->outage);
}

/* A server may have no room for more than one: the others work for it then. */
static gpointer work(gpointer data) {
    Worker *worker = data;
    Restoring *restoring = worker->restoring;
    GError *trouble = NULL;
    if (worker->is_first || reach(worker, &trouble))
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

/* ---- the whole ---- */

typedef struct {
    GPtrArray *cancels; /* of Cancel */
    gint *is_under_way; /* atomic; shared */
} Cancelling;

/* A server that is silent keeps whoever asks it to cancel: nobody waits for this thread. */
static gpointer cancel_all(gpointer data) {
    Cancelling *cancelling = data;
    char message[256];
    for (guint i = 0; i < cancelling->cancels->len; i++)
        PQcancel(((Cancel *)g_ptr_array_index(cancelling->cancels, i))->cancel, message, sizeof message);
    g_atomic_int_set(cancelling->is_under_way, 0);
    g_atomic_rc_box_release(cancelling->is_under_way);
    g_ptr_array_unref(cancelling->cancels);
    g_free(cancelling);
    return NULL;
}

/* With the mutex. A statement that begins just now is met by the next try. */
static void cancel_work(Restoring *restoring) {
    const gint64 now = g_get_monotonic_time();
    if (now - restoring->cancelled_at < CANCEL_US ||
        !g_atomic_int_compare_and_exchange(restoring->is_cancelling, 0, 1))
        return;
    restoring->cancelled_at = now;
    Cancelling *cancelling = g_new(Cancelling, 1);
    *cancelling = (Cancelling){g_ptr_array_new_with_free_func(cancel_unref),
                               g_atomic_rc_box_acquire(restoring->is_cancelling)};
    for (guint i = 0; i < restoring->cancels->len; i++)
        g_ptr_array_add(cancelling->cancels,
                        g_atomic_rc_box_acquire(g_ptr_array_index(restoring->cancels, i)));
    g_thread_unref(g_thread_new("cancel", cancel_all, cancelling));
}

static void check_stop(Restoring *restoring) {
    if (!g_atomic_int_get(restoring->restore->is_stopping) || g_atomic_int_get(&restoring->is_over))
        return;
    g_atomic_int_set(&restoring->is_over, 1);
    g_clear_error(&restoring->error);
    restoring->error = g_error_new(RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "interrupted by a signal");
    g_cond_broadcast(&restoring->changed);
}

static void watch(Restoring *restoring) {
    g_mutex_lock(&restoring->mutex);
    while (restoring->n_working > 0) {
        g_cond_wait_until(&restoring->changed, &restoring->mutex, g_get_monotonic_time() + WATCH_US);
        check_stop(restoring);
        if (g_atomic_int_get(&restoring->is_over) && restoring->n_working > 0)
            cancel_work(restoring);
    }
    g_mutex_unlock(&restoring->mutex);
}

static void work_together(Restoring *restoring, Worker *first, GError **error) {
    const guint n_workers = CLAMP(restoring->restore->n_connections, 1, restoring->plan->units->len);
    g_autofree Worker *others = g_new0(Worker, n_workers);
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    restoring->n_working = n_workers;
    for (guint i = 0; i < n_workers; i++) {
        Worker *worker = i == 0 ? first : &others[i];
        worker->restoring = restoring;
        if (i > 0)
            begin_worker(worker);
        g_ptr_array_add(threads, g_thread_new("restore", work, worker));
    }
    watch(restoring);
    for (guint i = 0; i < n_workers; i++) {
        g_thread_join(g_ptr_array_index(threads, i));
        if (i > 0)
            end_worker(&others[i]);
    }
    if (restoring->error != NULL)
        g_propagate_error(error, g_steal_pointer(&restoring->error));
}

/* ---- what is there, and what came of it ---- */

static gboolean read_plan(Worker *worker, GError **error) {
    Restoring *restoring = worker->restoring;
    g_autoptr(GPtrArray) what = rp_restoring_list(worker->connection, restoring->run, error);
    if (what == NULL)
        return FALSE;
    g_autoptr(GPtrArray) loaded = rp_loaded_tables_read(worker->connection, restoring->run, error);
    if (loaded == NULL)
        return FALSE;
    g_autoptr(GArray) again =
        rp_restoring_read_again(worker->connection, restoring->run, &restoring->n_again, error);
    if (again == NULL)
        return FALSE;
    if (restoring->plan == NULL)
        restoring->plan = rp_restore_plan_new(g_steal_pointer(&what), g_steal_pointer(&loaded),
                                              restoring->restore->mapping, again);
    return TRUE;
}

/* Asks the ledger, before the threads begin and after they have ended. */
static gboolean read_ledger(Worker *worker, GError **error) {
    for (;;) {
        GError *trouble = NULL;
        if (reach(worker, &trouble) && read_plan(worker, &trouble)) {
            rp_outage_end(&worker->outage);
            return TRUE;
        }
        if (!rp_trouble_passes(trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        if (!rp_outage_wait(&worker->outage, trouble, TRUE, worker->restoring->restore->is_stopping, error))
            return FALSE;
    }
}

static guint count_open(const RpRestorePlan *plan) {
    guint n_open = 0;
    for (guint i = 0; i < plan->what->len; i++)
        n_open += !((const RpRestorable *)g_ptr_array_index(plan->what, i))->is_restored;
    return n_open;
}

static gboolean restore_all(Restoring *restoring, Worker *first, RpRestored *restored, GError **error) {
    const gint64 start = g_get_monotonic_time();
    GError *trouble = NULL;
    if (!read_ledger(first, error))
        return FALSE;
    restored->n_restored = count_open(restoring->plan);
    restored->n_taken_out = restoring->n_again;
    if (restoring->plan->units->len == 0)
        return TRUE;
    work_together(restoring, first, &trouble);
    if (trouble != NULL) {
        g_propagate_error(error, trouble);
        return FALSE;
    }
    if (restoring->n_taken_out > 0 && !read_ledger(first, error))
        return FALSE;
    restored->n_taken_out = restoring->n_again;
    rp_event_note(RP_EVENT_RESTORED_ALL);
    rp_log(RP_LOG_INFO, "indexes and keys were put back in %.1f s",
           (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
    return TRUE;
}

gboolean rp_restore_run(const RpRestore *restore, guint64 run, RpRestored *restored, GError **error) {
    Restoring restoring = {.restore = restore, .run = run};
    Worker first = {.restoring = &restoring, .is_first = TRUE};
    *restored = (RpRestored){0};
    restoring.cancels = g_ptr_array_new_with_free_func(cancel_unref);
    restoring.is_cancelling = g_atomic_rc_box_new0(gint);
    g_mutex_init(&restoring.mutex);
    g_cond_init(&restoring.changed);
    begin_worker(&first);
    const gboolean is_done = restore_all(&restoring, &first, restored, error);
    end_worker(&first);
    g_clear_pointer(&restoring.plan, rp_restore_plan_free);
    g_clear_error(&restoring.error);
    g_ptr_array_unref(restoring.cancels);
    g_atomic_rc_box_release(restoring.is_cancelling);
    g_mutex_clear(&restoring.mutex);
    g_cond_clear(&restoring.changed);
    return is_done;
}
