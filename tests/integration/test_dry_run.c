/* Dry runs: they tell what a run would do, and leave nothing. */
#include "rehearsal.h"
#include "shop.h"

#include <signal.h>

/* The words of a run over the shop. */
static const char *const *shop_words(const char *option, const char *value) {
    static const char *words[8];
    static char *mapping;
    g_free(mapping);
    mapping = rp_source_path("mappings/shop.yaml");
    words[0] = "--mapping";
    words[1] = mapping;
    words[2] = "--batch-rows";
    words[3] = "50";
    words[4] = option;
    words[5] = option != NULL ? value : NULL;
    words[6] = NULL;
    return words;
}

/* A dry run and a run, which must tell the same; gives what the run told. */
static json_t *rehearse_and_load(RpCase *test_case, int status) {
    g_autoptr(json_t) rehearsal = rp_case_rehearse(test_case, status, shop_words(NULL, NULL));
    json_t *run = rp_case_load(test_case, status, "--batch-rows", "50", "--writers", "1", NULL);
    rp_assert_tells_the_same(rehearsal, run);
    return run;
}

/* ---- what it tells ---- */

Test(dry_run, of_faulty_data_tells_what_a_run_does) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 200, "40");
    g_autoptr(json_t) run = rehearse_and_load(test_case, 1);
    cr_assert(rp_json_number(run, "rejects.total") > 100);
}

Test(dry_run, creates_no_ledger) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 20, "0");
    g_autoptr(json_t) rehearsal = rp_case_rehearse(test_case, 0, shop_words(NULL, NULL));
    rp_assert_account(rehearsal, "payments", "read 60, inserted 60");
    rp_case_assert_rows(test_case, "SELECT to_regnamespace('redis2pg') IS NULL", "t");
}

Test(dry_run, over_rows_that_stand_tells_what_a_run_does) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 100, "20");
    g_autoptr(json_t) first = rp_case_load(test_case, 1, NULL);
    rp_case_sql(test_case, "UPDATE orders SET quantity = quantity % 1000 + 1 WHERE md5(order_id) < '4';"
                           "DELETE FROM payments WHERE md5(payment_id) < '4'");
    rp_case_add_customer(test_case, "new");
    rp_case_add_order(test_case, "new", "new");
    g_autoptr(json_t) run = rehearse_and_load(test_case, 1);
    cr_assert(rp_json_number(run, "entities.orders.updated") > 0);
    cr_assert(rp_json_number(run, "entities.orders.unchanged") > 0);
    cr_assert(rp_json_number(run, "entities.payments.inserted") > 0);
}

/* More units than a snapshot of others has room for. */
Test(dry_run, of_very_many_batches_tells_what_a_run_does) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 20, "10");
    g_autoptr(json_t) rehearsal = rp_case_rehearse(test_case, 1, shop_words("--batch-rows", "1"));
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--batch-rows", "1", "--writers", "1", NULL);
    rp_assert_tells_the_same(rehearsal, run);
    cr_assert(rp_case_sql_number(test_case, "SELECT count(*) FROM redis2pg.batches") > 100);
}

/* A trigger that catches its own errors has units of its own, and one that writes elsewhere leaves nothing
 * there; a constraint that waits for COMMIT is checked as it is in a run. */
Test(dry_run, heeds_triggers_policies_and_constraints_that_wait) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 40, "0");
    rp_case_sql(
        test_case,
        "CREATE TABLE seen (id text UNIQUE);"
        "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        "  BEGIN INSERT INTO seen VALUES (NEW.customer_id); EXCEPTION WHEN unique_violation THEN NULL; END;"
        "  IF NEW.quantity % 7 = 3 THEN RAISE 'no'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER look BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION look();"
        "ALTER TABLE payments ADD CONSTRAINT late FOREIGN KEY (currency) REFERENCES seen (id) NOT VALID"
        " DEFERRABLE INITIALLY DEFERRED; INSERT INTO seen VALUES ('USD')");
    g_autoptr(json_t) run = rehearse_and_load(test_case, 1);
    cr_assert(rp_json_number(run, "rejects.by_code.database_error") > 0);
    cr_assert(rp_json_number(run, "rejects.by_code.missing_reference") > 0);
}

/* What is older than this program is brought up to date for the time of the dry run. */
Test(dry_run, leaves_an_old_ledger_old) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 20, "0");
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    rp_case_undo_ledger(test_case, 3);
    g_autoptr(json_t) rehearsal = rp_case_rehearse(test_case, 0, shop_words(NULL, NULL));
    rp_assert_account(rehearsal, "orders", "read 80, unchanged 80");
    rp_case_assert_rows(test_case, "SELECT max(version::int) FROM redis2pg.schema_migrations", "3");
}

Test(dry_run, ends_with_the_status_that_a_run_would_have) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 40, "30");
    g_autoptr(json_t) allowed = rp_case_rehearse(test_case, 0, shop_words("--allow-rejects", NULL));
    g_autoptr(json_t) stopped = rp_case_rehearse(test_case, 6, shop_words("--max-rejects", "3"));
    cr_assert(eq(str, (char *)rp_json_text(stopped, "status"), "interrupted"));
    g_autoptr(json_t) rehearsal = rp_case_rehearse(test_case, 1, shop_words(NULL, NULL));
}

Test(dry_run, shows_examples_of_rejects_in_its_text) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_redis(test_case, "HSET order:o1 quantity 1001");
    rp_case_run(test_case, &out, "run", "--dry-run", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.output, "dry run: would complete with rejects in ");
    rp_assert_says(out.output, "nothing of it is left");
    rp_assert_says(out.output, "orders, out_of_range, order:o1: quantity is ");
    rp_assert_keeps_quiet(out.output, "rejects list");
}

Test(dry_run, does_not_go_with_resume) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    g_autofree char *picture = rp_case_picture(test_case);
    rp_case_run(test_case, &out, "run", "--dry-run", "--resume", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "--dry-run does not go with --resume");
    rp_case_assert_untouched(test_case, picture);
}

/* ---- disturbances ---- */

/* A dry run that waits for a table, in the middle of its work. */
static RpProcess *start_and_stall(RpCase *test_case, PGconn **holder) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    *holder = rp_case_hold(test_case, "orders");
    RpProcess *process = rp_case_spawn(test_case, "run", "--dry-run", "--json", "--mapping", mapping,
                                       "--batch-rows", "50", "--progress", "none", NULL);
    rp_case_await_blocked(test_case, "orders", 1);
    return process;
}

static const char TO_BLOCKED_SESSION[] =
    "SELECT %s(pid) FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())";

/* What is asked of PostgreSQL about the session that waits, or NULL for signals to the program. */
static void disturb(const char *function, int n_signals, gboolean is_released, int status, const char *says) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    PGconn *holder;
    rp_case_fill(test_case, 60, "0");
    g_autofree char *picture = rp_case_picture(test_case);
    RpProcess *process = start_and_stall(test_case, &holder);
    g_autofree char *sql = function != NULL ? g_strdup_printf(TO_BLOCKED_SESSION, function) : NULL;
    if (sql != NULL)
        rp_case_assert_rows(test_case, sql, "t");
    for (int i = 0; i < n_signals; i++) {
        rp_process_signal(process, SIGINT);
        g_usleep(300000); /* two of them at once would be one */
    }
    if (is_released)
        rp_case_release(holder);
    rp_process_wait(process, &out);
    if (!is_released)
        rp_case_release(holder);
    rp_outcome_assert_status(&out, status);
    rp_assert_says(status == 0 ? out.output : out.errors, says);
    rp_case_assert_untouched(test_case, picture);
}

Test(dry_run, a_signal_ends_it_and_nothing_is_left) {
    disturb(NULL, 1, TRUE, 5, "dry run: interrupted by a signal; nothing of it is left");
}

Test(dry_run, a_second_signal_waits_for_nothing) {
    disturb(NULL, 2, FALSE, 5, "dry run: interrupted by a signal; nothing of it is left");
}

Test(dry_run, a_session_that_is_lost_ends_it) {
    disturb("pg_terminate_backend", 0, TRUE, 5, "; nothing of it is left");
}

Test(dry_run, a_statement_that_is_cancelled_is_repeated) {
    disturb("pg_cancel_backend", 0, TRUE, 0, "\"status\": \"dry_run\"");
}

/* ---- others ---- */

/* Whether there is a ledger that could tell who it is or not. */
static void keeps_others_out(gboolean has_ledger) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0}, first = {0};
    PGconn *holder;
    rp_case_fill(test_case, 20, "0");
    if (has_ledger) {
        g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
        rp_case_sql(test_case, "TRUNCATE orders CASCADE");
    }
    RpProcess *process = start_and_stall(test_case, &holder);
    rp_case_run(test_case, &out, "run", has_ledger ? "--quiet" : "--dry-run", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 6);
    rp_assert_says(out.errors, "another run works on this target: it is a dry run, or just beginning");
    rp_case_release(holder);
    rp_process_wait(process, &first);
    rp_outcome_assert_status(&first, 0);
}

Test(dry_run, keeps_runs_out) {
    keeps_others_out(TRUE);
}

Test(dry_run, keeps_another_one_out_where_there_is_no_ledger) {
    keeps_others_out(FALSE);
}
