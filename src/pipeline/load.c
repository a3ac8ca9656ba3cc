/* The supervisor of a load: opens the run, starts the threads, watches signals and progress, closes the run.
 *
 * 1. The first error wins; later ones follow from it.
 * 2. The drain goes from the source to the writers: a queue is closed when nobody feeds it any more.
 * 3. The run is closed in the ledger whatever came of it, as long as PostgreSQL can be reached. */
#include "pipeline/load.h"

#include "base/error.h"
#include "base/log.h"
#include "ledger/batches.h"
#include "ledger/runs.h"
#include "pipeline/crew.h"
#include "pipeline/passes.h"
#include "sink/connection.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define WATCH_MS     100
#define LOCK_LOOK_US (2 * G_USEC_PER_SEC)

void rp_crew_fail(RpCrew *crew, GError *error, gboolean is_final) {
    g_mutex_lock(&crew->mutex);
    if (crew->error == NULL)
        crew->error = error;
    else
        g_error_free(error);
    g_mutex_unlock(&crew->mutex);
    g_atomic_int_set(&crew->is_stopping, 1);
    if (is_final) {
        g_atomic_int_set(&crew->is_cancelled, 1);
        rp_queue_close(crew->pool);
    }
}

gboolean rp_crew_wants(const RpCrew *crew, guint entity) {
    const RpEntity *wanted = g_ptr_array_index(crew->options->mapping->entities, entity);
    return crew->options->only == NULL || g_strv_contains(crew->options->only, wanted->name);
}

void rp_crew_give_back(RpCrew *crew, RpBatch *batch) {
    rp_queue_push(batch->is_whole ? crew->pool : g_ptr_array_index(crew->to_go_on, batch->mapper), batch);
}

/* ---- signals ---- */

static void block_signals(sigset_t *signals, sigset_t *before) {
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, before);
}

/* Takes back a signal that came in while nobody waited, so that it does not fire when they are unblocked. */
static void unblock_signals(const sigset_t *signals, const sigset_t *before) {
    const struct timespec at_once = {0};
    while (sigtimedwait(signals, NULL, &at_once) > 0)
        ;
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

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

static void watch(RpCrew *crew, PGconn *connection, const sigset_t *signals, gint *n_writers_running) {
    const struct timespec interval = {.tv_nsec = WATCH_MS * 1000000L};
    const gint64 start = g_get_monotonic_time();
    guint n_signals = 0;
    gint64 next_look = start + LOCK_LOOK_US;
    while (g_atomic_int_get(n_writers_running) > 0) {
        if (sigtimedwait(signals, NULL, &interval) > 0)
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

static void run_threads(RpCrew *crew, PGconn *connection, const sigset_t *signals) {
    const RpLoadOptions *options = crew->options;
    gint n_readers = 1, n_mappers = (gint)options->n_mappers, n_writers = (gint)options->n_writers;
    Duty reader = {crew, rp_reader_thread, &n_readers, NULL};
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

/* ---- the crew ---- */

static gboolean crew_init(RpCrew *crew, const RpLoadOptions *options, PGconn *connection, GError **error) {
    const RpMapping *mapping = options->mapping;
    *crew = (RpCrew){.options = options, .occasion = {options->redis->database, g_get_real_time()}};
    crew->passes = rp_passes_plan(mapping, &crew->n_passes, error);
    if (crew->passes == NULL)
        return FALSE;
    g_mutex_init(&crew->mutex);
    crew->plans = g_ptr_array_new_with_free_func((GDestroyNotify)rp_merge_plan_free);
    for (guint i = 0; i < mapping->entities->len; i++)
        g_ptr_array_add(crew->plans, rp_merge_plan_new(connection, g_ptr_array_index(mapping->entities, i), i,
                                                       &RP_LEDGER_FOR_MERGE));
    crew->pool = rp_queue_new();
    crew->to_map = rp_queue_new();
    crew->to_go_on = g_ptr_array_new_with_free_func((GDestroyNotify)rp_queue_free);
    for (guint i = 0; i < options->n_mappers; i++)
        g_ptr_array_add(crew->to_go_on, rp_queue_new());
    crew->to_write = rp_queue_new();
    crew->cancels = g_ptr_array_new_with_free_func((GDestroyNotify)PQfreeCancel);
    /* One being read, one being mapped by each mapper, one being written by each writer, one ready for each.
     */
    crew->n_batches = 1 + options->n_mappers + options->n_writers + 1;
    for (guint i = 0; i < crew->n_batches; i++)
        rp_queue_push(crew->pool, rp_batch_new(mapping->entities->len));
    return TRUE;
}

static void free_batches(RpQueue *queue) {
    rp_queue_close(queue);
    RpBatch *batch;
    while ((batch = rp_queue_pop(queue)) != NULL)
        rp_batch_free(batch);
    rp_queue_free(queue);
}

static void crew_clear(RpCrew *crew) {
    if (crew->passes == NULL)
        return;
    free_batches(crew->pool);
    free_batches(crew->to_map);
    free_batches(crew->to_write);
    g_ptr_array_unref(crew->to_go_on);
    g_ptr_array_unref(crew->plans);
    g_ptr_array_unref(crew->cancels);
    g_array_unref(crew->passes);
    g_mutex_clear(&crew->mutex);
}

/* ---- the run ---- */

static gboolean open_run(RpCrew *crew, PGconn *connection, GError **error) {
    const RpLoadOptions *options = crew->options;
    g_autoptr(redisContext) redis = rp_redis_connect(options->redis, 10, error);
    if (redis == NULL)
        return FALSE;
    g_autofree char *source_run_id = rp_redis_info_field(redis, "server", "run_id", error);
    if (source_run_id == NULL)
        return FALSE;
    g_autofree char *source = rp_redis_address_show(options->redis);
    const RpRunHead head = {"run", "merge", options->mapping, source, source_run_id, options->settings};
    return rp_ledger_lock(connection, error) && rp_ledger_open_run(connection, &head, &crew->run, error);
}

/* A server that went away in the middle leaves the run interrupted: what is committed stands. */
static gboolean is_interruption(const GError *error) {
    return error->domain == RP_STOP_ERROR || error->domain == RP_GUARD_ERROR ||
           g_error_matches(error, RP_SINK_ERROR, RP_SINK_ERROR_RETRY) ||
           g_error_matches(error, RP_SINK_ERROR, RP_SINK_ERROR_CONNECT) ||
           (error->domain == RP_SOURCE_ERROR && error->code != RP_SOURCE_ERROR_REPLY &&
            error->code != RP_SOURCE_ERROR_REFUSED);
}

static const char *status_of(const RpCrew *crew) {
    if (crew->error != NULL)
        return is_interruption(crew->error) ? "interrupted" : "failed";
    return crew->progress.rejects > 0 ? "completed_with_rejects" : "completed";
}

/* Closes the run and reads what the ledger says of it. An unbalanced run is a failed run. */
static gboolean close_run(RpCrew *crew, PGconn *connection, RpRunSummary **summary, GError **error) {
    const char *reason = crew->error != NULL ? crew->error->message : NULL;
    if (!rp_ledger_close_run(connection, crew->run, status_of(crew), reason, error) ||
        !rp_ledger_read_run(connection, crew->run, summary, error))
        return FALSE;
    if ((*summary)->is_balanced)
        return TRUE;
    g_free((*summary)->status);
    (*summary)->status = g_strdup("failed");
    return rp_ledger_close_run(connection, crew->run, "failed", "the account of rows does not balance",
                               error);
}

/* After a server was lost in the middle the way on is the same, whichever it was. */
static void report_error(RpCrew *crew, GError **error) {
    if (crew->error == NULL)
        return;
    g_autoptr(GError) first = g_steal_pointer(&crew->error);
    const gboolean is_stop = is_interruption(first) && first->domain != RP_GUARD_ERROR;
    /* A new error: the domain of one that was made stays what it is. */
    g_set_error(error, is_stop ? RP_STOP_ERROR : first->domain,
                is_stop ? RP_STOP_ERROR_INTERRUPTED : first->code, "run %" G_GUINT64_FORMAT ": %s", crew->run,
                first->message);
}

gboolean rp_load(const RpLoadOptions *options, RpRunSummary **summary, GError **error) {
    *summary = NULL;
    g_autoptr(PGconn) connection = rp_postgres_connect(options->postgres, error);
    if (connection == NULL)
        return FALSE;
    sigset_t signals, before;
    block_signals(&signals, &before);
    RpCrew crew;
    gboolean is_opened = crew_init(&crew, options, connection, error) && open_run(&crew, connection, error);
    if (is_opened) {
        rp_log(RP_LOG_DEBUG, "run %" G_GUINT64_FORMAT " begins", crew.run);
        run_threads(&crew, connection, &signals);
        g_autoptr(GError) close_error = NULL;
        if (!close_run(&crew, connection, summary, &close_error)) {
            if (crew.error == NULL)
                crew.error = g_steal_pointer(&close_error);
            else
                rp_log(RP_LOG_WARNING, "run %" G_GUINT64_FORMAT " stays open in the ledger: %s", crew.run,
                       close_error->message);
        }
    }
    const gboolean is_fine = is_opened && crew.error == NULL;
    if (is_opened)
        report_error(&crew, error);
    crew_clear(&crew);
    unblock_signals(&signals, &before);
    return is_fine;
}
