/* Putting back what a bulk load has set aside: a plan, threads that work on it, and an eye on them.
 *
 * A stop, or the first error, ends all: what is under way is cancelled, what is done stands. */
#include "pipeline/restore.h"

#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "pipeline/restore_worker.h"
#include "sink/trouble.h"

#define WATCH_US  (20 * 1000)
#define CANCEL_US (200 * 1000) /* between two tries to cancel what is under way */

/* ---- an eye on them ---- */

typedef struct {
    GPtrArray *cancels; /* of RpRestoreCancel */
    gint *is_under_way; /* atomic; shared */
} Cancelling;

/* A server that is silent keeps whoever asks it to cancel: nobody waits for this thread. */
static gpointer cancel_all(gpointer data) {
    Cancelling *cancelling = data;
    char message[256];
    for (guint i = 0; i < cancelling->cancels->len; i++)
        PQcancel(((RpRestoreCancel *)g_ptr_array_index(cancelling->cancels, i))->cancel, message,
                 sizeof message);
    g_atomic_int_set(cancelling->is_under_way, 0);
    g_atomic_rc_box_release(cancelling->is_under_way);
    g_ptr_array_unref(cancelling->cancels);
    g_free(cancelling);
    return NULL;
}

typedef struct {
    gint *is_cancelling; /* atomic: a thread is at it, which may outlive us */
    gint64 cancelled_at;
} Eye;

/* With the mutex. A statement that begins just now is met by the next try. */
static void cancel_work(RpRestoring *restoring, Eye *eye) {
    const gint64 now = g_get_monotonic_time();
    if (now - eye->cancelled_at < CANCEL_US || !g_atomic_int_compare_and_exchange(eye->is_cancelling, 0, 1))
        return;
    eye->cancelled_at = now;
    Cancelling *cancelling = g_new(Cancelling, 1);
    *cancelling = (Cancelling){g_ptr_array_new_with_free_func(rp_restore_cancel_unref),
                               g_atomic_rc_box_acquire(eye->is_cancelling)};
    for (guint i = 0; i < restoring->cancels->len; i++)
        g_ptr_array_add(cancelling->cancels,
                        g_atomic_rc_box_acquire(g_ptr_array_index(restoring->cancels, i)));
    g_thread_unref(g_thread_new("cancel", cancel_all, cancelling));
}

static void check_stop(RpRestoring *restoring) {
    if (!g_atomic_int_get(restoring->restore->is_stopping) || g_atomic_int_get(&restoring->is_over))
        return;
    g_atomic_int_set(&restoring->is_over, 1);
    g_clear_error(&restoring->error);
    restoring->error = g_error_new(RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "interrupted by a signal");
    g_cond_broadcast(&restoring->changed);
}

static void watch(RpRestoring *restoring) {
    Eye eye = {.is_cancelling = g_atomic_rc_box_new0(gint)};
    g_mutex_lock(&restoring->mutex);
    while (restoring->n_working > 0) {
        g_cond_wait_until(&restoring->changed, &restoring->mutex, g_get_monotonic_time() + WATCH_US);
        check_stop(restoring);
        if (g_atomic_int_get(&restoring->is_over) && restoring->n_working > 0)
            cancel_work(restoring, &eye);
    }
    g_mutex_unlock(&restoring->mutex);
    g_atomic_rc_box_release(eye.is_cancelling);
}

static void work_together(RpRestoring *restoring, RpRestoreWorker *first, GError **error) {
    const guint n_workers = CLAMP(restoring->restore->n_connections, 1, restoring->plan->units->len);
    g_autofree RpRestoreWorker *others = g_new0(RpRestoreWorker, n_workers);
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    restoring->n_working = n_workers;
    for (guint i = 0; i < n_workers; i++) {
        RpRestoreWorker *worker = i == 0 ? first : &others[i];
        worker->restoring = restoring;
        if (i > 0)
            rp_restore_worker_init(worker);
        g_ptr_array_add(threads, g_thread_new("restore", rp_restore_worker_work, worker));
    }
    watch(restoring);
    for (guint i = 0; i < n_workers; i++) {
        g_thread_join(g_ptr_array_index(threads, i));
        if (i > 0)
            rp_restore_worker_clear(&others[i]);
    }
    if (restoring->error != NULL)
        g_propagate_error(error, g_steal_pointer(&restoring->error));
}

/* ---- what is there, and what came of it ---- */

static gboolean read_plan(RpRestoreWorker *worker, RpRestored *restored, GError **error) {
    RpRestoring *restoring = worker->restoring;
    g_autoptr(GPtrArray) what = rp_restoring_list(worker->connection, restoring->run, error);
    if (what == NULL)
        return FALSE;
    g_autoptr(GPtrArray) loaded = rp_loaded_tables_read(worker->connection, restoring->run, error);
    if (loaded == NULL)
        return FALSE;
    g_autoptr(GArray) again =
        rp_restoring_read_again(worker->connection, restoring->run, &restored->n_taken_out, error);
    if (again == NULL ||
        !rp_restoring_count_rejects(worker->connection, restoring->run, &restored->n_rejects, error))
        return FALSE;
    if (restoring->plan == NULL)
        restoring->plan = rp_restore_plan_new(g_steal_pointer(&what), g_steal_pointer(&loaded),
                                              restoring->restore->mapping, again);
    return TRUE;
}

/* Asks the ledger, before the threads begin and after they have ended. */
static gboolean read_ledger(RpRestoreWorker *worker, RpRestored *restored, GError **error) {
    for (;;) {
        GError *trouble = NULL;
        if (rp_restore_worker_reach(worker, &trouble) && read_plan(worker, restored, &trouble)) {
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

static gboolean restore_all(RpRestoring *restoring, RpRestoreWorker *first, RpRestored *restored,
                            GError **error) {
    const gint64 start = g_get_monotonic_time();
    GError *trouble = NULL;
    if (!read_ledger(first, restored, error))
        return FALSE;
    restored->n_restored = count_open(restoring->plan);
    if (restoring->plan->units->len == 0)
        return TRUE;
    work_together(restoring, first, &trouble);
    if (trouble != NULL) {
        g_propagate_error(error, trouble);
        return FALSE;
    }
    if (restoring->n_taken_out > 0 && !read_ledger(first, restored, error))
        return FALSE;
    rp_event_note(RP_EVENT_RESTORED_ALL);
    rp_log(RP_LOG_INFO, "indexes and keys were put back in %.1f s",
           (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
    return TRUE;
}

gboolean rp_restore_run(const RpRestore *restore, guint64 run, RpRestored *restored, GError **error) {
    RpRestoring restoring = {.restore = restore, .run = run};
    RpRestoreWorker first = {.restoring = &restoring, .is_first = TRUE};
    *restored = (RpRestored){0};
    restoring.cancels = g_ptr_array_new_with_free_func(rp_restore_cancel_unref);
    g_mutex_init(&restoring.mutex);
    g_cond_init(&restoring.changed);
    rp_restore_worker_init(&first);
    const gboolean is_done = restore_all(&restoring, &first, restored, error);
    rp_restore_worker_clear(&first);
    g_clear_pointer(&restoring.plan, rp_restore_plan_free);
    g_clear_error(&restoring.error);
    g_ptr_array_unref(restoring.cancels);
    g_mutex_clear(&restoring.mutex);
    g_cond_clear(&restoring.changed);
    return is_done;
}
