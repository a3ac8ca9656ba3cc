/* Customers as the shop's code writes them. */
#include "demo/facts.h"
#include "demo/row.h"
#include "demo/rows.h"

/* JSON's own escapes, as Python's json.dumps writes what is not ASCII. */
static const char *const FIRST_NAMES[] = {"Anna", "Jos\\u00e9", "Mei", "Zo\\u00eb", "Omar", "Ingrid",
                                          "Tom",  "Priya",      "Leo", "Amina",     "Kofi", "Sofia"};
static const char *const LOGINS[] = {"anna", "jose",  "mei", "zoe",   "omar", "ingrid",
                                     "tom",  "priya", "leo", "amina", "kofi", "sofia"};
static const char *const LAST_NAMES[] = {"Kowalska", "Silva", "Chen",  "de Vries", "Haddad", "Berg",
                                         "Baker",    "Nair",  "Rossi", "Diallo",   "Mensah", "Ivanova"};
static const char *const COUNTRIES[] = {"DE", "US", "BR", "PL", "IN", "NL", "GB", "NG"};
static const char *const PLANS[] = {"free", "team", "business", "enterprise"};
static const char *const DOMAINS[] = {"example.com", "example.org", "example.net", "mail.example.com"};

static void put_email(RpRow *row) {
    const RpShopPlan *plan = row->plan;
    const guint64 i = row->index;
    const guint64 kind = rp_shop_roll(plan, RP_SHOP_CUSTOMERS, RP_LANE_EMAIL, i, 100);
    RpText email = {0};
    if (kind < 5) { /* signed up without one */
        rp_row_put_optional(row, "email", NULL);
        return;
    }
    if (kind >= 8) { /* else the form's field was left empty */
        rp_text_add(&email, RP_SHOP_PICK(LOGINS, plan, RP_SHOP_CUSTOMERS, RP_LANE_NAME, i));
        rp_text_add(&email, ".");
        rp_text_add_hex(&email, rp_random_at(plan->spec.seed, RP_LANE_EMAIL, i), 6);
        rp_text_add(&email, kind < 12 ? "@Example.COM " : "@");
        if (kind >= 12)
            rp_text_add(&email, RP_SHOP_PICK(DOMAINS, plan, RP_SHOP_CUSTOMERS, RP_LANE_PROFILE, i));
    }
    rp_row_put(row, "email", &email);
}

static void put_profile(RpRow *row) {
    const RpShopPlan *plan = row->plan;
    const guint64 i = row->index;
    const guint64 last =
        rp_shop_roll(plan, RP_SHOP_CUSTOMERS, RP_LANE_PROFILE, i ^ 1, G_N_ELEMENTS(LAST_NAMES));
    RpText json = {0};
    rp_text_add(&json, "{\"name\": \"");
    rp_text_add(&json, RP_SHOP_PICK(FIRST_NAMES, plan, RP_SHOP_CUSTOMERS, RP_LANE_NAME, i));
    rp_text_add(&json, " ");
    rp_text_add(&json, LAST_NAMES[last]);
    rp_text_add(&json, "\", \"company\": \"");
    rp_text_add(&json, LAST_NAMES[(last + 5) % G_N_ELEMENTS(LAST_NAMES)]);
    rp_text_add(&json, " Ltd\", \"country\": \"");
    rp_text_add(&json, RP_SHOP_PICK(COUNTRIES, plan, RP_SHOP_CUSTOMERS, RP_LANE_PROFILE, i));
    rp_text_add(&json, "\", \"plan\": \"");
    rp_text_add(&json, RP_SHOP_PICK(PLANS, plan, RP_SHOP_CUSTOMERS, RP_LANE_QUANTITY, i));
    rp_text_add(&json, "\", \"seats\": ");
    rp_text_add_number(&json, 1 + rp_shop_roll(plan, RP_SHOP_CUSTOMERS, RP_LANE_QUANTITY, i ^ 1, 250));
    rp_text_add(&json, ", \"newsletter\": ");
    rp_text_add(&json, last % 2 == 0 ? "true}" : "false}");
    rp_row_put(row, "profile_data", &json);
}

void rp_shop_write_customer(const RpShopPlan *plan, guint64 index, RpPipe *commands) {
    RpRow row;
    if (rp_row_begin(&row, plan, RP_SHOP_CUSTOMERS, index, commands)) {
        rp_row_put(&row, "customer_id", &row.id);
        put_email(&row);
        put_profile(&row);
        RpText created = {0};
        rp_text_add_time(&created,
                         RP_SHOP_BASE_US - 1 -
                             rp_random_at(plan->spec.seed, RP_LANE_CREATED, index) % (365 * RP_SHOP_DAY_US));
        rp_row_put(&row, "created_at", &created);
        rp_row_end(&row);
    }
    if (rp_row_is(&row, RP_SHOP_PLANT_DANGLING)) {
        RpText set = {0}, gone = {0};
        rp_shop_add_set_key(&set, &row.id);
        rp_shop_add_id_of(&gone, plan, RP_SHOP_ORDERS, 2 * (guint64)G_MAXUINT32 + index);
        rp_row_command(&row, "SADD", &set, &gone);
    }
}
