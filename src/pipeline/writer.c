/* The writers: each batch in one transaction on one connection.
 *
 * 1. Rows, before-images, rejects, counts and position of a batch commit together or not at all.
 * 2. A batch may be written again whole: what stands already comes out as unchanged.
 * 3. Only data errors reject. A deadlock or a row that somebody else is changing repeats the batch; a lost
 *    server stops the run. */
#include "pipeline/crew.h"

#include "base/error.h"
#include "ledger/batches.h"
#include "sink/merge.h"

#define MAX_ATTEMPTS  10
#define FIRST_WAIT_MS 20

static gboolean merge_entity(RpCrew *crew, PGconn *connection, const RpMergePlan *plan, RpBatch *batch,
                             GError **error) {
    RpCounts *counts = &batch->counts[plan->number];
    const guint64 rejected_before = counts->rejected;
    const guint64 n_staged = batch->tuples[plan->number].rows->len;
    if (n_staged == 0)
        return TRUE;
    if (!rp_merge_stage(connection, plan, batch, error) || !rp_merge_judge(connection, plan, batch, error) ||
        !rp_merge_insert(connection, plan, &counts->inserted, error))
        return FALSE;
    const guint64 n_refused = counts->rejected - rejected_before + counts->filtered;
    if (n_refused + counts->inserted < n_staged &&
        (!rp_merge_settle_duplicates(connection, plan, batch, error) ||
         !rp_merge_settle_collisions(connection, plan, crew->run, batch, error) ||
         !rp_ledger_keep_before_images(connection, plan, crew->run, batch, error) ||
         !rp_merge_update(connection, plan, &counts->updated, error)))
        return FALSE;
    counts->unchanged = n_staged - (counts->rejected - rejected_before) - counts->filtered -
                        counts->inserted - counts->updated;
    return TRUE;
}

static gboolean write_once(RpCrew *crew, PGconn *connection, RpBatch *batch, GError **error) {
    if (!rp_postgres_run(connection,
                         "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL IMMEDIATE",
                         error))
        return FALSE;
    for (guint i = 0; i < crew->plans->len; i++)
        if (!merge_entity(crew, connection, g_ptr_array_index(crew->plans, i), batch, error))
            return FALSE;
    return rp_ledger_write_batch(connection, crew->run, crew->options->mapping, batch, error) &&
           rp_postgres_run(connection, "COMMIT", error);
}

static gboolean may_repeat(PGconn *connection, const GError *error) {
    return g_error_matches(error, RP_SINK_ERROR, RP_SINK_ERROR_RETRY) &&
           PQstatus(connection) == CONNECTION_OK;
}

static gboolean write_batch(RpCrew *crew, PGconn *connection, RpBatch *batch, GError **error) {
    for (guint attempt = 1;; attempt++) {
        g_autoptr(GError) trouble = NULL;
        if (write_once(crew, connection, batch, &trouble))
            return TRUE;
        rp_postgres_run(connection, "ROLLBACK", NULL);
        rp_batch_forget_write(batch);
        if (attempt == MAX_ATTEMPTS || !may_repeat(connection, trouble) ||
            g_atomic_int_get(&crew->is_cancelled)) {
            g_propagate_error(error, g_steal_pointer(&trouble));
            return FALSE;
        }
        g_usleep((gulong)g_random_int_range(FIRST_WAIT_MS, FIRST_WAIT_MS * (2 << attempt)) * 1000);
    }
}

/* Counts the batch, and stops the run when it has brought too many rejects. */
static void note_written(RpCrew *crew, const RpBatch *batch) {
    g_mutex_lock(&crew->mutex);
    for (guint i = 0; i < batch->n_entities; i++)
        crew->progress.rows_committed +=
            batch->counts[i].inserted + batch->counts[i].updated + batch->counts[i].unchanged;
    crew->progress.rejects += batch->rejects->len;
    const guint64 n_rejects = crew->progress.rejects;
    g_mutex_unlock(&crew->mutex);
    if (n_rejects > crew->options->max_rejects)
        rp_crew_fail(crew,
                     g_error_new(RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                                 "%" G_GUINT64_FORMAT
                                 " rejects are more than --max-rejects %" G_GUINT64_FORMAT
                                 ": the run was stopped; what is committed stands",
                                 n_rejects, crew->options->max_rejects),
                     FALSE);
}

static PGconn *open_connection(RpCrew *crew, GError **error) {
    g_autoptr(PGconn) connection = rp_postgres_connect(crew->options->postgres, error);
    /* Staging tables of a batch fit into the session's own buffers. */
    if (connection == NULL || !rp_postgres_run(connection, "SET temp_buffers = '24MB'", error))
        return NULL;
    for (guint i = 0; i < crew->plans->len; i++)
        if (!rp_merge_prepare(connection, g_ptr_array_index(crew->plans, i), error))
            return NULL;
    g_mutex_lock(&crew->mutex);
    g_ptr_array_add(crew->cancels, PQgetCancel(connection));
    g_mutex_unlock(&crew->mutex);
    return g_steal_pointer(&connection);
}

gpointer rp_writer_thread(gpointer data) {
    RpCrew *crew = data;
    GError *error = NULL;
    g_autoptr(PGconn) connection = open_connection(crew, &error);
    if (connection == NULL)
        rp_crew_fail(crew, error, TRUE);
    RpBatch *batch;
    while ((batch = rp_queue_pop(crew->to_write)) != NULL) {
        if (!g_atomic_int_get(&crew->is_cancelled)) {
            error = NULL;
            if (write_batch(crew, connection, batch, &error))
                note_written(crew, batch);
            else
                rp_crew_fail(crew, error, TRUE);
        }
        rp_queue_push(crew->pool, batch);
    }
    return NULL;
}
