/* Ids as an application makes them, computed instead of kept. */
#include "demo/ids.h"

#include "demo/random.h"
#include "demo/shop.h"

/* Lanes of the random sequence; rows.c begins above them. */
enum {
    LANE_CUSTOMER = 1,
    LANE_ORDER_HIGH,
    LANE_ORDER_LOW,
    LANE_PAYMENT,
    LANE_TRANSACTION,
};

/* A version 4 UUID (RFC 9562): 60 bits of one number and 62 of another. */
static void add_uuid(RpText *text, guint64 high, guint64 low) {
    rp_text_add_hex(text, high >> 32, 8);
    rp_text_add(text, "-");
    rp_text_add_hex(text, high >> 16, 4);
    rp_text_add(text, "-4");
    rp_text_add_hex(text, high, 3);
    rp_text_add(text, "-");
    rp_text_add_hex(text, 0x8000 | (low >> 48 & 0x3fff), 4);
    rp_text_add(text, "-");
    rp_text_add_hex(text, low, 12);
}

void rp_shop_add_id(RpText *text, guint64 seed, RpShopEntity entity, guint64 index) {
    switch (entity) {
    case RP_SHOP_CUSTOMERS:
        rp_text_add(text, "cus_");
        rp_text_add_hex(text, rp_random_at(seed, LANE_CUSTOMER, index), 16);
        return;
    case RP_SHOP_ORDERS:
        add_uuid(text, rp_random_at(seed, LANE_ORDER_HIGH, index), rp_random_at(seed, LANE_ORDER_LOW, index));
        return;
    case RP_SHOP_PAYMENTS:
        rp_text_add(text, "pay_");
        rp_text_add_hex(text, rp_random_at(seed, LANE_PAYMENT, index), 16);
        return;
    }
    g_assert_not_reached();
}

void rp_shop_add_transaction(RpText *text, guint64 seed, guint64 index) {
    rp_text_add(text, "txn_");
    rp_text_add_hex(text, rp_random_at(seed, LANE_TRANSACTION, index), 16);
}

char *rp_shop_id(guint64 seed, RpShopEntity entity, guint64 index) {
    RpText text = {0};
    rp_shop_add_id(&text, seed, entity, index);
    return g_strndup(text.data, text.size);
}
