/* Repairs that something comes in between of. */
#include "fault.h"
#include "repairing.h"

#include <signal.h>

static const char *const REPAIR[] = {"reconcile", "--repair", "--delete-extra", "--json", NULL};

static RpCase *shop_with_ghosts(void) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    RpCase *test_case = rp_case_new();
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    rp_case_fill(test_case, 20, "0");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case, "INSERT INTO users (id, customer_id) SELECT gen_random_uuid(), 'g' || i FROM "
                           "generate_series(1, 3) i");
    return test_case;
}

/* Repairs, and does something when the program stands at the event. */
static json_t *repair_while(RpCase *test_case, const char *fault, int status, void (*act)(RpCase *)) {
    g_auto(RpOutcome) out = {0};
    RpProcess *process = rp_fault_spawn(test_case, fault, REPAIR);
    rp_process_await_stopped(process);
    act(test_case);
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, status);
    return rp_outcome_json(&out);
}

static void touch_row(RpCase *test_case) {
    rp_case_sql(test_case, "UPDATE users SET email = 'a@b.io' WHERE customer_id = 'g1'");
}

Test(repair_faults, a_row_that_somebody_changes_is_not_deleted) {
    g_autoptr(RpCase) test_case = shop_with_ghosts();
    g_autoptr(json_t) result = repair_while(test_case, "stop:batch_begun:1", 1, touch_row);
    assert_repaired(result, "run 2, written 0, deleted 2, left 1");
    rp_case_assert_rows(test_case, "SELECT customer_id, email FROM users WHERE customer_id LIKE 'g_'",
                        "g1|a@b.io");
}

static void add_key(RpCase *test_case) {
    rp_case_add_customer(test_case, "g1");
    rp_case_redis(test_case, "HSET customer:g2 email nonsense");
}

Test(repair_faults, a_row_whose_record_came_back_is_not_deleted) {
    g_autoptr(RpCase) test_case = shop_with_ghosts();
    g_autoptr(json_t) result = repair_while(test_case, "stop:run_opened:1", 1, add_key);
    assert_repaired(result, "run 2, written 0, deleted 1, left 2");
    rp_case_assert_rows(test_case, "SELECT customer_id FROM users WHERE customer_id LIKE 'g_' ORDER BY 1",
                        "g1\ng2");
}

static void add_unknown(RpCase *test_case) {
    rp_case_redis(test_case, "HSET order:odd order_id even");
}

Test(repair_faults, a_record_of_unknown_identity_that_came_keeps_all_rows) {
    g_autoptr(RpCase) test_case = shop_with_ghosts();
    add_ghosts(test_case, "ghost");
    g_autoptr(json_t) result = repair_while(test_case, "stop:run_opened:1", 1, add_unknown);
    assert_repaired(result, "run 2, written 0, deleted 4, left 2");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders WHERE order_id = 'ghost'", "1");
}

/* After SIGINT what is committed stands, and the next repair does the rest; a killed one leaves no less. */
static void end_in_between(const char *fault, int status, const char *left) {
    g_autoptr(RpCase) test_case = shop_with_ghosts();
    rp_case_sql(test_case, "DELETE FROM payments");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, fault, &out, REPAIR);
    rp_outcome_assert_status(&out, status);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users WHERE customer_id LIKE 'g_'", left);
    g_auto(RpOutcome) again = {0};
    rp_fault_run(test_case, NULL, &again, REPAIR);
    rp_outcome_assert_status(&again, 0);
    rp_case_assert_rows(test_case, "SELECT run, status FROM redis2pg.runs WHERE kind = 'repair' ORDER BY run",
                        "2|interrupted\n3|completed");
    g_autoptr(json_t) last = rp_case_roll_back(test_case, 0, "3", NULL);
    g_autoptr(json_t) first = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_case_assert_rows(
        test_case, "SELECT (SELECT count(*) FROM users WHERE customer_id LIKE 'g_'), count(*) FROM payments",
        "3|0");
}

Test(repair_faults, an_interrupted_one_can_be_made_again) {
    end_in_between("interrupt:before_commit:1", 5, "0");
}

Test(repair_faults, a_killed_one_can_be_made_again) {
    end_in_between("kill:before_commit:1", 128 + SIGKILL, "3");
    end_in_between("kill:after_commit:1", 128 + SIGKILL, "0");
}
