/* Rolling back runs that changed the same rows: the newest first, and what came in between. */
#include "undo.h"

#include <string.h>

#define assert_same(a, b) cr_assert(strcmp((a), (b)) == 0, "%.2000s\ninstead of\n%.2000s", (a), (b))

enum { N_RUNS = 3 };

/* Three runs, each of which changes what the one before wrote, and adds an order. Gives the rows before the
 * first and after each. */
static void run_three(RpCase *test_case, char *rows[N_RUNS + 1]) {
    static const char *const STATUS[] = {"pending", "paid", "cancelled"};
    rows[0] = rp_case_shop_rows(test_case);
    for (guint i = 0; i < N_RUNS; i++) {
        g_autofree char *order = g_strdup_printf("new%u", i);
        g_autofree char *email = g_strdup_printf("HSET customer:c1 email c1-%u@example.com", i);
        if (i == 0) {
            rp_case_add_customer(test_case, "c1");
            rp_case_add_order(test_case, "o1", "c1");
            rp_case_add_order(test_case, "o2", "c1");
        }
        g_autofree char *status = g_strdup_printf("HSET order:o1 status %s", STATUS[i]);
        rp_case_add_order(test_case, order, "c1");
        rp_case_redis(test_case, email);
        rp_case_redis(test_case, status);
        g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
        rows[i + 1] = rp_case_shop_rows(test_case);
    }
}

static void free_rows(char *rows[N_RUNS + 1]) {
    for (guint i = 0; i <= N_RUNS; i++)
        g_free(rows[i]);
}

/* Rolls a run back, all of it, after which the rows are those. */
static void undo_all(RpCase *test_case, const char *run, const char *expected) {
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, run, NULL);
    cr_assert(eq(i64, rp_json_number(undone, "kept_total"), 0));
    g_autofree char *after = rp_case_shop_rows(test_case);
    assert_same(after, expected);
}

Test(rollback_overlaps, newest_first_all_comes_back) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *rows[N_RUNS + 1];
    run_three(test_case, rows);
    undo_all(test_case, "3", rows[2]);
    undo_all(test_case, "2", rows[1]);
    undo_all(test_case, "1", rows[0]);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "0");
    free_rows(rows);
}

/* The rollbacks are runs: undone the newest first, they give the rows back that they had deleted and
 * restored. */
Test(rollback_overlaps, of_rollbacks_all_comes_again) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *rows[N_RUNS + 1];
    run_three(test_case, rows);
    undo_all(test_case, "3", rows[2]);
    undo_all(test_case, "2", rows[1]);
    undo_all(test_case, "1", rows[0]);
    undo_all(test_case, "6", rows[1]);
    undo_all(test_case, "5", rows[2]);
    undo_all(test_case, "4", rows[3]);
    free_rows(rows);
}

/* A rollback of a rollback, and of that: what run 2 had left was put back twice. */
Test(rollback_overlaps, a_rollback_of_a_rollback_in_between) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *rows[N_RUNS + 1];
    run_three(test_case, rows);
    undo_all(test_case, "3", rows[2]);
    undo_all(test_case, "4", rows[3]);
    undo_all(test_case, "5", rows[2]);
    undo_all(test_case, "2", rows[1]);
    undo_all(test_case, "1", rows[0]);
    free_rows(rows);
}

/* A load over rows that a rollback had put back. */
Test(rollback_overlaps, a_load_in_between) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *rows[N_RUNS + 1];
    run_three(test_case, rows);
    undo_all(test_case, "3", rows[2]);
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_assert_account(run, "orders", "read 5, inserted 1, updated 1, unchanged 3");
    undo_all(test_case, "5", rows[2]);
    undo_all(test_case, "2", rows[1]);
    undo_all(test_case, "1", rows[0]);
    free_rows(rows);
}

Test(rollback_overlaps, a_dry_run_tells_the_same) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *rows[N_RUNS + 1];
    run_three(test_case, rows);
    undo_all(test_case, "3", rows[2]);
    g_autoptr(json_t) trial = rp_case_roll_back(test_case, 0, "2", "--dry-run", NULL);
    rp_assert_undone(trial, "public.orders", "deleted 1, restored 1");
    rp_assert_undone(trial, "public.users", "restored 1");
    undo_all(test_case, "2", rows[1]);
    free_rows(rows);
}

/* What SQL changed before the newest run did so too is back, and is nobody's; so is what it changed after. */
Test(rollback_overlaps, a_foreign_change_stays) {
    static const struct {
        const char *before, *after;
    } CHANGES[] = {{"UPDATE orders SET quantity = 11 WHERE order_id IN ('o1', 'new0')", "SELECT 1"},
                   {"SELECT 1", "UPDATE orders SET quantity = 11 WHERE order_id IN ('o1', 'new0')"}};
    for (guint i = 0; i < G_N_ELEMENTS(CHANGES); i++) {
        g_autoptr(RpCase) test_case = rp_case_new();
        rp_case_add_customer(test_case, "c1");
        rp_case_add_order(test_case, "o1", "c1");
        rp_case_add_order(test_case, "o2", "c1");
        rp_case_add_order(test_case, "new0", "c1");
        g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
        rp_case_sql(test_case, CHANGES[i].before);
        rp_case_redis(test_case, "HSET order:o1 status paid");
        rp_case_redis(test_case, "HSET order:o2 status paid");
        rp_case_redis(test_case, "HSET order:new0 status paid");
        g_autoptr(json_t) second = rp_case_load(test_case, 0, NULL);
        g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "2", NULL);
        rp_case_sql(test_case, CHANGES[i].after);
        g_autoptr(json_t) last = rp_case_roll_back(test_case, 6, "1", NULL);
        rp_assert_undone(last, "public.orders", "deleted 1, kept 2");
        rp_assert_says(rp_json_text(last, "kept.0.reason"), "changed since by");
        rp_case_assert_rows(test_case, "SELECT order_id, status, quantity FROM orders ORDER BY 1",
                            "new0|pending|11\no1|pending|11");
    }
}

/* In the other order the row stays, and the reason names the newer run. */
Test(rollback_overlaps, the_older_first_keeps_what_the_newer_changed) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *rows[N_RUNS + 1];
    run_three(test_case, rows);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "2", NULL);
    rp_assert_undone(undone, "public.orders", "deleted 1, kept 1");
    rp_assert_says(rp_json_text(undone, "kept.0.reason"), "changed since by run 3 (run)");
    rp_case_assert_rows(test_case, "SELECT status FROM orders WHERE order_id = 'o1'", "cancelled");
    free_rows(rows);
}

/* By another key the later run knew another row, perhaps. */
Test(rollback_overlaps, of_an_entity_with_another_key_nothing_is_known) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *rows[N_RUNS + 1];
    run_three(test_case, rows);
    undo_all(test_case, "3", rows[2]);
    rp_case_sql(test_case, "UPDATE redis2pg.run_entities SET key_columns = '{id}' WHERE run = 3 AND entity = "
                           "'orders'");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "2", NULL);
    rp_assert_undone(undone, "public.orders", "deleted 1, kept 1");
    rp_assert_says(rp_json_text(undone, "kept.0.reason"), "changed since by run 4 (rollback)");
    free_rows(rows);
}
