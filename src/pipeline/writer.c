/* The writers: each batch in one transaction on one connection.
 *
 * 1. Rows, before-images, rejects, counts and position of a batch commit together or not at all.
 * 2. A batch may be written again whole: what stands already comes out as unchanged.
 * 3. Only data errors reject. A deadlock or a row that somebody else is changing repeats the batch; a lost
 *    server stops the run. */
#include "pipeline/writer.h"

#include "base/error.h"
#include "ledger/batches.h"
#include "sink/merge.h"

#define MAX_ATTEMPTS  10
#define FIRST_WAIT_MS 20

/* A batch fits into the session's buffers, and is sorted in memory. Compiling a statement costs more than
 * running it over one batch, but the planner, which has no statistics of staging tables, does not know. */
static const char SESSION_SQL[] = "SET temp_buffers = '24MB'; SET work_mem = '32MB'; SET jit = off";

/* Sets rows aside that equal what the target had before. Two keys that claim one identity are told apart
 * first, unless that cannot be. */
static gboolean compare(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, guint64 n_staged,
                        guint64 *n_equal, GError **error) {
    return (plan->entity->has_key_identity ||
            rp_merge_settle_duplicates(writer->connection, plan, batch, error)) &&
           rp_merge_drop_equal(writer->connection, plan, writer->crew->run, n_staged, n_equal, error);
}

/* What is left neither equals the target's row nor could be inserted: a key was read twice, a unique value is
 * taken, or the row has changed. */
static gboolean change(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, GError **error) {
    PGconn *connection = writer->connection;
    const guint64 run = writer->crew->run;
    RpCounts *counts = &batch->counts[plan->number];
    return (!plan->entity->has_key_identity || rp_merge_settle_duplicates(connection, plan, batch, error)) &&
           rp_merge_settle_collisions(connection, plan, run, batch, &counts->inserted, error) &&
           rp_ledger_keep_before_images(connection, plan, run, batch, error) &&
           rp_merge_update(connection, plan, &counts->updated, error);
}

gboolean rp_writer_merge_entity(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, GError **error) {
    PGconn *connection = writer->connection;
    RpCounts *counts = &batch->counts[plan->number];
    RpExperience *experience = &writer->experience[plan->number];
    const gboolean compares_first = experience->expects_equal;
    const guint64 rejected_before = counts->rejected;
    guint64 n_staged = 0, n_equal = 0;
    if (batch->tuples[plan->number].rows->len == 0)
        return TRUE;
    if (!rp_merge_stage(connection, plan, batch, &n_staged, error) ||
        (compares_first && !compare(writer, plan, batch, n_staged, &n_equal, error)))
        return FALSE;
    if (n_equal < n_staged && (!rp_merge_judge(connection, plan, experience->judgement, batch, error) ||
                               !rp_merge_insert(connection, plan, &counts->inserted, error)))
        return FALSE;
    const guint64 n_refused = counts->rejected - rejected_before + counts->filtered;
    if (n_equal + n_refused + counts->inserted < n_staged &&
        ((!compares_first && !compare(writer, plan, batch, n_staged, &n_equal, error)) ||
         !change(writer, plan, batch, error)))
        return FALSE;
    counts->unchanged = n_staged - (counts->rejected - rejected_before) - counts->filtered -
                        counts->inserted - counts->updated;
    experience->expects_equal = counts->unchanged > n_staged / 2;
    return TRUE;
}

/* *failed gets the entity whose rows PostgreSQL refused. */
static gboolean write_once(RpWriter *writer, RpBatch *batch, const RpMergePlan **failed, GError **error) {
    const RpCrew *crew = writer->crew;
    if (!rp_postgres_run(writer->connection,
                         "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL IMMEDIATE",
                         error))
        return FALSE;
    for (guint i = 0; i < crew->plans->len; i++)
        if (!rp_writer_merge_entity(writer, g_ptr_array_index(crew->plans, i), batch, error)) {
            *failed = g_ptr_array_index(crew->plans, i);
            return FALSE;
        }
    return rp_ledger_write_batch(writer->connection, crew->run, crew->options->mapping, batch, error) &&
           rp_postgres_run(writer->connection, "COMMIT", error);
}

static gboolean may_repeat(const RpWriter *writer, const GError *error, guint attempt) {
    return attempt < MAX_ATTEMPTS && g_error_matches(error, RP_SINK_ERROR, RP_SINK_ERROR_RETRY) &&
           PQstatus(writer->connection) == CONNECTION_OK && !g_atomic_int_get(&writer->crew->is_cancelled);
}

/* A constraint that the set-based checks foresee is left to them; what they do not foresee is searched for.
 */
static gboolean set_bad_rows_aside(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch,
                                   const GError *why, GError **error) {
    RpExperience *experience = &writer->experience[plan->number];
    if (experience->judgement == RP_JUDGE_ALL)
        return rp_isolate_bad_rows(writer, plan, batch, why, error);
    experience->judgement = RP_JUDGE_ALL;
    return TRUE;
}

/* Writes the batch whole: again after a passing trouble, and without the rows that PostgreSQL refuses. */
static gboolean write_batch(RpWriter *writer, RpBatch *batch, GError **error) {
    for (guint attempt = 1;; attempt++) {
        g_autoptr(GError) trouble = NULL;
        const RpMergePlan *failed = NULL;
        if (write_once(writer, batch, &failed, &trouble))
            return TRUE;
        rp_postgres_run(writer->connection, "ROLLBACK", NULL);
        rp_batch_forget_write(batch);
        if (failed != NULL && g_error_matches(trouble, RP_SINK_ERROR, RP_SINK_ERROR_DATA)) {
            GError *obstacle = NULL;
            if (set_bad_rows_aside(writer, failed, batch, trouble, &obstacle)) {
                attempt = 0;
                continue;
            }
            g_error_free(trouble);
            trouble = obstacle;
        }
        if (!may_repeat(writer, trouble, attempt)) {
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
    if (connection == NULL || !rp_postgres_run(connection, SESSION_SQL, error))
        return NULL;
    for (guint i = 0; i < crew->plans->len; i++)
        if (!rp_merge_prepare(connection, g_ptr_array_index(crew->plans, i), error))
            return NULL;
    g_mutex_lock(&crew->mutex);
    g_ptr_array_add(crew->cancels, PQgetCancel(connection));
    g_mutex_unlock(&crew->mutex);
    return g_steal_pointer(&connection);
}

static void write_all(RpWriter *writer) {
    RpCrew *crew = writer->crew;
    RpBatch *batch;
    while ((batch = rp_queue_pop(crew->to_write)) != NULL) {
        GError *error = NULL;
        if (g_atomic_int_get(&crew->is_cancelled))
            ; /* it is read again by the next run */
        else if (write_batch(writer, batch, &error))
            note_written(crew, batch);
        else
            rp_crew_fail(crew, error, TRUE);
        rp_queue_push(crew->pool, batch);
    }
}

gpointer rp_writer_thread(gpointer data) {
    RpCrew *crew = data;
    GError *error = NULL;
    RpWriter writer = {.crew = crew, .connection = open_connection(crew, &error)};
    if (writer.connection == NULL)
        rp_crew_fail(crew, error, TRUE);
    writer.experience = g_new0(RpExperience, crew->plans->len);
    write_all(&writer);
    g_free(writer.experience);
    PQfinish(writer.connection);
    return NULL;
}
