/* The supervisor's work while the threads do theirs: signals, progress, the lock.
 *
 * 1. The drain goes from the source to the writers: a queue is closed when nobody feeds it any more.
 * 2. The lock that keeps other runs out is looked at every few seconds.
 * 3. Nothing here waits for a server: a signal is seen at once. */
#include "pipeline/supervise.h"

#include "base/error.h"
#include "base/log.h"

#define WATCH_MS 100

/* ---- signals ---- */

/* A server that is silent keeps whoever asks it to cancel: nobody waits for this thread. */
static gpointer cancel_all(gpointer data) {
    g_autoptr(GPtrArray) cancels = data;
    char message[256];
    for (guint i = 0; i < cancels->len; i++)
        PQcancel(g_ptr_array_index(cancels, i), message, sizeof message);
    return NULL;
}

static void abort_transactions(RpCrew *crew) {
    g_mutex_lock(&crew->mutex);
    GPtrArray *cancels = g_steal_pointer(&crew->cancels);
    crew->cancels = g_ptr_array_new_with_free_func((GDestroyNotify)PQfreeCancel);
    g_mutex_unlock(&crew->mutex);
    g_thread_unref(g_thread_new("cancel", cancel_all, cancels));
}

static void on_signal(RpCrew *crew, guint n_signals) {
    rp_crew_fail(crew, g_error_new(RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "interrupted by a signal"),
                 n_signals > 1);
    g_atomic_int_set(&crew->is_pressed, 1);
    if (n_signals == 1) {
        rp_log(RP_LOG_WARNING,
               "interrupted: the batches in hand are being committed (once more to abort them)");
    } else {
        rp_log(RP_LOG_WARNING, "interrupted again: open transactions are aborted");
        abort_transactions(crew);
    }
}

/* ---- threads ---- */

typedef struct {
    RpCrew *crew;
    GThreadFunc function;
    gint *n_running; /* atomic */
    RpQueue *closes; /* closed by the last of its kind, or NULL */
} Duty;

static gpointer do_duty(gpointer data) {
    Duty *duty = data;
    duty->function(duty->crew);
    if (g_atomic_int_dec_and_test(duty->n_running) && duty->closes != NULL)
        rp_queue_close(duty->closes);
    return NULL;
}

static void watch(RpCrew *crew, RpKeeper *keeper, const RpSignals *signals, gint *n_writers_running) {
    const gint64 start = g_get_monotonic_time();
    guint n_signals = 0;
    while (g_atomic_int_get(n_writers_running) > 0) {
        if (rp_signals_wait(signals, WATCH_MS))
            on_signal(crew, ++n_signals);
        rp_keeper_look(keeper);
        if (crew->options->observe == NULL)
            continue;
        g_mutex_lock(&crew->mutex);
        RpLoadProgress progress = crew->progress;
        g_mutex_unlock(&crew->mutex);
        progress.seconds = (double)(g_get_monotonic_time() - start) / 1e6;
        crew->options->observe(&progress, crew->options->observe_data);
    }
}

void rp_supervise(RpCrew *crew, RpKeeper *keeper, const RpSignals *signals) {
    const RpLoadOptions *options = crew->options;
    gint n_readers = 1, n_mappers = (gint)options->n_mappers, n_writers = (gint)options->n_writers;
    Duty reader = {crew, crew->feed->read, &n_readers, NULL};
    Duty mapper = {crew, rp_mapper_thread, &n_mappers, crew->to_write};
    Duty writer = {crew, rp_writer_thread, &n_writers, NULL};
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    g_ptr_array_add(threads, g_thread_new("reader", do_duty, &reader));
    for (guint i = 0; i < options->n_mappers; i++)
        g_ptr_array_add(threads, g_thread_new("mapper", do_duty, &mapper));
    for (guint i = 0; i < options->n_writers; i++)
        g_ptr_array_add(threads, g_thread_new("writer", do_duty, &writer));
    watch(crew, keeper, signals, &n_writers);
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(g_ptr_array_index(threads, i));
}
