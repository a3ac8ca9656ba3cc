/* `reconcile` that loses a server, or is told to end, in the middle of each of its readings: the exit status
 * says which, and nothing is left behind. */
#include "blackout.h"
#include "fault.h"
#include "reconciling.h"

#include <signal.h>

#define REDIS_FAILED    3
#define POSTGRES_FAILED 4
#define INTERRUPTED     5

/* Servers of its own, a shop with differences, and a folder for temporary files. */
typedef struct {
    RpSandbox *sandbox;
    RpCase *test_case;
    char *mapping;
    char *folder;
} Stage;

static void stage_clear(Stage *stage) {
    g_clear_pointer(&stage->test_case, rp_case_free);
    g_clear_pointer(&stage->sandbox, rp_sandbox_stop);
    g_clear_pointer(&stage->mapping, g_free);
    if (stage->folder != NULL)
        cr_assert(rmdir(stage->folder) == 0, "something is left in %s", stage->folder);
    g_clear_pointer(&stage->folder, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

static void set_stage(Stage *stage) {
    g_auto(RpOutcome) out = {0};
    stage->folder = g_dir_make_tmp("redis2pg-spool-XXXXXX", NULL);
    stage->mapping = rp_source_path("mappings/shop.yaml");
    stage->sandbox = rp_blackout_sandbox();
    stage->test_case = rp_blackout_case(stage->sandbox);
    rp_case_fill(stage->test_case, 100, "0");
    rp_case_run(stage->test_case, &out, "run", "--mapping", stage->mapping, NULL);
    rp_outcome_assert_status(&out, 0);
    rp_case_sql(stage->test_case,
                "UPDATE orders SET quantity = quantity % 1000 + 1 WHERE order_id IN (SELECT "
                "order_id FROM orders ORDER BY 1 LIMIT 20)");
    rp_case_redis(stage->test_case, "SAVE");
}

static RpProcess *spawn(const Stage *stage, const char *fault, const char *retry_seconds) {
    const char *const words[] = {"reconcile", "--json",          "--mapping",   stage->mapping,
                                 "--quiet",   "--retry-seconds", retry_seconds, NULL};
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "TMPDIR", stage->folder, TRUE);
    if (fault != NULL)
        environment = g_environ_setenv(environment, "REDIS2PG_FAULT", fault, TRUE);
    return rp_case_spawn_in(stage->test_case, environment, words);
}

/* Each reading fills batches: the first one, the look, and the one that describes. */
static guint count_batches(const Stage *stage) {
    const char *const words[] = {"reconcile", "--mapping", stage->mapping, "--log-level", "debug", NULL};
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(stage->test_case, &out, words);
    rp_outcome_assert_status(&out, 1);
    const guint n_batches = (guint)rp_fault_count(&out, RP_EVENT_BATCH_FILLED);
    cr_assert(ge(u32, n_batches, 3));
    return n_batches;
}

static void assert_nothing_open(const Stage *stage) {
    const gint64 limit = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (rp_case_sql_number(stage->test_case,
                              "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                              "AND pid <> pg_backend_pid() AND datname = current_database()") > 0) {
        cr_assert(g_get_monotonic_time() < limit, "a connection is left");
        g_usleep(5000);
    }
    cr_assert(eq(
        i64, rp_case_sql_number(stage->test_case, "SELECT count(*) FROM redis2pg.runs WHERE status = 'open'"),
        0));
}

static void finish(const Stage *stage, RpProcess *process, int status) {
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, status);
    cr_assert(eq(str, out.output, ""));
    (void)stage;
}

/* Undisturbed, it finds what there is. */
static void assert_sound(const Stage *stage) {
    g_autoptr(json_t) document = reconcile(stage->test_case, stage->mapping, 1, NULL);
    assert_counts(document, "orders", "source_rows 400, target_rows 400, equal 380, different 20");
    assert_nothing_open(stage);
}

Test(reconcile_outages, interrupted) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    const guint n_batches = count_batches(&stage);
    for (guint i = 1; i <= n_batches; i++) {
        g_autofree char *fault = rp_fault_text("interrupt", RP_EVENT_BATCH_FILLED, i);
        finish(&stage, spawn(&stage, fault, "0"), INTERRUPTED);
        assert_nothing_open(&stage);
    }
    assert_sound(&stage);
}

/* Not only while Redis is read, which here is done at once. */
Test(reconcile_outages, interrupted_while_the_target_is_read) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    rp_case_sql(stage.test_case,
                "INSERT INTO users (id, customer_id, created_at) SELECT gen_random_uuid(), 'u' || n,"
                " now() FROM generate_series(1, 300000) n");
    RpProcess *process = spawn(&stage, NULL, "0");
    const gint64 limit = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (rp_case_sql_number(stage.test_case,
                              "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%'"
                              " AND state = 'active'") == 0)
        cr_assert(g_get_monotonic_time() < limit, "the target is not read");
    rp_process_signal(process, SIGTERM);
    finish(&stage, process, INTERRUPTED);
    assert_nothing_open(&stage);
}

static RpProcess *stop_at(const Stage *stage, guint batch, const char *retry_seconds) {
    g_autofree char *fault = rp_fault_text("stop", RP_EVENT_BATCH_FILLED, batch);
    RpProcess *process = spawn(stage, fault, retry_seconds);
    rp_process_await_stopped(process);
    return process;
}

Test(reconcile_outages, postgres_is_lost) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    const guint n_batches = count_batches(&stage);
    for (guint i = 2; i <= n_batches; i++) {
        RpProcess *process = stop_at(&stage, i, "0");
        rp_blackout_kill(stage.sandbox, RP_SANDBOX_POSTGRES);
        rp_process_signal(process, SIGCONT);
        finish(&stage, process, POSTGRES_FAILED);
        rp_blackout_end(stage.sandbox, RP_SANDBOX_POSTGRES);
        rp_case_reconnect(stage.test_case);
    }
    assert_sound(&stage);
}

Test(reconcile_outages, redis_is_lost) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    const guint n_batches = count_batches(&stage);
    for (guint i = 1; i < n_batches; i++) {
        RpProcess *process = stop_at(&stage, i, "0");
        rp_blackout_kill(stage.sandbox, RP_SANDBOX_REDIS);
        rp_process_signal(process, SIGCONT);
        finish(&stage, process, REDIS_FAILED);
        rp_blackout_end(stage.sandbox, RP_SANDBOX_REDIS);
        rp_case_reconnect(stage.test_case);
    }
    assert_sound(&stage);
}

/* Another process has other data: what was read of the first one says nothing of it. */
Test(reconcile_outages, redis_is_another_one_meanwhile) {
    g_auto(Stage) stage = {0};
    set_stage(&stage);
    const guint n_batches = count_batches(&stage);
    for (guint i = 1; i < n_batches; i++) {
        RpProcess *process = stop_at(&stage, i, "20");
        rp_blackout_kill(stage.sandbox, RP_SANDBOX_REDIS);
        rp_blackout_end(stage.sandbox, RP_SANDBOX_REDIS);
        rp_case_reconnect(stage.test_case);
        rp_process_signal(process, SIGCONT);
        finish(&stage, process, REDIS_FAILED);
    }
    assert_sound(&stage);
}
