/* `run --resume`: what it goes on with, from where, and what it refuses. */
#include "fault.h"

#include "outcome.h"

#include <signal.h>
#include <string.h>

#define N_CUSTOMERS 200
#define SMALL       "--strategy", "merge", "--batch-rows", "10", "--writers", "3", "--progress", "none", "--json"

static const char *const RUN[] = {"run", SMALL, NULL};
static const char *const RESUME[] = {"run", "--resume", SMALL, NULL};

static void use_mapping(const char *path) {
    g_setenv("REDIS2PG_MAPPING", path, TRUE);
}

static RpCase *new_case(guint n_customers) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    RpCase *test_case = rp_case_new();
    use_mapping(mapping);
    for (guint i = 0; i < n_customers; i++) {
        g_autofree char *id = g_strdup_printf("c%u", i);
        rp_case_add_customer(test_case, id);
    }
    return test_case;
}

static void expect(RpCase *test_case, const char *fault, const char *const *words, int status,
                   const char *says) {
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, fault, &out, words);
    rp_outcome_assert_status(&out, status);
    if (says != NULL)
        rp_assert_says(out.errors, says);
}

static void expect_killed(RpCase *test_case, const char *fault) {
    expect(test_case, fault, RUN, 128 + SIGKILL, NULL);
}

/* ---- which run ---- */

Test(resume, without_an_interrupted_run_is_refused) {
    g_autoptr(RpCase) test_case = new_case(3);
    expect(test_case, NULL, RESUME, 2, "no run of this mapping and source is interrupted");
    expect(test_case, NULL, RUN, 0, NULL);
    expect(test_case, NULL, RESUME, 2, "run 1 is completed");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs", "1");
}

Test(resume, with_another_mapping_is_refused) {
    g_autoptr(RpCase) test_case = new_case(30);
    g_autofree char *shop = rp_source_path("mappings/shop.yaml");
    g_autofree char *text = NULL;
    cr_assert(g_file_get_contents(shop, &text, NULL, NULL));
    g_autofree char *changed = g_strconcat(text, "\n# changed\n", NULL);
    char *path = rp_file_write(text);
    use_mapping(path);
    expect_killed(test_case, "kill:after_commit:2");
    cr_assert(g_file_set_contents(path, changed, -1, NULL));
    expect(test_case, NULL, RESUME, 2, "run 1 read with another mapping");
    cr_assert(g_file_set_contents(path, text, -1, NULL));
    expect(test_case, NULL, RESUME, 0, "run 1 goes on");
    rp_file_drop(path);
}

Test(resume, takes_the_entities_that_the_run_was_begun_with) {
    g_autoptr(RpCase) test_case = new_case(30);
    static const char *const customers[] = {"run", "--entity", "customers", SMALL, NULL};
    static const char *const other[] = {"run", "--resume", "--entity", "orders", SMALL, NULL};
    static const char *const same[] = {"run",      "--resume",  "--entity", "customers",
                                       "--entity", "customers", SMALL,      NULL};
    expect(test_case, "kill:after_commit:2", customers, 128 + SIGKILL, NULL);
    expect(test_case, NULL, RESUME, 2, "was begun with other entities ([\"customers\"])");
    expect(test_case, NULL, other, 2, "was begun with other entities");
    expect(test_case, NULL, same, 0, NULL);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "30");
}

Test(resume, a_new_run_says_that_an_older_one_is_open) {
    g_autoptr(RpCase) test_case = new_case(30);
    expect_killed(test_case, "kill:after_commit:2");
    rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs", "open");
    expect(test_case, NULL, RUN, 0,
           "run 1 of this mapping and source is not complete: --resume goes on with it");
    rp_case_assert_rows(test_case, "SELECT run, status FROM redis2pg.runs ORDER BY run",
                        "1|interrupted\n2|completed");
    expect(test_case, NULL, RESUME, 2, "run 2 is completed");
}

Test(resume, of_a_run_that_was_rolled_back_is_refused) {
    g_autoptr(RpCase) test_case = new_case(30);
    static const char *const rollback[] = {"rollback", "1", NULL};
    expect_killed(test_case, "kill:after_commit:2");
    expect(test_case, NULL, rollback, 0, NULL);
    expect(test_case, NULL, RESUME, 2, "run 1 was rolled back by run 2");
}

Test(resume, of_a_run_that_was_rolled_back_and_restored_is_refused) {
    g_autoptr(RpCase) test_case = new_case(30);
    static const char *const rollback[] = {"rollback", "1", NULL};
    static const char *const restore[] = {"rollback", "2", NULL};
    expect_killed(test_case, "kill:after_commit:2");
    expect(test_case, NULL, rollback, 0, NULL);
    expect(test_case, NULL, restore, 0, NULL);
    expect(test_case, NULL, RESUME, 2, "run 1 was rolled back, and restored");
}

Test(resume, finds_its_run_among_those_of_other_mappings) {
    g_autoptr(RpCase) test_case = new_case(30);
    g_autofree char *shop = rp_source_path("mappings/shop.yaml");
    char *other =
        rp_file_write("redis2pg: 1\nignore: [\"*\"]\nentities:\n  things:\n    keys: \"thing:{id}\"\n"
                      "    type: hash\n    table: things\n    key: [id]\n    columns: {id: $key.id}\n");
    rp_case_sql(test_case, "CREATE TABLE things (id text PRIMARY KEY)");
    expect_killed(test_case, "kill:after_commit:2");
    use_mapping(other);
    expect(test_case, NULL, RUN, 0, NULL);
    rp_file_drop(other);
    use_mapping(shop);
    expect(test_case, NULL, RESUME, 0, "run 1 goes on");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "30");
}

Test(resume, keeps_what_the_run_has_claimed_whatever_runs_meanwhile) {
    g_autoptr(RpCase) test_case = new_case(30);
    static const char *const replay[] = {"rejects", "replay", NULL};
    expect_killed(test_case, "kill:after_commit:2");
    rp_case_sql(test_case,
                "INSERT INTO redis2pg.claims VALUES (1, 1, gen_random_uuid()), (7, 1, gen_random_uuid())");
    expect(test_case, NULL, replay, 0, NULL);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.claims WHERE run = 1", "1");
    expect(test_case, NULL, RESUME, 0, NULL);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.claims WHERE run = 1", "0");
}

/* ---- from where ---- */

Test(resume, gives_all_rows_of_a_run_the_same_time) {
    g_autoptr(RpCase) test_case = new_case(N_CUSTOMERS);
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  seen:\n    keys: \"customer:{id}\"\n    type: hash\n"
                      "    table: seen\n    key: [id]\n    columns: {id: $key.id, at: $now}\n");
    use_mapping(mapping);
    rp_case_sql(test_case, "CREATE TABLE seen (id text PRIMARY KEY, at timestamptz)");
    expect_killed(test_case, "kill:after_commit:4");
    expect(test_case, NULL, RESUME, 0, NULL);
    rp_case_assert_rows(test_case, "SELECT count(*), count(DISTINCT at) FROM seen", "200|1");
    rp_file_drop(mapping);
}

Test(resume, after_a_signal_goes_on_with_the_same_run) {
    g_autoptr(RpCase) test_case = new_case(N_CUSTOMERS);
    expect(test_case, "interrupt:after_commit:3", RUN, 5, "--resume goes on");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.errors, "run 1 goes on, attempt 2: pass 1 of 3 goes on after batch");
    g_autoptr(json_t) run = rp_outcome_json(&out);
    cr_assert(eq(i64, rp_json_number(run, "run"), 1));
    rp_assert_account(run, "customers", "read 200, inserted 200");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs", "1");
}

Test(resume, with_another_redis_process_reads_the_pass_again) {
    g_autoptr(RpCase) test_case = new_case(N_CUSTOMERS);
    expect_killed(test_case, "kill:after_commit:5");
    const gint64 n_before = rp_case_sql_number(test_case, "SELECT count(*) FROM users");
    rp_case_sql(test_case, "UPDATE redis2pg.attempts SET source_run_id = 'another process'");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.errors, "pass 1 of 3 begins");
    g_autoptr(json_t) run = rp_outcome_json(&out);
    cr_assert(n_before > 0 && n_before < N_CUSTOMERS);
    rp_assert_account(run, "customers", "read 200, inserted 200");
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), N_CUSTOMERS));
    rp_case_assert_rows(test_case, "SELECT count(*) >= 5 FROM redis2pg.batches WHERE is_superseded", "t");
}

Test(resume, of_what_redis_has_no_more_is_refused) {
    g_autoptr(RpCase) test_case = new_case(30);
    expect_killed(test_case, "kill:after_commit:2");
    rp_case_redis(test_case, "FLUSHDB");
    expect(test_case, NULL, RESUME, 6, "is empty now, and run 1 had read keys there");
    rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs", "interrupted");
    rp_case_add_customer(test_case, "c0");
    expect(test_case, NULL, RESUME, 0, NULL);
}

Test(resume, of_a_run_that_had_read_everything_only_closes_it) {
    g_autoptr(RpCase) test_case = new_case(30);
    expect_killed(test_case, "kill:before_close");
    rp_case_redis(test_case, "FLUSHDB");
    expect(test_case, NULL, RESUME, 0, "everything was read");
    rp_case_assert_rows(test_case, "SELECT status FROM redis2pg.runs", "completed");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "30");
}

/* Waits until the number of rows does not change any more. */
static void await_rest(RpCase *test_case, gint64 least) {
    for (guint i = 0; i < 1200; i++) {
        if (rp_case_sql_number(test_case, "SELECT count(*) FROM users") >= least)
            return;
        g_usleep(50000);
    }
    cr_assert(1 == 0, "the other batches were not written within 60 seconds");
}

/* A good customer that SCAN gives first. */
static char *first_customer(RpCase *test_case) {
    redisReply *page = redisCommand(test_case->redis, "SCAN 0 COUNT 10");
    cr_assert(page != NULL && page->elements == 2 && page->element[1]->elements > 0);
    char *id = NULL;
    for (gsize i = 0; i < page->element[1]->elements && id == NULL; i++)
        if (!g_str_has_prefix(page->element[1]->element[i]->str, "customer:bad"))
            id = g_strdup(page->element[1]->element[i]->str + strlen("customer:"));
    freeReplyObject(page);
    cr_assert(id != NULL);
    return id;
}

/* The first batch waits for a lock while the others are committed: they lie beyond the unbroken prefix. */
static void kill_with_batches_beyond(RpCase *test_case) {
    g_autofree char *first = first_customer(test_case);
    g_autofree char *sql =
        g_strdup_printf("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF "
                        "NEW.customer_id = '%s' THEN PERFORM "
                        "pg_advisory_xact_lock(42); END IF; RETURN NEW; END $$;"
                        "CREATE TRIGGER wait BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION wait();"
                        "SELECT pg_advisory_lock(42)",
                        first);
    rp_case_sql(test_case, sql);
    RpProcess *process = rp_fault_spawn(test_case, NULL, RUN);
    g_auto(RpOutcome) out = {0};
    await_rest(test_case, N_CUSTOMERS - 20);
    rp_process_signal(process, SIGKILL);
    rp_process_wait(process, &out);
    rp_case_sql(test_case, "SELECT pg_advisory_unlock(42)");
}

Test(resume, counts_what_was_committed_beyond_the_prefix_once) {
    g_autoptr(RpCase) test_case = new_case(N_CUSTOMERS);
    kill_with_batches_beyond(test_case);
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) run = rp_outcome_json(&out);
    rp_assert_account(run, "customers", "read 200, inserted 200");
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), N_CUSTOMERS));
    cr_assert(rp_case_sql_number(test_case, "SELECT count(*) FROM redis2pg.batches WHERE is_superseded") > 0);
    rp_case_assert_rows(test_case, "SELECT count(*), count(DISTINCT customer_id) FROM users", "200|200");
}

/* Keys of rows that stand beyond the prefix change, or go, before they are read again. */
Test(resume, writes_what_changed_in_between_and_counts_it_once) {
    g_autoptr(RpCase) test_case = new_case(N_CUSTOMERS);
    kill_with_batches_beyond(test_case);
    g_autofree char *last = rp_case_sql_text(
        test_case, "SELECT customer_id FROM users u JOIN redis2pg.batches b ON u.xmin = b.xid::xid ORDER BY "
                   "b.number DESC, customer_id LIMIT 1");
    g_autofree char *gone = rp_case_sql_text(
        test_case, "SELECT customer_id FROM users u JOIN redis2pg.batches b ON u.xmin = b.xid::xid ORDER BY "
                   "b.number DESC, customer_id DESC LIMIT 1");
    rp_case_redis(test_case, "HSET customer:%s email new@example.com", last);
    if (strcmp(gone, last) != 0) /* a page may have given one key only */
        rp_case_redis(test_case, "DEL customer:%s", gone);
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) run = rp_outcome_json(&out);
    rp_assert_account(run, "customers", "read 200, inserted 200");
    rp_case_assert_rows(test_case, "SELECT customer_id FROM users WHERE email = 'new@example.com'", last);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "200");
    static const char *const rollback[] = {"rollback", "1", NULL};
    expect(test_case, NULL, rollback, 0, NULL);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "0");
}

Test(resume, rejects_beyond_the_prefix_are_not_kept_twice) {
    g_autoptr(RpCase) test_case = new_case(N_CUSTOMERS);
    for (guint i = 0; i < 40; i++)
        rp_case_redis(test_case, "HSET customer:bad%u customer_id bad%u created_at never profile_data {}", i,
                      i);
    kill_with_batches_beyond(test_case);
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, 1);
    g_autoptr(json_t) run = rp_outcome_json(&out);
    rp_assert_account(run, "customers", "read 240, inserted 200, rejected 40");
    cr_assert(eq(i64, rp_json_number(run, "rejects.total"), 40));
    rp_case_assert_rows(test_case, "SELECT count(*), count(DISTINCT key) FROM redis2pg.rejects", "40|40");
}

/* Its keys give more rows than a batch holds: the run dies between two portions of one. */
Test(resume, goes_on_in_the_middle_of_an_array) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  points:\n    keys: \"track:{track}\"\n    type: json\n"
                      "    each: $value\n    table: points\n    key: [track, n]\n"
                      "    columns: {track: $key.track, n: $index, x: $element}\n");
    use_mapping(mapping);
    rp_case_sql(test_case, "CREATE TABLE points (track text, n int, x int, PRIMARY KEY (track, n))");
    g_autoptr(GString) array = g_string_new("[0");
    for (guint i = 1; i < 60; i++)
        g_string_append_printf(array, ",%u", i);
    g_string_append_c(array, ']');
    for (guint i = 0; i < 5; i++)
        rp_case_redis(test_case, "SET track:%u %s", i, array->str);
    expect_killed(test_case, "kill:after_commit:9");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) run = rp_outcome_json(&out);
    rp_assert_account(run, "points", "read 300, inserted 300");
    rp_case_assert_rows(test_case, "SELECT count(*), sum(x) FROM points", "300|8850");
    rp_file_drop(mapping);
}

/* ---- who may write ---- */

/* The process stands still with an open transaction; its lock is lost, and another one goes on with the run.
 */
Test(resume, a_process_that_lost_the_run_writes_no_more) {
    g_autoptr(RpCase) test_case = new_case(N_CUSTOMERS);
    RpProcess *process = rp_fault_spawn(test_case, "stop:batch_begun:4", RUN);
    g_auto(RpOutcome) lost = {0};
    rp_process_await_stopped(process);
    rp_case_sql(test_case, "SELECT pg_terminate_backend(backend) FROM redis2pg.runs WHERE run = 1");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, 0);
    g_autofree char *outcome = rp_case_outcome(test_case, 1);
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &lost);
    rp_outcome_assert_status(&lost, 6);
    rp_case_assert_outcome(test_case, 1, outcome, "after the lost process went on");
}

Test(resume, is_refused_while_the_run_works) {
    g_autoptr(RpCase) test_case = new_case(30);
    RpProcess *process = rp_fault_spawn(test_case, "stop:batch_begun:2", RUN);
    g_auto(RpOutcome) out = {0};
    rp_process_await_stopped(process);
    expect(test_case, NULL, RESUME, 6, "another run works on this target: run 1 on host");
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
}

Test(resume, different_targets_do_not_disturb_each_other) {
    g_autoptr(RpCase) one = new_case(30);
    g_autoptr(RpCase) other = new_case(30);
    RpProcess *process = rp_fault_spawn(one, "stop:batch_begun:2", RUN);
    g_auto(RpOutcome) out = {0};
    rp_process_await_stopped(process);
    expect(other, NULL, RUN, 0, NULL);
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
}

Test(resume, all_attempts_share_the_limit_of_rejects) {
    g_autoptr(RpCase) test_case = new_case(30);
    static const char *const few[] = {"run", "--resume", "--max-rejects", "3", SMALL, NULL};
    for (guint i = 0; i < 6; i++)
        rp_case_redis(test_case, "HSET customer:bad%u customer_id bad%u created_at never profile_data {}", i,
                      i);
    expect_killed(test_case, "kill:pass_ended:1");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects", "6");
    expect(test_case, NULL, few, 6, "6 rejects are more than --max-rejects 3");
    expect(test_case, NULL, RESUME, 1, NULL);
}
