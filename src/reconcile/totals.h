/* The aggregates of every unit's columns, on one side. */
#pragma once

#include "reconcile/aggregate.h"
#include "reconcile/result.h"
#include "reconcile/unit.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    const RpUnits *units;
    GPtrArray *aggregates; /* by unit: a GPtrArray of RpAggregate by column, NULL where it has none */
} RpTotals;

void rp_totals_init(RpTotals *totals, const RpUnits *units);
void rp_totals_clear(RpTotals *totals);

/* Adds a row's values, in the order of the unit's columns. */
void rp_totals_add(RpTotals *totals, const RpUnit *unit, const RpSpan *values);

/* Adds what others give of the same columns: rows of a unit that follows the leader. */
void rp_totals_merge(RpTotals *totals, const RpUnit *leader, const RpUnit *follower);

/* Adds all that others have seen of every unit. */
void rp_totals_add_all(RpTotals *totals, const RpTotals *others);

/* Appends the unit's aggregates on both sides to pairs (RpAggregatePair). */
void rp_totals_compare(const RpTotals *source, const RpTotals *target, const RpUnit *unit, GPtrArray *pairs);

G_END_DECLS
