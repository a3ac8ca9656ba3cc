/* What the options of a run change, and what they must not: the tables. */
#include "shop.h"

#include <string.h>

static const char *const SETTINGS[][5] = {
    {"--batch-rows", "1"},
    {"--batch-rows", "1000000"},
    {"--batch-bytes", "65536"},
    {"--writers", "1", "--batch-rows", "20"},
    {"--writers", "4", "--batch-rows", "20"},
    {"--mappers", "2", "--batch-rows", "20"},
};

/* Every column but updated_at, which says when the row was written. */
static char *dump_tables(RpCase *test_case) {
    return rp_case_sql_rows(test_case,
                            "SELECT 'u', to_jsonb(t) - 'updated_at' FROM users t UNION ALL "
                            "SELECT 'o', to_jsonb(t) - 'updated_at' FROM orders t UNION ALL "
                            "SELECT 'p', to_jsonb(t) - 'updated_at' FROM payments t ORDER BY 1, 2");
}

static void empty_target(RpCase *test_case) {
    rp_case_sql(test_case, "TRUNCATE users, orders, payments; SET client_min_messages = error;"
                           "DROP SCHEMA redis2pg CASCADE");
}

Test(run_settings, batches_and_threads_do_not_change_the_tables) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 40, "0");
    g_autoptr(json_t) plain = rp_case_load(test_case, 0, NULL);
    rp_assert_account(plain, "orders", "read 160, inserted 160");
    g_autofree char *expected = dump_tables(test_case);
    for (guint i = 0; i < G_N_ELEMENTS(SETTINGS); i++) {
        empty_target(test_case);
        const char *const *words = SETTINGS[i];
        g_autoptr(json_t) run = rp_case_load(test_case, 0, words[0], words[1], words[2], words[3], NULL);
        g_autofree char *dump = dump_tables(test_case);
        cr_assert(strcmp(dump, expected) == 0, "%s %s gives other tables:\n%s\ninstead of\n%s", words[0],
                  words[1], dump, expected);
    }
}

Test(run_settings, batches_and_threads_do_not_change_the_account) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 50, "12");
    g_autoptr(json_t) plain = rp_case_load(test_case, 1, NULL);
    cr_assert(rp_json_number(plain, "rejects.total") >= 40);
    for (guint i = 0; i < G_N_ELEMENTS(SETTINGS); i++) {
        empty_target(test_case);
        const char *const *words = SETTINGS[i];
        g_autoptr(json_t) run = rp_case_load(test_case, 1, words[0], words[1], words[2], words[3], NULL);
        cr_assert(json_equal(rp_json_at(run, "entities"), rp_json_at(plain, "entities")), "%s %s", words[0],
                  words[1]);
        cr_assert(json_equal(rp_json_at(run, "rejects"), rp_json_at(plain, "rejects")), "%s %s", words[0],
                  words[1]);
        cr_assert(json_equal(rp_json_at(run, "keys"), rp_json_at(plain, "keys")), "%s %s", words[0],
                  words[1]);
    }
}

Test(run_settings, a_batch_holds_as_many_rows_as_it_was_told) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 10, "0");
    g_autoptr(json_t) run =
        rp_case_load(test_case, 0, "--strategy", "merge", "--batch-rows", "1000000", NULL);
    rp_case_assert_rows(test_case, "SELECT pass, count(*) FROM redis2pg.batches GROUP BY 1 ORDER BY 1",
                        "0|1\n1|1\n2|1");
    empty_target(test_case);
    g_autoptr(json_t) single = rp_case_load(test_case, 0, "--strategy", "merge", "--batch-rows", "1", NULL);
    cr_assert(rp_case_sql_number(test_case, "SELECT count(*) FROM redis2pg.batches WHERE pass = 1") >= 10);
}

Test(run_settings, one_entity_alone_leaves_the_others_out) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 10, "0");
    g_autoptr(json_t) customers = rp_case_load(test_case, 0, "--entity", "customers", NULL);
    rp_assert_account(customers, "customers", "read 10, inserted 10");
    rp_assert_account(customers, "orders", "");
    rp_assert_account(customers, "payments", "");
    cr_assert(eq(i64, rp_json_number(customers, "keys.mapped"), 10));
    cr_assert(eq(i64, rp_json_number(customers, "keys.unmapped"), 0));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "0");
    g_autoptr(json_t) rest = rp_case_load(test_case, 0, "--entity", "orders", "--entity", "payments", NULL);
    rp_assert_account(rest, "customers", "");
    rp_assert_account(rest, "orders", "read 40, inserted 40");
    rp_assert_account(rest, "payments", "read 30, inserted 30");
}

Test(run_settings, a_child_alone_has_no_parent) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--entity", "orders", NULL);
    rp_assert_account(run, "orders", "read 1, rejected 1");
    cr_assert(eq(i64, rp_json_number(run, "rejects.by_code.missing_reference"), 1));
}

static void add_bad_orders(RpCase *test_case, guint n) {
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "good", "c1");
    for (guint i = 0; i < n; i++) {
        g_autofree char *id = g_strdup_printf("bad%u", i);
        rp_case_add_order(test_case, id, "c1");
        rp_case_redis(test_case, "HSET order:%s quantity 1001", id);
    }
}

Test(run_settings, rejects_are_a_finding_unless_they_are_allowed) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_bad_orders(test_case, 2);
    g_autoptr(json_t) strict = rp_case_load(test_case, 1, NULL);
    g_autoptr(json_t) lenient = rp_case_load(test_case, 0, "--allow-rejects", NULL);
    rp_assert_account(strict, "orders", "read 3, inserted 1, rejected 2");
    rp_assert_account(lenient, "orders", "read 3, unchanged 1, rejected 2");
    cr_assert(eq(str, (char *)rp_json_text(lenient, "status"), "completed_with_rejects"));
}

Test(run_settings, as_many_rejects_as_the_limit_are_no_reason_to_stop) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_bad_orders(test_case, 3);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--max-rejects", "3", NULL);
    rp_assert_account(run, "orders", "read 4, inserted 1, rejected 3");
}

Test(run_settings, more_rejects_than_the_limit_stop_the_run) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    add_bad_orders(test_case, 3);
    rp_case_add_payment(test_case, "p1", "good");
    rp_case_run(test_case, &out, "run", "--strategy", "merge", "--mapping", mapping, "--max-rejects", "2",
                "--allow-rejects", NULL);
    rp_outcome_assert_status(&out, 6);
    rp_assert_says(out.errors, "3 rejects are more than --max-rejects 2");
    rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs", "interrupted");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "1");   /* what is committed stands */
    rp_case_assert_rows(test_case, "SELECT count(*) FROM payments", "0"); /* and nothing came after it */
}
