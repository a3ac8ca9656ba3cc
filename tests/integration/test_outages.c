/* Servers that are killed, stopped, suspended and started again in the middle of runs, each at a known place:
 * what stands afterwards is what an undisturbed run leaves. */
#include "blackout.h"
#include "fault.h"
#include "outcome.h"

#include <criterion/parameterized.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define N_CUSTOMERS  100
#define WITH_REJECTS 1 /* exit statuses */
#define INTERRUPTED  5
#define REFUSED      6

#define RETRY_SECONDS "30"
#define OPTIONS(retry, timeout)                                                                              \
    "--batch-rows", "30", "--writers", "3", "--mappers", "2", "--quiet", "--retry-seconds", retry,           \
        "--timeout-seconds", timeout, NULL

static const char *const RUN[] = {"run", "--strategy", "merge", OPTIONS(RETRY_SECONDS, "20")};
static const char *const BULK[] = {"run", "--strategy", "bulk", OPTIONS(RETRY_SECONDS, "20")};
static const char *const RUN_BRIEFLY[] = {"run", "--strategy", "merge", OPTIONS("1", "20")};
static const char *const RUN_IMPATIENTLY[] = {"run", "--strategy", "merge", OPTIONS(RETRY_SECONDS, "1")};
static const char *const RESUME[] = {"run", "--resume", OPTIONS(RETRY_SECONDS, "20")};

/* A shop, and what an undisturbed run makes of it. */
typedef struct {
    RpSandbox *sandbox;
    RpCase *test_case;
    char *outcome;
} Stage;

static void stage_clear(Stage *stage) {
    g_clear_pointer(&stage->test_case, rp_case_free);
    g_clear_pointer(&stage->sandbox, rp_sandbox_stop);
    g_clear_pointer(&stage->outcome, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

static void set_stage(Stage *stage) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    stage->sandbox = rp_blackout_sandbox();
    stage->test_case = rp_blackout_case(stage->sandbox);
    rp_outcome_fill(stage->test_case, N_CUSTOMERS, "8");
    rp_fault_run(stage->test_case, NULL, &out, RUN);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    stage->outcome = rp_case_outcome(stage->test_case, 1);
    rp_case_empty_target(stage->test_case);
}

/* A run that stands still at the nth of an event. */
static RpProcess *hold_at(Stage *stage, const char *place, const char *const *words) {
    g_autofree char *fault = g_strdup_printf("stop:%s", place);
    RpProcess *process = rp_fault_spawn(stage->test_case, fault, words);
    rp_process_await_stopped(process);
    return process;
}

static void go_on(RpProcess *process, RpOutcome *out, int status) {
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, out);
    rp_outcome_assert_status(out, status);
}

static void finish(Stage *stage, RpProcess *process, const char *what) {
    g_auto(RpOutcome) out = {0};
    go_on(process, &out, WITH_REJECTS);
    rp_case_reconnect(stage->test_case);
    rp_case_assert_outcome(stage->test_case, 1, stage->outcome, what);
    rp_case_assert_rows(stage->test_case, "SELECT count(*) FROM redis2pg.runs", "1");
}

static void resume(Stage *stage, const char *what) {
    g_auto(RpOutcome) out = {0};
    rp_case_reconnect(stage->test_case);
    rp_fault_run(stage->test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    rp_case_assert_outcome(stage->test_case, 1, stage->outcome, what);
    rp_case_assert_rows(stage->test_case, "SELECT count(*) FROM redis2pg.runs", "1");
}

/* The server is killed at the place, and is there again when the program goes on. */
static void assert_survives(const char *place, const char *const *words, RpSandboxServer server) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, place, words);
    if (server == RP_SANDBOX_REDIS)
        rp_case_redis(stage.test_case, "SAVE");
    rp_blackout_kill(stage.sandbox, server);
    rp_blackout_end(stage.sandbox, server);
    finish(&stage, process, place);
}

/* ---- PostgreSQL ---- */

static struct criterion_test_params list_places(void) {
    static char places[][32] = {"run_opened:1",    "page_read:2",     "batch_filled:6", "batch_begun:8",
                                "rows_staged:9",   "rows_checked:2",  "rows_merged:10", "batch_accounted:4",
                                "before_commit:5", "after_commit:11", "pass_ended:1",   "pass_ended:3",
                                "before_close:1"};
    return cr_make_param_array(char[32], places, G_N_ELEMENTS(places));
}

ParameterizedTestParameters(outages, postgres_is_killed_and_comes_back) {
    return list_places();
}

ParameterizedTest(char *place, outages, postgres_is_killed_and_comes_back) {
    assert_survives(place, RUN, RP_SANDBOX_POSTGRES);
}

ParameterizedTestParameters(outages, postgres_is_killed_in_a_bulk_load) {
    static char places[][32] = {"rows_loaded:9",    "after_commit:6", "pass_ended:1",
                                "rows_taken_out:1", "restored_one:5", "restored_all:1"};
    return cr_make_param_array(char[32], places, G_N_ELEMENTS(places));
}

ParameterizedTest(char *place, outages, postgres_is_killed_in_a_bulk_load) {
    assert_survives(place, BULK, RP_SANDBOX_POSTGRES);
}

Test(outages, postgres_is_shut_down_and_comes_back) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "rows_merged:10", RUN);
    rp_blackout_shut_down(stage.sandbox, RP_SANDBOX_POSTGRES);
    rp_blackout_end(stage.sandbox, RP_SANDBOX_POSTGRES);
    finish(&stage, process, "shut down");
}

/* Longer than the program needs to see it, shorter than it is patient. */
static void let_it_be_away(RpProcess *process) {
    enum { AWAY_US = 1500000 };
    rp_process_signal(process, SIGCONT);
    g_usleep(AWAY_US);
}

Test(outages, postgres_is_away_for_a_while) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "rows_staged:9", RUN);
    rp_blackout_kill(stage.sandbox, RP_SANDBOX_POSTGRES);
    let_it_be_away(process);
    rp_blackout_end(stage.sandbox, RP_SANDBOX_POSTGRES);
    finish(&stage, process, "away for a while");
}

Test(outages, postgres_is_killed_three_times) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "rows_merged:4,stop:batch_begun:12,stop:before_close:1", RUN);
    for (int i = 0; i < 3; i++) {
        rp_blackout_kill(stage.sandbox, RP_SANDBOX_POSTGRES);
        rp_blackout_end(stage.sandbox, RP_SANDBOX_POSTGRES);
        if (i == 2)
            break;
        rp_process_signal(process, SIGCONT);
        rp_process_await_stopped(process);
    }
    finish(&stage, process, "killed three times");
}

Test(outages, postgres_stays_away_and_the_run_is_resumed) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) out = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "rows_merged:9", RUN_BRIEFLY);
    rp_blackout_kill(stage.sandbox, RP_SANDBOX_POSTGRES);
    go_on(process, &out, INTERRUPTED);
    rp_assert_says(out.errors, "PostgreSQL");
    rp_assert_says(out.errors, "--resume");
    rp_blackout_end(stage.sandbox, RP_SANDBOX_POSTGRES);
    resume(&stage, "PostgreSQL stayed away");
}

Test(outages, postgres_is_silent_for_longer_than_it_may) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "rows_merged:9", RUN_IMPATIENTLY);
    rp_blackout_suspend(stage.sandbox, RP_SANDBOX_POSTGRES);
    let_it_be_away(process);
    rp_blackout_resume(stage.sandbox, RP_SANDBOX_POSTGRES);
    finish(&stage, process, "PostgreSQL was silent");
}

/* ---- Redis ---- */

static struct criterion_test_params list_reading_places(void) {
    static char places[][32] = {"run_opened:1",   "page_read:1",  "page_read:4",  "batch_filled:5",
                                "after_commit:9", "pass_ended:1", "pass_ended:2", "before_close:1"};
    return cr_make_param_array(char[32], places, G_N_ELEMENTS(places));
}

ParameterizedTestParameters(outages, redis_is_killed_and_comes_back_with_its_data) {
    return list_reading_places();
}

/* The process is another one then, and its cursors are others: the pass begins again. */
ParameterizedTest(char *place, outages, redis_is_killed_and_comes_back_with_its_data) {
    assert_survives(place, RUN, RP_SANDBOX_REDIS);
}

ParameterizedTestParameters(outages, redis_is_killed_in_a_bulk_load) {
    static char places[][32] = {"page_read:4", "after_commit:9", "pass_ended:1", "restored_one:3"};
    return cr_make_param_array(char[32], places, G_N_ELEMENTS(places));
}

/* What was loaded from the one process is taken back before the other one is read. */
ParameterizedTest(char *place, outages, redis_is_killed_in_a_bulk_load) {
    assert_survives(place, BULK, RP_SANDBOX_REDIS);
}

/* The stored cursor was for the process that answered when the run was opened again. */
Test(outages, redis_is_killed_between_opening_and_reading) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) killed = {0};
    set_stage(&stage);
    rp_fault_run(stage.test_case, "kill:after_commit:4", &killed, RUN);
    rp_outcome_assert_status(&killed, 128 + SIGKILL);
    RpProcess *process = hold_at(&stage, "run_continued:1", RESUME);
    rp_case_redis(stage.test_case, "SAVE");
    rp_blackout_kill(stage.sandbox, RP_SANDBOX_REDIS);
    rp_blackout_end(stage.sandbox, RP_SANDBOX_REDIS);
    finish(&stage, process, "between opening and reading");
}

/* Its connections are dropped, another run takes the lock and closes it, and then its Redis is another
 * process: it must not begin anew what is no longer its own. */
Test(outages, a_run_that_another_closed_does_not_begin_again) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) other = {0};
    g_auto(RpOutcome) out = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "batch_filled:5", RUN);
    rp_case_sql(stage.test_case,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND application_name = 'redis2pg'");
    rp_fault_run(stage.test_case, NULL, &other, RUN);
    rp_outcome_assert_status(&other, WITH_REJECTS);
    rp_case_redis(stage.test_case, "SAVE");
    rp_blackout_kill(stage.sandbox, RP_SANDBOX_REDIS);
    rp_blackout_end(stage.sandbox, RP_SANDBOX_REDIS);
    go_on(process, &out, REFUSED);
    rp_case_reconnect(stage.test_case);
    rp_case_assert_rows(stage.test_case, "SELECT run, status, attempt FROM redis2pg.runs ORDER BY run",
                        "1|interrupted|0\n2|completed_with_rejects|0");
}

Test(outages, redis_is_shut_down_and_away_for_a_while) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "batch_filled:5", RUN);
    rp_blackout_shut_down(stage.sandbox, RP_SANDBOX_REDIS);
    let_it_be_away(process);
    rp_blackout_end(stage.sandbox, RP_SANDBOX_REDIS);
    finish(&stage, process, "away for a while");
}

/* Without its data it is no source to go on with: what had not been read would be missing in silence. */
Test(outages, redis_comes_back_empty) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) out = {0};
    set_stage(&stage);
    g_autofree char *folder = g_strdup(rp_sandbox_get_folder(stage.sandbox));
    g_autofree char *snapshot = g_build_filename(folder, "dump.rdb", NULL);
    g_autofree char *data = NULL;
    gsize size = 0;
    RpProcess *process = hold_at(&stage, "batch_filled:5", RUN);
    rp_case_redis(stage.test_case, "SAVE");
    cr_assert(g_file_get_contents(snapshot, &data, &size, NULL));
    rp_blackout_kill(stage.sandbox, RP_SANDBOX_REDIS);
    rp_blackout_forget(stage.sandbox);
    rp_blackout_end(stage.sandbox, RP_SANDBOX_REDIS);
    go_on(process, &out, REFUSED);
    rp_assert_says(out.errors, "empty");
    rp_blackout_kill(stage.sandbox, RP_SANDBOX_REDIS);
    cr_assert(g_file_set_contents(snapshot, data, (gssize)size, NULL));
    cr_assert(eq(int, chmod(snapshot, 0644), 0));
    rp_blackout_end(stage.sandbox, RP_SANDBOX_REDIS);
    resume(&stage, "after its data was brought back");
}

Test(outages, redis_stays_away_and_the_run_is_resumed) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) out = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "batch_filled:5", RUN_BRIEFLY);
    rp_blackout_shut_down(stage.sandbox, RP_SANDBOX_REDIS);
    go_on(process, &out, INTERRUPTED);
    rp_assert_says(out.errors, "Redis");
    rp_assert_says(out.errors, "--resume");
    rp_blackout_end(stage.sandbox, RP_SANDBOX_REDIS);
    resume(&stage, "Redis stayed away");
}

Test(outages, redis_is_silent_for_longer_than_it_may) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "batch_filled:5", RUN_IMPATIENTLY);
    rp_blackout_suspend(stage.sandbox, RP_SANDBOX_REDIS);
    let_it_be_away(process);
    rp_blackout_resume(stage.sandbox, RP_SANDBOX_REDIS);
    finish(&stage, process, "Redis was silent");
}

static gboolean is_busy(RpCase *test_case) {
    redisReply *reply = redisCommand(test_case->redis, "GET nothing");
    cr_assert(reply != NULL);
    const gboolean busy = reply->type == REDIS_REPLY_ERROR && g_str_has_prefix(reply->str, "BUSY ");
    freeReplyObject(reply);
    return busy;
}

Test(outages, redis_is_busy_with_a_script) {
    g_auto(Stage) stage = {0};
    int is_sent = 0;
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "batch_filled:5", RUN);
    redisContext *other = redisConnectUnix(rp_sandbox_get_redis_socket(stage.sandbox));
    rp_case_redis(stage.test_case, "CONFIG SET lua-time-limit 50");
    redisAppendCommand(other, "EVAL %s 0", "while true do end");
    while (!is_sent)
        cr_assert(eq(int, redisBufferWrite(other, &is_sent), REDIS_OK));
    while (!is_busy(stage.test_case))
        g_usleep(5000);
    let_it_be_away(process);
    rp_case_redis(stage.test_case, "SCRIPT KILL");
    finish(&stage, process, "Redis was busy");
    redisFree(other);
}

Test(outages, both_are_killed_and_come_back) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    RpProcess *process = hold_at(&stage, "batch_begun:8", RUN);
    rp_case_redis(stage.test_case, "SAVE");
    rp_blackout_kill(stage.sandbox, RP_SANDBOX_REDIS);
    rp_blackout_kill(stage.sandbox, RP_SANDBOX_POSTGRES);
    let_it_be_away(process);
    rp_blackout_end(stage.sandbox, RP_SANDBOX_REDIS);
    rp_blackout_end(stage.sandbox, RP_SANDBOX_POSTGRES);
    finish(&stage, process, "both were killed");
}
