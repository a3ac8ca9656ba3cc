/* Generates the shop: each entity's hashes in turn, pipelined. */
#include "demo/shop.h"

#include "demo/pipe.h"
#include "demo/rows.h"

typedef void (*WriteRow)(const RpShopPlan *plan, guint64 index, RpPipe *commands);

static const WriteRow WRITERS[RP_SHOP_N_ENTITIES] = {
    [RP_SHOP_CUSTOMERS] = rp_shop_write_customer,
    [RP_SHOP_ORDERS] = rp_shop_write_order,
    [RP_SHOP_PAYMENTS] = rp_shop_write_payment,
};

static void report_plan(const RpShopPlan *plan, RpShopReport *report) {
    *report = (RpShopReport){.spec = plan->spec};
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++) {
        report->planted[kind] = plan->planted[kind];
        if (RP_SHOP_FAULTS[kind].code != NULL)
            report->entities[RP_SHOP_FAULTS[kind].entity].rejected += plan->planted[kind];
    }
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        RpShopEntityCounts *counts = &report->entities[i];
        counts->hashes = plan->counts[i];
        counts->faulty = plan->n_faulty[i];
        counts->good = counts->hashes - counts->rejected;
    }
}

gboolean rp_shop_forecast(const RpShopSpec *spec, RpShopReport *report, GError **error) {
    RpShopPlan plan;
    if (!rp_shop_plan_init(&plan, spec, error))
        return FALSE;
    report_plan(&plan, report);
    return TRUE;
}

gboolean rp_shop_generate(redisContext *redis, const RpShopSpec *spec, RpShopReport *report,
                          RpShopProgress progress, gpointer user_data, GError **error) {
    RpShopPlan plan;
    if (!rp_shop_plan_init(&plan, spec, error))
        return FALSE;
    const guint64 n_total = spec->customers + spec->orders + spec->payments;
    guint64 n_done = 0;
    g_auto(RpPipe) commands;
    rp_pipe_init(&commands, redis);
    for (guint entity = 0; entity < RP_SHOP_N_ENTITIES; entity++) {
        for (guint64 index = 0; index < plan.counts[entity]; index++, n_done++) {
            WRITERS[entity](&plan, index, &commands);
            if (!rp_pipe_is_full(&commands))
                continue;
            if (!rp_pipe_flush(&commands, error))
                return FALSE;
            if (progress != NULL)
                progress(n_done + 1, n_total, user_data);
        }
    }
    if (!rp_pipe_finish(&commands, error))
        return FALSE;
    if (progress != NULL)
        progress(n_total, n_total, user_data);
    report_plan(&plan, report);
    report->commands = commands.n_commands;
    return TRUE;
}
