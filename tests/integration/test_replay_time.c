/* What a replay and a run know of when a record was read. */
#include "replaying.h"

#include <signal.h>

#define HEAD                                                                                                 \
    "redis2pg: 1\nentities:\n  items:\n    keys: \"items:{id}\"\n    table: items\n    type: hash\n"         \
    "    key: [id]\n"
#define PLAIN  HEAD "    columns: {id: $key.id, name: name, n: n}\n"
#define MENDED HEAD "    columns: {id: $key.id, name: name, n: {from: n, map: {bad: 0}}}\n"

static RpCase *new_case(void) {
    RpCase *test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, name text, n bigint)");
    return test_case;
}

static void run_items(RpCase *test_case, int status, const char *text, const char *option,
                      const char *value) {
    char *mapping = rp_file_write(text);
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "run", "--mapping", mapping, option, value, NULL);
    rp_outcome_assert_status(&out, status);
    rp_file_drop(mapping);
}

static void replay_items(RpCase *test_case, int status, const char *text, const char *option) {
    char *mapping = rp_file_write(text);
    g_autoptr(json_t) run = replay(test_case, status, mapping, option, NULL, NULL);
    rp_file_drop(mapping);
}

static void roll_back(RpCase *test_case, int status, const char *run) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rollback", run, NULL);
    rp_outcome_assert_status(&out, status);
}

/* Expects that nothing is replayed, since a run has read later. */
static void assert_overtaken(RpCase *test_case, const char *rows) {
    char *mapping = rp_file_write(MENDED);
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "replay", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.output, "nothing to replay");
    rp_assert_says(out.errors, "1 that a later run has overtaken, or may have");
    rp_case_assert_rows(test_case, "SELECT id, name, n FROM items", rows);
    rp_file_drop(mapping);
}

static const char OPEN_SQL[] = "SELECT reject, run FROM redis2pg.rejects WHERE coalesce(resolved_by,"
                               " replaced_by) IS NULL ORDER BY reject";

/* ---- what a rollback opens again ---- */

/* Run 1 refuses a, run 2 writes it. */
static RpCase *new_with_two_runs(void) {
    RpCase *test_case = new_case();
    rp_case_redis(test_case, "HSET items:a name v1 n bad");
    run_items(test_case, 1, PLAIN, NULL, NULL);
    rp_case_redis(test_case, "HSET items:a name v2 n 5");
    run_items(test_case, 0, PLAIN, NULL, NULL);
    rp_case_assert_rows(test_case, OPEN_SQL, "");
    return test_case;
}

/* The row is kept, since run 3 has changed it: v1 is older than what stands. */
Test(replay_time, a_reject_reopened_by_a_rollback_is_older_than_a_later_run) {
    g_autoptr(RpCase) test_case = new_with_two_runs();
    rp_case_redis(test_case, "HSET items:a name v3 n 6");
    run_items(test_case, 0, PLAIN, NULL, NULL);
    roll_back(test_case, 6, "2");
    rp_case_assert_rows(test_case, OPEN_SQL, "1|1");
    assert_overtaken(test_case, "a|v3|6");
    run_items(test_case, 0, PLAIN, NULL, NULL); /* has met the key, too */
    rp_case_assert_rows(test_case, OPEN_SQL, "");
}

Test(replay_time, a_run_that_holds_again_has_overtaken_what_was_reopened) {
    g_autoptr(RpCase) test_case = new_with_two_runs();
    roll_back(test_case, 0, "2");
    roll_back(test_case, 0, "3");
    assert_overtaken(test_case, "a|v2|5");
}

/* It wrote nothing of the entity: the key was gone. */
Test(replay_time, a_run_that_found_the_key_gone_has_overtaken_it) {
    g_autoptr(RpCase) test_case = new_case();
    rp_case_redis(test_case, "HSET items:a name v1 n bad");
    run_items(test_case, 1, PLAIN, NULL, NULL);
    rp_case_redis(test_case, "DEL items:a");
    run_items(test_case, 0, PLAIN, NULL, NULL);
    rp_case_sql(test_case, "UPDATE redis2pg.rejects SET resolved_by = NULL");
    assert_overtaken(test_case, "");
}

Test(replay_time, a_run_that_is_undone_has_overtaken_nothing) {
    g_autoptr(RpCase) test_case = new_with_two_runs();
    roll_back(test_case, 0, "2");
    replay_items(test_case, 0, MENDED, NULL);
    rp_case_assert_rows(test_case, "SELECT id, name, n FROM items", "a|v1|0");
}

/* A run of other entities has not met the key. */
Test(replay_time, a_run_of_other_entities_has_overtaken_nothing) {
    g_autoptr(RpCase) test_case = new_case();
    rp_case_redis(test_case, "HSET items:a name v1 n bad");
    run_items(test_case, 1, PLAIN, NULL, NULL);
    rp_case_sql(test_case, "CREATE TABLE others (id text PRIMARY KEY)");
    static const char OTHERS[] = PLAIN "  others:\n    keys: \"others:{id}\"\n    table: others\n"
                                       "    type: hash\n    key: [id]\n    columns: {id: $key.id}\n";
    run_items(test_case, 0, OTHERS, "--entity", "others");
    replay_items(test_case, 0, MENDED, NULL);
    rp_case_assert_rows(test_case, "SELECT id, name, n FROM items", "a|v1|0");
}

/* ---- runs that are continued ---- */

/* Run 1 refuses both keys and stops; a replay refuses them again. */
static RpCase *new_interrupted(void) {
    RpCase *test_case = new_case();
    rp_case_redis(test_case, "HSET items:a name v1 n bad");
    rp_case_redis(test_case, "HSET items:b name v1 n bad");
    g_setenv("REDIS2PG_FAULT", "kill:before_close:1", TRUE);
    run_items(test_case, 137, PLAIN, NULL, NULL);
    g_unsetenv("REDIS2PG_FAULT");
    rp_case_assert_rows(test_case, OPEN_SQL, "1|1\n2|1");
    replay_items(test_case, 1, PLAIN, NULL);
    rp_case_assert_rows(test_case, OPEN_SQL, "3|2\n4|2");
    rp_case_assert_rows(test_case,
                        "SELECT count(*) FROM redis2pg.rejects a JOIN redis2pg.rejects b USING (key, read_at)"
                        " WHERE a.run = 1 AND b.run = 2",
                        "2");
    return test_case;
}

/* As if its batches were beyond where the next attempt begins. */
static void lose_prefix(RpCase *test_case) {
    rp_case_sql(test_case, "UPDATE redis2pg.attempts SET source_run_id = 'another';"
                           "UPDATE redis2pg.batches SET is_pass_end = false, is_page_end = false");
}

Test(replay_time, a_resumed_run_settles_what_it_reads_anew) {
    g_autoptr(RpCase) test_case = new_interrupted();
    lose_prefix(test_case);
    rp_case_redis(test_case, "HSET items:a name v2 n 7");
    run_items(test_case, 1, PLAIN, "--resume", NULL);
    rp_case_assert_rows(
        test_case,
        "SELECT convert_from(key, 'UTF8'), run, resolved_by, replaced_by FROM redis2pg.rejects"
        " ORDER BY key, run DESC",
        "items:a|2|1|null\nitems:b|2|null|1\nitems:b|1|null|null");
    replay_items(test_case, 0, MENDED, NULL);
    rp_case_assert_rows(test_case, "SELECT id, name, n FROM items ORDER BY id", "a|v2|7\nb|v1|0");
}

/* The attempt that ends it does not read the keys again: what was refused stays refused, and may be replayed.
 */
Test(replay_time, a_resumed_run_leaves_what_it_does_not_read_again) {
    g_autoptr(RpCase) test_case = new_interrupted();
    run_items(test_case, 1, PLAIN, "--resume", NULL);
    rp_case_assert_rows(test_case, OPEN_SQL, "3|2\n4|2");
    replay_items(test_case, 0, MENDED, NULL);
    rp_case_assert_rows(test_case, "SELECT id, name, n FROM items ORDER BY id", "a|v1|0\nb|v1|0");
}

/* Read from Redis between two attempts: what was read is newer than what the run has. */
Test(replay_time, a_resumed_run_leaves_what_was_read_after_it) {
    g_autoptr(RpCase) test_case = new_interrupted();
    replay_items(test_case, 1, PLAIN, "--from-source");
    rp_case_assert_rows(test_case, OPEN_SQL, "5|3\n6|3");
    rp_case_assert_rows(test_case,
                        "SELECT count(*) FROM redis2pg.rejects a JOIN redis2pg.rejects b USING (key, read_at)"
                        " WHERE a.run = 2 AND b.run = 3",
                        "0");
    run_items(test_case, 1, PLAIN, "--resume", NULL);
    rp_case_assert_rows(test_case, OPEN_SQL, "5|3\n6|3");
}

/* ---- what a run settles ---- */

/* The keys that only the pattern of before takes were not met. */
Test(replay_time, a_run_with_another_pattern_settles_only_what_it_met) {
    g_autoptr(RpCase) test_case = new_case();
    rp_case_redis(test_case, "HSET items:a name v1 n bad");
    rp_case_redis(test_case, "HSET items:a:x name v1 n bad");
    run_items(
        test_case, 1,
        "redis2pg: 1\nentities:\n  items:\n    keys: \"items:{id+}\"\n    table: items\n    type: hash\n"
        "    key: [id]\n    columns: {id: $key.id, name: name, n: n}\n",
        NULL, NULL);
    run_items(test_case, 1, PLAIN, NULL, NULL);
    rp_case_assert_rows(test_case,
                        "SELECT convert_from(key, 'UTF8'), run, replaced_by FROM redis2pg.rejects"
                        " WHERE resolved_by IS NULL ORDER BY run, key",
                        "items:a|1|2\nitems:a:x|1|null\nitems:a|2|null");
}

/* No statement takes longer than an answer may: a run with so many to settle could not be closed. */
Test(replay_time, very_many_are_settled_in_slices) {
    g_autoptr(RpCase) test_case = new_case();
    rp_case_redis(test_case, "HSET items:a name v1 n bad");
    run_items(test_case, 1, PLAIN, NULL, NULL);
    rp_case_sql(
        test_case,
        "INSERT INTO redis2pg.rejects (run, pass, batch, entity, key, stage, code, message, raw, read_at)"
        " SELECT 1, 0, 0, 'items', ('items:' || n)::bytea, 'map', 'not_null', 'm', '', read_at"
        " FROM redis2pg.rejects, generate_series(1, 50000) n;"
        "CREATE TABLE slices (n int);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO slices"
        " SELECT count(*) FROM changed; RETURN NULL; END';"
        "CREATE TRIGGER note AFTER UPDATE ON redis2pg.rejects REFERENCING NEW TABLE AS changed"
        " FOR EACH STATEMENT EXECUTE FUNCTION note()");
    run_items(test_case, 1, PLAIN, NULL, NULL);
    rp_case_assert_rows(test_case, "SELECT n FROM slices ORDER BY n", "10001\n20000\n20000");
    rp_case_assert_rows(test_case,
                        "SELECT count(resolved_by), count(replaced_by) FROM redis2pg.rejects WHERE run = 1",
                        "50000|1");
}

/* ---- times of expiry ---- */

Test(replay_time, the_time_of_expiry_stays_however_often_it_is_replayed) {
    static const char BAD[] = HEAD "    columns: {id: $key.id, n: n, e: $expires_at}\n";
    static const char GOOD[] =
        HEAD "    columns: {id: $key.id, n: {from: n, map: {bad: 0}}, e: $expires_at}\n";
    g_autoptr(RpCase) test_case = new_case();
    rp_case_sql(test_case, "ALTER TABLE items ADD e timestamptz");
    rp_case_redis(test_case, "HSET items:a n bad");
    rp_case_redis(test_case, "PEXPIRE items:a 1000000");
    run_items(test_case, 1, BAD, NULL, NULL);
    rp_case_sql(test_case, "UPDATE redis2pg.rejects SET read_at = '2025-01-01 00:00Z'");
    replay_items(test_case, 1, BAD, NULL);
    rp_case_sql(test_case, "UPDATE redis2pg.attempts SET started_at = '2024-01-01 00:00Z' WHERE run = 1");
    replay_items(test_case, 0, GOOD, NULL);
    rp_case_assert_rows(test_case,
                        "SELECT e BETWEEN '2025-01-01 00:15Z' AND '2025-01-01 00:16:40Z' FROM items", "t");
}

/* ---- waiting ---- */

/* Somebody locks the ledger's rejects once the replay has begun. */
Test(replay_time, an_answer_is_waited_for_as_long_as_it_may_take) {
    static const char *const RETRY = "--retry-seconds", *const TIMEOUT = "--timeout-seconds";
    g_autoptr(RpCase) test_case = new_case();
    rp_case_redis(test_case, "HSET items:a name v1 n bad");
    run_items(test_case, 1, PLAIN, NULL, NULL);
    char *mapping = rp_file_write(MENDED);
    g_setenv("REDIS2PG_FAULT", "stop:run_opened:1", TRUE);
    RpProcess *process =
        rp_case_spawn(test_case, "rejects", "replay", "--mapping", mapping, RETRY, "1", TIMEOUT, "1", NULL);
    g_unsetenv("REDIS2PG_FAULT");
    rp_process_await_stopped(process);
    rp_case_sql(test_case, "BEGIN; LOCK TABLE redis2pg.rejects IN ACCESS EXCLUSIVE MODE");
    rp_process_signal(process, SIGCONT);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_assert_says(out.errors, "no answer within 1 s");
    cr_assert(ne(int, out.status, 0));
    rp_case_sql(test_case, "ROLLBACK");
    rp_file_drop(mapping);
}
