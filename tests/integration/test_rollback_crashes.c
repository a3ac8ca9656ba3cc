/* Rollbacks that are killed, interrupted or meet troubles that pass: the same command goes on, and the end is
 * that of one that nothing disturbed. */
#include "undo.h"

#include <signal.h>
#include <string.h>

#define assert_same(a, b) cr_assert(strcmp((a), (b)) == 0, "%.2000s\ninstead of\n%.2000s", (a), (b))

/* A shop with a first run and a second one that inserts, updates and is followed by changes of somebody else.
 * Gives what the tables hold after an undisturbed rollback of run 2. */
static char *prepare(RpCase *test_case) {
    rp_case_add_customer(test_case, "c1");
    for (guint i = 0; i < 6; i++) {
        g_autofree char *id = g_strdup_printf("%u", i);
        rp_case_add_order(test_case, id, "c1");
    }
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    g_autofree char *before = rp_case_shop_rows(test_case);
    rp_case_redis(test_case, "HSET order:1 status paid");
    rp_case_redis(test_case, "HSET order:2 status paid");
    rp_case_redis(test_case, "HSET customer:c1 email a@example.com");
    rp_case_add_customer(test_case, "c2");
    rp_case_add_order(test_case, "7", "c2");
    rp_case_add_payment(test_case, "p1", "7");
    rp_case_add_payment(test_case, "p2", "1");
    rp_case_add_payment(test_case, "p3", "2");
    g_autoptr(json_t) second = rp_case_load(test_case, 0, "--batch-rows", "1", "--writers", "1", NULL);
    /* Stays, and makes its order and its customer stay: they are tried again in rounds. */
    rp_case_sql(test_case, "UPDATE payments SET amount = 5 WHERE payment_id = 'p1'");
    return g_steal_pointer(&before);
}

static char *whole_state(RpCase *test_case) {
    return rp_case_sql_rows(test_case, "SELECT u.customer_id, u.email, u.created_at FROM users u UNION ALL "
                                       "SELECT o.order_id, o.status::text, "
                                       "o.created_at FROM orders o UNION ALL SELECT p.payment_id, "
                                       "p.amount::text, p.created_at FROM payments p "
                                       "ORDER BY 1");
}

/* The session of a process that was killed holds the lock until the server notices. */
static void await_lock_free(RpCase *test_case) {
    const gint64 limit = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (rp_case_sql_number(test_case,
                              "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                              "(SELECT oid FROM pg_database WHERE datname = current_database())") > 0) {
        cr_assert(g_get_monotonic_time() < limit, "the lock is still held");
        g_usleep(2000);
    }
}

/* Two attempts with the fault, then one without. */
static void finish(RpCase *test_case, const char *fault) {
    for (guint attempt = 0; attempt < 3; attempt++) {
        g_auto(RpOutcome) out = {0};
        if (attempt < 2)
            g_setenv("REDIS2PG_FAULT", fault, TRUE);
        rp_case_run(test_case, &out, "rollback", "2", "--json", "--progress", "none", NULL);
        g_unsetenv("REDIS2PG_FAULT");
        await_lock_free(test_case);
        if (out.status == 6)
            return; /* at its end, or told that it was there already */
        rp_outcome_assert_status(&out, 128 + SIGKILL);
    }
    cr_fail("%s: never ends", fault);
}

static void assert_tables(RpCase *test_case) {
    rp_case_assert_rows(
        test_case,
        "SELECT e.target, coalesce(sum(c.deleted), 0), coalesce(sum(c.updated), 0), (SELECT count(*) "
        "FROM redis2pg.kept k WHERE k.run = 3 AND k.entity = e.number) FROM redis2pg.run_entities e LEFT "
        "JOIN redis2pg.batch_counts c ON c.run = e.run AND c.entity = e.number WHERE e.run = 3 GROUP BY "
        "e.target, e.number ORDER BY e.number",
        "public.users|0|1|1\npublic.orders|0|2|1\npublic.payments|2|0|1");
    rp_case_assert_rows(test_case,
                        "SELECT run, status, undone_by FROM redis2pg.runs WHERE run IN (2, 3) ORDER BY run",
                        "2|rolled_back|3\n3|completed|null");
    rp_case_assert_rows(test_case,
                        "SELECT operation, count(*) FROM redis2pg.undo WHERE run = 3 GROUP BY 1 ORDER BY 1",
                        "delete|2\nupdate|3");
    rp_case_assert_rows(test_case,
                        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'", "");
}

static void assert_end(RpCase *test_case, const char *before) {
    static const char STAYS[] = "c2|c2@example.com|2025-01-02 03:04:05.678901+00";
    g_autofree char *after = whole_state(test_case);
    rp_assert_says(after, STAYS);
    assert_tables(test_case);
    rp_case_sql(test_case, "DELETE FROM payments; DELETE FROM orders WHERE order_id = '7';"
                           "DELETE FROM users WHERE customer_id = 'c2'");
    g_autofree char *rest = rp_case_shop_rows(test_case);
    assert_same(rest, before);
}

static void disturb(const char *action, const char *event, guint number) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *before = prepare(test_case);
    g_autofree char *fault = g_strdup_printf("%s:%s:%u", action, event, number);
    finish(test_case, fault);
    assert_end(test_case, before);
}

static void disturb_at_units(const char *action, const char *event) {
    for (guint number = 1; number <= 9; number += 2)
        disturb(action, event, number);
}

Test(rollback_crashes, undisturbed) {
    disturb("kill", "run_closed", 2);
}

Test(rollback_crashes, killed_when_it_opens) {
    disturb("kill", "run_opened", 1);
}

Test(rollback_crashes, killed_when_it_begins_a_unit) {
    disturb_at_units("kill", "batch_begun");
}

Test(rollback_crashes, killed_after_the_rows) {
    disturb_at_units("kill", "rows_undone");
}

Test(rollback_crashes, killed_after_the_account) {
    disturb_at_units("kill", "batch_accounted");
}

Test(rollback_crashes, killed_before_a_commit) {
    disturb_at_units("kill", "before_commit");
}

Test(rollback_crashes, killed_after_a_commit) {
    disturb_at_units("kill", "after_commit");
}

Test(rollback_crashes, killed_before_and_after_it_closes) {
    disturb("kill", "before_close", 1);
    disturb("kill", "run_closed", 1);
}

/* Each step fails once: the unit is done again, or found to be done. */
Test(rollback_crashes, a_step_that_fails_is_repeated) {
    static const char *const EVENTS[] = {"batch_begun",   "rows_undone",  "batch_accounted",
                                         "before_commit", "after_commit", "before_close"};
    for (guint i = 0; i < G_N_ELEMENTS(EVENTS); i++)
        for (guint number = 1; number <= 5; number += 2)
            disturb("fail", EVENTS[i], number);
}

/* A rollback that another one is undoing does not go on behind its cursor. */
Test(rollback_crashes, one_that_is_being_undone_does_not_go_on) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *before = prepare(test_case);
    static const char *const RUNS[] = {"2", "3"};
    for (guint i = 0; i < G_N_ELEMENTS(RUNS); i++) {
        g_auto(RpOutcome) out = {0};
        g_setenv("REDIS2PG_FAULT", i == 0 ? "kill:after_commit:3" : "kill:after_commit:1", TRUE);
        rp_case_run(test_case, &out, "rollback", RUNS[i], "--progress", "none", NULL);
        g_unsetenv("REDIS2PG_FAULT");
        rp_outcome_assert_status(&out, 128 + SIGKILL);
        await_lock_free(test_case);
    }
    rp_case_refuses_rollback(test_case, 6, "2", "run 3 is being rolled back by run 4: finish that first");
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "3", NULL);
    rp_case_assert_rows(test_case, "SELECT run, status, undone_by FROM redis2pg.runs ORDER BY run",
                        "1|completed|null\n2|completed|null\n3|rolled_back|4\n4|completed|null");
}

/* What is tried again may be given up at once. */
Test(rollback_crashes, without_time_for_troubles_it_is_interrupted) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *before = prepare(test_case);
    g_auto(RpOutcome) out = {0};
    g_setenv("REDIS2PG_FAULT", "fail:rows_undone:3", TRUE);
    rp_case_run(test_case, &out, "rollback", "2", "--retry-seconds", "0", NULL);
    g_unsetenv("REDIS2PG_FAULT");
    rp_outcome_assert_status(&out, 5);
    rp_assert_says(out.errors, "the same command goes on");
    rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs WHERE run = 3", "interrupted");
    rp_case_assert_rows(test_case, "SELECT undone_by, status FROM redis2pg.runs WHERE run = 2",
                        "3|completed");
    finish(test_case, "kill:run_closed:2");
    assert_end(test_case, before);
    rp_case_assert_rows(
        test_case, "SELECT attempt, first_batch FROM redis2pg.attempts WHERE run = 3 ORDER BY 1", "0|0\n1|1");
}

Test(rollback_crashes, interrupted_it_commits_what_is_in_hand) {
    static const char *const EVENTS[] = {"batch_begun", "before_commit", "after_commit"};
    for (guint i = 0; i < G_N_ELEMENTS(EVENTS); i++) {
        g_autoptr(RpCase) test_case = rp_case_new();
        g_autofree char *before = prepare(test_case);
        g_autofree char *fault = g_strdup_printf("interrupt:%s:2", EVENTS[i]);
        g_auto(RpOutcome) out = {0};
        g_setenv("REDIS2PG_FAULT", fault, TRUE);
        rp_case_run(test_case, &out, "rollback", "2", "--progress", "none", NULL);
        g_unsetenv("REDIS2PG_FAULT");
        rp_outcome_assert_status(&out, 5);
        rp_assert_says(out.errors, "interrupted");
        rp_case_assert_rows(test_case, "SELECT status, error FROM redis2pg.runs WHERE run = 3",
                            "interrupted|interrupted by a signal");
        finish(test_case, "kill:run_closed:2");
        assert_end(test_case, before);
    }
}

/* A lost connection is opened again, with the lock. */
Test(rollback_crashes, goes_on_after_postgresql_dropped_it) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *before = prepare(test_case);
    g_auto(RpOutcome) out = {0};
    PGconn *holder = rp_case_hold(test_case, "redis2pg.batches");
    RpProcess *process = rp_case_spawn(test_case, "rollback", "2", "--progress", "none", NULL);
    rp_case_await_blocked(test_case, "redis2pg.batches", 1);
    cr_assert(rp_case_sql_number(
                  test_case, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
                             "current_database() AND application_name = 'redis2pg'") > 0);
    rp_case_release(holder);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 6);
    assert_end(test_case, before);
}

/* Another process that took the rollback over: the first one must not write another batch. */
Test(rollback_crashes, one_that_was_taken_over_stops) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *before = prepare(test_case);
    g_auto(RpOutcome) out = {0};
    PGconn *holder = rp_case_hold(test_case, "payments");
    RpProcess *process = rp_case_spawn(test_case, "rollback", "2", "--progress", "none", NULL);
    rp_case_await_blocked(test_case, "payments", 1);
    rp_case_sql(test_case, "UPDATE redis2pg.runs SET attempt = attempt + 1 WHERE run = 3");
    rp_case_release(holder);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 6);
    rp_assert_says(out.errors, "run 3 was closed by another one");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.batches WHERE run = 3", "0");
    finish(test_case, "kill:run_closed:2");
    assert_end(test_case, before);
}

/* A run that its process left open is closed first. */
Test(rollback_crashes, takes_back_a_run_that_was_killed) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    rp_case_fill(test_case, 20, "0");
    PGconn *holder = rp_case_hold(test_case, "orders");
    RpProcess *process = rp_case_spawn(test_case, "run", "--strategy", "merge", "--mapping", mapping,
                                       "--batch-rows", "7", "--progress", "none", NULL);
    rp_case_await_blocked(test_case, "orders", 1);
    rp_process_signal(process, SIGKILL);
    rp_process_wait(process, &out);
    rp_case_release(holder);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "20");
    await_lock_free(test_case);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", NULL);
    rp_assert_undone(undone, "public.users", "deleted 20");
    rp_case_assert_rows(test_case, "SELECT run, status FROM redis2pg.runs ORDER BY run",
                        "1|rolled_back\n2|completed");
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs WHERE run = 1", "interrupted");
}

/* Triggers are switched off under a lock; who holds the table is waited for, but not in a queue that others
 * must stand in behind us. */
Test(rollback_crashes, waits_for_a_table_that_is_locked) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *before = prepare(test_case);
    g_auto(RpOutcome) out = {0};
    PGconn *holder = rp_case_hold(test_case, "orders");
    RpProcess *process =
        rp_case_spawn(test_case, "rollback", "2", "--progress", "none", "--log-level", "debug", NULL);
    rp_case_await_blocked(test_case, "orders", 1);
    g_usleep(2500000); /* longer than a lock is waited for */
    rp_case_release(holder);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 6);
    rp_assert_says(out.errors, "trying again");
    assert_end(test_case, before);
}

Test(rollback_crashes, gives_up_on_a_table_that_stays_locked) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *before = prepare(test_case);
    g_auto(RpOutcome) out = {0};
    PGconn *holder = rp_case_hold(test_case, "users");
    rp_case_run(test_case, &out, "rollback", "2", "--retry-seconds", "1", "--progress", "none", NULL);
    rp_outcome_assert_status(&out, 5);
    rp_assert_says(out.errors, "55P03");
    rp_case_release(holder);
    finish(test_case, "kill:run_closed:2");
    assert_end(test_case, before);
}

/* A signal ends the waiting for a lock, however long that may last; the second one what PostgreSQL is at. */
Test(rollback_crashes, signals_end_its_waiting) {
    for (guint n_signals = 1; n_signals <= 2; n_signals++) {
        g_autoptr(RpCase) test_case = rp_case_new();
        g_autofree char *before = prepare(test_case);
        g_auto(RpOutcome) out = {0};
        PGconn *holder = rp_case_hold(test_case, "orders");
        RpProcess *process =
            rp_case_spawn(test_case, "rollback", "2", "--progress", "none", "--retry-seconds", "600", NULL);
        rp_case_await_blocked(test_case, "orders", 1);
        const gint64 start = g_get_monotonic_time();
        rp_process_signal(process, SIGINT);
        if (n_signals == 2)
            rp_process_signal(process, SIGTERM);
        rp_process_wait(process, &out);
        cr_assert(g_get_monotonic_time() - start < 60 * G_USEC_PER_SEC);
        rp_case_release(holder);
        rp_outcome_assert_status(&out, 5);
        rp_assert_says(out.errors, "the same command goes on");
        rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs WHERE run = 3", "interrupted");
        finish(test_case, "kill:run_closed:2");
        assert_end(test_case, before);
    }
}

/* The parts of a unit that is taken apart are transactions of their own: between them a signal is seen. */
Test(rollback_crashes, a_signal_is_seen_between_the_parts_of_a_unit) {
    g_autoptr(RpCase) test_case = rp_case_new();
    for (guint i = 0; i < 16; i++) {
        g_autofree char *id = g_strdup_printf("c%u", i);
        rp_case_add_customer(test_case, id);
    }
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case,
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION"
                " 'no'; END$$; CREATE TRIGGER refuse AFTER DELETE ON users FOR EACH ROW WHEN"
                " (OLD.customer_id = 'c3') EXECUTE FUNCTION refuse()");
    g_auto(RpOutcome) out = {0};
    g_setenv("REDIS2PG_FAULT", "interrupt:after_commit:1", TRUE);
    rp_case_run(test_case, &out, "rollback", "1", "--progress", "none", NULL);
    g_unsetenv("REDIS2PG_FAULT");
    rp_outcome_assert_status(&out, 5);
    cr_assert(rp_case_sql_number(test_case, "SELECT count(*) FROM users") > 2);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "1", NULL);
    rp_assert_undone(undone, "public.users", "deleted 15, kept 1");
}

/* A server that says nothing is one that is lost. */
Test(rollback_crashes, an_answer_that_does_not_come_is_waited_for_so_long) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *before = prepare(test_case);
    g_auto(RpOutcome) out = {0};
    PGconn *holder = rp_case_hold(test_case, "orders");
    RpProcess *process = rp_case_spawn(test_case, "rollback", "2", "--progress", "none", "--timeout-seconds",
                                       "1", "--log-level", "debug", NULL);
    rp_case_await_blocked(test_case, "orders", 1);
    g_usleep(1500000); /* longer than an answer is waited for */
    rp_case_release(holder);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 6);
    rp_assert_says(out.errors, "no answer within 1 s");
    assert_end(test_case, before);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs WHERE backend IS NULL", "0");
}
