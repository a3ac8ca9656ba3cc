/* Networks that cut, delay, deliver by halves and swallow answers between the program and its servers: what
 * stands afterwards is what an undisturbed run leaves. */
#include "fault.h"
#include "outcome.h"
#include "proxy.h"

#include <criterion/parameterized.h>
#include <signal.h>

#define N_CUSTOMERS  60
#define WITH_REJECTS 1 /* exit statuses */
#define INTERRUPTED  5
#define REFUSED      6

/* A shop, a proxy before each server, and what an undisturbed run makes of it. */
typedef struct {
    RpCase *test_case;
    RpProxy *redis;
    RpProxy *postgres;
    char *redis_url;
    char *conninfo;
    char *outcome;
    RpProxyCounts undisturbed_redis;
    RpProxyCounts undisturbed_postgres;
} Stage;

static void stage_clear(Stage *stage) {
    g_clear_pointer(&stage->redis, rp_proxy_free);
    g_clear_pointer(&stage->postgres, rp_proxy_free);
    g_clear_pointer(&stage->test_case, rp_case_free);
    g_clear_pointer(&stage->redis_url, g_free);
    g_clear_pointer(&stage->conninfo, g_free);
    g_clear_pointer(&stage->outcome, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

/* Proxies with no past: connections and bytes are counted from here. */
static void renew_proxies(Stage *stage) {
    RpCase *test_case = stage->test_case;
    g_autofree char *postgres = g_strdup_printf("%s/.s.PGSQL.5432", PQhost(test_case->postgres));
    g_clear_pointer(&stage->redis, rp_proxy_free);
    g_clear_pointer(&stage->postgres, rp_proxy_free);
    g_clear_pointer(&stage->redis_url, g_free);
    g_clear_pointer(&stage->conninfo, g_free);
    stage->redis = rp_proxy_new(test_case->redis->unix_sock.path);
    stage->postgres = rp_proxy_new(postgres);
    stage->redis_url =
        g_strdup_printf("unix://%s?db=%u", rp_proxy_get_socket(stage->redis), test_case->number);
    stage->conninfo =
        g_strdup_printf("%s host=%s", test_case->conninfo, rp_proxy_get_folder(stage->postgres));
}

static RpProcess *spawn(Stage *stage, const char *fault, const char *more, const char *value) {
    const char *const words[] = {"--redis",
                                 stage->redis_url,
                                 "--postgres",
                                 stage->conninfo,
                                 "run",
                                 "--strategy",
                                 "merge",
                                 "--batch-rows",
                                 "20",
                                 "--writers",
                                 "3",
                                 "--mappers",
                                 "2",
                                 "--quiet",
                                 "--retry-seconds",
                                 "30",
                                 more,
                                 value,
                                 NULL};
    return rp_fault_spawn(stage->test_case, fault, words);
}

static void run(Stage *stage, RpOutcome *out, const char *more, const char *value) {
    rp_process_wait(spawn(stage, NULL, more, value), out);
}

static void set_stage(Stage *stage) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    stage->test_case = rp_case_new();
    rp_outcome_fill(stage->test_case, N_CUSTOMERS, "8");
    renew_proxies(stage);
    run(stage, &out, NULL, NULL);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    rp_proxy_count(stage->redis, &stage->undisturbed_redis);
    rp_proxy_count(stage->postgres, &stage->undisturbed_postgres);
    stage->outcome = rp_case_outcome(stage->test_case, 1);
    renew_proxies(stage);
    rp_case_empty_target(stage->test_case);
}

static void assert_outcome(Stage *stage, const char *what) {
    rp_case_assert_outcome(stage->test_case, 1, stage->outcome, what);
    rp_case_assert_rows(stage->test_case, "SELECT count(*) FROM redis2pg.runs", "1");
}

static void run_to_the_end(Stage *stage, const char *what, const char *more, const char *value) {
    g_auto(RpOutcome) out = {0};
    run(stage, &out, more, value);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    assert_outcome(stage, what);
}

/* ---- cuts at many places ---- */

typedef struct {
    int is_redis;
    RpProxyWay way;
} Line;

static struct criterion_test_params list_lines(void) {
    static Line lines[] = {{TRUE, RP_PROXY_TO_SERVER},
                           {TRUE, RP_PROXY_TO_CLIENT},
                           {FALSE, RP_PROXY_TO_SERVER},
                           {FALSE, RP_PROXY_TO_CLIENT}};
    return cr_make_param_array(Line, lines, G_N_ELEMENTS(lines));
}

/* Before the run is opened a lost server ends the program with the server's status, and nothing has begun;
 * from then on it is got over. */
static gboolean is_refused_at_the_beginning(Stage *stage, const Line *line, const RpOutcome *out) {
    return out->status == (line->is_redis ? 3 : 4) &&
           (rp_case_sql_number(stage->test_case,
                               "SELECT count(*) FROM pg_class WHERE oid = to_regclass('redis2pg.runs')") ==
                0 ||
            rp_case_sql_number(stage->test_case, "SELECT count(*) FROM redis2pg.runs") == 0);
}

static void cut_once(Stage *stage, const Line *line, guint64 n_bytes, guint *n_met) {
    g_auto(RpOutcome) out = {0};
    g_autofree char *what = g_strdup_printf("%s cut after %" G_GUINT64_FORMAT " bytes to the %s",
                                            line->is_redis ? "Redis" : "PostgreSQL", n_bytes,
                                            line->way == RP_PROXY_TO_SERVER ? "server" : "client");
    RpProxy *proxy = line->is_redis ? stage->redis : stage->postgres;
    RpProxyCounts counts;
    rp_proxy_add_rule(proxy, &(RpProxyRule){.action = RP_PROXY_CUT, .way = line->way, .n_bytes = n_bytes});
    run(stage, &out, NULL, NULL);
    rp_proxy_count(proxy, &counts);
    *n_met += counts.n_met;
    if (!is_refused_at_the_beginning(stage, line, &out)) {
        cr_assert(out.status == WITH_REJECTS, "%s: exit status %d\n%s", what, out.status, out.errors);
        assert_outcome(stage, what);
    }
    renew_proxies(stage);
    rp_case_empty_target(stage->test_case);
}

ParameterizedTestParameters(proxy_faults, a_line_is_cut_at_many_places) {
    return list_lines();
}

/* The first connection that comes to the place is cut there. */
ParameterizedTest(Line *line, proxy_faults, a_line_is_cut_at_many_places) {
    enum { N_PLACES = 14 };
    g_auto(Stage) stage = {0};
    guint n_met = 0;
    set_stage(&stage);
    const RpProxyCounts *counts = line->is_redis ? &stage.undisturbed_redis : &stage.undisturbed_postgres;
    /* What one connection carries is not known before; three of them carry most. */
    const guint64 most = counts->n_bytes[line->way] / 3;
    for (guint64 i = 1; i <= N_PLACES; i++)
        cut_once(&stage, line, 1 + most * i * i / (N_PLACES * N_PLACES), &n_met);
    cr_assert(n_met >= N_PLACES / 2, "only %u places were met", n_met);
}

/* ---- COMMIT ---- */

/* As libpq sends it: a query of 11 bytes, its length among them. */
static const char COMMIT[] = "Q\0\0\0\013COMMIT";

static void disturb_commit(RpProxyRule rule, const char *what) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    rule.way = RP_PROXY_TO_SERVER;
    rule.text = COMMIT;
    rule.text_size =
        rule.text_size != 0 ? rule.text_size : sizeof COMMIT; /* with its NUL: the whole message */
    rule.number = 12;
    rp_proxy_add_rule(stage.postgres, &rule);
    run_to_the_end(&stage, what, NULL, NULL);
    rp_proxy_await_met(stage.postgres, 1);
}

Test(proxy_faults, a_commit_is_lost) {
    disturb_commit((RpProxyRule){.action = RP_PROXY_CUT}, "COMMIT lost");
}

Test(proxy_faults, half_a_commit_is_delivered) {
    disturb_commit((RpProxyRule){.action = RP_PROXY_CUT, .text_size = 8, .is_after = TRUE}, "half a COMMIT");
}

Test(proxy_faults, the_answer_to_a_commit_is_lost) {
    disturb_commit((RpProxyRule){.action = RP_PROXY_CUT, .is_after = TRUE}, "answer to COMMIT lost");
}

/* The program has asked the ledger, and perhaps written the batch again, when the old session commits. */
Test(proxy_faults, a_commit_is_delivered_late) {
    disturb_commit((RpProxyRule){.action = RP_PROXY_ORPHAN, .delay_ms = 150}, "COMMIT a little late");
    disturb_commit((RpProxyRule){.action = RP_PROXY_ORPHAN, .delay_ms = 1500}, "COMMIT late");
}

Test(proxy_faults, the_answer_to_a_commit_takes_too_long) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    rp_proxy_add_rule(stage.postgres, &(RpProxyRule){.action = RP_PROXY_STALL,
                                                     .way = RP_PROXY_TO_SERVER,
                                                     .text = COMMIT,
                                                     .text_size = sizeof COMMIT,
                                                     .number = 12,
                                                     .is_after = TRUE});
    run_to_the_end(&stage, "no answer to COMMIT", "--timeout-seconds", "1");
    rp_proxy_await_met(stage.postgres, 1);
}

/* ---- what is said of it ---- */

/* What a trigger says of a row that has sensitive columns, as an error and as a warning; then the connection
 * is lost. */
Test(proxy_faults, a_loss_after_an_error_says_nothing_of_sensitive_rows) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) out = {0};
    set_stage(&stage);
    rp_case_sql(stage.test_case,
                "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'heard "
                "%', NEW.email; IF hashtext(NEW.email) % 5 = 0 THEN RAISE EXCEPTION 'seen %', NEW.email; END "
                "IF; RETURN NEW; END $$; CREATE TRIGGER tell BEFORE INSERT ON users FOR EACH ROW EXECUTE "
                "FUNCTION tell()");
    rp_proxy_add_rule(stage.postgres,
                      &(RpProxyRule){.action = RP_PROXY_CUT, .way = RP_PROXY_TO_SERVER, .text = "ROLLBACK"});
    const char *const words[] = {"--postgres",  stage.conninfo, "run",      "--progress", "none",
                                 "--log-level", "debug",        "--entity", "customers",  NULL};
    rp_process_wait(rp_fault_spawn(stage.test_case, NULL, words), &out);
    rp_proxy_await_met(stage.postgres, 1);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    rp_assert_says(out.errors, "the connection was lost, after this: ");
    rp_assert_says(out.errors, "WARNING, SQLSTATE 01000");
    rp_assert_keeps_quiet(out.errors, "seen ");
    rp_assert_keeps_quiet(out.errors, "heard ");
}

/* ---- time ---- */

static void add_rules(RpProxy *proxy, RpProxyAction action, guint64 n_bytes, guint n_rules, guint delay_ms) {
    for (guint i = 0; i < n_rules; i++) {
        rp_proxy_add_rule(proxy, &(RpProxyRule){.action = action,
                                                .way = RP_PROXY_TO_SERVER,
                                                .n_bytes = n_bytes * (i + 1),
                                                .delay_ms = delay_ms});
        rp_proxy_add_rule(proxy, &(RpProxyRule){.action = action,
                                                .way = RP_PROXY_TO_CLIENT,
                                                .n_bytes = n_bytes * (i + 1),
                                                .delay_ms = delay_ms});
    }
}

Test(proxy_faults, both_lines_are_slow_now_and_then) {
    g_auto(Stage) stage = {0};
    RpProxyCounts counts;
    set_stage(&stage);
    add_rules(stage.redis, RP_PROXY_DELAY, 3001, 3, 250);
    add_rules(stage.postgres, RP_PROXY_DELAY, 5003, 3, 250);
    run_to_the_end(&stage, "delays", NULL, NULL);
    rp_proxy_count(stage.postgres, &counts);
    cr_assert(eq(u32, counts.n_connections, stage.undisturbed_postgres.n_connections));
}

/* From its place on the line delivers nothing more, either way; another one does. */
static void stall(gboolean is_redis, const RpProxyRule *rule) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    RpProxy *proxy = is_redis ? stage.redis : stage.postgres;
    rp_proxy_add_rule(proxy, rule);
    run_to_the_end(&stage, "a line that delivers nothing more", "--timeout-seconds", "1");
    rp_proxy_await_met(proxy, 1);
}

Test(proxy_faults, postgres_gets_no_more_of_a_copy) {
    stall(FALSE, &(RpProxyRule){.action = RP_PROXY_STALL,
                                .way = RP_PROXY_TO_SERVER,
                                .text = "PGCOPY\n",
                                .number = 7,
                                .is_after = TRUE});
}

Test(proxy_faults, postgres_says_nothing_more) {
    stall(FALSE,
          &(RpProxyRule){.action = RP_PROXY_STALL, .way = RP_PROXY_TO_CLIENT, .text = "COPY ", .number = 9});
}

/* The session that was given up holds locks on the rows that it inserted, and nobody tells the server that it
 * has no client any more. */
Test(proxy_faults, postgres_falls_silent_with_rows_locked) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) out = {0};
    set_stage(&stage);
    RpProcess *process = spawn(&stage, "stop:batch_begun:6", "--timeout-seconds", "4");
    rp_process_await_stopped(process);
    rp_proxy_add_rule(
        stage.postgres,
        &(RpProxyRule){.action = RP_PROXY_STALL, .way = RP_PROXY_TO_CLIENT, .text = "INSERT 0 "});
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_proxy_await_met(stage.postgres, 1);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    assert_outcome(&stage, "rows locked by a session that was given up");
}

Test(proxy_faults, redis_gets_nothing_more) {
    stall(TRUE, &(RpProxyRule){.action = RP_PROXY_STALL, .way = RP_PROXY_TO_SERVER, .n_bytes = 9001});
}

Test(proxy_faults, redis_says_nothing_more) {
    stall(TRUE, &(RpProxyRule){.action = RP_PROXY_STALL, .way = RP_PROXY_TO_CLIENT, .n_bytes = 9001});
}

/* Nothing has begun: the program ends by itself, with the status of a server that does not answer. */
Test(proxy_faults, postgres_falls_silent_before_the_run_begins) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) out = {0};
    set_stage(&stage);
    rp_proxy_add_rule(stage.postgres, &(RpProxyRule){.action = RP_PROXY_STALL,
                                                     .way = RP_PROXY_TO_CLIENT,
                                                     .connection = 1,
                                                     .n_bytes = 1501});
    run(&stage, &out, "--timeout-seconds", "1");
    rp_outcome_assert_status(&out, 4);
    rp_proxy_await_met(stage.postgres, 1);
}

/* A time-out that is met again and again ends, and the run can be resumed. */
Test(proxy_faults, a_line_that_stays_silent_ends_the_run) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) out = {0};
    g_auto(RpOutcome) resumed = {0};
    set_stage(&stage);
    RpProcess *process = spawn(&stage, "stop:after_commit:6", "--timeout-seconds", "1");
    rp_process_await_stopped(process);
    rp_proxy_stall(stage.postgres, TRUE);
    rp_process_signal(process, SIGINT); /* a signal does not wait for --retry-seconds */
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, INTERRUPTED);
    rp_proxy_stall(stage.postgres, FALSE);
    run(&stage, &resumed, "--resume", NULL);
    rp_outcome_assert_status(&resumed, WITH_REJECTS);
    assert_outcome(&stage, "resumed after silence");
}

/* ---- many at once ---- */

static void cut_all(gboolean is_redis, const char *place) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) out = {0};
    set_stage(&stage);
    RpProxy *proxy = is_redis ? stage.redis : stage.postgres;
    RpProcess *process = spawn(&stage, place, NULL, NULL);
    rp_process_await_stopped(process);
    rp_proxy_refuse(proxy, TRUE);
    rp_proxy_cut(proxy);
    rp_process_signal(process, SIGCONT);
    g_usleep(700000); /* how long nobody listens */
    rp_proxy_refuse(proxy, FALSE);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    assert_outcome(&stage, place);
}

Test(proxy_faults, all_lines_to_postgres_are_cut_and_refused_for_a_while) {
    cut_all(FALSE, "stop:rows_merged:9");
}

Test(proxy_faults, all_lines_to_redis_are_cut_and_refused_for_a_while) {
    cut_all(TRUE, "stop:batch_filled:5");
}

/* It is asked every two seconds whether it stands. */
Test(proxy_faults, the_line_that_holds_the_lock_is_cut) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) out = {0};
    set_stage(&stage);
    RpProcess *process = spawn(&stage, "stop:batch_filled:5", NULL, NULL);
    rp_process_await_stopped(process);
    rp_proxy_add_rule(stage.postgres, &(RpProxyRule){.action = RP_PROXY_CUT,
                                                     .way = RP_PROXY_TO_SERVER,
                                                     .text = "SELECT 1",
                                                     .text_size = sizeof "SELECT 1"});
    g_usleep(2300000);
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    rp_proxy_await_met(stage.postgres, 1);
    assert_outcome(&stage, "the lock's line");
}

/* Cut off, the first run does not know that a second one has taken its place: it must not write any more. */
Test(proxy_faults, a_run_whose_lock_another_took_writes_no_more) {
    g_auto(Stage) stage = {0};
    g_auto(RpOutcome) first = {0};
    g_auto(RpOutcome) second = {0};
    set_stage(&stage);
    RpProcess *process = spawn(&stage, "stop:batch_begun:9", NULL, NULL);
    rp_process_await_stopped(process);
    rp_proxy_cut(stage.postgres);
    rp_case_run(stage.test_case, &second, "run", "--strategy", "merge", "--batch-rows", "20", "--quiet",
                NULL);
    rp_outcome_assert_status(&second, WITH_REJECTS);
    g_autofree char *batches = rp_case_sql_rows(
        stage.test_case,
        "SELECT run, count(*), max(committed_at) FROM redis2pg.batches GROUP BY run ORDER BY run");
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &first);
    rp_outcome_assert_status(&first, REFUSED);
    rp_case_assert_rows(
        stage.test_case,
        "SELECT run, count(*), max(committed_at) FROM redis2pg.batches GROUP BY run ORDER BY run", batches);
    rp_case_assert_rows(stage.test_case, "SELECT run, status FROM redis2pg.runs ORDER BY run",
                        "1|interrupted\n2|completed_with_rejects");
}
