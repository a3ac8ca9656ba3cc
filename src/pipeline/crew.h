/* What the threads of a load share. */
#pragma once

#include "ledger/attempts.h"
#include "mapping/reading.h"
#include "model/batch.h"
#include "pipeline/load.h"
#include "pipeline/queue.h"
#include "sink/merge_plan.h"
#include "source/channel.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpWriter RpWriter;

/* What a writer does in a batch's transaction besides merging its rows, on its connection
 * (pipeline/writer.h). The functions are called in the writer's thread, again for each attempt at the batch;
 * any may be NULL. */
typedef struct {
    /* A session was opened: makes its temporary tables, for the writer's steps_data. */
    gboolean (*prepare)(RpWriter *writer, GError **error);
    /* Before the first entity is merged. */
    gboolean (*before_merges)(RpWriter *writer, RpBatch *batch, GError **error);
    /* After the last one, before the batch's account is written. Rejects that it takes out of the batch, or
     * adds to it, are as if the merge had not, or had, found them. */
    gboolean (*after_merges)(RpWriter *writer, RpBatch *batch, GError **error);
    /* The batch is committed. It cannot fail. */
    void (*written)(RpWriter *writer, const RpBatch *batch);
} RpFeedSteps;

/* Where a load's records come from. */
typedef struct {
    const char *kind;            /* of the run, in the ledger: "run" */
    const char *way_on;          /* after an interruption, for its message: "run --resume goes on" */
    GThreadFunc read;            /* the thread that fills batches; its data is the crew */
    gconstpointer data;          /* for it; borrowed */
    const RpMergeLedger *ledger; /* for merges; NULL: nothing is merged, and no plans are made */
    const char *source; /* where they were read, for the ledger; NULL: Redis is asked, and must be there */
    GThreadFunc take;   /* the threads that get the mapped batches, in the place of writers; NULL: writers */
    /* Nothing is written: one pass takes all entities, it can be given up at any time, and ends with a Redis
     * that was started anew. */
    gboolean is_survey;
    /* One pass takes all entities, and a batch's rows are merged parents first. */
    gboolean is_one_pass;
    gboolean needs_expiry;    /* each key is read with its time of expiry (RpRecord.expires_at_ms) */
    const RpFeedSteps *steps; /* or NULL */
} RpFeed;

typedef struct {
    const RpLoadOptions *options;
    const RpFeed *feed;
    RpStrategy strategy;  /* merge or bulk: decided when the run opens */
    gboolean may_be_bulk; /* it is to be tried to set keys and indexes aside */
    RpAttempt attempt;    /* changes only while no batch is under way */
    RpOccasion occasion;
    char *source_run_id; /* of the Redis process that the attempt reads; changes with the attempt */
    RpPatience patience;
    GArray *passes; /* of guint32: the pass of each entity */
    guint n_passes;
    GPtrArray *plans; /* of RpMergePlan, by entity */
    RpQueue *pool;    /* of empty RpBatch */
    guint n_batches;  /* that the pool holds when nothing is under way */
    RpQueue *to_map;
    GPtrArray *to_go_on; /* of RpQueue, by mapper: its batch, when a portion of it is written */
    gint n_mappers;      /* atomic: mapper threads that have taken their number */
    RpQueue *to_write;
    /* In a dry run, the one connection of all that is done, in its one transaction (sink/unit.h): lent to the
     * writer while the threads work, and the keeper's before and after. Else NULL. Borrowed. */
    PGconn *rehearsal;
    gint is_stopping; /* atomic: read no further, finish what is in hand */
    gint is_pressed;  /* atomic: wait no longer for a server that is away: a signal came, or all is dropped */
    gint is_cancelled; /* atomic: drop what is in hand */
    gint is_aborted;   /* atomic: a second signal came; set with the others */
    GMutex mutex;      /* guards what follows */
    GError *error;     /* the first one */
    RpLoadProgress progress;
    guint64 n_committed; /* batches, portions counted each: those that stood before the threads started, and
                            ours */
    guint64 keys_mapped; /* keys of the first pass that some entity wants */
    GPtrArray *cancels;  /* of PGcancel: the writers' */
} RpCrew;

/* FALSE: the entities have no order of loading; nothing is to be cleared then. */
gboolean rp_crew_init(RpCrew *crew, const RpLoadOptions *options, const RpFeed *feed, PGconn *connection,
                      GError **error);
/* After all threads have ended. */
void rp_crew_clear(RpCrew *crew);

/* Keeps the first error, and takes it. is_final: drops what is in hand; else only reading ends. */
void rp_crew_fail(RpCrew *crew, GError *error, gboolean is_final);

/* Gives a batch that a writer is done with to whoever waits for it. */
void rp_crew_give_back(RpCrew *crew, RpBatch *batch);

/* Has another attempt begin, at the start of its pass, for a Redis that was started anew: crew->attempt is
 * changed. Only while no batch is under way. RP_GUARD_ERROR when Redis has come back empty; a dry run does
 * not go on. */
gboolean rp_crew_begin_again(RpCrew *crew, GError **error);

/* Whether batches of the pass are loaded in bulk: the first pass of such a run, which takes all entities. The
 * later ones merge the keys of rows that were taken out again (pipeline/restore.h), pass n those of the
 * entities that a merge would load in pass n - 1. */
gboolean rp_crew_is_bulk_pass(const RpCrew *crew, guint pass);

/* Whether the pass takes the entity. */
gboolean rp_crew_is_of_pass(const RpCrew *crew, guint entity, guint pass);

/* Whether the entity is to be loaded. */
gboolean rp_crew_wants(const RpCrew *crew, guint entity);

/* Thread functions (GThreadFunc); data is the crew. */
gpointer rp_reader_thread(gpointer crew);
gpointer rp_mapper_thread(gpointer crew);
gpointer rp_writer_thread(gpointer crew);

G_END_DECLS
