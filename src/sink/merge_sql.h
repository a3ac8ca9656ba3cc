/* Shared pieces of the generated SQL. In all of it s is the staging table, t the target, u another row of it.
 */
#pragma once

#include "sink/merge_plan.h"

#include <glib.h>

G_BEGIN_DECLS

/* The row's ordinal in the staging table. */
#define RP_SQL_ORDINAL "r2p_ordinal"

/* What the generation of one entity's SQL knows. */
typedef struct {
    PGconn *connection;
    RpMergePlan *plan;
    const RpEntity *entity;
    const RpTable *table;
    const RpMergeLedger *ledger;
    gboolean is_shared; /* another entity writes the same table */
} RpMergeSql;

/* Appends what is to stand for one column. */
typedef void (*RpSqlColumn)(GString *sql, const char *quoted, const RpColumn *column);

/* What append gives for each of names (NULL-terminated), with separator between them; the caller frees it. */
char *rp_sql_join(RpMergeSql *generator, const char *const *names, const char *separator, RpSqlColumn append);

void rp_sql_name(GString *sql, const char *quoted, const RpColumn *column);            /* a */
void rp_sql_definition(GString *sql, const char *quoted, const RpColumn *column);      /* a integer */
void rp_sql_standing(GString *sql, const char *quoted, const RpColumn *column);        /* t.a */
void rp_sql_staged(GString *sql, const char *quoted, const RpColumn *column);          /* s.a */
void rp_sql_staged_not_null(GString *sql, const char *quoted, const RpColumn *column); /* s.a IS NOT NULL */
void rp_sql_set(GString *sql, const char *quoted, const RpColumn *column);             /* a = s.a */
void rp_sql_equal(GString *sql, const char *quoted, const RpColumn *column);           /* t.a = s.a */
void rp_sql_distinct(GString *sql, const char *quoted, const RpColumn *column);        /* t.a is not s.a */
void rp_sql_other_equal(GString *sql, const char *quoted, const RpColumn *column);     /* u.a = s.a */
void rp_sql_other_distinct(GString *sql, const char *quoted, const RpColumn *column); /* u.a IS DISTINCT … */

/* A UUID of the key columns of a target row t; the caller frees it. */
char *rp_sql_identity(RpMergeSql *generator);

/* Condition: another transaction of the run has claimed the identity of the staged row s; the caller frees
 * it. */
char *rp_sql_claimed_by_other(RpMergeSql *generator);

/* Where the ledger has holders, and the identity does not follow from the key: sets the plan's statements
 * about them (merge_holders.c). */
void rp_merge_make_holders(RpMergeSql *generator);

/* Condition: another key holds the target row t, and does not give it up with this batch; $2 as for
 * origins_sql. The caller frees it. */
char *rp_sql_held_by_other(RpMergeSql *generator);

/* Whether the entity maps all of these columns. */
gboolean rp_sql_maps_all(const RpEntity *entity, char **names);

/* Adds a verdict about one column, and gives its number; takes message (merge_checks.c). */
guint rp_merge_add_verdict(RpMergeSql *generator, RpRejectCode code, const RpMapColumn *column,
                           char *message);

/* Where the entity has values that PostgreSQL casts or looks up: sets the plan's raw table and its
 * statements, has copy_sql go there, and adds verdicts (merge_raw.c). */
void rp_merge_make_raw_stage(RpMergeSql *generator);

/* Sets the plan's judge_mapping_sql and judge_all_sql, and adds their verdicts (merge_checks.c). */
void rp_merge_make_judgements(RpMergeSql *generator);

/* Sets the plan's statements of a bulk load (bulk.c). names, and staged: the columns, plainly and of s. */
void rp_bulk_make_statements(RpMergeSql *generator, const char *names, const char *staged);

/* Gives collisions_sql, and adds its verdicts (merge_checks.c). equal_key and distinct compare t with s. */
char *rp_merge_make_collisions(RpMergeSql *generator, const char *equal_key, const char *distinct);

G_END_DECLS
