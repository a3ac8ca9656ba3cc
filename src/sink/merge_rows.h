/* What the steps of a merge share: sets of rows, and rows that turn into rejects. */
#pragma once

#include "model/batch.h"
#include "sink/merge_plan.h"

#include <glib.h>

G_BEGIN_DECLS

/* A set of rows is the text of their ordinals: ",1,5,9". */
void rp_ordinals_add(GString *ordinals, guint ordinal);

/* The set as a parameter of type integer[]; the caller frees it. */
char *rp_ordinals_show(const GString *ordinals);

/* Deletes rows from a staging table. */
gboolean rp_merge_unstage(PGconn *connection, const char *table, const GString *ordinals, GError **error);

/* Rejects a row for the reason that the verdict gives. value is shown unless the verdict masks it. */
void rp_merge_reject(const RpMergePlan *plan, RpBatch *batch, guint ordinal, const RpVerdict *verdict,
                     const char *value);

/* Turns rows of (ordinal, verdict, value) into rejects and takes them out of the staging table of that name.
 * Ordinals without a known reason are collected in unknown, which may be NULL where there can be none. */
gboolean rp_merge_take_verdicts(PGconn *connection, const RpMergePlan *plan, const char *table,
                                RpBatch *batch, PGresult *result, GString *unknown, GError **error);

/* MD5 of the Redis keys of the rows, by ordinal, as a parameter of type uuid[]; the caller frees it. */
char *rp_merge_origins(const RpMergePlan *plan, const RpBatch *batch);

G_END_DECLS
