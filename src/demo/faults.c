/* Every kind of fault that the generator plants, and the reject that must come of it. */
#include "demo/faults.h"

#define VALUES(...)                                                                                          \
    { __VA_ARGS__ }
#define V(literal)                                                                                           \
    { (literal), sizeof(literal) - 1 }

const RpShopFault RP_SHOP_FAULTS[RP_SHOP_N_FAULTS] = {
    /* clang-format off */
    {"customer_is_string", RP_SHOP_CUSTOMERS, RP_SHOP_PLANT_STRING_KEY, NULL, "wrong_type", NULL,
     "the key of a customer holds a string"},
    {"customer_without_created_at", RP_SHOP_CUSTOMERS, RP_SHOP_PLANT_ABSENT, "created_at", "missing_field", NULL,
     "a required field is absent"},
    {"customer_created_never", RP_SHOP_CUSTOMERS, RP_SHOP_PLANT_VALUE, "created_at", "invalid_timestamp", NULL,
     "a day that does not exist", VALUES(V("2025-02-30T10:00:00.000000"), V("2024-06-31T23:15:00.500000"))},
    {"customer_email_without_at", RP_SHOP_CUSTOMERS, RP_SHOP_PLANT_VALUE, "email", "format_mismatch", NULL,
     "an e-mail address without @", VALUES(V("anna.example.com"), V("none"))},
    {"customer_email_not_utf8", RP_SHOP_CUSTOMERS, RP_SHOP_PLANT_VALUE, "email", "invalid_encoding", NULL,
     "bytes of Latin-1 where UTF-8 is due", VALUES(V("zo\xeb@example.com"), V("j\xfcrgen@example.com"))},
    {"customer_profile_cut", RP_SHOP_CUSTOMERS, RP_SHOP_PLANT_CUT, "profile_data", "invalid_json", NULL,
     "JSON cut in half"},
    {"customer_id_too_long", RP_SHOP_CUSTOMERS, RP_SHOP_PLANT_LONG_ID, "customer_id", "too_long", NULL,
     "an id of more than 255 bytes"},
    {"customer_set_dangling", RP_SHOP_CUSTOMERS, RP_SHOP_PLANT_DANGLING, NULL, NULL, NULL,
     "the customer's set names an order that is gone"},

    {"order_is_string", RP_SHOP_ORDERS, RP_SHOP_PLANT_STRING_KEY, NULL, "wrong_type", NULL,
     "the key of an order holds a string"},
    {"order_unlisted", RP_SHOP_ORDERS, RP_SHOP_PLANT_UNLISTED, NULL, NULL, NULL,
     "the customer's set leaves the order out"},
    {"order_id_differs", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "order_id", "rule_failed", NULL,
     "order_id names another order than the key", VALUES(V("00000000-0000-4000-8000-000000000000"))},
    {"order_id_too_long", RP_SHOP_ORDERS, RP_SHOP_PLANT_LONG_ID, "order_id", "too_long", NULL,
     "an id of more than 255 bytes"},
    {"order_customer_gone", RP_SHOP_ORDERS, RP_SHOP_PLANT_GONE_PARENT, "customer_id", "missing_reference",
     "orders_customer_id_fkey", "the customer has no hash"},
    {"order_job_type_unknown", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "job_type", "invalid_value", NULL,
     "a job type that is none", VALUES(V("smoke"), V("Functional"))},
    {"order_quantity_no_number", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "quantity", "invalid_integer", NULL,
     "a quantity that is no integer", VALUES(V("ten"), V("12 pcs"), V("2.5"))},
    {"order_quantity_over", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "quantity", "out_of_range", NULL,
     "a quantity over 1000", VALUES(V("1001"), V("50000"))},
    {"order_quantity_zero", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "quantity", "out_of_range", NULL,
     "a quantity under 1", VALUES(V("0"), V("-3"))},
    {"order_priority_unknown", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "priority", "invalid_value", NULL,
     "a priority that is none", VALUES(V("asap"), V("2"))},
    {"order_parameters_cut", RP_SHOP_ORDERS, RP_SHOP_PLANT_CUT, "parameters", "invalid_json", NULL,
     "JSON cut in half"},
    {"order_webhook_ftp", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "notification_webhook", "format_mismatch", NULL,
     "a webhook that is neither http nor https", VALUES(V("ftp://hooks.example.com/done"))},
    {"order_total_missing", RP_SHOP_ORDERS, RP_SHOP_PLANT_ABSENT, "total_amount", "missing_field", NULL,
     "a required field is absent"},
    {"order_total_no_number", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "total_amount", "invalid_decimal", NULL,
     "an amount that is no number", VALUES(V("12,50"), V("$49.00"), V("free"))},
    {"order_total_scale", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "total_amount", "scale_exceeded", NULL,
     "parts of a cent", VALUES(V("10.999"), V("0.005"))},
    {"order_total_negative", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "total_amount", "out_of_range", NULL,
     "a negative amount", VALUES(V("-5.00"), V("-0.01"))},
    {"order_currency_too_long", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "currency", "too_long", NULL,
     "a currency of seven letters", VALUES(V("DOLLARS"))},
    {"order_status_unknown", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "status", "invalid_value", NULL,
     "a status outside the vocabulary", VALUES(V("shipped"), V("PAID"), V("in progress"))},
    {"order_created_never", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "created_at", "invalid_timestamp", NULL,
     "a time that does not exist", VALUES(V("2025-02-30T08:00:00.000000"), V("2025-03-01T25:00:00.000000"))},
    {"order_expires_before_creation", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "expires_at", "rule_failed",
     "expires_after_creation", "an order that expired before it was created",
     VALUES(V("2024-03-01T12:00:00.000000"))},
    {"order_metadata_cut", RP_SHOP_ORDERS, RP_SHOP_PLANT_CUT, "metadata", "invalid_json", NULL,
     "JSON cut in half"},
    {"order_invoice_nul", RP_SHOP_ORDERS, RP_SHOP_PLANT_VALUE, "invoice_url", "invalid_encoding", NULL,
     "a NUL byte in a text", VALUES(V("https://shop.example.com/invoices/\0.pdf"))},

    {"payment_is_string", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_STRING_KEY, NULL, "wrong_type", NULL,
     "the key of a payment holds a string"},
    {"payment_id_twice", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_TWIN, "payment_id", "duplicate_key", NULL,
     "two hashes claim one payment"},
    {"payment_id_too_long", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_LONG_ID, "payment_id", "too_long", NULL,
     "an id of more than 255 bytes"},
    {"payment_order_gone", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_GONE_PARENT, "order_id", "missing_reference",
     "payments_order_id_fkey", "the order expired under its payment"},
    {"payment_order_missing", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_ABSENT, "order_id", "missing_field", NULL,
     "a required field is absent"},
    {"payment_transaction_twice", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_TWIN, "transaction_id", "duplicate_key",
     "payments_transaction_id_key", "webhooks raced: two payments carry one transaction"},
    {"payment_transaction_not_utf8", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_VALUE, "transaction_id", "invalid_encoding",
     NULL, "bytes that are not UTF-8", VALUES(V("txn_\xff\xfe"), V("txn_\xc3\x28"))},
    {"payment_status_unknown", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_VALUE, "status", "invalid_value", NULL,
     "a status outside the vocabulary", VALUES(V("settled"), V("chargeback"))},
    {"payment_amount_no_number", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_VALUE, "amount", "invalid_decimal", NULL,
     "an amount that is no number", VALUES(V("19.99 USD"), V("1.2.3"))},
    {"payment_amount_scale", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_VALUE, "amount", "scale_exceeded", NULL,
     "parts of a cent", VALUES(V("10.999"))},
    {"payment_amount_negative", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_VALUE, "amount", "check_failed",
     "payments_amount_not_negative", "a negative amount, which only the table refuses", VALUES(V("-19.99"))},
    {"payment_currency_missing", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_ABSENT, "currency", "not_null", NULL,
     "no currency, and the column is NOT NULL"},
    {"payment_processed_never", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_VALUE, "processed_at", "invalid_timestamp", NULL,
     "a day that does not exist", VALUES(V("2025-02-30T09:30:00.000000"), V("soon"))},
    {"payment_currency_lower", RP_SHOP_PAYMENTS, RP_SHOP_PLANT_VALUE, "currency", "format_mismatch", NULL,
     "a currency in lower case", VALUES(V("usd"))},
    /* clang-format on */
};

const char *rp_shop_entity_name(RpShopEntity entity) {
    switch (entity) {
    case RP_SHOP_CUSTOMERS:
        return "customers";
    case RP_SHOP_ORDERS:
        return "orders";
    case RP_SHOP_PAYMENTS:
        return "payments";
    }
    g_assert_not_reached();
}
