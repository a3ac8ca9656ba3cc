/* One hash on its way to Redis: fields are put as if all were well, and the row's fault spoils its one. */
#pragma once

#include "demo/pipe.h"
#include "demo/plan.h"
#include "demo/text.h"

G_BEGIN_DECLS

/* Embedded, for the time of one row. */
typedef struct {
    const RpShopPlan *plan;
    RpPipe *commands;
    const RpShopFault *fault; /* NULL: a good row */
    guint64 ordinal;          /* of the row among those with its fault */
    guint64 index;
    RpText id; /* as it stands in the key */
    RpText key;
} RpRow;

/* Whether the row's fault is of that kind. */
static inline gboolean rp_row_is(const RpRow *row, RpShopPlant plant) {
    return row->fault != NULL && row->fault->plant == plant;
}

/* Looks up fault, id and key, and begins the HSET; or writes a string in the hash's place when that is the
 * fault, and returns FALSE: then no field may be put. */
gboolean rp_row_begin(RpRow *row, const RpShopPlan *plan, RpShopEntity entity, guint64 index,
                      RpPipe *commands);

void rp_row_put(RpRow *row, const char *field, const RpText *value);
void rp_row_put_literal(RpRow *row, const char *field, const char *value);

/* For a field that good rows may lack: puts nothing when value is NULL, unless the fault is in this field. */
void rp_row_put_optional(RpRow *row, const char *field, const RpText *value);

void rp_row_end(RpRow *row);

/* A command of up to three arguments. */
void rp_row_command(RpRow *row, const char *verb, const RpText *key, const RpText *argument);

G_END_DECLS
