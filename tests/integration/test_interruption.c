/* Runs that end in the middle: what is committed stands, no batch is written by halves, the next run goes on.
 */
#include "shop.h"

#include "sandbox/sandbox.h"

#include <signal.h>

#define N_CUSTOMERS 500

/* A run that stands still when it writes to the table: batches of 50, of which some are committed before. */
static RpProcess *start_with_retry(RpCase *test_case, const char *redis_url, PGconn **holder,
                                   const char *table, const char *retry_seconds) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    *holder = rp_case_hold(test_case, table);
    RpProcess *process =
        rp_case_spawn(test_case, "--redis", redis_url, "run", "--strategy", "merge", "--mapping", mapping,
                      "--batch-rows", "50", "--progress", "none", "--retry-seconds", retry_seconds, NULL);
    rp_case_await_blocked(test_case, table, 1);
    return process;
}

static RpProcess *start_and_stall(RpCase *test_case, const char *redis_url, PGconn **holder,
                                  const char *table) {
    return start_with_retry(test_case, redis_url, holder, table, "60");
}

static void wait_for(RpProcess *process, RpOutcome *out, int status) {
    rp_process_wait(process, out);
    rp_outcome_assert_status(out, status);
}

/* The ledger's counts are the rows of the tables. */
static void assert_ledger_agrees(RpCase *test_case) {
    rp_case_assert_rows(
        test_case,
        "SELECT e.entity FROM redis2pg.run_entities e LEFT JOIN redis2pg.batch_counts c ON c.run = e.run AND "
        "c.entity = e.number WHERE e.run = 1 GROUP BY e.entity HAVING coalesce(sum(c.inserted), 0) <> CASE "
        "e.entity WHEN 'customers' THEN (SELECT count(*) FROM users) WHEN 'orders' THEN (SELECT count(*) "
        "FROM orders) ELSE (SELECT count(*) FROM payments) END",
        "");
}

static void assert_next_run_completes(RpCase *test_case) {
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    cr_assert(eq(str, (char *)rp_json_text(run, "status"), "completed"));
    cr_assert(eq(i64, rp_json_number(run, "entities.customers.read"), N_CUSTOMERS));
    rp_case_assert_rows(test_case,
                        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders), (SELECT "
                        "count(*) FROM payments)",
                        "500|2000|1500");
}

static void assert_shown_as(RpCase *test_case, const char *status) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "runs", "show", "1", "--json", NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) shown = rp_outcome_json(&out);
    cr_assert(eq(str, (char *)rp_json_text(shown, "status"), (char *)status));
}

static void interrupt_with(int number) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    PGconn *holder;
    rp_case_fill(test_case, N_CUSTOMERS, "0");
    RpProcess *process = start_and_stall(test_case, test_case->redis_url, &holder, "orders");
    rp_process_signal(process, number);
    g_usleep(300000);
    rp_case_release(holder);
    wait_for(process, &out, 5);
    rp_assert_says(out.errors, "interrupted");
    assert_shown_as(test_case, "interrupted");
    assert_ledger_agrees(test_case);
    const gint64 n_orders = rp_case_sql_number(test_case, "SELECT count(*) FROM orders");
    cr_assert(n_orders > 0 && n_orders < 4 * N_CUSTOMERS, "%d orders", (int)n_orders);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "500");
    assert_next_run_completes(test_case);
}

Test(interruption, sigint_commits_what_is_in_hand) {
    interrupt_with(SIGINT);
}

Test(interruption, sigterm_commits_what_is_in_hand) {
    interrupt_with(SIGTERM);
}

/* The writers wait for a lock that is never released: the second signal cancels their statements. */
Test(interruption, a_second_sigint_aborts_what_is_open) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    PGconn *holder;
    rp_case_fill(test_case, N_CUSTOMERS, "0");
    RpProcess *process = start_and_stall(test_case, test_case->redis_url, &holder, "orders");
    rp_process_signal(process, SIGINT);
    g_usleep(300000);
    rp_process_signal(process, SIGINT);
    wait_for(process, &out, 5);
    rp_case_release(holder);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "500");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "0");
    assert_shown_as(test_case, "interrupted");
    assert_ledger_agrees(test_case);
    assert_next_run_completes(test_case);
}

Test(interruption, sigkill_leaves_whole_batches) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    PGconn *holder;
    rp_case_fill(test_case, N_CUSTOMERS, "0");
    RpProcess *process = start_and_stall(test_case, test_case->redis_url, &holder, "orders");
    rp_process_signal(process, SIGKILL);
    wait_for(process, &out, 128 + SIGKILL);
    rp_case_release(holder);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "500");
    assert_ledger_agrees(test_case);
    assert_next_run_completes(test_case);
}

Test(interruption, a_second_run_is_refused_while_one_works) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) first = {0};
    g_auto(RpOutcome) second = {0};
    PGconn *holder;
    rp_case_fill(test_case, N_CUSTOMERS, "0");
    RpProcess *process = start_and_stall(test_case, test_case->redis_url, &holder, "users");
    rp_case_run(test_case, &second, "run", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&second, 6);
    rp_assert_says(second.errors, "another run works on this target: run 1 on host");
    rp_case_release(holder);
    wait_for(process, &first, 0);
    rp_case_assert_rows(test_case, "SELECT run, status FROM redis2pg.runs", "1|completed");
    assert_next_run_completes(test_case);
}

Test(interruption, redis_dies_and_what_is_committed_stands) {
    g_autoptr(GError) error = NULL;
    const RpSandboxOptions options = {.is_without_postgres = TRUE, .redis_databases = 1};
    g_autoptr(RpSandbox) sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) filled = {0};
    g_auto(RpOutcome) out = {0};
    const char *url = rp_sandbox_get_redis_url(sandbox);
    PGconn *holder;
    rp_case_run(test_case, &filled, "--redis", url, "demo", "--fill", "--faults", "0", "--customers", "500",
                "--orders", "2000", "--payments", "1500", NULL);
    rp_outcome_assert_status(&filled, 0);
    RpProcess *process = start_with_retry(test_case, url, &holder, "orders", "1");
    kill(rp_sandbox_get_redis_pid(sandbox), SIGKILL);
    g_usleep(100000);
    rp_case_release(holder);
    wait_for(process, &out, 5);
    rp_assert_says(out.errors, "Redis");
    rp_assert_says(out.errors, "it is tried again for up to 1 s");
    rp_assert_says(out.errors, "(tried again for 1 s); what is committed stands, and run --resume goes on");
    rp_assert_says(out.errors, rp_sandbox_get_redis_socket(sandbox));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "500");
    assert_shown_as(test_case, "interrupted");
    assert_ledger_agrees(test_case);
}

/* Ends the run's connections that match the condition, as an administrator or a failover would. */
static void terminate_backends(RpCase *test_case, const char *condition) {
    g_autofree char *sql = g_strdup_printf(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'redis2pg' AND %s",
        condition);
    cr_assert(rp_case_sql_number(test_case, sql) > 0);
}

static void assert_all_is_there(RpCase *test_case) {
    rp_case_assert_rows(test_case,
                        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders), (SELECT "
                        "count(*) FROM payments), (SELECT string_agg(status, ',') FROM redis2pg.runs)",
                        "500|2000|1500|completed");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects", "0");
    assert_ledger_agrees(test_case);
}

/* The writers stand after their rows and before their account in the ledger: neither may stay. */
static void drop_the_writers(const char *retry_seconds, int status) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *schema = rp_source_path("schema/shop");
    g_auto(RpOutcome) applied = {0};
    g_auto(RpOutcome) out = {0};
    PGconn *holder;
    rp_case_run(test_case, &applied, "schema", "apply", schema, NULL);
    rp_outcome_assert_status(&applied, 0);
    g_autoptr(json_t) nothing = rp_case_load(test_case, 0, NULL); /* makes the ledger */
    rp_case_sql(test_case, "TRUNCATE redis2pg.runs RESTART IDENTITY CASCADE");
    rp_case_fill(test_case, N_CUSTOMERS, "0");
    RpProcess *process =
        start_with_retry(test_case, test_case->redis_url, &holder, "redis2pg.batches", retry_seconds);
    terminate_backends(test_case, "wait_event_type = 'Lock' AND state = 'active'");
    rp_case_release(holder);
    wait_for(process, &out, status);
    if (status == 0) {
        assert_all_is_there(test_case);
        return;
    }
    rp_assert_says(out.errors, "PostgreSQL");
    assert_shown_as(test_case, "interrupted");
    assert_ledger_agrees(test_case);
    assert_next_run_completes(test_case);
}

Test(interruption, postgres_drops_the_writers_between_rows_and_ledger) {
    drop_the_writers("0", 5);
}

Test(interruption, writers_that_were_dropped_come_back) {
    drop_the_writers("30", 0);
}

static void drop_every_connection(const char *retry_seconds, int status) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    PGconn *holder;
    rp_case_fill(test_case, N_CUSTOMERS, "0");
    RpProcess *process = start_with_retry(test_case, test_case->redis_url, &holder, "orders", retry_seconds);
    terminate_backends(test_case, "true");
    rp_case_release(holder);
    wait_for(process, &out, status);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "500");
    if (status == 0) {
        assert_all_is_there(test_case);
        return;
    }
    assert_ledger_agrees(test_case);
    assert_next_run_completes(test_case);
}

Test(interruption, postgres_drops_every_connection) {
    drop_every_connection("0", 5);
}

Test(interruption, a_run_whose_connections_are_all_dropped_goes_on) {
    drop_every_connection("30", 0);
}
