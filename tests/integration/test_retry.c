/* Troubles that pass: the run repeats what they hit, rejects nobody, and says what it did. */
#include "blackout.h"
#include "fault.h"
#include "outcome.h"
#include "shop.h"

#include <signal.h>

#define N_CUSTOMERS 50

static RpCase *new_case(void) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    RpCase *test_case = rp_case_new();
    rp_case_fill(test_case, N_CUSTOMERS, "0");
    return test_case;
}

static void assert_all_is_there(RpCase *test_case) {
    rp_case_assert_rows(
        test_case,
        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders), (SELECT "
        "count(*) FROM payments), (SELECT string_agg(status, ',') FROM redis2pg.runs), (SELECT "
        "count(*) FROM redis2pg.rejects)",
        "50|200|150|completed|0");
    rp_case_assert_rows(
        test_case, "SELECT sum(read), sum(inserted), sum(rejected) FROM redis2pg.batch_counts", "400|400|0");
}

static const char *const RUN[] = {"run",  "--strategy",  "merge", "--batch-rows",    "40", "--progress",
                                  "none", "--log-level", "debug", "--retry-seconds", "20", NULL};
static const char *const RUN_WITHOUT[] = {
    "run", "--strategy", "merge", "--batch-rows", "40", "--progress", "none", "--retry-seconds", "0", NULL};

static const char *const IMPATIENT[] = {
    "run", "--strategy", "merge", "--batch-rows", "40", "--progress", "none", "--timeout-seconds", "6", NULL};

/* Has the first few statements on a table fail with an SQLSTATE; a sequence counts on through rollbacks. */
static void fail_with(RpCase *test_case, const char *sqlstate, guint n_times) {
    g_autofree char *sql = g_strdup_printf(
        "CREATE SEQUENCE hits; CREATE FUNCTION hit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('hits') <= %u THEN RAISE EXCEPTION 'for a moment' USING ERRCODE = '%s'; END IF; "
        "RETURN NULL; END $$; CREATE TRIGGER hit BEFORE INSERT ON orders FOR EACH STATEMENT EXECUTE FUNCTION "
        "hit()",
        n_times, sqlstate);
    rp_case_sql(test_case, sql);
}

static void assert_survives(const char *sqlstate) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    fail_with(test_case, sqlstate, 3);
    rp_case_run_words(test_case, &out, RUN);
    rp_outcome_assert_status(&out, 0);
    assert_all_is_there(test_case);
    cr_assert(rp_fault_count(&out, RP_EVENT_BATCH_REPEATED) == 3, "%s", out.errors);
}

#define SURVIVES(name_, sqlstate_)                                                                           \
    Test(retry, name_) {                                                                                     \
        assert_survives(sqlstate_);                                                                          \
    }

SURVIVES(a_deadlock, "40P01")
SURVIVES(a_serialization_failure, "40001")
SURVIVES(a_lock_that_is_not_to_be_had, "55P03")
SURVIVES(a_full_disk, "53100")
SURVIVES(too_many_connections, "53300")
SURVIVES(a_server_that_shuts_down, "57P01")

Test(retry, a_trouble_that_lasts_ends_the_run_and_rejects_nobody) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    fail_with(test_case, "40001", 1000000);
    rp_case_run(test_case, &out, "run", "--strategy", "merge", "--retry-seconds", "1", "--progress", "none",
                NULL);
    rp_outcome_assert_status(&out, 5);
    rp_assert_says(out.errors, "for a moment (SQLSTATE 40001) (tried again for 1 s)");
    rp_case_assert_rows(
        test_case, "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM redis2pg.rejects)", "0|0");
}

Test(retry, of_nothing_when_it_may_last_no_time) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    fail_with(test_case, "40001", 1);
    rp_case_run_words(test_case, &out, RUN_WITHOUT);
    rp_outcome_assert_status(&out, 5);
}

/* The sleep after COMMIT would be answered; what is lost is the answer. */
Test(retry, a_commit_whose_answer_was_lost_is_settled_by_the_ledger) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, "fail:after_commit:2,fail:after_commit:5", &out, RUN);
    rp_outcome_assert_status(&out, 0);
    assert_all_is_there(test_case);
    cr_assert(rp_fault_count(&out, RP_EVENT_COMMIT_SETTLED) == 2, "%s", out.errors);
    cr_assert(rp_fault_count(&out, RP_EVENT_BATCH_REPEATED) == 0, "%s", out.errors);
}

Test(retry, a_connection_lost_before_the_commit_repeats_the_batch) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, "fail:before_commit:2,fail:rows_merged:9", &out, RUN);
    rp_outcome_assert_status(&out, 0);
    assert_all_is_there(test_case);
    cr_assert(rp_fault_count(&out, RP_EVENT_COMMIT_SETTLED) == 0, "%s", out.errors);
    cr_assert(rp_fault_count(&out, RP_EVENT_BATCH_REPEATED) == 2, "%s", out.errors);
}

/* A trial's connection is lost: the search begins anew, and finds the same rows. */
Test(retry, a_search_for_bad_rows_survives_its_connection) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    rp_case_sql(
        test_case,
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF hashtext(NEW.order_id) % 20 "
        "= 0 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; CREATE TRIGGER no BEFORE INSERT ON "
        "orders FOR EACH ROW EXECUTE FUNCTION no()");
    rp_fault_run(test_case, "fail:rows_tried:7,fail:rows_tried:12", &out, RUN);
    rp_outcome_assert_status(&out, 1);
    rp_case_assert_rows(
        test_case,
        "SELECT count(*) FILTER (WHERE code = 'database_error') = 200 - (SELECT count(*) FROM orders), "
        "count(*) FILTER (WHERE code = 'database_error') = count(DISTINCT key) FILTER (WHERE code = "
        "'database_error') FROM redis2pg.rejects",
        "t|t");
}

/* ---- Redis ---- */

Test(retry, half_a_page_is_asked_for_again) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, "fail:page_read:1,fail:page_read:4", &out, RUN);
    rp_outcome_assert_status(&out, 0);
    assert_all_is_there(test_case);
    cr_assert(rp_fault_count(&out, RP_EVENT_REDIS_BACK) == 2, "%s", out.errors);
}

/* ---- the end ---- */

Test(retry, a_run_that_could_not_be_closed_is_closed_again) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, "fail:before_close:1", &out, RUN);
    rp_outcome_assert_status(&out, 0);
    assert_all_is_there(test_case);
}

/* A server that came back without a batch that it had committed: the run does not say that it is complete. */
Test(retry, a_batch_that_the_server_lost_is_missed) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    RpProcess *process = rp_fault_spawn(test_case, "stop:pass_ended:3", RUN);
    rp_process_await_stopped(process);
    rp_case_sql(test_case, "DELETE FROM redis2pg.batches WHERE pass = 1 AND number = 1");
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 5);
    rp_assert_says(out.errors, "PostgreSQL has lost 1 batches that it had committed");
    rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs", "interrupted");
}

/* As when the session that was lost commits after the ledger was asked. */
Test(retry, a_batch_that_stands_already_is_settled_and_rejects_nobody) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    RpProcess *process = rp_fault_spawn(test_case, "stop:pass_ended:2", RUN);
    rp_process_await_stopped(process);
    rp_case_sql(
        test_case,
        "INSERT INTO redis2pg.batches (run, pass, number, portion, cursor_after, is_pass_end, keys_scanned, "
        "keys_mapped, keys_ignored, keys_unmapped, is_whole) VALUES (1, 2, 0, 0, 0, false, 0, 0, 0, 0, "
        "true)");
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
    cr_assert(rp_fault_count(&out, RP_EVENT_COMMIT_SETTLED) == 1, "%s", out.errors);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects", "0");
}

/* ---- signals ---- */

/* The whole server stands still: it takes connections, and answers nothing. */
static void interrupt_while_silent(const char *const *words, guint n_signals, gulong before_us,
                                   gint64 most_ms) {
    g_autoptr(RpSandbox) sandbox = rp_blackout_sandbox();
    g_autoptr(RpCase) test_case = rp_blackout_case(sandbox);
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    rp_outcome_fill(test_case, N_CUSTOMERS, "0");
    RpProcess *process = rp_fault_spawn(test_case, "stop:pass_ended:1", words);
    rp_process_await_stopped(process);
    rp_blackout_suspend(sandbox, RP_SANDBOX_POSTGRES);
    rp_process_signal(process, SIGCONT);
    g_usleep(before_us);
    const gint64 start = g_get_monotonic_time();
    for (guint i = 0; i < n_signals; i++) {
        rp_process_signal(process, SIGINT);
        g_usleep(300000); /* two at once are one */
    }
    rp_process_wait(process, &out);
    const gint64 lasted_ms = (g_get_monotonic_time() - start) / 1000;
    rp_blackout_resume(sandbox, RP_SANDBOX_POSTGRES);
    rp_outcome_assert_status(&out, 5);
    cr_assert(lasted_ms < most_ms, "%d ms: %s", (int)lasted_ms, out.errors);
}

/* An answer may still come, until its time is over. */
Test(retry, one_signal_ends_the_waiting_for_a_silent_server) {
    interrupt_while_silent(IMPATIENT, 1, 0, 25000);
}

Test(retry, two_signals_end_it_sooner) {
    interrupt_while_silent(IMPATIENT, 2, 0, 15000);
}

/* The lock's connection is looked at every two seconds, and its answer is waited for, for a minute. */
Test(retry, two_signals_end_the_waiting_for_the_connection_that_holds_the_lock) {
    interrupt_while_silent(RUN, 2, 3 * G_USEC_PER_SEC, 30000);
}

/* As when the server was away for a moment when the signal came. */
Test(retry, a_run_that_was_interrupted_is_closed_on_another_connection) {
    g_autoptr(RpCase) test_case = new_case();
    g_auto(RpOutcome) out = {0};
    RpProcess *process = rp_fault_spawn(test_case, "stop:pass_ended:2", RUN);
    rp_process_await_stopped(process);
    rp_case_sql(test_case, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
                           "current_database() AND pid <> pg_backend_pid()");
    rp_process_signal(process, SIGINT);
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 5);
    rp_assert_keeps_quiet(out.errors, "stays open in the ledger");
    rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs", "interrupted");
}
