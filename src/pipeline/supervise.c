/* The supervisor's work while the threads do theirs: signals, progress, the lock.
 *
 * 1. The drain goes from the source to the writers: a queue is closed when nobody feeds it any more.
 * 2. The lock that keeps other runs out is held until the run is closed.
 * 3. Nothing here waits for a server: a signal is seen at once. */
#include "pipeline/supervise.h"

#include "base/error.h"
#include "base/log.h"

#define WATCH_MS     100
#define WATCH_END_MS 10 /* it takes no longer than that */

/* How long to wait before the next look: of a load that has just begun the end may be near, and a small one
 * would else last as long as the wait. */
static guint wait_ms(gint64 start, guint most_ms) {
    return (guint)CLAMP((g_get_monotonic_time() - start) / 8000, 1, most_ms);
}

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

/* Waits for nothing any more. */
static void press_hard(RpCrew *crew) {
    g_atomic_int_set(&crew->is_aborted, 1);
    g_atomic_int_set(&crew->is_cancelled, 1);
}

static void on_signal(RpCrew *crew, guint n_signals) {
    rp_crew_fail(crew, g_error_new(RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "interrupted by a signal"),
                 n_signals > 1);
    g_atomic_int_set(&crew->is_pressed, 1);
    if (n_signals == 1) {
        rp_log(RP_LOG_WARNING, "interrupted: the batches in hand are being %s (once more to abort them)",
               crew->options->is_dry_run ? "finished, then all is rolled back" : "committed");
    } else {
        rp_log(RP_LOG_WARNING, "interrupted again: open transactions are aborted");
        press_hard(crew);
        abort_transactions(crew);
    }
}

/* Of a survey nothing in hand is worth waiting for. */
static void give_up(RpCrew *crew) {
    rp_crew_fail(crew, g_error_new(RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "given up"), TRUE);
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

typedef struct {
    RpCrew *crew;
    const RpSignals *signals;
    const gint *is_cancelled; /* of a survey, in the place of signals */
    gint64 start;
    gint64 last_shown;
    guint n_signals;
} Watch;

static void look_around(Watch *watch) {
    const guint milliseconds = wait_ms(watch->start, WATCH_MS);
    if (watch->signals == NULL) {
        g_usleep(milliseconds * 1000);
        if (g_atomic_int_get(watch->is_cancelled))
            give_up(watch->crew);
    } else if (rp_signals_wait(watch->signals, milliseconds)) {
        on_signal(watch->crew, ++watch->n_signals);
    }
}

static void show_progress(Watch *watch) {
    RpCrew *crew = watch->crew;
    const gint64 now = g_get_monotonic_time();
    if (crew->options->observe == NULL || now - watch->last_shown < WATCH_MS * 1000)
        return;
    watch->last_shown = now;
    g_mutex_lock(&crew->mutex);
    RpLoadProgress progress = crew->progress;
    g_mutex_unlock(&crew->mutex);
    progress.seconds = (double)(now - watch->start) / 1e6;
    crew->options->observe(&progress, crew->options->observe_data);
}

static void work(Watch *watch) {
    RpCrew *crew = watch->crew;
    const GThreadFunc take = crew->feed->take != NULL ? crew->feed->take : rp_writer_thread;
    const RpLoadOptions *options = crew->options;
    gint n_readers = 1, n_mappers = (gint)options->n_mappers, n_writers = (gint)options->n_writers;
    Duty reader = {crew, crew->feed->read, &n_readers, NULL};
    Duty mapper = {crew, rp_mapper_thread, &n_mappers, crew->to_write};
    Duty writer = {crew, take, &n_writers, NULL};
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    g_ptr_array_add(threads, g_thread_new("reader", do_duty, &reader));
    for (guint i = 0; i < options->n_mappers; i++)
        g_ptr_array_add(threads, g_thread_new("mapper", do_duty, &mapper));
    for (guint i = 0; i < options->n_writers; i++)
        g_ptr_array_add(threads, g_thread_new("writer", do_duty, &writer));
    while (g_atomic_int_get(&n_writers) > 0) {
        look_around(watch);
        show_progress(watch);
    }
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(g_ptr_array_index(threads, i));
}

/* The run is read to its end, and a signal does not change what came of it. */
static void await_end(Watch *watch, RpKeeper *keeper) {
    const gint64 start = g_get_monotonic_time();
    while (!rp_keeper_has_ended(keeper)) {
        if (!rp_signals_wait(watch->signals, wait_ms(start, WATCH_END_MS)))
            continue;
        watch->n_signals++;
        rp_log(RP_LOG_WARNING, "the run is being %s%s",
               watch->crew->options->is_dry_run ? "summed up" : "closed in the ledger",
               watch->n_signals == 1 ? " (once more to give that up)" : ": that is given up");
        g_atomic_int_set(&watch->crew->is_pressed, 1);
        if (watch->n_signals > 1)
            press_hard(watch->crew);
    }
}

void rp_supervise_survey(RpCrew *crew, const gint *is_cancelled) {
    work(&(Watch){.crew = crew, .is_cancelled = is_cancelled, .start = g_get_monotonic_time()});
}

void rp_supervise(RpCrew *crew, RpKeeper *keeper, const RpSignals *signals) {
    Watch watch = {.crew = crew, .signals = signals, .start = g_get_monotonic_time()};
    const gboolean has_work = crew->attempt.pass < crew->n_passes && crew->error == NULL;
    rp_keeper_begin(keeper);
    if (has_work)
        work(&watch);
    rp_keeper_tell(keeper);
    await_end(&watch, keeper);
    rp_keeper_join(keeper);
}
