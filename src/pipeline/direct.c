/* An entity's rows of a batch without a merge: straight into their table.
 *
 * 1. In the bulk pass keys and foreign keys of the table are set aside: what they refuse comes out when they
 * are put back. What else may refuse a row is judged over staged rows, by the checks of a merge: where
 * `where` filters some, and after PostgreSQL has refused a row.
 * 2. In other passes it is an attempt, worth its price where rows are new: the table has its keys, and
 * whatever they refuse, the batch is written again by a merge. */
#include "pipeline/writer.h"

#include "base/event.h"
#include "ledger/loaded.h"
#include "sink/bulk.h"

/* A sync writes down which key each row is of; a row that an earlier attempt wrote is not counted again. */
gboolean rp_direct_is_promising(const RpWriter *writer, const RpMergePlan *plan) {
    return !writer->experience[plan->number].meets_others && !writer->crew->attempt.has_superseded &&
           !plan->is_for_sync && plan->raw == NULL && plan->entity->table->is_plain &&
           rp_ledger_loaded_obstacle(plan->entity) == NULL;
}

/* Checks of the mapping, which the table does not have, come after the bulk pass with its keys. */
static gboolean is_to_be_staged(const RpWriter *writer, const RpMergePlan *plan, gboolean is_bulk) {
    return plan->entity->where != NULL || (!is_bulk && plan->judge_mapping_sql != NULL) ||
           writer->experience[plan->number].judgement != RP_JUDGE_MAPPING;
}

static gboolean load_straight(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, GError **error) {
    return rp_bulk_copy(writer->connection, plan, batch, &batch->counts[plan->number].inserted, error);
}

/* Refused rows come seldom, or come often: where there were none for a while, the next batch is not staged
 * for them. What is refused in the middle of a COPY leaves its place in the table taken: the while is longer
 * each time. */
static void note_staged(RpExperience *experience, gboolean is_clean) {
    experience->n_clean = is_clean ? experience->n_clean + 1 : 0;
    if (experience->judgement == RP_JUDGE_MAPPING || experience->n_clean <= experience->n_doubts)
        return;
    experience->judgement = RP_JUDGE_MAPPING;
    experience->n_clean = 0;
    experience->n_doubts = 2 * experience->n_doubts + 1;
}

/* *written: the ordinals; NULL: all that take part. */
static gboolean load_staged(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, GArray **written,
                            GError **error) {
    PGconn *connection = writer->connection;
    RpExperience *experience = &writer->experience[plan->number];
    RpCounts *counts = &batch->counts[plan->number];
    const RpJudgement judgement =
        experience->judgement == RP_JUDGE_MAPPING ? RP_JUDGE_MAPPING : RP_JUDGE_ROWS;
    const guint64 rejected_before = counts->rejected;
    guint64 n_staged;
    if (!rp_writer_stage_entity(writer, plan, batch, &n_staged, error) ||
        !rp_event_pass(RP_EVENT_ROWS_STAGED, error) ||
        !rp_merge_judge(connection, plan, judgement, batch, error) ||
        !rp_event_pass(RP_EVENT_ROWS_CHECKED, error))
        return FALSE;
    const guint64 n_left = n_staged - (counts->rejected - rejected_before) - counts->filtered;
    if (n_left < n_staged && (*written = rp_bulk_list_staged(connection, plan, error)) == NULL)
        return FALSE;
    if (n_left > 0 && !rp_bulk_insert(connection, plan, n_left, error))
        return FALSE;
    counts->inserted = n_left;
    note_staged(experience, n_left == batch->tuples[plan->number].rows->len);
    return TRUE;
}

gboolean rp_direct_write_entity(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, GError **error) {
    const gboolean is_bulk = rp_crew_is_bulk_pass(writer->crew, batch->pass);
    g_autoptr(GArray) written = NULL;
    return (is_to_be_staged(writer, plan, is_bulk) ? load_staged(writer, plan, batch, &written, error)
                                                   : load_straight(writer, plan, batch, error)) &&
           rp_ledger_keep_loaded(writer->connection, plan, writer->crew->attempt.run, batch, written, is_bulk,
                                 error) &&
           rp_event_pass(is_bulk ? RP_EVENT_ROWS_LOADED : RP_EVENT_ROWS_MERGED, error);
}
