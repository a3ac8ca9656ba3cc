/* What is true of a row of the shop, as functions of seed and index.
 *
 * So a payment computes its order's amount and an order its payment's state, and no row is kept. The payment
 * of rank r pays the good order of rank r. */
#pragma once

#include "demo/ids.h"
#include "demo/plan.h"
#include "demo/random.h"

G_BEGIN_DECLS

#define RP_SHOP_SECOND_US ((guint64)G_USEC_PER_SEC)
#define RP_SHOP_DAY_US    (86400 * RP_SHOP_SECOND_US)
#define RP_SHOP_BASE_US   (1740787200 * RP_SHOP_SECOND_US) /* 2025-03-01T00:00:00 */

/* What a random number decides: each decision has a lane of its own, beyond those of ids.c. */
enum {
    RP_LANE_CREATED = 32,
    RP_LANE_NAME,
    RP_LANE_EMAIL,
    RP_LANE_PROFILE,
    RP_LANE_CUSTOMER_OF,
    RP_LANE_JOB,
    RP_LANE_QUANTITY,
    RP_LANE_PRIORITY,
    RP_LANE_PARAMETERS,
    RP_LANE_WEBHOOK,
    RP_LANE_STATUS,
    RP_LANE_METADATA,
    RP_LANE_INVOICE,
    RP_LANE_QUEUE,
    RP_LANE_PAID,
    RP_LANE_PROCESSED,
    RP_LANES_OF_AN_ENTITY,
};

/* 0 … bound-1, of one decision about one row. */
static inline guint64 rp_shop_roll(const RpShopPlan *plan, RpShopEntity entity, guint64 lane, guint64 index,
                                   guint64 bound) {
    return rp_random_below(rp_random_at(plan->spec.seed, lane + entity * RP_LANES_OF_AN_ENTITY, index),
                           bound);
}

#define RP_SHOP_PICK(words, plan, entity, lane, index)                                                       \
    ((words)[rp_shop_roll((plan), (entity), (lane), (index), G_N_ELEMENTS(words))])

static inline void rp_shop_add_id_of(RpText *text, const RpShopPlan *plan, RpShopEntity entity,
                                     guint64 index) {
    rp_shop_add_id(text, plan->spec.seed, entity, index);
}

/* "customer:{customer_id}:orders". */
void rp_shop_add_set_key(RpText *text, const RpText *customer_id);

typedef enum {
    RP_PAYMENT_COMPLETED,
    RP_PAYMENT_PENDING,
    RP_PAYMENT_FAILED,
    RP_PAYMENT_REFUNDED,
    RP_PAYMENT_NONE, /* of an order that has no payment */
} RpPaymentState;

RpPaymentState rp_shop_payment_state(const RpShopPlan *plan, guint64 payment);
RpPaymentState rp_shop_order_payment(const RpShopPlan *plan, guint64 order);

typedef struct {
    const char *name;
    guint64 cents;          /* for each piece */
    const char *parameters; /* members of a JSON object */
} RpShopJob;

const RpShopJob *rp_shop_order_job(const RpShopPlan *plan, guint64 order);
guint64 rp_shop_order_quantity(const RpShopPlan *plan, guint64 order);
guint64 rp_shop_order_cents(const RpShopPlan *plan, guint64 order);
guint64 rp_shop_order_created_us(const RpShopPlan *plan, guint64 order);

G_END_DECLS
