/* Each kind of bad input is a reject that says what is wrong with it, and its neighbours are written. */
#include "shop.h"

#include <string.h>

/* One field that was spoiled, and the reject that must come of it. */
typedef struct {
    const char *entity;
    const char *field;
    const char *value; /* NULL: the field is taken away */
    gsize size;
    const char *expected; /* stage|code|column|constraint|value */
} Fault;

#define TEXT(literal) (literal), sizeof(literal) - 1
#define GONE          NULL, 0

static const Fault FAULTS[] = {
    {"customer", "created_at", GONE, "map|missing_field|created_at|null|null"},
    {"customer", "created_at", TEXT("2025-02-30T10:00:00"),
     "map|invalid_timestamp|created_at|null|2025-02-30T10:00:00"},
    {"customer", "profile_data", TEXT("{\"a\": [1,"), "map|invalid_json|profile_data|null|***"},
    {"customer", "profile_data", TEXT("[1, 2]"), "map|invalid_json|profile_data|null|***"},
    {"customer", "email", TEXT("zo\xeb@example.com"), "map|invalid_encoding|email|null|***"},
    {"customer", "email", TEXT("anna.example.com"), "map|format_mismatch|email|null|***"},
    {"order", "order_id", TEXT("another"), "map|rule_failed|order_id|equals|another"},
    {"order", "customer_id", TEXT("nobody"), "stage|missing_reference|customer_id|orders_customer_id_fkey|*"},
    {"order", "customer_id", GONE, "map|missing_field|customer_id|null|null"},
    {"order", "job_type", TEXT("Load"), "map|invalid_value|job_type|null|Load"},
    {"order", "quantity", TEXT("1001"), "map|out_of_range|quantity|null|1001"},
    {"order", "quantity", TEXT("0"), "map|out_of_range|quantity|null|0"},
    {"order", "quantity", TEXT("ten"), "map|invalid_integer|quantity|null|ten"},
    {"order", "quantity", TEXT(" 5"), "map|invalid_integer|quantity|null| 5"},
    {"order", "quantity", TEXT("5.0"), "map|invalid_integer|quantity|null|5.0"},
    {"order", "quantity", TEXT("9223372036854775808"), "map|out_of_range|quantity|null|9223372036854775808"},
    {"order", "priority", TEXT("asap"), "map|invalid_value|priority|null|asap"},
    {"order", "parameters", TEXT("{\"a\": {\"b\": 1}"),
     "map|invalid_json|parameters|null|{\"a\": {\"b\": 1}"},
    {"order", "notification_webhook", TEXT("ftp://example.com/"),
     "map|format_mismatch|notification_webhook|null|ftp://example.com/"},
    {"order", "total_amount", TEXT("12,50"), "map|invalid_decimal|total_amount|null|12,50"},
    {"order", "total_amount", TEXT("10.999"), "map|scale_exceeded|total_amount|null|10.999"},
    {"order", "total_amount", TEXT("-0.01"), "map|out_of_range|total_amount|null|-0.01"},
    {"order", "total_amount", TEXT("123456789.00"), "map|out_of_range|total_amount|null|123456789.00"},
    {"order", "currency", TEXT("DOLLARS"), "map|too_long|currency|null|DOLLARS"},
    {"order", "status", TEXT("shipped"), "map|invalid_value|status|null|shipped"},
    {"order", "expires_at", TEXT("2025-01-01T00:00:00"),
     "stage|rule_failed|null|expires_after_creation|null"},
    {"order", "invoice_url", TEXT("https://a.example/\0.pdf"),
     "map|invalid_encoding|invoice_url|null|https://a.example/\\x00.pdf"},
    {"payment", "amount", TEXT("-19.99"), "stage|check_failed|amount|payments_amount_not_negative|-19.99"},
    {"payment", "amount", TEXT("1e400000"), "map|*"},
    {"payment", "currency", GONE, "map|not_null|currency|null|null"},
    {"payment", "currency", TEXT("usd"), "map|format_mismatch|currency|null|usd"},
    {"payment", "status", TEXT("settled"), "map|invalid_value|status|null|settled"},
    {"payment", "order_id", TEXT("gone"), "stage|missing_reference|order_id|payments_order_id_fkey|*"},
    {"payment", "transaction_id", TEXT("tx\xff\xfe"),
     "map|invalid_encoding|transaction_id|null|tx\\xff\\xfe"},
    {"payment", "processed_at", TEXT("soon"), "map|invalid_timestamp|processed_at|null|soon"},
};

/* customer:f7, order:f7 or payment:f7, spoiled as fault 7 says. */
static void plant(RpCase *test_case, guint number) {
    const Fault *fault = &FAULTS[number];
    g_autofree char *id = g_strdup_printf("f%u", number);
    if (strcmp(fault->entity, "customer") == 0)
        rp_case_add_customer(test_case, id);
    else if (strcmp(fault->entity, "order") == 0)
        rp_case_add_order(test_case, id, "c1");
    else
        rp_case_add_payment(test_case, id, "o1");
    if (fault->value == NULL)
        rp_case_redis(test_case, "HDEL %s:%s %s", fault->entity, id, fault->field);
    else
        rp_case_redis(test_case, "HSET %s:%s %s %b", fault->entity, id, fault->field, fault->value,
                      (size_t)fault->size);
}

static void add_neighbours(RpCase *test_case) {
    rp_case_add_customer(test_case, "c1");
    rp_case_add_customer(test_case, "c2");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "c2");
    rp_case_add_payment(test_case, "p1", "o1");
}

static void assert_neighbours_stand(RpCase *test_case) {
    rp_case_assert_rows(test_case, "SELECT customer_id FROM users ORDER BY 1", "c1\nc2");
    rp_case_assert_rows(test_case, "SELECT order_id FROM orders ORDER BY 1", "o1\no2");
    rp_case_assert_rows(test_case, "SELECT payment_id FROM payments ORDER BY 1", "p1");
}

Test(bad_data, each_fault_is_a_reject_with_its_reason) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_neighbours(test_case);
    for (guint i = 0; i < G_N_ELEMENTS(FAULTS); i++)
        plant(test_case, i);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    cr_assert(eq(i64, rp_json_number(run, "rejects.total"), G_N_ELEMENTS(FAULTS)));
    assert_neighbours_stand(test_case);
    for (guint i = 0; i < G_N_ELEMENTS(FAULTS); i++) {
        g_autofree char *sql =
            g_strdup_printf("SELECT stage, code, column_name, constraint_name, value FROM redis2pg.rejects "
                            "WHERE key = '%s:f%u' AND entity = '%ss'",
                            FAULTS[i].entity, i, FAULTS[i].entity);
        g_autofree char *found = rp_case_sql_rows(test_case, sql);
        cr_assert(g_pattern_match_simple(FAULTS[i].expected, found), "%s %s = %s: %s instead of %s",
                  FAULTS[i].entity, FAULTS[i].field, FAULTS[i].value, found, FAULTS[i].expected);
    }
}

/* Alone in its batch, a fault is found as it is among others. */
Test(bad_data, a_fault_alone_in_its_batch_is_the_same_reject) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_neighbours(test_case);
    for (guint i = 0; i < G_N_ELEMENTS(FAULTS); i++)
        plant(test_case, i);
    const char *const reasons = "SELECT key, stage, code, column_name, constraint_name, message, value, raw "
                                "FROM redis2pg.rejects WHERE run = %d ORDER BY key";
    g_autofree char *first_sql = g_strdup_printf(reasons, 1);
    g_autofree char *second_sql = g_strdup_printf(reasons, 2);
    g_autoptr(json_t) together = rp_case_load(test_case, 1, NULL);
    g_autoptr(json_t) alone = rp_case_load(test_case, 1, "--batch-rows", "1", NULL);
    g_autofree char *first = rp_case_sql_rows(test_case, first_sql);
    rp_case_assert_rows(test_case, second_sql, first);
    assert_neighbours_stand(test_case);
}

Test(bad_data, a_key_of_another_type_keeps_what_it_held) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_neighbours(test_case);
    rp_case_redis(test_case, "SET order:text %b", "not a \x00 hash", (size_t)12);
    rp_case_redis(test_case, "RPUSH payment:list a b");
    rp_case_redis(test_case, "SADD customer:set a");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    assert_neighbours_stand(test_case);
    rp_case_assert_rows(
        test_case,
        "SELECT convert_from(key, 'UTF8'), entity, stage, code, column_name, message FROM redis2pg.rejects "
        "ORDER BY key",
        "customer:set|customers|map|wrong_type|null|the key holds a set, not a hash\n"
        "order:text|orders|map|wrong_type|null|the key holds a string, not a hash\n"
        "payment:list|payments|map|wrong_type|null|the key holds a list, not a hash");
    rp_case_assert_rows(
        test_case,
        "SELECT position('\\x6e6f74206120002068617368'::bytea in raw) > 0 FROM redis2pg.rejects "
        "WHERE key = 'order:text'",
        "t");
}

Test(bad_data, a_key_too_long_for_its_column_is_rejected) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *id = g_strnfill(256, 'x');
    g_autofree char *fits = g_strnfill(255, 'y');
    rp_case_add_customer(test_case, id);
    rp_case_add_customer(test_case, fits);
    rp_case_redis(test_case, "HDEL customer:%s email", fits);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "customers", "read 2, inserted 1, rejected 1");
    rp_case_assert_rows(test_case, "SELECT code, column_name FROM redis2pg.rejects", "too_long|customer_id");
    rp_case_assert_rows(test_case, "SELECT length(customer_id) FROM users", "255");
}

/* What the mapping's SQL refuses is rejected; what it does not want is filtered, and no reject. */
Test(bad_data, a_check_rejects_and_where_filters) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write("redis2pg: 1\n"
                                  "entities:\n"
                                  "  spans:\n"
                                  "    keys: 'span:{name}'\n"
                                  "    type: hash\n"
                                  "    table: spans\n"
                                  "    key: [name]\n"
                                  "    columns: {name: {from: $key.name}, low: low, high: high}\n"
                                  "    checks: {low_before_high: \"low < high -- as it should\"}\n"
                                  "    where: \"low >= 0 -- the others are of no use\"\n");
    rp_case_sql(test_case, "CREATE TABLE spans (name text PRIMARY KEY, low integer, high integer)");
    rp_case_redis(test_case, "HSET span:good low 1 high 2");
    rp_case_redis(test_case, "HSET span:open low 1"); /* null is no false */
    rp_case_redis(test_case, "HSET span:turned low 2 high 1");
    rp_case_redis(test_case, "HSET span:negative low -1 high 1");
    rp_case_redis(test_case, "HSET span:unknown high 1"); /* null is not true */
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", mapping, NULL);
    g_autoptr(json_t) again = rp_case_load(test_case, 1, "--mapping", mapping, NULL);
    rp_file_drop(mapping);
    rp_assert_account(run, "spans", "read 5, inserted 2, rejected 1, filtered 2");
    rp_assert_account(again, "spans", "read 5, unchanged 2, rejected 1, filtered 2");
    rp_case_assert_rows(test_case, "SELECT * FROM spans ORDER BY name", "good|1|2\nopen|1|null");
    rp_case_assert_rows(test_case,
                        "SELECT code, constraint_name, convert_from(key, 'UTF8') FROM redis2pg.rejects WHERE "
                        "run = 1",
                        "rule_failed|low_before_high|span:turned");
}
