/* Payments as the shop's code writes them, twins of good ones among them. */
#include "demo/facts.h"
#include "demo/row.h"
#include "demo/rows.h"

/* The payment whose facts a payment shows: its own, or those of the good one that it is a twin of. */
static guint64 payment_paid(const RpRow *row) {
    return rp_row_is(row, RP_SHOP_PLANT_TWIN) ? rp_shop_plan_twin(row->plan, row->fault, row->ordinal)
                                              : row->index;
}

static gboolean is_twin_in(const RpRow *row, const char *field) {
    return rp_row_is(row, RP_SHOP_PLANT_TWIN) && strcmp(row->fault->column, field) == 0;
}

static void put_payment_ids(RpRow *row, const RpText *order_id) {
    const guint64 seed = row->plan->spec.seed;
    RpText twin_id = {0}, transaction = {0};
    rp_shop_add_id(&twin_id, seed, RP_SHOP_PAYMENTS, payment_paid(row));
    rp_row_put(row, "payment_id", is_twin_in(row, "payment_id") ? &twin_id : &row->id);
    rp_row_put(row, "order_id", order_id);
    rp_shop_add_transaction(&transaction, seed,
                            is_twin_in(row, "transaction_id") ? payment_paid(row) : row->index);
    rp_row_put(row, "transaction_id", &transaction);
}

static void put_payment_times(RpRow *row, guint64 order, RpPaymentState state) {
    const RpShopPlan *plan = row->plan;
    const guint64 created_us =
        rp_shop_order_created_us(plan, order) + RP_SHOP_SECOND_US +
        rp_random_at(plan->spec.seed, RP_LANE_PAID, row->index) % (3600 * RP_SHOP_SECOND_US);
    RpText processed = {0}, created = {0};
    if (state == RP_PAYMENT_COMPLETED || state == RP_PAYMENT_REFUNDED)
        rp_text_add_time(&processed,
                         created_us + rp_random_at(plan->spec.seed, RP_LANE_PROCESSED, row->index) %
                                          (90 * RP_SHOP_SECOND_US));
    rp_row_put_optional(row, "processed_at", state == RP_PAYMENT_FAILED ? NULL : &processed);
    rp_text_add_time(&created, created_us);
    rp_row_put(row, "created_at", &created);
}

void rp_shop_write_payment(const RpShopPlan *plan, guint64 index, RpPipe *commands) {
    static const char *const STATUSES[] = {[RP_PAYMENT_COMPLETED] = "completed",
                                           [RP_PAYMENT_PENDING] = "pending",
                                           [RP_PAYMENT_FAILED] = "failed",
                                           [RP_PAYMENT_REFUNDED] = "refunded"};
    RpRow row;
    RpText order_id = {0}, amount = {0}, paid_orders = {0};
    const gboolean is_hash = rp_row_begin(&row, plan, RP_SHOP_PAYMENTS, index, commands);
    const guint64 order = rp_shop_plan_good(plan, RP_SHOP_ORDERS, payment_paid(&row));
    const RpPaymentState state = rp_shop_payment_state(plan, payment_paid(&row));
    rp_shop_add_id_of(&order_id, plan, RP_SHOP_ORDERS,
                      rp_row_is(&row, RP_SHOP_PLANT_GONE_PARENT) ? plan->counts[RP_SHOP_ORDERS] + row.ordinal
                                                                 : order);
    if (is_hash) {
        put_payment_ids(&row, &order_id);
        rp_row_put_literal(&row, "status", STATUSES[state]);
        rp_text_add_cents(&amount, rp_shop_order_cents(plan, order));
        rp_row_put(&row, "amount", &amount);
        rp_row_put_literal(&row, "currency", "USD");
        put_payment_times(&row, order, state);
        rp_row_end(&row);
    }
    rp_text_add(&paid_orders, "paid_orders");
    if (state == RP_PAYMENT_COMPLETED)
        rp_row_command(&row, "SADD", &paid_orders, &order_id);
}
