/* The supervisor's work while the threads do theirs: signals, progress, the lock.
 *
 * 1. The drain goes from the source to the writers: a queue is closed when nobody feeds it any more.
 * 2. The lock that keeps other runs out is looked at every few seconds. */
#include "pipeline/supervise.h"

#include "base/error.h"
#include "base/log.h"

#define WATCH_MS     100
#define LOCK_LOOK_US (2 * G_USEC_PER_SEC)

/* ---- signals ---- */

static void abort_transactions(RpCrew *crew) {
    char message[256];
    g_mutex_lock(&crew->mutex);
    for (guint i = 0; i < crew->cancels->len; i++)
        PQcancel(g_ptr_array_index(crew->cancels, i), message, sizeof message);
    g_mutex_unlock(&crew->mutex);
}

static void on_signal(RpCrew *crew, guint n_signals) {
    rp_crew_fail(crew, g_error_new(RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "interrupted by a signal"),
                 n_signals > 1);
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

/* The lock that keeps other runs out lives as long as the supervisor's connection. */
static void keep_lock(RpCrew *crew, PGconn *connection, gint64 *next_look) {
    if (g_get_monotonic_time() < *next_look || g_atomic_int_get(&crew->is_cancelled))
        return;
    *next_look = g_get_monotonic_time() + LOCK_LOOK_US;
    GError *lost = NULL;
    if (!rp_postgres_run(connection, "SELECT 1", &lost))
        rp_crew_fail(crew, lost, TRUE);
}

static void watch(RpCrew *crew, PGconn *connection, const RpSignals *signals, gint *n_writers_running) {
    const gint64 start = g_get_monotonic_time();
    guint n_signals = 0;
    gint64 next_look = start + LOCK_LOOK_US;
    while (g_atomic_int_get(n_writers_running) > 0) {
        if (rp_signals_wait(signals, WATCH_MS))
            on_signal(crew, ++n_signals);
        keep_lock(crew, connection, &next_look);
        if (crew->options->observe == NULL)
            continue;
        g_mutex_lock(&crew->mutex);
        RpLoadProgress progress = crew->progress;
        g_mutex_unlock(&crew->mutex);
        progress.seconds = (double)(g_get_monotonic_time() - start) / 1e6;
        crew->options->observe(&progress, crew->options->observe_data);
    }
}

void rp_supervise(RpCrew *crew, PGconn *connection, const RpSignals *signals) {
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
    watch(crew, connection, signals, &n_writers);
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(g_ptr_array_index(threads, i));
}
