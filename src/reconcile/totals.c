/* Sums and bounds by column. Values of sensitive columns are added up too; only whether they agree is shown.
 */
#include "reconcile/totals.h"

#include "model/reject.h"

static void aggregate_free(gpointer aggregate) {
    if (aggregate != NULL)
        rp_aggregate_free(aggregate);
}

void rp_totals_init(RpTotals *totals, const RpUnits *units) {
    totals->units = units;
    totals->aggregates = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < units->units->len; i++) {
        const RpUnit *unit = rp_units_get(units, i);
        GPtrArray *columns = g_ptr_array_new_with_free_func(aggregate_free);
        for (guint j = 0; j < unit->columns->len; j++)
            g_ptr_array_add(columns,
                            unit->link != NULL ? NULL : rp_aggregate_new(rp_unit_column(unit, j)->column));
        g_ptr_array_add(totals->aggregates, columns);
    }
}

void rp_totals_clear(RpTotals *totals) {
    g_clear_pointer(&totals->aggregates, g_ptr_array_unref);
}

static RpAggregate *aggregate_at(const RpTotals *totals, const RpUnit *unit, guint column) {
    return g_ptr_array_index((const GPtrArray *)g_ptr_array_index(totals->aggregates, unit->number), column);
}

void rp_totals_add(RpTotals *totals, const RpUnit *unit, const RpSpan *values) {
    for (guint i = 0; i < unit->columns->len; i++) {
        RpAggregate *aggregate = aggregate_at(totals, unit, i);
        if (aggregate != NULL && values[i].data != NULL)
            rp_aggregate_add(aggregate, values[i]);
    }
}

void rp_totals_merge(RpTotals *totals, const RpUnit *leader, const RpUnit *follower) {
    for (guint i = 0; i < leader->columns->len; i++)
        if (aggregate_at(totals, leader, i) != NULL && aggregate_at(totals, follower, i) != NULL)
            rp_aggregate_merge(aggregate_at(totals, leader, i), aggregate_at(totals, follower, i));
}

void rp_totals_add_all(RpTotals *totals, const RpTotals *others) {
    for (guint i = 0; i < totals->units->units->len; i++) {
        const RpUnit *unit = rp_units_get(totals->units, i);
        for (guint j = 0; j < unit->columns->len; j++)
            if (aggregate_at(totals, unit, j) != NULL)
                rp_aggregate_merge(aggregate_at(totals, unit, j), aggregate_at(others, unit, j));
    }
}

static void compare(const RpUnitColumn *column, const RpAggregate *source, const RpAggregate *target,
                    guint result, GPtrArray *pairs) {
    g_autofree char *of_source = rp_aggregate_show(source, result);
    g_autofree char *of_target = rp_aggregate_show(target, result);
    RpAggregatePair *pair = g_new0(RpAggregatePair, 1);
    pair->name = g_strdup_printf("%s(%s)", rp_aggregate_name(source, result), column->name);
    /* 1.0 is 1.00: of a single result the aggregates themselves are compared. */
    pair->is_equal = rp_aggregate_n_results(source) == 1 ? rp_aggregate_is_equal(source, target)
                                                         : g_strcmp0(of_source, of_target) == 0;
    pair->source = column->is_masked && of_source != NULL ? g_strdup(RP_MASK) : g_steal_pointer(&of_source);
    pair->target = column->is_masked && of_target != NULL ? g_strdup(RP_MASK) : g_steal_pointer(&of_target);
    g_ptr_array_add(pairs, pair);
}

void rp_totals_compare(const RpTotals *source, const RpTotals *target, const RpUnit *unit, GPtrArray *pairs) {
    for (guint i = 0; i < unit->columns->len; i++) {
        const RpAggregate *aggregate = aggregate_at(source, unit, i);
        for (guint j = 0; aggregate != NULL && j < rp_aggregate_n_results(aggregate); j++)
            compare(rp_unit_column(unit, i), aggregate, aggregate_at(target, unit, i), j, pairs);
    }
}
