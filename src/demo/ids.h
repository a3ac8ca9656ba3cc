/* The ids of the shop's hashes, each a function of seed and index. */
#pragma once

#include "demo/faults.h"
#include "demo/text.h"

G_BEGIN_DECLS

/* "cus_…", a UUID, "pay_…": no two indexes of an entity have one. */
void rp_shop_add_id(RpText *text, guint64 seed, RpShopEntity entity, guint64 index);

/* "txn_…" of the index-th payment. */
void rp_shop_add_transaction(RpText *text, guint64 seed, guint64 index);

G_END_DECLS
