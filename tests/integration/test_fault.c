/* The equipment for faults: programs that die, stand still or fail where they are told to, and runs compared.
 */
#include "fault.h"

#include "outcome.h"

#include <signal.h>
#include <string.h>

#define N_CUSTOMERS 60

static const char *const RUN[] = {"run", "--log-level", "debug", "--batch-rows", "50", "--writers",
                                  "3",   "--mappers",   "2",     "--json",       NULL};

static RpCase *new_case(const char *fault_percent) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    RpCase *test_case = rp_case_new();
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    rp_outcome_fill(test_case, N_CUSTOMERS, fault_percent);
    return test_case;
}

Test(fault, a_program_dies_where_it_is_told_to) {
    static const char *const WORDS[] = {"run", "--strategy", "merge", "--batch-rows", "50", NULL};
    g_autoptr(RpCase) test_case = new_case("0");
    g_auto(RpOutcome) out = {0};
    g_autofree char *fault = rp_fault_text("kill", RP_EVENT_AFTER_COMMIT, 3);
    cr_assert(eq(str, fault, "kill:after_commit:3"));
    rp_fault_run(test_case, fault, &out, WORDS);
    rp_outcome_assert_status(&out, 128 + SIGKILL);
    rp_case_assert_rows(test_case, "SELECT count(*) >= 3 FROM redis2pg.batches", "t");
    g_auto(RpOutcome) again = {0};
    rp_fault_run(test_case, NULL, &again, WORDS);
    rp_outcome_assert_status(&again, 0);
}

Test(fault, a_program_stands_still_where_it_is_told_to) {
    static const char *const WORDS[] = {"run", "--quiet", NULL};
    g_autoptr(RpCase) test_case = new_case("0");
    g_auto(RpOutcome) out = {0};
    RpProcess *process = rp_fault_spawn(test_case, "stop:before_close:1", WORDS);
    rp_process_await_stopped(process);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "240");
    rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs", "open");
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
}

Test(fault, events_are_counted_in_the_log) {
    g_autoptr(RpCase) test_case = new_case("0");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RUN);
    rp_outcome_assert_status(&out, 0);
    cr_assert(eq(u64, rp_fault_count(&out, RP_EVENT_RUN_OPENED), 1));
    cr_assert(eq(u64, rp_fault_count(&out, RP_EVENT_REDIS_LOST), 0));
    cr_assert(eq(i64, (gint64)rp_fault_count(&out, RP_EVENT_AFTER_COMMIT),
                 rp_case_sql_number(test_case, "SELECT count(*) FROM redis2pg.batches")));
}

Test(fault, an_outcome_does_not_depend_on_how_a_run_wrote) {
    static const char *const ONE_BY_ONE[] = {"run", "--batch-rows", "1", "--writers", "1", "--quiet", NULL};
    g_autoptr(RpCase) test_case = new_case("10");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, ONE_BY_ONE);
    rp_outcome_assert_status(&out, 1);
    g_autofree char *expected = rp_case_outcome(test_case, 1);
    rp_assert_says(expected, "\nreject payments duplicate_key ");
    rp_assert_says(expected, "\nusers ");
    for (int i = 0; i < 3; i++) {
        rp_case_empty_target(test_case);
        g_auto(RpOutcome) again = {0};
        rp_fault_run(test_case, NULL, &again, RUN);
        rp_outcome_assert_status(&again, 1);
        rp_case_assert_outcome(test_case, rp_case_last_run(test_case), expected, "in other pieces");
    }
}

static void assert_changes_outcome(RpCase *test_case, const char *expected, const char *sql) {
    rp_case_sql(test_case, "BEGIN");
    rp_case_sql(test_case, sql);
    g_autofree char *outcome = rp_case_outcome(test_case, 1);
    rp_case_sql(test_case, "ROLLBACK");
    cr_assert(strcmp(outcome, expected) != 0, "not seen: %s", sql);
}

Test(fault, an_outcome_shows_one_value_that_differs) {
    g_autoptr(RpCase) test_case = new_case("10");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RUN);
    g_autofree char *expected = rp_case_outcome(test_case, 1);
    assert_changes_outcome(test_case, expected,
                           "UPDATE orders SET quantity = 999 WHERE order_id = (SELECT min(order_id) FROM "
                           "orders)");
    assert_changes_outcome(test_case, expected,
                           "DELETE FROM payments WHERE payment_id = (SELECT min(payment_id) FROM payments)");
    assert_changes_outcome(test_case, expected,
                           "INSERT INTO payments SELECT gen_random_uuid(), 'x', order_id FROM payments LIMIT "
                           "0; CREATE TABLE another (n int)");
}
