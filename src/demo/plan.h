/* Which hash of the shop carries which fault, and which hash a good one refers to. */
#pragma once

#include "demo/shop.h"

G_BEGIN_DECLS

/* Plain data. The first n_faulty indexes of an entity are the faulty hashes, kind after kind; the ids are
 * mixed, so this order shows nowhere. */
typedef struct {
    RpShopSpec spec;
    guint64 counts[RP_SHOP_N_ENTITIES];
    guint64 n_faulty[RP_SHOP_N_ENTITIES];
    guint64 planted[RP_SHOP_N_FAULTS];
    guint64 starts[RP_SHOP_N_FAULTS]; /* index of the first hash with that fault, in its entity */
} RpShopPlan;

/* Error: RP_USAGE_ERROR. */
gboolean rp_shop_plan_init(RpShopPlan *plan, const RpShopSpec *spec, GError **error);

/* The fault of a hash, or NULL; *ordinal counts the hashes with that fault from 0. */
const RpShopFault *rp_shop_plan_fault(const RpShopPlan *plan, RpShopEntity entity, guint64 index,
                                      guint64 *ordinal);

/* The index of a good hash, from a number that may be anything. Only where the entity has hashes. */
guint64 rp_shop_plan_good(const RpShopPlan *plan, RpShopEntity entity, guint64 number);

/* The good payment whose field a twin repeats. No two twins have one. */
guint64 rp_shop_plan_twin(const RpShopPlan *plan, const RpShopFault *fault, guint64 ordinal);

G_END_DECLS
