/* At every named event of a sync: one that is killed there and started again ends with what one that was
 * never disturbed has. */
#include "fault.h"
#include "syncing.h"

#include <criterion/parameterized.h>

static const char *const SYNC[] = {"sync", "--until-caught-up",    "--progress", "none", "--batch-rows",
                                   "10",   "--max-delete-percent", "100",        NULL};

/* What a sync meets while all keys are read, and what while it follows. */
static const RpEvent LOADING[] = {
    RP_EVENT_RUN_OPENED,  RP_EVENT_PAGE_READ,       RP_EVENT_BATCH_FILLED,  RP_EVENT_BATCH_MAPPED,
    RP_EVENT_BATCH_BEGUN, RP_EVENT_ROWS_STAGED,     RP_EVENT_ROWS_CHECKED,  RP_EVENT_ROWS_MERGED,
    RP_EVENT_ROWS_PARKED, RP_EVENT_BATCH_ACCOUNTED, RP_EVENT_BEFORE_COMMIT, RP_EVENT_AFTER_COMMIT,
    RP_EVENT_PASS_ENDED,  RP_EVENT_BEFORE_CLOSE,    RP_EVENT_RUN_CLOSED,    RP_EVENT_STREAM_ATTACHED};
static const RpEvent FOLLOWING[] = {
    RP_EVENT_RUN_OPENED,   RP_EVENT_BATCH_FILLED,    RP_EVENT_BATCH_MAPPED,    RP_EVENT_BATCH_BEGUN,
    RP_EVENT_ROWS_STAGED,  RP_EVENT_ROWS_CHECKED,    RP_EVENT_ROWS_MERGED,     RP_EVENT_ROWS_DEPARTED,
    RP_EVENT_ROWS_PARKED,  RP_EVENT_BATCH_ACCOUNTED, RP_EVENT_BEFORE_COMMIT,   RP_EVENT_AFTER_COMMIT,
    RP_EVENT_BEFORE_CLOSE, RP_EVENT_RUN_CLOSED,      RP_EVENT_STREAM_ATTACHED, RP_EVENT_STREAM_READ,
    RP_EVENT_TOUCHED_READ};

static void add_shop(RpCase *test_case, guint first, guint end) {
    for (guint i = first; i < end; i++) {
        g_autofree char *customer = g_strdup_printf("c%u", i), *order = g_strdup_printf("o%u", i);
        g_autofree char *payment = g_strdup_printf("p%u", i);
        rp_case_add_payment(test_case, payment, order);
        rp_case_add_order(test_case, order, customer);
        rp_case_add_customer(test_case, customer);
    }
}

static void change_shop(RpCase *test_case) {
    add_shop(test_case, 20, 25);
    for (guint i = 0; i < 20; i += 3) {
        rp_case_redis(test_case, "HSET order:o%u status paid", i);
        rp_case_redis(test_case, "HSET payment:p%u order_id o%u", i + 1, i);
        rp_case_redis(test_case, "DEL order:o%u", i + 1);
    }
}

static void run_sync(RpCase *test_case, const char *fault, int status) {
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, fault, &out, SYNC);
    rp_outcome_assert_status(&out, status);
}

/* Killed, and started twice: the second one has nothing to do but what the first may have left. */
static void die_and_go_on(RpCase *test_case, const char *fault) {
    run_sync(test_case, fault, 128 + SIGKILL);
    run_sync(test_case, NULL, 0);
}

static void assert_loaded(RpCase *test_case) {
    rp_case_assert_rows(test_case,
                        "SELECT count(*), count(o.id), count(u.id) FROM payments p JOIN orders o ON o.id = "
                        "p.order_id JOIN users u ON u.id = o.customer_id",
                        "20|20|20");
}

static void assert_followed(RpCase *test_case) {
    rp_case_assert_rows(
        test_case,
        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders), (SELECT count(*) "
        "FROM payments), (SELECT count(*) FROM orders WHERE status = 'paid')",
        "25|18|25|7");
    rp_case_assert_rows(test_case,
                        "SELECT count(*) FROM payments p JOIN orders o ON o.id = p.order_id WHERE "
                        "substr(p.payment_id, 2)::integer = substr(o.order_id, 2)::integer + 1",
                        "7");
}

static void assert_account(RpCase *test_case) {
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.parked", "0");
    rp_case_assert_rows(test_case,
                        "SELECT count(*) FROM redis2pg.rejects WHERE resolved_by IS NULL AND replaced_by IS "
                        "NULL",
                        "0");
    rp_case_assert_rows(test_case,
                        "SELECT count(*) FROM redis2pg.batch_counts WHERE read <> inserted + updated + "
                        "unchanged + rejected + filtered + vanished + parked",
                        "0");
}

static RpCase *new_case(void) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    RpCase *test_case = rp_case_new();
    add_shop(test_case, 0, 20);
    return test_case;
}

ParameterizedTestParameters(sync_events, killed_while_all_keys_are_read) {
    return cr_make_param_array(const RpEvent, LOADING, G_N_ELEMENTS(LOADING));
}

ParameterizedTest(const RpEvent *event, sync_events, killed_while_all_keys_are_read) {
    g_autoptr(RpCase) test_case = new_case();
    g_autofree char *fault = rp_fault_text("kill", *event, 1);
    die_and_go_on(test_case, fault);
    assert_loaded(test_case);
    assert_account(test_case);
}

ParameterizedTestParameters(sync_events, killed_while_it_follows) {
    return cr_make_param_array(const RpEvent, FOLLOWING, G_N_ELEMENTS(FOLLOWING));
}

ParameterizedTest(const RpEvent *event, sync_events, killed_while_it_follows) {
    g_autoptr(RpCase) test_case = new_case();
    g_autofree char *fault = rp_fault_text("kill", *event, 1);
    run_sync(test_case, NULL, 0);
    change_shop(test_case);
    die_and_go_on(test_case, fault);
    assert_followed(test_case);
    assert_account(test_case);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs WHERE kind = 'run'", "1");
}
