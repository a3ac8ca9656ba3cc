/* A bulk load that is killed, fails or is stopped at each named event: resumed it leaves what an undisturbed
 * one leaves, rolled back nothing; the tables' keys are there in the end. */
#include "bulking.h"
#include "fault.h"

#include <criterion/parameterized.h>
#include <signal.h>

#define N_CUSTOMERS  60
#define WITH_REJECTS 1 /* exit status */

/* Every bulk load of these tests meets them. */
static const RpEvent EVENTS[] = {
    RP_EVENT_SET_ASIDE,    RP_EVENT_PAGE_READ,    RP_EVENT_BATCH_MAPPED,    RP_EVENT_BATCH_BEGUN,
    RP_EVENT_ROWS_LOADED,  RP_EVENT_ROWS_STAGED,  RP_EVENT_BATCH_ACCOUNTED, RP_EVENT_BEFORE_COMMIT,
    RP_EVENT_AFTER_COMMIT, RP_EVENT_PASS_ENDED,   RP_EVENT_ROWS_TAKEN_OUT,  RP_EVENT_RESTORED_ONE,
    RP_EVENT_RESTORED_ALL, RP_EVENT_BEFORE_CLOSE,
};

#define OPTIONS "--batch-rows", "20", "--writers", "2", "--log-level", "debug", "--progress", "none", NULL

static const char *const RUN[] = {"run", "--strategy", "bulk", OPTIONS};
static const char *const RESUME[] = {"run", "--resume", OPTIONS};
static const char *const ROLLBACK[] = {"rollback", "1", NULL};

/* What an undisturbed load does. */
typedef struct {
    RpCase *test_case;
    char *definitions;
    char *outcome;
    RpOutcome out;
} Reference;

static void reference_clear(Reference *reference) {
    rp_outcome_clear(&reference->out);
    g_clear_pointer(&reference->definitions, g_free);
    g_clear_pointer(&reference->outcome, g_free);
    g_clear_pointer(&reference->test_case, rp_case_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reference, reference_clear)

static void run_undisturbed(Reference *reference) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    reference->test_case = rp_case_new();
    rp_outcome_fill(reference->test_case, N_CUSTOMERS, "10");
    reference->definitions = rp_case_definitions(reference->test_case);
    rp_fault_run(reference->test_case, NULL, &reference->out, RUN);
    rp_outcome_assert_status(&reference->out, WITH_REJECTS);
    reference->outcome = rp_case_outcome(reference->test_case, 1);
    rp_case_empty_target(reference->test_case);
}

static void assert_whole(Reference *reference, const char *what) {
    rp_case_assert_definitions(reference->test_case, reference->definitions, what);
    rp_case_assert_nothing_set_aside(reference->test_case);
}

static gboolean is_closed(RpCase *test_case) {
    return rp_case_sql_number(test_case,
                              "SELECT count(*) FROM redis2pg.runs WHERE status LIKE 'completed%'") > 0;
}

static void die(Reference *reference, const char *const *words, const char *fault) {
    g_auto(RpOutcome) out = {0};
    rp_fault_run(reference->test_case, fault, &out, words);
    rp_outcome_assert_status(&out, 128 + SIGKILL);
}

/* How often an event happens depends on how the threads take turns: the last of one run may not come in
 * another. */
static gboolean dies(Reference *reference, const char *fault) {
    g_auto(RpOutcome) out = {0};
    rp_fault_run(reference->test_case, fault, &out, RUN);
    if (out.status == WITH_REJECTS)
        rp_case_empty_target(reference->test_case);
    else
        rp_outcome_assert_status(&out, 128 + SIGKILL);
    return out.status != WITH_REJECTS;
}

static void resume(Reference *reference, const char *what) {
    RpCase *test_case = reference->test_case;
    if (!is_closed(test_case)) {
        g_auto(RpOutcome) out = {0};
        rp_fault_run(test_case, NULL, &out, RESUME);
        rp_outcome_assert_status(&out, WITH_REJECTS);
    }
    rp_case_assert_outcome(test_case, 1, reference->outcome, what);
    assert_whole(reference, what);
}

static void roll_back(Reference *reference, const char *what) {
    g_auto(RpOutcome) out = {0};
    rp_fault_run(reference->test_case, NULL, &out, ROLLBACK);
    rp_outcome_assert_status(&out, 0);
    rp_case_assert_rows(reference->test_case,
                        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders),"
                        " (SELECT count(*) FROM payments)",
                        "0|0|0");
    assert_whole(reference, what);
}

/* ---- each event ---- */

static struct criterion_test_params list_events(gboolean can_fail) {
    static int events[G_N_ELEMENTS(EVENTS)];
    size_t n_events = 0;
    for (guint i = 0; i < G_N_ELEMENTS(EVENTS); i++)
        if (!can_fail || rp_event_can_fail(EVENTS[i]))
            events[n_events++] = (int)EVENTS[i];
    return cr_make_param_array(int, events, n_events);
}

ParameterizedTestParameters(bulk_events, killed_there) {
    return list_events(FALSE);
}

ParameterizedTest(int *parameter, bulk_events, killed_there) {
    const RpEvent event = (RpEvent)*parameter;
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    const guint64 n_times = rp_fault_count(&reference.out, event);
    cr_assert(n_times > 0, "the load does not meet %s", rp_event_name(event));
    const guint64 places[] = {1, n_times / 2 + 1, n_times};
    for (guint i = 0; i < (n_times > 2 ? 3 : 1); i++) {
        g_autofree char *fault = rp_fault_text("kill", event, places[i]);
        if (dies(&reference, fault)) {
            resume(&reference, fault);
            rp_case_empty_target(reference.test_case);
        } else {
            cr_assert(i > 0, "%s", fault);
        }
        if (!dies(&reference, fault))
            continue;
        roll_back(&reference, fault);
        rp_case_empty_target(reference.test_case);
    }
}

ParameterizedTestParameters(bulk_events, fails_there_once) {
    return list_events(TRUE);
}

/* Where no waiting helps (before anything is loaded) the run may end; going on, and back, it is whole. */
ParameterizedTest(int *parameter, bulk_events, fails_there_once) {
    const RpEvent event = (RpEvent)*parameter;
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    g_autofree char *fault = rp_fault_text("fail", event, rp_fault_count(&reference.out, event) / 2 + 1);
    g_auto(RpOutcome) out = {0};
    rp_fault_run(reference.test_case, fault, &out, RUN);
    if (event == RP_EVENT_SET_ASIDE) {
        assert_whole(&reference, fault);
        return;
    }
    rp_outcome_assert_status(&out, WITH_REJECTS);
    rp_case_assert_outcome(reference.test_case, 1, reference.outcome, fault);
    assert_whole(&reference, fault);
}

ParameterizedTestParameters(bulk_events, interrupted_there) {
    return list_events(FALSE);
}

ParameterizedTest(int *parameter, bulk_events, interrupted_there) {
    const RpEvent event = (RpEvent)*parameter;
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    g_autofree char *fault = rp_fault_text("interrupt", event, rp_fault_count(&reference.out, event) / 2 + 1);
    g_auto(RpOutcome) out = {0};
    rp_fault_run(reference.test_case, fault, &out, RUN);
    /* Before the load is under way a signal just ends it. */
    cr_assert(out.status == 5 || out.status == 128 + SIGINT || is_closed(reference.test_case),
              "status %d:\n%s", out.status, out.errors);
    resume(&reference, fault);
}

/* ---- twice ---- */

Test(bulk_events, killed_while_it_resumes_and_while_it_is_rolled_back) {
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    die(&reference, RUN, "kill:after_commit:6");
    die(&reference, RESUME, "kill:restored_one:5");
    die(&reference, RESUME, "kill:rows_merged:1");
    die(&reference, ROLLBACK, "kill:rows_undone:2");
    roll_back(&reference, "after four deaths");
}

Test(bulk_events, killed_while_a_rollback_restores) {
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    die(&reference, RUN, "kill:after_commit:6");
    die(&reference, ROLLBACK, "kill:restored_one:7");
    die(&reference, ROLLBACK, "kill:restored_one:2");
    roll_back(&reference, "after three deaths");
}

/* The tables have keys again then, and a load must not go on as if they had none. */
Test(bulk_events, killed_when_a_rollback_has_restored_is_rolled_back_and_not_resumed) {
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    die(&reference, RUN, "kill:after_commit:6");
    die(&reference, ROLLBACK, "kill:restored_all:1");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(reference.test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "was rolled back by run 2");
    roll_back(&reference, "after the refusal");
}

/* Keys that were listed and not asked for are still to be merged. */
Test(bulk_events, stopped_while_it_merges_slowly_goes_on_where_it_was, .timeout = 60) {
    static const char *const SLOWLY[] = {"run", "--resume", "--max-keys-per-second", "12", OPTIONS};
    g_auto(Reference) reference = {0};
    reference.test_case = rp_case_new();
    RpCase *test_case = reference.test_case;
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    rp_case_add_customer(test_case, "c");
    rp_case_add_order(test_case, "o", "c");
    for (guint i = 0; i < 40; i++) {
        g_autofree char *id = g_strdup_printf("p%u", i);
        rp_case_add_payment(test_case, id, "o");
        rp_case_redis(test_case, "HSET payment:%s transaction_id one", id);
    }
    die(&reference, RUN, "kill:restored_all:1");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.again", "40");
    g_auto(RpOutcome) stopped = {0};
    /* The signal is seen while the last pass, that of payments, waits for its keys. */
    rp_fault_run(test_case, "interrupt:pass_ended:2", &stopped, SLOWLY);
    rp_outcome_assert_status(&stopped, 5);
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    rp_case_assert_rows(test_case,
                        "SELECT sum(read), sum(inserted), sum(rejected) FROM redis2pg.batch_counts WHERE "
                        "entity = 2",
                        "40|1|39");
}

/* ---- what others are told ---- */

Test(bulk_events, while_keys_are_off_other_runs_are_refused_and_it_shows) {
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    RpCase *test_case = reference.test_case;
    die(&reference, RUN, "kill:after_commit:6");
    g_auto(RpOutcome) run = {0};
    rp_case_run(test_case, &run, "run", NULL);
    rp_outcome_assert_status(&run, 6);
    rp_assert_says(run.errors, "run --resume");
    g_auto(RpOutcome) dry = {0};
    rp_case_run(test_case, &dry, "rollback", "1", "--dry-run", NULL);
    rp_outcome_assert_status(&dry, 6);
    g_auto(RpOutcome) status = {0};
    rp_case_run(test_case, &status, "status", "--json", NULL);
    g_autoptr(json_t) state = rp_outcome_json(&status);
    cr_assert(eq(i64, rp_json_number(state, "set_aside.run"), 1));
    cr_assert(eq(i64, rp_json_number(state, "set_aside.definitions"), 16));
    g_auto(RpOutcome) check = {0};
    rp_case_run(test_case, &check, "check", NULL);
    rp_outcome_assert_status(&check, 2);
    rp_assert_says(check.output, "keys_set_aside");
    rp_assert_keeps_quiet(check.output, "no unique constraint");
    resume(&reference, "after the refusals");
}

/* What can be put back does not wait for what cannot. */
Test(bulk_events, a_key_that_somebody_put_back_and_a_table_that_is_gone_hold_nothing_up) {
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    RpCase *test_case = reference.test_case;
    rp_case_sql(test_case, "CREATE TABLE notes (order_id uuid REFERENCES orders)");
    die(&reference, RUN, "kill:after_commit:6");
    rp_case_sql(test_case, "ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY (id); DROP TABLE notes");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    rp_assert_says(out.errors, "is not put back, since the schema has changed");
    rp_case_assert_outcome(test_case, 1, reference.outcome, "after the changes");
    assert_whole(&reference, "after the changes");
}

/* Somebody else's row, written while nothing kept it out. */
Test(bulk_events, a_row_of_somebody_else_stays_and_keeps_the_loads_out) {
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    RpCase *test_case = reference.test_case;
    rp_case_redis(test_case, "HSET customer:mine customer_id mine created_at 2025-01-02T03:04:05");
    die(&reference, RUN, "kill:pass_ended:1");
    rp_case_sql(test_case,
                "INSERT INTO users (id, customer_id, created_at) VALUES (gen_random_uuid(), 'mine', now())");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, NULL, &out, RESUME);
    cr_assert(out.status <= 1, "%s", out.errors);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users WHERE customer_id = 'mine'", "1");
    assert_whole(&reference, "beside somebody else's row");
}
