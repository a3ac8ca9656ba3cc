/* `reconcile --repair --delete-extra` when far too much is extra: this is hardly the right Redis. */
#include "repairing.h"

static RpCase *loaded_shop(void) {
    RpCase *test_case = rp_case_new();
    rp_case_fill(test_case, 50, "0");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    return test_case;
}

static void refuses_to_delete(RpCase *test_case, const char *more, const char *part) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    g_autofree char *before = rp_case_shop_rows(test_case);
    rp_case_run(test_case, &out, "reconcile", "--repair", "--delete-extra", "--mapping", mapping, more, NULL);
    rp_outcome_assert_status(&out, 6);
    rp_assert_says(out.errors, part);
    g_autofree char *after = rp_case_shop_rows(test_case);
    cr_assert(eq(str, after, before));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs WHERE kind = 'repair'", "0");
}

Test(repair_guard, deletes_nothing_when_redis_is_empty) {
    g_autoptr(RpCase) test_case = loaded_shop();
    rp_case_redis(test_case, "FLUSHDB");
    refuses_to_delete(test_case, NULL, "would be deleted, and Redis gives no row of it");
    refuses_to_delete(test_case, "--max-delete-percent=99", "--max-delete-percent (99 now)");
    g_autoptr(json_t) result = repair(test_case, 0, NULL, "--delete-extra", "--max-delete-percent=100");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "0");
}

/* A hundred are deleted without a word; of more, the share counts: 101 of 151 here. */
Test(repair_guard, deletes_no_large_part_of_a_table) {
    g_autoptr(RpCase) test_case = loaded_shop();
    rp_case_sql(test_case, "INSERT INTO payments (id, payment_id, order_id, amount) SELECT gen_random_uuid(),"
                           " 'x' || i, (SELECT min(id::text)::uuid FROM orders), 1"
                           " FROM generate_series(1, 101) i;"
                           "UPDATE payments SET amount = amount + 1 WHERE payment_id NOT LIKE 'x%'");
    g_autofree char *n_rows = g_strdup_printf("101 of the %" G_GINT64_FORMAT " rows of payments",
                                              rp_case_sql_number(test_case, "SELECT count(*) FROM payments"));
    refuses_to_delete(test_case, NULL, n_rows);
    rp_case_sql(test_case, "DELETE FROM payments WHERE payment_id = 'x1'");
    g_autoptr(json_t) result = repair(test_case, 0, NULL, "--delete-extra", NULL);
    assert_differs(result, "payments", "");
}
