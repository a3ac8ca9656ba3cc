/* Spreading the faults, and keeping them apart from what refers to what. */
#include "demo/plan.h"

#include "base/error.h"

#include <math.h>

static gboolean check_spec(const RpShopSpec *spec, GError **error) {
    const char *problem = NULL;
    if (!(spec->fault_percent >= 0 && spec->fault_percent <= 100))
        problem = "the share of faults is a number of percent from 0 to 100";
    else if (spec->orders > 0 && spec->customers == 0)
        problem = "orders need at least one customer";
    else if (spec->payments > 0 && spec->orders == 0)
        problem = "payments need at least one order";
    else if (MAX(spec->customers, MAX(spec->orders, spec->payments)) > G_MAXUINT32)
        problem = "more hashes of a kind than 4294967295 are too many";
    if (problem != NULL)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "generated data: %s", problem);
    return problem == NULL;
}

/* Deals the faults out like cards: one to each kind in turn, past entities that have enough. */
static void deal(RpShopPlan *plan, guint64 n_wanted) {
    gboolean is_dealt = TRUE;
    for (guint64 n_dealt = 0; n_dealt < n_wanted && is_dealt;) {
        is_dealt = FALSE;
        for (guint kind = 0; kind < RP_SHOP_N_FAULTS && n_dealt < n_wanted; kind++) {
            const RpShopEntity entity = RP_SHOP_FAULTS[kind].entity;
            if (plan->n_faulty[entity] >= plan->counts[entity] / 2)
                continue;
            plan->planted[kind]++;
            plan->n_faulty[entity]++;
            n_dealt++;
            is_dealt = TRUE;
        }
    }
}

gboolean rp_shop_plan_init(RpShopPlan *plan, const RpShopSpec *spec, GError **error) {
    *plan = (RpShopPlan){.spec = *spec, .counts = {spec->customers, spec->orders, spec->payments}};
    if (!check_spec(spec, error))
        return FALSE;
    const guint64 n_hashes = spec->customers + spec->orders + spec->payments;
    const guint64 n_share = (guint64)llround((double)n_hashes * spec->fault_percent / 100);
    if (spec->fault_percent > 0)
        deal(plan, MAX(n_share, (guint64)RP_SHOP_N_FAULTS));
    guint64 next[RP_SHOP_N_ENTITIES] = {0};
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++) {
        plan->starts[kind] = next[RP_SHOP_FAULTS[kind].entity];
        next[RP_SHOP_FAULTS[kind].entity] += plan->planted[kind];
    }
    return TRUE;
}

const RpShopFault *rp_shop_plan_fault(const RpShopPlan *plan, RpShopEntity entity, guint64 index,
                                      guint64 *ordinal) {
    if (index >= plan->n_faulty[entity])
        return NULL;
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++)
        if (RP_SHOP_FAULTS[kind].entity == entity && index >= plan->starts[kind] &&
            index - plan->starts[kind] < plan->planted[kind]) {
            *ordinal = index - plan->starts[kind];
            return &RP_SHOP_FAULTS[kind];
        }
    g_assert_not_reached();
}

guint64 rp_shop_plan_good(const RpShopPlan *plan, RpShopEntity entity, guint64 number) {
    const guint64 n_good = plan->counts[entity] - plan->n_faulty[entity];
    g_assert(n_good > 0);
    return plan->n_faulty[entity] + number % n_good;
}

guint64 rp_shop_plan_twin(const RpShopPlan *plan, const RpShopFault *fault, guint64 ordinal) {
    guint64 n_before = 0;
    for (const RpShopFault *other = RP_SHOP_FAULTS; other < fault; other++)
        if (other->entity == fault->entity && other->plant == RP_SHOP_PLANT_TWIN)
            n_before += plan->planted[other - RP_SHOP_FAULTS];
    const guint64 index = plan->n_faulty[fault->entity] + n_before + ordinal;
    g_assert(index < plan->counts[fault->entity]);
    return index;
}
