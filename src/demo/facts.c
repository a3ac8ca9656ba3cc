/* Facts that rows of different entities share. */
#include "demo/facts.h"

void rp_shop_add_set_key(RpText *text, const RpText *customer_id) {
    rp_text_add(text, "customer:");
    rp_text_add_bytes(text, customer_id->data, customer_id->size);
    rp_text_add(text, ":orders");
}

RpPaymentState rp_shop_payment_state(const RpShopPlan *plan, guint64 payment) {
    const guint64 percent = rp_shop_roll(plan, RP_SHOP_PAYMENTS, RP_LANE_STATUS, payment, 100);
    return percent < 78   ? RP_PAYMENT_COMPLETED
           : percent < 88 ? RP_PAYMENT_PENDING
           : percent < 95 ? RP_PAYMENT_FAILED
                          : RP_PAYMENT_REFUNDED;
}

RpPaymentState rp_shop_order_payment(const RpShopPlan *plan, guint64 order) {
    const guint64 n_faulty = plan->n_faulty[RP_SHOP_ORDERS];
    if (order < n_faulty || order - n_faulty >= plan->counts[RP_SHOP_PAYMENTS])
        return RP_PAYMENT_NONE;
    return rp_shop_payment_state(plan, order - n_faulty);
}

static const RpShopJob JOBS[] = {
    {"functional", 450, "\"browsers\": [\"chrome\", \"firefox\"], \"suite\": \"checkout\""},
    {"load", 1250, "\"virtual_users\": 250, \"ramp_up_s\": 60, \"think_time_ms\": 1500"},
    {"security", 4900, "\"profile\": \"owasp-top-10\", \"authenticated\": true, \"max_depth\": 4"},
    {"ui", 300, "\"viewports\": [\"1920x1080\", \"390x844\"], \"threshold\": 0.02"},
    {"api", 175, "\"collection\": \"orders-v2\", \"assert_schema\": true, \"retries\": 2"},
    {"regression", 625, "\"baseline\": \"2025.02\", \"suites\": [\"smoke\", \"full\"], \"shards\": 8"},
};

const RpShopJob *rp_shop_order_job(const RpShopPlan *plan, guint64 order) {
    return &RP_SHOP_PICK(JOBS, plan, RP_SHOP_ORDERS, RP_LANE_JOB, order);
}

/* Mostly small, at times all of 1 … 1000. */
guint64 rp_shop_order_quantity(const RpShopPlan *plan, guint64 order) {
    const guint64 number = rp_shop_roll(plan, RP_SHOP_ORDERS, RP_LANE_QUANTITY, order, 40000);
    return number % 40 == 0 ? 1 + number / 40 : 1 + number / 40 % 25;
}

guint64 rp_shop_order_cents(const RpShopPlan *plan, guint64 order) {
    return rp_shop_order_quantity(plan, order) * rp_shop_order_job(plan, order)->cents;
}

guint64 rp_shop_order_created_us(const RpShopPlan *plan, guint64 order) {
    return RP_SHOP_BASE_US + rp_random_at(plan->spec.seed, RP_LANE_CREATED + RP_LANES_OF_AN_ENTITY, order) %
                                 (7 * RP_SHOP_DAY_US);
}
