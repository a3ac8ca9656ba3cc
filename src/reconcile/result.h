/* What a reconciliation has found: plain data for reports. Values of sensitive columns are masked already. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_LEVEL_COUNTS, /* rows are counted and columns added up; no row is compared with another */
    RP_LEVEL_ROWS,   /* each row is compared, by a hash of 128 bits */
    RP_LEVEL_FIELDS, /* and in which columns rows differ is counted for all of them */
} RpLevel;

/* "counts", "rows", "fields". */
const char *rp_level_name(RpLevel level);
gboolean rp_level_parse(const char *name, RpLevel *level);

typedef enum {
    RP_DIFFERENCE_MISSING,   /* Redis has it, PostgreSQL does not */
    RP_DIFFERENCE_EXTRA,     /* PostgreSQL has it, Redis does not */
    RP_DIFFERENCE_DIFFERENT, /* both have it, and some column differs */
} RpDifferenceKind;

const char *rp_difference_kind_name(RpDifferenceKind kind);

typedef struct {
    char *column;
    char *source; /* NULL: null */
    char *target;
} RpColumnPair;

typedef struct {
    RpDifferenceKind kind;
    GPtrArray *key;        /* of RpColumnPair, where source is the value */
    char *source_key;      /* as shown text; NULL when it is not known */
    char *source_key_hex;  /* of one that is no text, else NULL */
    gboolean is_explained; /* an open reject of its key is on record */
    GPtrArray *columns;    /* of RpColumnPair: those that differ */
} RpDifference;

typedef struct {
    char *name; /* "sum(total_amount)" */
    char *source;
    char *target;
    gboolean is_equal;
} RpAggregatePair;

/* Why a column that the mapping does not name is not compared; the others are volatile. */
#define RP_WHY_UNWRITTEN "the mapping does not write it"

typedef struct {
    char *column;
    char *why;
} RpNotCompared;

typedef struct {
    char *column;
    guint64 n_different;
} RpColumnCount;

/* source_rows = equal + different + missing; target_rows = equal + different + extra. */
typedef struct {
    char *entity;
    char *table;
    guint64 source_rows;
    guint64 target_rows;
    guint64 equal;
    guint64 missing;
    guint64 extra;
    guint64 different;
    guint64 explained;       /* of missing: an open reject is on record */
    guint64 rejected;        /* records that the mapping refuses: not among source_rows */
    guint64 unrecorded;      /* of rejected: no open reject is on record */
    guint64 filtered;        /* rows that `where` leaves out: not among source_rows */
    guint64 kept;            /* rows that stand on purpose although their key is gone: not target_rows */
    guint64 extra_refused;   /* of extra: their key is there, and its record is refused */
    GPtrArray *aggregates;   /* of RpAggregatePair */
    GPtrArray *differences;  /* of RpDifference; not more than the limit */
    GPtrArray *not_compared; /* of RpNotCompared */
    GPtrArray *columns;      /* of RpColumnCount; empty but at level fields */
} RpEntityResult;

typedef struct {
    char *owner;
    char *member;
    gboolean is_dangling; /* else unlisted */
    /* member is NULL, and owner the Redis key, where what it holds cannot be a member at all. */
} RpLinkExample;

typedef struct {
    char *link;
    char *not_checked;   /* why it was not, or NULL */
    guint64 checked;     /* members that Redis lists */
    guint64 dangling;    /* of them, those that no row stands behind */
    guint64 unlisted;    /* rows that their owner's key does not list */
    GPtrArray *examples; /* of RpLinkExample */
} RpLinkResult;

typedef struct {
    char *table;
    char **columns;
    char *references;  /* "public.users (id)" */
    char *constraint;  /* one that is there and has not been validated; NULL: none */
    char *not_checked; /* why nobody looked, or NULL */
    guint64 n_rows;
    GPtrArray *examples; /* of char *: keys of such rows */
} RpOrphanResult;

/* What a repair did before the result was found. */
typedef struct {
    guint64 run;     /* its number in the ledger; 0: there was nothing to do */
    guint64 written; /* rows inserted or updated */
    guint64 deleted;
    guint64 left; /* rows of the task that it left as they were on purpose */
} RpRepairResult;

typedef struct {
    RpLevel level;
    gboolean has_repair; /* one was asked for */
    RpRepairResult repair;
    guint n_rounds; /* looks at what differed, the first reading included */
    gboolean
        is_incomplete; /* the list of differences was lost: some are counted, but not listed or explained */
    gboolean is_live;  /* the source has changed meanwhile, or nobody can tell */
    double seconds;
    guint64 n_scanned;   /* keys */
    GPtrArray *entities; /* of RpEntityResult */
    GPtrArray *links;    /* of RpLinkResult */
    GPtrArray *orphans;  /* of RpOrphanResult: references with orphans, and those that were not checked */
    char *source_run_id; /* of the Redis process, as INFO says */
    char *redis_version;
} RpReconcileResult;

RpReconcileResult *rp_reconcile_result_new(RpLevel level);
void rp_reconcile_result_free(RpReconcileResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpReconcileResult, rp_reconcile_result_free)

/* Of an entity that is not compared yet; the caller owns it. */
RpEntityResult *rp_entity_result_new(const char *entity, const char *table);
RpLinkResult *rp_link_result_new(const char *link);
RpDifference *rp_difference_new(RpDifferenceKind kind);
void rp_difference_free(RpDifference *difference);
/* Takes source and target. */
void rp_column_pair_add(GPtrArray *pairs, const char *column, char *source, char *target);

/* Whether every row of Redis is in PostgreSQL and the other way round, links agree, nothing is orphaned and
 * every record that the mapping refuses is on record. */
gboolean rp_reconcile_result_is_equal(const RpReconcileResult *result);

/* The same, where missing rows with an open reject on record do not count. */
gboolean rp_reconcile_result_is_explained(const RpReconcileResult *result);

G_END_DECLS
