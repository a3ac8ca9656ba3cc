/* The steps of a merge, on one connection inside one transaction. pipeline/writer.c puts them in order. */
#pragma once

#include "model/batch.h"
#include "sink/merge_plan.h"

#include <glib.h>

G_BEGIN_DECLS

/* Creates the session's staging tables for the plan. Once for a connection. */
gboolean rp_merge_prepare(PGconn *connection, const RpMergePlan *plan, GError **error);

/* Whether text is looked at before PostgreSQL casts it to its column's type. */
typedef enum {
    RP_CAST_PLAINLY, /* a text that is no value of the type fails the statement */
    RP_CAST_JUDGED,  /* such texts are told by trying each one, which costs some microseconds, and rejected */
} RpCasting;

/* Sends the tuples of the plan's entity that are RP_ROW_IN to the staging table, and gives how many rows that
 * were. Where PostgreSQL casts values or looks them up, rows that it finds no value for become rejects of the
 * batch, and are counted in *n_staged. */
gboolean rp_merge_stage(PGconn *connection, const RpMergePlan *plan, RpCasting casting, RpBatch *batch,
                        guint64 *n_staged, GError **error);

/* Settles rows that share an identity within the batch. Of one Redis key, or element of it, that was read
 * several times the last reading stays staged, and *n_repeated counts the others; of different ones the first
 * stays and the others are rejected. kept collects the ordinals that stand for several readings. */
gboolean rp_merge_settle_duplicates(PGconn *connection, const RpMergePlan *plan, RpBatch *batch,
                                    guint64 *n_repeated, GString *kept, GError **error);

/* Unstages the rows that rp_merge_insert wrote, and gives how many that were. Ordinals in kept stay: an
 * earlier reading of theirs was inserted. */
gboolean rp_merge_drop_inserted(PGconn *connection, const RpMergePlan *plan, GString *kept,
                                guint64 *n_dropped, GError **error);

/* Unstages the rows that the target has as they are, and gives how many that were. Worth its price first of
 * all where most rows are there: the other steps then have little left to do. Where identities do not follow
 * from the Redis keys, they are claimed for the run first: a row of another key that comes later and differs
 * is then known for a duplicate. One that is equal in everything is unchanged, whatever key it came from: it
 * may be the same one, read again. */
gboolean rp_merge_drop_equal(PGconn *connection, const RpMergePlan *plan, guint64 run, guint64 *n_equal,
                             GError **error);

/* The same in a run that was interrupted: *n_counted of these rows were written, and counted, by a batch of
 * it that has been superseded. */
gboolean rp_merge_drop_equal_again(PGconn *connection, const RpMergePlan *plan, guint64 run, guint64 *n_equal,
                                   guint64 *n_counted, GError **error);

/* In a run that was interrupted: how many of the target rows that rp_merge_update is about to change were
 * written, and counted, by a batch of it that has been superseded. */
gboolean rp_merge_count_changed_again(PGconn *connection, const RpMergePlan *plan, guint64 run,
                                      guint64 *n_counted, GError **error);

/* Which checks are made before the INSERT. The table's own constraints hold in any case: without looking at
 * them first, a row that violates one fails the INSERT, and the batch has to be merged again. */
typedef enum {
    RP_JUDGE_MAPPING, /* only where and checks of the mapping */
    RP_JUDGE_ROWS,    /* CHECK constraints too: what a row is refused for whatever other rows there are */
    RP_JUDGE_ALL,     /* and FOREIGN KEY constraints */
} RpJudgement;

/* Takes staged rows that the set-based checks refuse out of the staging table: filtered ones are counted,
 * violators become rejects of the batch. */
gboolean rp_merge_judge(PGconn *connection, const RpMergePlan *plan, RpJudgement judgement, RpBatch *batch,
                        GError **error);

/* Inserts what the target does not have, and gives how many rows that were; their keys go to the ledger, as
 * an entry of the batch and the run. Rows in whose way any unique constraint stands are passed over. */
gboolean rp_merge_insert(PGconn *connection, const RpMergePlan *plan, guint64 run, const RpBatch *batch,
                         guint64 *n_inserted, GError **error);

/* For staged rows that are not in the target as they are: rejects those that another row's unique values, or
 * an identity that the run has already written from another key, keep out. Rows that were passed over for no
 * reason we know are inserted plainly, and counted in *n_inserted: what keeps them out then fails the
 * statement with its name, or, when a trigger or a rule drops them in silence, they are rejected. What is
 * left staged differs from its target row. */
gboolean rp_merge_settle_collisions(PGconn *connection, const RpMergePlan *plan, guint64 run, RpBatch *batch,
                                    guint64 *n_inserted, GError **error);

/* Updates the target rows of what is left staged, and gives how many. Rows that a trigger or a policy keeps
 * as they were are rejected. */
gboolean rp_merge_update(PGconn *connection, const RpMergePlan *plan, RpBatch *batch, guint64 *n_updated,
                         GError **error);

/* The keys of the batch hold the rows that they have given, where rows have holders: the last step. */
gboolean rp_merge_hold(PGconn *connection, const RpMergePlan *plan, const RpBatch *batch, GError **error);

G_END_DECLS
