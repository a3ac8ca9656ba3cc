/* The rows that a surveyed batch gives: straight from the mapper, or made by PostgreSQL where it casts, looks
 * up, filters or checks. */
#pragma once

#include "mapping/mapper.h"
#include "model/batch.h"
#include "reconcile/digest.h"

#include <glib.h>

G_BEGIN_DECLS

/* A row. All borrowed until the call returns. */
typedef struct {
    const RpUnit *unit;
    const RpSpan *values; /* of the unit's columns, in their order */
    gboolean is_stored;   /* PostgreSQL made them */
    RpSpan key;           /* of Redis */
    guint64 element;      /* which element of the key it came from: two readings of one thing have the same */
} RpSourceRow;

typedef gboolean (*RpSourceTake)(const RpSourceRow *row, gpointer data, GError **error);

/* A record that the mapping refuses. */
typedef void (*RpSourceRefuse)(const RpUnit *unit, const RpBatch *batch, const RpReject *reject,
                               gpointer data);

typedef struct {
    const RpUnits *units;
    const char *postgres;     /* conninfo, for what PostgreSQL makes */
    gboolean judges;          /* `checks` of the mapping are asked too, and refuse */
    const gint *is_cancelled; /* for waiting; atomic */
    guint timeout_seconds;
    RpSourceTake take;
    RpSourceRefuse refuse;
    gpointer data;
    int database;      /* of Redis, for what is identified */
    guint64 *filtered; /* rows that `where` leaves out, by unit */
    /* ours */
    RpMapper *mapper; /* of what is identified; made at first use */
    PGconn *connection;
    GPtrArray *plans; /* of RpMergePlan, by unit; NULL where PostgreSQL is not needed */
    RpSpan *values;
} RpSourceRows;

void rp_source_rows_init(RpSourceRows *rows);
void rp_source_rows_clear(RpSourceRows *rows);

/* Gives each row of the batch to take, then each reject to refuse; of units that take part. From one thread
 * at a time. */
gboolean rp_source_rows_walk(RpSourceRows *rows, RpBatch *batch, GError **error);

/* The identity of the row that a refused record would give, as a digest has it; FALSE when it is not known
 * (rp_mapper_identify). */
gboolean rp_source_rows_identify(RpSourceRows *rows, const RpUnit *unit, const RpBatch *batch,
                                 const RpReject *reject, RpDigester *digester, RpHash *identity);

/* ---- staged_rows.c ---- */

/* Gives the rows of a unit whose rows PostgreSQL makes; those that it refuses become rejects of the batch. */
gboolean rp_staged_rows_walk(RpSourceRows *rows, const RpUnit *unit, RpBatch *batch, GError **error);

/* Gives one row to take. */
gboolean rp_source_rows_give(RpSourceRows *rows, const RpUnit *unit, const RpBatch *batch, guint ordinal,
                             gboolean is_stored, GError **error);

G_END_DECLS
