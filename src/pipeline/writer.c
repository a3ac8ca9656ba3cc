/* The writers: each batch in one transaction on one connection.
 *
 * 1. Rows, before-images, rejects, counts and position of a batch commit together or not at all.
 * 2. A batch may be written again whole: what stands already comes out as unchanged. repeat.c says when. */
#include "pipeline/writer.h"

#include "base/error.h"
#include "base/event.h"
#include "ledger/batches.h"
#include "sink/merge.h"
#include "sink/unit.h"

gboolean rp_writer_begin(RpWriter *writer, GError **error) {
    return rp_unit_begin(writer->connection, "SET CONSTRAINTS ALL IMMEDIATE", error);
}

gboolean rp_writer_empty_stages(RpWriter *writer, GError **error) {
    const GPtrArray *plans = writer->crew->plans;
    g_autoptr(GString) sql = g_string_new("TRUNCATE ");
    for (guint i = 0; i < plans->len; i++) {
        const RpMergePlan *plan = g_ptr_array_index(plans, i);
        g_string_append_printf(sql, "%s%s%s%s", i > 0 ? ", " : "", plan->stage, plan->raw != NULL ? ", " : "",
                               plan->raw != NULL ? plan->raw : "");
    }
    return rp_postgres_run(writer->connection, sql->str, error);
}

/* What COMMIT empties stays full in a rehearsal. */
static gboolean commit(RpWriter *writer, GError **error) {
    return rp_unit_commit(writer->connection, error) &&
           (!rp_unit_is_rehearsed(writer->connection) || rp_writer_empty_stages(writer, error));
}

/* The ends of one entity's staged rows that the batch's counts do not show yet. */
typedef struct {
    guint64 n_staged;
    guint64 n_equal;
    guint64 n_repeated;    /* earlier readings of a key that was read again in the batch */
    guint64 n_equal_again; /* of n_equal, and of the updated ones: what the run has counted before */
    guint64 n_changed_again;
    GString *kept; /* ordinals that stand for several readings */
    gboolean is_settled;
} Account;

/* Settles identities that stand more than once in the batch, and sets rows aside that equal the target's. */
static gboolean compare(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, Account *account,
                        GError **error) {
    PGconn *connection = writer->connection;
    RpCounts *counts = &batch->counts[plan->number];
    account->is_settled = TRUE;
    if (!rp_merge_settle_duplicates(connection, plan, batch, &account->n_repeated, account->kept, error))
        return FALSE;
    if (counts->inserted > 0) {
        guint64 n_dropped;
        if (!rp_merge_drop_inserted(connection, plan, account->kept, &n_dropped, error))
            return FALSE;
        account->n_repeated -= MIN(account->n_repeated, counts->inserted - MIN(counts->inserted, n_dropped));
    }
    const RpAttempt *attempt = &writer->crew->attempt;
    if (!attempt->has_superseded)
        return rp_merge_drop_equal(connection, plan, attempt->run, &account->n_equal, error);
    return rp_merge_drop_equal_again(connection, plan, attempt->run, &account->n_equal,
                                     &account->n_equal_again, error);
}

static gboolean count_changed_again(RpWriter *writer, const RpMergePlan *plan, guint64 *n_counted,
                                    GError **error) {
    const RpAttempt *attempt = &writer->crew->attempt;
    return !attempt->has_superseded ||
           rp_merge_count_changed_again(writer->connection, plan, attempt->run, n_counted, error);
}

/* What is left neither equals the target's row nor could be inserted: a unique value is taken, or the row has
 * changed. */
static gboolean change(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, Account *account,
                       GError **error) {
    PGconn *connection = writer->connection;
    const RpAttempt *attempt = &writer->crew->attempt;
    RpCounts *counts = &batch->counts[plan->number];
    return rp_merge_settle_collisions(connection, plan, attempt->run, batch, &counts->inserted, error) &&
           count_changed_again(writer, plan, &account->n_changed_again, error) &&
           rp_ledger_keep_before_images(connection, plan, attempt->run, batch, error) &&
           rp_merge_update(connection, plan, batch, &counts->updated, error);
}

gboolean rp_writer_stage_entity(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, guint64 *n_rows,
                                GError **error) {
    const RpCasting casting = writer->experience[plan->number].casting;
    return rp_merge_stage(writer->connection, plan, casting, batch, n_rows, error);
}

/* What the run has written, and counted, in an earlier attempt is no second row of its account. */
static void leave_out_counted(RpCounts *counts, const Account *account) {
    const guint64 n_changed_again = MIN(account->n_changed_again, counts->updated);
    counts->counted_before = account->n_equal_again + n_changed_again;
    counts->unchanged -= account->n_equal_again;
    counts->updated -= n_changed_again;
}

/* What a row that has several faults is rejected for must not depend on which of them were looked for: the
 * checks come before other rows that are in its way. Where they did not, the batch is written again. */
static gboolean has_judged_all(const RpExperience *experience, GError **error) {
    if (experience->judgement == RP_JUDGE_ALL)
        return TRUE;
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_DATA, "rows are in the way of others");
    return FALSE;
}

static gboolean merge_rows(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, Account *account,
                           GError **error) {
    PGconn *connection = writer->connection;
    RpCounts *counts = &batch->counts[plan->number];
    RpExperience *experience = &writer->experience[plan->number];
    const guint64 rejected_before = counts->rejected;
    if (!rp_writer_stage_entity(writer, plan, batch, &account->n_staged, error) ||
        !rp_event_pass(RP_EVENT_ROWS_STAGED, error) ||
        (experience->expects_equal && !compare(writer, plan, batch, account, error)))
        return FALSE;
    guint64 n_done = account->n_equal + account->n_repeated + counts->rejected - rejected_before;
    if (n_done < account->n_staged &&
        (!rp_merge_judge(connection, plan, experience->judgement, batch, error) ||
         !rp_event_pass(RP_EVENT_ROWS_CHECKED, error) ||
         !rp_merge_insert(connection, plan, writer->crew->attempt.run, batch, &counts->inserted, error)))
        return FALSE;
    const guint64 rejected_by_checks = counts->rejected;
    n_done = account->n_equal + account->n_repeated + counts->rejected - rejected_before + counts->filtered +
             counts->inserted;
    if (n_done < account->n_staged) {
        /* Where identities were settled before, an inserted row is the last reading itself. */
        g_autoptr(GString) none = g_string_new(NULL);
        guint64 n_dropped;
        if (account->is_settled
                ? counts->inserted > 0 && !rp_merge_drop_inserted(connection, plan, none, &n_dropped, error)
                : !compare(writer, plan, batch, account, error))
            return FALSE;
        if (!change(writer, plan, batch, account, error) ||
            (counts->rejected > rejected_by_checks && !has_judged_all(experience, error)))
            return FALSE;
    }
    counts->unchanged = account->n_equal + account->n_repeated;
    n_done = counts->unchanged + counts->rejected - rejected_before + counts->filtered + counts->inserted +
             counts->updated;
    experience->expects_equal = counts->unchanged > account->n_staged / 2;
    experience->meets_others = counts->inserted < account->n_staged;
    leave_out_counted(counts, account);
    if (n_done == account->n_staged)
        return rp_merge_hold(connection, plan, batch, error) && rp_event_pass(RP_EVENT_ROWS_MERGED, error);
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_RETRY,
                "of %" G_GUINT64_FORMAT " rows of %s, %" G_GUINT64_FORMAT
                " came to an end: somebody else changes them at the same time",
                account->n_staged, plan->entity->table->shown, n_done);
    return FALSE;
}

gboolean rp_writer_write_entity(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, GError **error) {
    if (batch->tuples[plan->number].rows->len == 0)
        return TRUE;
    if (rp_crew_is_bulk_pass(writer->crew, batch->pass) || rp_direct_is_promising(writer, plan))
        return rp_direct_write_entity(writer, plan, batch, error);
    g_autoptr(GString) kept = g_string_new(NULL);
    Account account = {.kept = kept};
    return merge_rows(writer, plan, batch, &account, error);
}

static gboolean take_first_step(RpWriter *writer, RpBatch *batch, GError **error) {
    const RpFeedSteps *steps = writer->crew->feed->steps;
    return steps == NULL || steps->before_merges == NULL || steps->before_merges(writer, batch, error);
}

gboolean rp_writer_begin_merges(RpWriter *writer, RpBatch *batch, const RpMergePlan *plan, GError **error) {
    const GPtrArray *plans = writer->crew->plans;
    if (!take_first_step(writer, batch, error))
        return FALSE;
    if (rp_crew_is_bulk_pass(writer->crew, batch->pass))
        return TRUE;
    for (guint i = 0; g_ptr_array_index(plans, i) != plan; i++)
        if (!rp_writer_write_entity(writer, g_ptr_array_index(plans, i), batch, error))
            return FALSE;
    return TRUE;
}

gboolean rp_writer_write_once(RpWriter *writer, RpBatch *batch, const RpMergePlan **failed, GError **error) {
    const RpCrew *crew = writer->crew;
    if (!rp_writer_begin(writer, error) || !rp_event_pass(RP_EVENT_BATCH_BEGUN, error))
        return FALSE;
    const RpFeedSteps *steps = crew->feed->steps;
    if (!take_first_step(writer, batch, error))
        return FALSE;
    for (guint i = 0; i < crew->plans->len; i++)
        if (!rp_writer_write_entity(writer, g_ptr_array_index(crew->plans, i), batch, error)) {
            *failed = g_ptr_array_index(crew->plans, i);
            return FALSE;
        }
    if (steps != NULL && steps->after_merges != NULL && !steps->after_merges(writer, batch, error))
        return FALSE;
    return rp_ledger_write_batch(writer->connection, &crew->attempt, crew->options->mapping, batch, error) &&
           rp_event_pass(RP_EVENT_BATCH_ACCOUNTED, error) && rp_event_pass(RP_EVENT_BEFORE_COMMIT, error) &&
           commit(writer, error) && rp_event_pass(RP_EVENT_AFTER_COMMIT, error);
}

GError *rp_writer_complain_of_rejects(const RpCrew *crew, guint64 n_rejects) {
    return g_error_new(RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                       "%" G_GUINT64_FORMAT " rejects are more than --max-rejects %" G_GUINT64_FORMAT
                       ": the run was stopped%s",
                       n_rejects, crew->options->max_rejects,
                       crew->options->is_dry_run ? "" : "; what is committed stands");
}

/* Counts the batch, and stops the run when it has brought too many rejects. */
static void note_written(RpCrew *crew, const RpBatch *batch) {
    g_mutex_lock(&crew->mutex);
    for (guint i = 0; i < batch->n_entities; i++)
        crew->progress.rows_committed +=
            batch->counts[i].inserted + batch->counts[i].updated + batch->counts[i].unchanged;
    crew->progress.rejects += rp_batch_n_rejects(batch);
    crew->n_committed++;
    const guint64 n_rejects = crew->progress.rejects;
    g_mutex_unlock(&crew->mutex);
    if (n_rejects > crew->options->max_rejects)
        rp_crew_fail(crew, rp_writer_complain_of_rejects(crew, n_rejects), FALSE);
}

static void write_all(RpWriter *writer) {
    RpCrew *crew = writer->crew;
    const RpFeedSteps *steps = crew->feed->steps;
    RpBatch *batch;
    while ((batch = rp_queue_pop(crew->to_write)) != NULL) {
        GError *error = NULL;
        if (g_atomic_int_get(&crew->is_cancelled))
            ; /* it is read again by the next run */
        else if (rp_repeat_until_written(writer, batch, &error)) {
            note_written(crew, batch);
            if (steps != NULL && steps->written != NULL)
                steps->written(writer, batch);
        } else
            rp_crew_fail(crew, error, TRUE);
        rp_crew_give_back(crew, batch);
    }
}

/* The server was there a moment ago: one that is not is waited for. */
static void open_session(RpWriter *writer) {
    GError *error = NULL;
    if (!rp_session_open(writer, &error) &&
        !rp_repeat_reach(writer, NULL, g_steal_pointer(&error), NULL, &error))
        rp_crew_fail(writer->crew, error, TRUE);
    else
        rp_outage_end(&writer->outage);
}

gpointer rp_writer_thread(gpointer data) {
    RpCrew *crew = data;
    RpWriter writer = {.crew = crew};
    rp_outage_init(&writer.outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK,
                   crew->options->retry_seconds);
    writer.experience = g_new0(RpExperience, crew->plans->len);
    open_session(&writer);
    write_all(&writer);
    rp_session_close(&writer);
    rp_outage_clear(&writer.outage);
    rp_predecessor_clear(&writer.session);
    g_free(writer.experience);
    if (writer.steps_free != NULL)
        writer.steps_free(writer.steps_data);
    return NULL;
}
