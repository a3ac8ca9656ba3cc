/* The SQL of the merge of one entity, generated once from its mapping and its table's catalogue. */
#pragma once

#include "mapping/mapping.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* What it means when a staged row violates a check. */
typedef struct {
    RpRejectCode code;
    const char *constraint; /* borrowed from the mapping or the table */
    const char *column;     /* the one column that it is about, or NULL */
    char *message;
    gboolean is_sensitive; /* the column's value must be masked */
} RpVerdict;

/* Numbers that stand in a judgement's result beside positions in the list of verdicts. */
#define RP_VERDICT_FILTERED (-1) /* `where` is not true for the row */
#define RP_VERDICT_UNKNOWN  (-2) /* was not inserted, and no unique constraint that we know says why */

/* What tells the ledger of a batch's rows of an entity: $1 run, $2 pass, $3 batch, $4 number of the entity,
 * $5 the table as it is shown. */
#define RP_MERGE_BATCH_PARAMETERS 5

/* What the merge asks the ledger, as SQL; the ledger's folder fills it in. */
typedef struct {
    const char *written_by_run; /* condition over a target row t: a committed batch of the run $1 wrote it, */
    const char *counted_before; /* or one that has been superseded did */
    const char
        *claims; /* a table (run, target, identity) unique by target and identity, for merges to fill */
    /* A statement that keeps the keys of the rows of a query named written, which a batch has inserted; its
     * parameters are RP_MERGE_BATCH_PARAMETERS. */
    const char *keep_inserted;
    /* A table (target, identity, entity, key_digest) unique by target and identity, for merges to fill: which
     * key a row is of, where that does not follow from its identity. It is asked instead of written_by_run
     * and claims: the same key's row may change again and again. NULL: there is none. */
    const char *holders;
} RpMergeLedger;

typedef struct {
    const RpEntity *entity;
    guint number;         /* of the entity in the mapping */
    gboolean is_for_sync; /* the ledger has holders */
    char *stage;          /* name of the staging table */
    GArray *verdicts;     /* of RpVerdict */
    char *create_sql;     /* the staging table */
    /* The table that tuples go to first, where PostgreSQL casts text or looks values up; else NULL, and so
     * are the statements about it. */
    char *raw;
    char *create_raw_sql;  /* it, and a function for each field of text that says whether the cast succeeds */
    char *judge_casts_sql; /* like judge_mapping_sql, of raw rows with text that cannot be cast; or NULL */
    char *cast_sql;        /* raw rows to staged ones */
    char *judge_nulls_sql; /* of staged rows that lack a value which was looked up or did not cast; or NULL */
    char *copy_sql;        /* COPY … FROM STDIN into the raw table, or else into the staging table */
    /* Claims the identities of staged rows that the target has, for the run $1; NULL: they follow from the
     * keys. */
    char *claim_sql;
    char *drop_equal_sql; /* unstages rows that equal the target's */
    /* The same in a run ($1) that was interrupted: gives how many they are, and how many of them were counted
     * before. */
    char *drop_equal_again_sql;
    char *
        changed_again_sql; /* of the rows that update_sql will change how many were counted before; $1: run */
    char *drop_inserted_sql; /* unstages rows that this transaction inserted, but for the ordinals $1 */
    /* Ordinal, verdict and value of staged rows that must not be written; NULL: nothing to check. */
    char *judge_mapping_sql; /* by the mapping's where and checks, which PostgreSQL does not know */
    char *judge_rows_sql;    /* by the table's CHECK constraints as well */
    char *judge_all_sql;     /* and by its FOREIGN KEY constraints */
    /* Both give the number of rows, and take RP_MERGE_BATCH_PARAMETERS. */
    char *insert_sql;         /* what is not there yet */
    char *insert_plainly_sql; /* rows $6 (an integer[]), without ON CONFLICT */
    char *passed_over_sql;    /* ordinals among $1 that the target still has no row for */
    char *duplicates_sql;     /* ordinals of rows that share an identity, an array a row */
    /* Like judge_all_sql, for rows that differ from the target or are not in it; $1: run. */
    char *collisions_sql;
    char *changed_sql; /* "FROM ... JOIN ... WHERE ...": target rows t that staged rows s will change */
    char *update_sql;  /* NULL when all columns are the key */
    /* Where rows have holders, else NULL: */
    char *create_origins_sql; /* a table of the keys that staged rows came from */
    char *origins_sql;        /* fills it; $1: MD5 of the key by ordinal (a uuid[]) */
    char *release_sql;        /* drops what those keys hold and give no more */
    char *hold_sql;           /* they hold the rows that stand now, but for the ordinals $1 */
    char *kept_old_sql;       /* ordinals of staged rows whose target row this transaction did not write */
    /* Of a bulk load (sink/bulk.h): */
    char *load_sql;        /* COPY … FROM STDIN into the target */
    char *load_staged_sql; /* inserts what is staged */
    char *staged_sql;      /* ordinals of what is staged, rising */
} RpMergePlan;

/* Whether PostgreSQL casts or looks up values of the entity, so that its rows go to a raw table first. */
gboolean rp_merge_needs_raw(const RpEntity *entity);

/* The entity must be bound without errors; it is borrowed. Statements are run with the tables as they are
 * named here, on connections where create_sql was run. is_shared: another
 * entity writes the same table. */
RpMergePlan *rp_merge_plan_new(PGconn *connection, const RpEntity *entity, guint number,
                               const RpMergeLedger *ledger, gboolean is_shared);
void rp_merge_plan_free(RpMergePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpMergePlan, rp_merge_plan_free)

G_END_DECLS
