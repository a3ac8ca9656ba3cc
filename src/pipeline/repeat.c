/* Writing a batch until it is written, whatever passes in between.
 *
 * 1. After a connection was lost the ledger says whether the batch was committed: only when it was not is it
 *    written again, and until then nothing that is known of it is forgotten.
 * 2. A session that was lost may still be at work, and commit after the ledger was asked: then the batch's
 * own key in the ledger keeps the second writing out, and the batch is written.
 * 3. A trouble may last for --retry-seconds; one batch that is committed, or one row that is found, ends it.
 * 4. Only data errors reject. */
#include "pipeline/writer.h"

#include "base/error.h"
#include "ledger/standing.h"
#include "sink/trouble.h"
#include "sink/unit.h"

/* A step that was told to fail stands for a lost connection. */
static gboolean is_to_be_left(const RpWriter *writer, const GError *trouble) {
    return trouble->domain == RP_FAULT_ERROR || PQstatus(writer->connection) != CONNECTION_OK;
}

/* A data error is of a row; another one may be, when a policy or a trigger raises it. */
static gboolean may_be_a_row(const RpWriter *writer, const GError *error) {
    return rp_trouble_may_be_of_rows(error) && !g_atomic_int_get(&writer->crew->is_cancelled);
}

/* A row that stands already, or twice: a merge settles that, and most of the others need no closer look. */
static gboolean is_for_merge(const RpExperience *before, const GError *why) {
    return !before->meets_others && g_strcmp0(rp_sink_error_get_sqlstate(why), RP_UNIQUE_VIOLATION) == 0;
}

/* Has rows merged that were not, and the checks foresee what they can: constraints of the table, and texts
 * that do not cast. FALSE when all of that is so already. */
static gboolean look_closer(RpExperience *experience, const RpMergePlan *plan, const GError *why) {
    const RpExperience before = *experience;
    experience->meets_others = TRUE;
    if (!is_for_merge(&before, why))
        experience->judgement = RP_JUDGE_ALL;
    if (plan->judge_casts_sql != NULL)
        experience->casting = RP_CAST_JUDGED;
    return experience->meets_others != before.meets_others || experience->judgement != before.judgement ||
           experience->casting != before.casting;
}

/* A trouble is logged, and what ends a run is stored: what the server says of rows may quote them. */
static void keep_values_back(const RpMergePlan *failed, GError *trouble) {
    if (failed == NULL || !rp_entity_has_sensitive(failed->entity) || trouble->domain != RP_SINK_ERROR ||
        (trouble->code != RP_SINK_ERROR_DATA && trouble->code != RP_SINK_ERROR_FATAL))
        return;
    g_autofree char *words = g_strdup_printf(
        RP_MASK ", kept back because entity \"%s\" has sensitive columns", failed->entity->name);
    rp_sink_error_hush(trouble, words);
}

/* ---- a connection that is lost ---- */

gboolean rp_repeat_reach(RpWriter *writer, const RpBatch *batch, GError *trouble, gboolean *is_written,
                         GError **error) {
    RpCrew *crew = writer->crew;
    do {
        rp_session_close(writer);
        if (!rp_trouble_passes(trouble) || crew->rehearsal != NULL) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        if (!rp_outage_wait(&writer->outage, trouble, TRUE, &crew->is_pressed, error))
            return FALSE;
        trouble = NULL;
    } while (!rp_session_open(writer, &trouble) ||
             (batch != NULL &&
              !rp_ledger_has_batch(writer->connection, crew->attempt.run, batch, is_written, &trouble)));
    return TRUE;
}

/* Takes the trouble. What was said last need not be why the connection ended. */
static gboolean come_back(RpWriter *writer, RpBatch *batch, GError *trouble, gboolean *is_written,
                          GError **error) {
    g_autoptr(GError) last = trouble;
    GError *lost = rp_trouble_passes(last)
                       ? g_steal_pointer(&last)
                       : g_error_new(RP_SINK_ERROR, RP_SINK_ERROR_RETRY,
                                     "PostgreSQL: the connection was lost, after this: %s", last->message);
    if (!rp_repeat_reach(writer, batch, lost, is_written, error))
        return FALSE;
    if (!*is_written)
        rp_batch_forget_write(batch);
    rp_event_note(*is_written ? RP_EVENT_COMMIT_SETTLED : RP_EVENT_BATCH_REPEATED);
    return TRUE;
}

/* ---- a connection that stands ---- */

typedef enum {
    ROWS_SETTLED,  /* the bad ones are rejects, or the checks will reject them */
    ROWS_PASSED,   /* tried again they were fine */
    ROWS_OBSTACLE, /* the search could not go on */
} Verdict;

/* What the set-based checks foresee is left to them; what they do not foresee is searched for. */
static Verdict judge_rows(RpWriter *writer, const RpMergePlan *failed, RpBatch *batch, const GError *trouble,
                          GError **obstacle) {
    gboolean has_rejected = FALSE;
    if (look_closer(&writer->experience[failed->number], failed, trouble))
        return ROWS_SETTLED;
    const gboolean is_searched = rp_isolate_bad_rows(writer, failed, batch, &has_rejected, obstacle);
    if (has_rejected)
        rp_outage_end(&writer->outage);
    if (!is_searched)
        return ROWS_OBSTACLE;
    return has_rejected ? ROWS_SETTLED : ROWS_PASSED;
}

/* The transaction failed on a connection that stands. Takes the trouble. TRUE: the batch is to be written
 * again. */
static gboolean overcome(RpWriter *writer, const RpMergePlan *failed, RpBatch *batch, GError *trouble,
                         gboolean *is_written, GError **error) {
    gboolean passes = rp_trouble_passes(trouble);
    if (failed != NULL && may_be_a_row(writer, trouble)) {
        GError *obstacle = NULL;
        const Verdict verdict = judge_rows(writer, failed, batch, trouble, &obstacle);
        if (verdict != ROWS_PASSED)
            g_error_free(trouble);
        if (verdict == ROWS_SETTLED)
            return TRUE;
        trouble = verdict == ROWS_PASSED ? trouble : obstacle;
        passes = verdict == ROWS_PASSED || rp_trouble_passes(trouble);
        keep_values_back(failed, trouble);
    }
    if (is_to_be_left(writer, trouble))
        return come_back(writer, batch, trouble, is_written, error);
    if (!passes) {
        g_propagate_error(error, trouble);
        return FALSE;
    }
    if (!rp_outage_wait(&writer->outage, trouble, FALSE, &writer->crew->is_cancelled, error))
        return FALSE;
    rp_event_note(RP_EVENT_BATCH_REPEATED);
    return TRUE;
}

/* Takes the trouble. TRUE: the batch is to be written again, unless *is_written. */
static gboolean go_on(RpWriter *writer, const RpMergePlan *failed, RpBatch *batch, GError *trouble,
                      gboolean *is_written, GError **error) {
    keep_values_back(failed, trouble);
    if (trouble->domain != RP_FAULT_ERROR)
        rp_unit_abort(writer->connection);
    if (is_to_be_left(writer, trouble))
        return come_back(writer, batch, trouble, is_written, error);
    if (failed == NULL && rp_ledger_is_written(trouble)) {
        g_error_free(trouble);
        rp_event_note(RP_EVENT_COMMIT_SETTLED);
        return *is_written = TRUE;
    }
    rp_batch_forget_write(batch);
    return overcome(writer, failed, batch, trouble, is_written, error);
}

gboolean rp_repeat_until_written(RpWriter *writer, RpBatch *batch, GError **error) {
    for (gboolean is_written = FALSE; !is_written;) {
        GError *trouble = NULL;
        const RpMergePlan *failed = NULL;
        if (rp_writer_write_once(writer, batch, &failed, &trouble))
            break;
        if (!go_on(writer, failed, batch, trouble, &is_written, error))
            return FALSE;
    }
    rp_outage_end(&writer->outage);
    return TRUE;
}
