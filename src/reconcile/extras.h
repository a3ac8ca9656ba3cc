/* What the parts of deleting extra rows share; not for others. */
#pragma once

#include "base/retry.h"
#include "ledger/erase.h"
#include "reconcile/repair.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_EXTRAS_NOWHERE G_MAXUINT

typedef struct {
    guint place;
    guint32 number;     /* in the list of its table */
    gboolean is_spared; /* it is not deleted, for whatever reason */
} RpExtraRow;

typedef struct {
    RpRepair *repair;
    RpCrew *crew;
    RpErasing erasing;
    RpRetry retry;
    guint *places; /* by unit: the place of its table; RP_EXTRAS_NOWHERE: nothing is deleted there */
    guint n_places;
    /* The portion. */
    GHashTable *rows; /* identity (RpHash *) -> RpExtraRow * */
    RpBuffer *tuples; /* by place */
    guint32 *n_rows;  /* by place */
    GString **spared; /* by place: numbers of rows that are not deleted */
    guint64 *n_spared;
    guint64 *n_unknown; /* by place: refused records that may stand for any row */
    RpDigester *digester;
    RpSourceRows source;
} RpExtras;

/* ---- extras_look.c ---- */

/* Takes the row off what is deleted. */
void rp_extras_spare(RpExtras *extras, RpExtraRow *row);

/* Reads all of Redis, and takes off the portion whatever has a record by now. RP_STOP_ERROR when the crew
 * stops. */
gboolean rp_extras_look(RpExtras *extras, GError **error);

G_END_DECLS
