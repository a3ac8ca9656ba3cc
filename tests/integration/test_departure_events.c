/* A sync that fails or is killed at a named event, and goes on, leaves what an undisturbed one leaves. */
#include "flushing.h"

#include "base/event.h"

#include <criterion/parameterized.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDER(id, customer)                                                                                  \
    "HSET order:" id " order_id " id " customer_id " customer                                                \
    " job_type load quantity 1 total_amount 5.00 status paid created_at 2024-01-01T00:00:00Z"
#define PAYMENT(id, order, transaction)                                                                      \
    "HSET payment:" id " payment_id " id " order_id " order " transaction_id " transaction                   \
    " status completed amount 5.00 currency USD created_at 2024-01-01T00:00:00Z"

/* New rows, an orphan; then rows that go, one that cannot, a unique value that moves, a key that expires;
 * then what sets them free. */
static const Flush FLUSHES[] = {
    {PAYMENT("p2", "o1", "t2") "\n" PAYMENT("p9", "o9", "t9") "\n" ORDER("new", "c2"), NULL,
     "payments payment:p2\npayments payment:p9\norders order:new"},
    {"DEL order:o1 order:o2 order:new\nHSET payment:p1 transaction_id t1\n" PAYMENT("p3", "o3", "tx-p1"),
     NULL, "orders order:o1\norders order:o2 @0\norders order:new\npayments payment:p3\npayments payment:p1"},
    {ORDER("o9", "c1") "\nHSET payment:p2 order_id o3\nHSET payment:p1 order_id o3", NULL,
     "payments payment:p9\norders order:o9\norders order:o1\npayments payment:p2\npayments "
     "payment:p1\npayments payment:p3"}};

static RpCase *new_shop(void) {
    RpCase *test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_customer(test_case, "c2");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "c1");
    rp_case_add_order(test_case, "o3", "c1");
    rp_case_add_payment(test_case, "p1", "o1");
    prepare_sync(test_case, NULL);
    return test_case;
}

static char *outcome_of(RpCase *test_case) {
    return rp_case_sql_rows(
        test_case, "SELECT * FROM (SELECT 'order', order_id, '' FROM orders UNION ALL SELECT 'payment', "
                   "payment_id, transaction_id"
                   " FROM payments UNION ALL SELECT 'parked', entity, code FROM redis2pg.parked UNION ALL "
                   "SELECT 'lifetime', entity,"
                   " (departed_at IS NULL)::text FROM redis2pg.lifetimes UNION ALL SELECT 'holder', entity, "
                   "count(*)::text FROM"
                   " redis2pg.holders GROUP BY entity UNION ALL SELECT 'reject', entity, code FROM "
                   "redis2pg.rejects UNION ALL SELECT"
                   " 'place', replication_id, stream_offset::text FROM redis2pg.sync) o ORDER BY 1, 2, 3");
}

/* What the run counted and can undo, too. */
static char *account_of(RpCase *test_case) {
    return rp_case_sql_rows(
        test_case,
        "SELECT 'batch', batch, entity, read, inserted, updated, unchanged, deleted, vanished, parked"
        " FROM redis2pg.batch_counts WHERE run = 2 UNION ALL SELECT operation, count(*), 0, 0, 0, 0, 0,"
        " 0, 0, 0 FROM redis2pg.undo WHERE run = 2 GROUP BY 1 ORDER BY 1, 2, 3");
}

static char *shop_rows(RpCase *test_case) {
    return rp_case_shop_rows(test_case);
}

static const RpEvent EVENTS[] = {RP_EVENT_BATCH_BEGUN,   RP_EVENT_ROWS_DEPARTED, RP_EVENT_ROWS_STAGED,
                                 RP_EVENT_ROWS_MERGED,   RP_EVENT_ROWS_PARKED,   RP_EVENT_BATCH_ACCOUNTED,
                                 RP_EVENT_BEFORE_COMMIT, RP_EVENT_AFTER_COMMIT};

ParameterizedTestParameters(departure_events, fails_there_and_goes_on) {
    static int numbers[G_N_ELEMENTS(EVENTS) * 3];
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        numbers[i] = (int)i;
    return cr_make_param_array(int, numbers, G_N_ELEMENTS(numbers));
}

ParameterizedTest(int *number, departure_events, fails_there_and_goes_on) {
    g_autoptr(RpCase) reference = new_shop();
    g_autoptr(RpCase) test_case = new_shop();
    g_autofree char *before = shop_rows(test_case);
    sync_flushes(reference, NULL, FLUSHES, G_N_ELEMENTS(FLUSHES), 0);
    g_autofree char *fault =
        g_strdup_printf("fail:%s:%d", rp_event_name(EVENTS[*number % G_N_ELEMENTS(EVENTS)]),
                        (int)(rp_event_count(EVENTS[*number % G_N_ELEMENTS(EVENTS)]) + 1 + *number / 8));
    cr_assert(rp_event_arm(fault, NULL));
    sync_flushes(test_case, NULL, FLUSHES, G_N_ELEMENTS(FLUSHES), 0);
    g_autofree char *expected = outcome_of(reference);
    g_autofree char *got = outcome_of(test_case);
    cr_assert(eq(str, got, expected), "%s", fault);
    g_autofree char *expected_account = account_of(reference);
    g_autofree char *account = account_of(test_case);
    cr_assert(eq(str, account, expected_account), "%s", fault);
    cr_assert(rp_event_count(RP_EVENT_BATCH_REPEATED) + rp_event_count(RP_EVENT_COMMIT_SETTLED) > 0, "%s",
              fault);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "2", NULL);
    g_autofree char *after = shop_rows(test_case);
    cr_assert(eq(str, after, before), "%s", fault);
}

ParameterizedTestParameters(departure_events, killed_there_and_begun_again) {
    static int numbers[G_N_ELEMENTS(EVENTS)];
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        numbers[i] = (int)i;
    return cr_make_param_array(int, numbers, G_N_ELEMENTS(numbers));
}

ParameterizedTest(int *number, departure_events, killed_there_and_begun_again) {
    g_autoptr(RpCase) reference = new_shop();
    g_autoptr(RpCase) test_case = new_shop();
    g_autofree char *fault = g_strdup_printf("kill:%s:2", rp_event_name(EVENTS[*number]));
    const pid_t child = fork();
    if (child == 0) {
        rp_event_arm(fault, NULL);
        sync_flushes(test_case, NULL, FLUSHES, G_N_ELEMENTS(FLUSHES), 0);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    const gboolean is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    cr_assert(is_killed, "%s: %d", fault, status);
    sync_flushes(test_case, NULL, FLUSHES, G_N_ELEMENTS(FLUSHES), 0);
    sync_flushes(reference, NULL, FLUSHES, G_N_ELEMENTS(FLUSHES), 0);
    g_autofree char *expected = outcome_of(reference);
    g_autofree char *got = outcome_of(test_case);
    cr_assert(eq(str, got, expected), "%s", fault);
}
