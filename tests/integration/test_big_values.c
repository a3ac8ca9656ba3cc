/* Values of many megabytes are rejected, and the memory of the program does not grow with them. */
#include "shop.h"

#include <string.h>

#define VALUE_BYTES (20 * 1024 * 1024)

static void add_big_customer(RpCase *test_case, const char *id) {
    g_autofree char *value = g_malloc(VALUE_BYTES);
    memset(value, 'x', VALUE_BYTES);
    memcpy(value, "{\"a\": \"", 7);
    memcpy(value + VALUE_BYTES - 2, "\"}", 2);
    rp_case_add_customer(test_case, id);
    rp_case_redis(test_case, "HSET customer:%s profile_data %b", id, value, (size_t)VALUE_BYTES);
}

static void add_neighbours(RpCase *test_case) {
    for (guint i = 0; i < 30; i++) {
        g_autofree char *id = g_strdup_printf("c%u", i);
        rp_case_add_customer(test_case, id);
    }
}

Test(big_values, a_value_over_its_columns_limit_is_too_long) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_neighbours(test_case);
    add_big_customer(test_case, "big");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "customers", "read 31, inserted 30, rejected 1");
    rp_case_assert_rows(test_case,
                        "SELECT convert_from(key, 'UTF8'), code, column_name, value, length(raw) > 20971520 "
                        "FROM redis2pg.rejects",
                        "customer:big|too_long|profile_data|***|t");
    rp_assert_peak_below(250);
}

Test(big_values, a_key_over_the_limit_is_too_large_and_never_held) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_neighbours(test_case);
    add_big_customer(test_case, "big1");
    add_big_customer(test_case, "big2");
    add_big_customer(test_case, "big3");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--max-value-bytes", "16777216", NULL);
    rp_assert_account(run, "customers", "read 33, inserted 30, rejected 3");
    rp_case_assert_rows(
        test_case,
        "SELECT convert_from(key, 'UTF8'), stage, code, column_name, value, length(raw) < 100 "
        "FROM redis2pg.rejects ORDER BY key",
        "customer:big1|map|too_large|null|null|t\ncustomer:big2|map|too_large|null|null|t\n"
        "customer:big3|map|too_large|null|null|t");
    rp_assert_peak_below(100);
}

Test(big_values, a_small_limit_leaves_the_keys_around_it_alone) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *value = g_strnfill(2000, 'x');
    add_neighbours(test_case);
    rp_case_redis(test_case, "HSET customer:c7 note %s", value);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--max-value-bytes", "1024", NULL);
    rp_assert_account(run, "customers", "read 30, inserted 29, rejected 1");
    rp_case_assert_rows(test_case, "SELECT convert_from(key, 'UTF8'), code FROM redis2pg.rejects",
                        "customer:c7|too_large");
}

/* Many values that each fit: what is held at a time depends on --batch-bytes, not on the data. */
Test(big_values, memory_does_not_grow_with_the_data) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *note = g_strnfill(500 * 1024, 'x');
    for (guint i = 0; i < 200; i++) {
        g_autofree char *id = g_strdup_printf("c%u", i);
        rp_case_add_customer(test_case, id);
        rp_case_redis(test_case, "HSET customer:%s note %s", id, note);
    }
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--batch-bytes", "1048576", NULL);
    rp_assert_account(run, "customers", "read 200, inserted 200");
    rp_assert_peak_below(60);
}
