/* A writer thread's own state, and the two halves of its work. */
#pragma once

#include "base/outage.h"
#include "pipeline/crew.h"
#include "sink/merge.h"
#include "sink/predecessor.h"

#include <glib.h>

G_BEGIN_DECLS

/* What a writer has learned about an entity. It decides how the work is done, never what comes of it. */
typedef struct {
    /* Rows of the last batch stood in the target already, or were refused: more of them are expected. */
    gboolean meets_others;
    gboolean expects_equal; /* most rows of the last batch stood in the target already: compare first */
    RpJudgement judgement;  /* ALL since a row was met that violates a constraint of the table */
    guint64 n_clean;        /* of a bulk load: batches in a row that were judged so and had none */
    guint64 n_doubts;       /* so many of them are not enough to judge no longer */
    RpCasting casting;      /* JUDGED since a text was met that may be no value of its column's type */
} RpExperience;

struct RpWriter {
    RpCrew *crew;
    PGconn *connection;    /* NULL: lost */
    PGcancel *cancel;      /* of it; the crew's */
    RpPredecessor session; /* of it, or of the last one that there was */
    RpOutage outage;
    RpExperience *experience;  /* by entity */
    gpointer steps_data;       /* of the feed's steps, for as long as the thread lives */
    GDestroyNotify steps_free; /* of it, or NULL */
};

/* ---- session.c ---- */

/* Connects, with the session's settings and staging tables, and lets the crew cancel what it does. A session
 * before it is ended, when the server still has it. In a dry run it takes the crew's connection. */
gboolean rp_session_open(RpWriter *writer, GError **error);
/* Takes it back. Fine when it is closed. */
void rp_session_close(RpWriter *writer);

/* ---- writer.c ---- */

/* One attempt, in one transaction. *failed gets the entity whose rows PostgreSQL refused. The transaction may
 * be open when it fails, and what it added to the batch is still there. */
gboolean rp_writer_write_once(RpWriter *writer, RpBatch *batch, const RpMergePlan **failed, GError **error);

/* The first step of it alone: puts the rows into the staging table. *n_rows: how many they are. */
gboolean rp_writer_stage_entity(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, guint64 *n_rows,
                                GError **error);

/* The error of a run with more rejects than --max-rejects; the caller owns it. */
GError *rp_writer_complain_of_rejects(const RpCrew *crew, guint64 n_rejects);

/* Writes the batch's rows of one entity inside the open transaction, and fills its counts: merges them, or
 * loads them where the batch is of the bulk pass. */
gboolean rp_writer_write_entity(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, GError **error);

/* All that comes before that plan's entity: what the feed does first, and, unless it is loaded in bulk, the
 * entities before it, whose rows its own may refer to. */
gboolean rp_writer_begin_merges(RpWriter *writer, RpBatch *batch, const RpMergePlan *plan, GError **error);

/* Begins every unit that merges, of a search too. */
gboolean rp_writer_begin(RpWriter *writer, GError **error);

/* Takes all rows out of the staging tables, those that were rolled back too. Between units. */
gboolean rp_writer_empty_stages(RpWriter *writer, GError **error);

/* ---- direct.c ---- */

/* Whether the entity's rows are likely to be new, and such that the table takes them as they are. */
gboolean rp_direct_is_promising(const RpWriter *writer, const RpMergePlan *plan);

/* Writes the batch's rows of one entity straight into the table inside the open transaction, fills its
 * counts, and keeps what an undo, and the end of a bulk load, go by. Outside of the bulk pass a row that
 * stands there already fails it. */
gboolean rp_direct_write_entity(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch, GError **error);

/* ---- repeat.c ---- */

/* Writes the batch whole: again after a passing trouble, and without the rows that PostgreSQL refuses. FALSE:
 * it could not be written for as long as troubles may last, or for one that does not pass. */
gboolean rp_repeat_until_written(RpWriter *writer, RpBatch *batch, GError **error);

/* Opens the session again for as long as troubles may last; takes the trouble. In a dry run there is nothing
 * to go on with: it fails with the trouble. Unless batch is NULL,
 * *is_written says then whether it is committed. */
gboolean rp_repeat_reach(RpWriter *writer, const RpBatch *batch, GError *trouble, gboolean *is_written,
                         GError **error);

/* ---- isolate.c ---- */

/* After PostgreSQL refused rows of the plan's entity: finds those that it refuses by themselves with
 * transactions that are rolled back, about k·log n of them for k bad rows among n, and turns them into
 * rejects of the batch, which can then be written without them. Call it outside of a transaction.
 * *has_rejected: at least one row was; not so when the trouble had passed by the time of the search. FALSE
 * when the search failed, was cancelled, or found that every row is refused for what is no fault of data:
 * then the statement is at fault. */
gboolean rp_isolate_bad_rows(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch,
                             gboolean *has_rejected, GError **error);

G_END_DECLS
