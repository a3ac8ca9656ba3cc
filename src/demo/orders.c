/* Orders as the shop's code writes them: a hash that expires, and a member of the customer's set. */
#include "demo/facts.h"
#include "demo/row.h"
#include "demo/rows.h"

#define ORDER_TTL    "604800" /* seconds: 7 days */
#define QUEUE_ONE_IN 16
#define SPELL_ONE_IN 4

static const char *const AGENTS[] = {"Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (Macintosh)",
                                     "shop-cli/2.4.1", "python-requests/2.31.0"};
static const char *const ORIGINS[] = {"web", "api", "cli", "partner"};

static const char *order_status(const RpShopPlan *plan, guint64 order) {
    static const char *const AFTER_PAID[] = {"paid",      "processing", "completed",
                                             "completed", "completed",  "failed"};
    static const char *const AFTER_FAILED[] = {"pending", "failed", "cancelled"};
    static const char *const WITHOUT[] = {"pending", "pending", "expired", "cancelled"};
    const char *status = NULL;
    switch (rp_shop_order_payment(plan, order)) {
    case RP_PAYMENT_COMPLETED:
        status = RP_SHOP_PICK(AFTER_PAID, plan, RP_SHOP_ORDERS, RP_LANE_STATUS, order);
        break;
    case RP_PAYMENT_PENDING:
        status = "pending";
        break;
    case RP_PAYMENT_FAILED:
        status = RP_SHOP_PICK(AFTER_FAILED, plan, RP_SHOP_ORDERS, RP_LANE_STATUS, order);
        break;
    case RP_PAYMENT_REFUNDED:
        status = "refunded";
        break;
    case RP_PAYMENT_NONE:
        status = RP_SHOP_PICK(WITHOUT, plan, RP_SHOP_ORDERS, RP_LANE_STATUS, order);
        break;
    }
    /* An old release spelled it the American way. */
    const gboolean is_american =
        rp_shop_roll(plan, RP_SHOP_ORDERS, RP_LANE_METADATA, order, SPELL_ONE_IN) == 0;
    return is_american && strcmp(status, "cancelled") == 0 ? "canceled" : status;
}

static void add_order_customer(RpText *text, const RpRow *row) {
    const RpShopPlan *plan = row->plan;
    const guint64 number =
        rp_random_at(plan->spec.seed, RP_LANE_CUSTOMER_OF + RP_LANES_OF_AN_ENTITY, row->index);
    rp_shop_add_id_of(text, plan, RP_SHOP_CUSTOMERS,
                      rp_row_is(row, RP_SHOP_PLANT_GONE_PARENT)
                          ? plan->counts[RP_SHOP_CUSTOMERS] + row->ordinal
                          : rp_shop_plan_good(plan, RP_SHOP_CUSTOMERS, number));
}

static void put_parameters(RpRow *row) {
    RpText json = {0};
    rp_text_add(&json, "{\"target_url\": \"https://staging-");
    rp_text_add_hex(&json, rp_random_at(row->plan->spec.seed, RP_LANE_PARAMETERS, row->index), 4);
    rp_text_add(&json, ".example.com/app\", ");
    rp_text_add(&json, rp_shop_order_job(row->plan, row->index)->parameters);
    rp_text_add(&json, ", \"timeout_s\": ");
    rp_text_add_number(
        &json, 30 * (1 + rp_shop_roll(row->plan, RP_SHOP_ORDERS, RP_LANE_PARAMETERS, row->index, 20)));
    rp_text_add(&json, "}");
    rp_row_put(row, "parameters", &json);
}

static void put_webhook(RpRow *row) {
    const guint64 percent = rp_shop_roll(row->plan, RP_SHOP_ORDERS, RP_LANE_WEBHOOK, row->index, 100);
    RpText url = {0};
    if (percent >= 45) {
        rp_text_add(&url, percent < 50 ? "http://ci.example.org/hooks/" : "https://hooks.example.com/jobs/");
        rp_text_add_hex(&url, rp_random_at(row->plan->spec.seed, RP_LANE_WEBHOOK, row->index), 12);
    }
    rp_row_put_optional(row, "notification_webhook", percent < 35 ? NULL : &url);
}

static void put_metadata(RpRow *row) {
    const RpShopPlan *plan = row->plan;
    const guint64 i = row->index;
    RpText json = {0};
    rp_text_add(&json, "{\"source\": \"");
    rp_text_add(&json, RP_SHOP_PICK(ORIGINS, plan, RP_SHOP_ORDERS, RP_LANE_METADATA, i));
    rp_text_add(&json, "\", \"user_agent\": \"");
    rp_text_add(&json, RP_SHOP_PICK(AGENTS, plan, RP_SHOP_ORDERS, RP_LANE_INVOICE, i));
    rp_text_add(&json, "\", \"client_ip\": \"203.0.113.");
    rp_text_add_number(&json, rp_shop_roll(plan, RP_SHOP_ORDERS, RP_LANE_METADATA, i ^ 1, 256));
    rp_text_add(&json, "\", \"campaign\": null, \"score\": 0.");
    rp_text_add_number(&json, 1 + rp_shop_roll(plan, RP_SHOP_ORDERS, RP_LANE_METADATA, i ^ 2, 99));
    rp_text_add(&json, "}");
    rp_row_put(row, "metadata", &json);
}

static void put_priority(RpRow *row) {
    static const char *const PRIORITIES[] = {"low",    "normal", "normal", "normal", "normal",
                                             "normal", "high",   "high",   "urgent", ""};
    const char *priority = RP_SHOP_PICK(PRIORITIES, row->plan, RP_SHOP_ORDERS, RP_LANE_PRIORITY, row->index);
    RpText text = {0};
    rp_text_add(&text, priority);
    const gboolean is_absent =
        rp_shop_roll(row->plan, RP_SHOP_ORDERS, RP_LANE_PRIORITY, row->index ^ 1, 20) == 0;
    rp_row_put_optional(row, "priority", is_absent ? NULL : &text);
}

static void put_invoice(RpRow *row) {
    RpText url = {0};
    rp_text_add(&url, "https://shop.example.com/invoices/");
    rp_text_add_hex(&url, rp_random_at(row->plan->spec.seed, RP_LANE_INVOICE, row->index), 16);
    rp_text_add(&url, ".pdf");
    rp_row_put_optional(row, "invoice_url",
                        rp_shop_order_payment(row->plan, row->index) == RP_PAYMENT_COMPLETED ? &url : NULL);
}

static void put_order_fields(RpRow *row, const RpText *customer) {
    const RpShopPlan *plan = row->plan;
    const guint64 created_us = rp_shop_order_created_us(plan, row->index);
    RpText quantity = {0}, total = {0}, created = {0}, expires = {0};
    rp_text_add_number(&quantity, rp_shop_order_quantity(plan, row->index));
    rp_text_add_cents(&total, rp_shop_order_cents(plan, row->index));
    rp_text_add_time(&created, created_us);
    rp_text_add_time(&expires, created_us + RP_SHOP_DAY_US);
    rp_row_put(row, "order_id", &row->id);
    rp_row_put(row, "customer_id", customer);
    rp_row_put_literal(row, "job_type", rp_shop_order_job(plan, row->index)->name);
    rp_row_put(row, "quantity", &quantity);
    put_priority(row);
    put_parameters(row);
    put_webhook(row);
    rp_row_put(row, "total_amount", &total);
    rp_row_put_literal(row, "currency", "USD");
    rp_row_put_literal(row, "status", order_status(plan, row->index));
    rp_row_put(row, "created_at", &created);
    rp_row_put(row, "expires_at", &expires);
    put_metadata(row);
    put_invoice(row);
}

void rp_shop_write_order(const RpShopPlan *plan, guint64 index, RpPipe *commands) {
    RpRow row;
    RpText customer = {0}, set = {0}, queue = {0}, ttl = {0};
    const gboolean is_hash = rp_row_begin(&row, plan, RP_SHOP_ORDERS, index, commands);
    add_order_customer(&customer, &row);
    if (is_hash) {
        put_order_fields(&row, &customer);
        rp_row_end(&row);
    }
    rp_text_add(&ttl, ORDER_TTL);
    rp_row_command(&row, "EXPIRE", &row.key, &ttl);
    rp_shop_add_set_key(&set, &customer);
    if (!rp_row_is(&row, RP_SHOP_PLANT_UNLISTED))
        rp_row_command(&row, "SADD", &set, &row.id);
    rp_text_add(&queue, "test_queue");
    if (rp_shop_roll(plan, RP_SHOP_ORDERS, RP_LANE_QUEUE, index, QUEUE_ONE_IN) == 0)
        rp_row_command(&row, "RPUSH", &queue, &row.id);
}
