/* What the ledger says of runs: the one source of every summary, of the run that has just ended too. */
#pragma once

#include "ledger/evidence.h"
#include "model/batch.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    char *entity;
    char *table;
    RpCounts counts;
} RpEntitySummary;

typedef struct {
    char *pattern;
    guint64 keys;
    char *example;
} RpUnmappedSummary;

typedef struct {
    char *code;
    guint64 count;
} RpCodeCount;

typedef struct {
    guint64 run;
    char *kind;
    char *status;
    char *strategy;
    char *mapping;
    char *source;
    char *started_at; /* ISO 8601, UTC */
    char *ended_at;   /* or NULL */
    char *error;      /* or NULL */
    double seconds;
    gboolean is_balanced;
    RpKeyCounts keys;
    GPtrArray *unmapped; /* of RpUnmappedSummary, most keys first */
    GPtrArray *entities; /* of RpEntitySummary, in the order of the mapping */
    GPtrArray *codes;    /* of RpCodeCount, by name */
    guint64 n_rejects;
    gboolean is_dry_run;  /* run is the number that it would have had: there is no such run */
    RpEvidence *evidence; /* of a dry run, which leaves nothing to read it from; else NULL */
} RpRunSummary;

void rp_run_summary_free(RpRunSummary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpRunSummary, rp_run_summary_free)

/* Reads one run; *summary is NULL when there is no such run. */
gboolean rp_ledger_read_run(PGconn *connection, guint64 run, RpRunSummary **summary, GError **error);

/* Reads all runs, newest first: an array of RpRunSummary that frees them. */
GPtrArray *rp_ledger_read_runs(PGconn *connection, GError **error);

/* Whether the ledger's tables are there. */
gboolean rp_ledger_exists(PGconn *connection, gboolean *exists, GError **error);

G_END_DECLS
