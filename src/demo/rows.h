/* The rows of the shop, as commands: what the application's code would have written. */
#pragma once

#include "demo/pipe.h"
#include "demo/plan.h"

G_BEGIN_DECLS

/* Each builds every command that belongs to the index-th hash of its entity. */
void rp_shop_write_customer(const RpShopPlan *plan, guint64 index, RpPipe *commands);
void rp_shop_write_order(const RpShopPlan *plan, guint64 index, RpPipe *commands);
void rp_shop_write_payment(const RpShopPlan *plan, guint64 index, RpPipe *commands);

G_END_DECLS
