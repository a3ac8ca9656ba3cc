/* At every named event: a run that is killed there and resumed, or that fails there once, leaves what an
 * undisturbed one leaves. */
#include "fault.h"

#include "outcome.h"

#include <criterion/parameterized.h>
#include <signal.h>
#include <string.h>

#define N_CUSTOMERS  60
#define WITH_REJECTS 1 /* exit status */

typedef enum {
    UNCOVERED,
    IN_RUN,    /* every run of these tests meets it */
    IN_RESUME, /* one that goes on does */
    IN_OUTAGE, /* one that fails somewhere does */
    ELSEWHERE, /* the tests of bulk loads, rollback, replay, replication and sync are about it */
} Place;

/* Where an event is met, and what shows that a run which failed there has recovered. */
static const struct {
    Place place;
    const char *before; /* IN_OUTAGE: the fault that brings it about */
    RpEvent recovery;   /* of those that can fail */
} COVERAGE[RP_N_EVENTS] = {
    [RP_EVENT_RUN_OPENED] = {IN_RUN},
    [RP_EVENT_RUN_CONTINUED] = {IN_RESUME},
    [RP_EVENT_SET_ASIDE] = {ELSEWHERE},
    [RP_EVENT_ROWS_LOADED] = {ELSEWHERE},
    [RP_EVENT_ROWS_TAKEN_OUT] = {ELSEWHERE},
    [RP_EVENT_RESTORED_ONE] = {ELSEWHERE},
    [RP_EVENT_RESTORED_ALL] = {ELSEWHERE},
    [RP_EVENT_PAGE_READ] = {IN_RUN, NULL, RP_EVENT_REDIS_BACK},
    [RP_EVENT_BATCH_FILLED] = {IN_RUN},
    [RP_EVENT_BATCH_MAPPED] = {IN_RUN},
    [RP_EVENT_BATCH_BEGUN] = {IN_RUN, NULL, RP_EVENT_BATCH_REPEATED},
    [RP_EVENT_ROWS_STAGED] = {IN_RUN, NULL, RP_EVENT_BATCH_REPEATED},
    [RP_EVENT_ROWS_CHECKED] = {IN_RUN, NULL, RP_EVENT_BATCH_REPEATED},
    [RP_EVENT_ROWS_MERGED] = {IN_RUN, NULL, RP_EVENT_BATCH_REPEATED},
    [RP_EVENT_ROWS_DEPARTED] = {ELSEWHERE},
    [RP_EVENT_ROWS_PARKED] = {ELSEWHERE},
    [RP_EVENT_ROWS_TRIED] = {IN_RUN, NULL, RP_EVENT_BATCH_REPEATED},
    [RP_EVENT_ROWS_UNDONE] = {ELSEWHERE},
    [RP_EVENT_REJECTS_SETTLED] = {ELSEWHERE},
    [RP_EVENT_BATCH_ACCOUNTED] = {IN_RUN, NULL, RP_EVENT_BATCH_REPEATED},
    [RP_EVENT_BEFORE_COMMIT] = {IN_RUN, NULL, RP_EVENT_BATCH_REPEATED},
    [RP_EVENT_AFTER_COMMIT] = {IN_RUN, NULL, RP_EVENT_COMMIT_SETTLED},
    [RP_EVENT_PASS_ENDED] = {IN_RUN},
    [RP_EVENT_BEFORE_CLOSE] = {IN_RUN, NULL, RP_EVENT_RUN_CLOSED},
    [RP_EVENT_RUN_CLOSED] = {IN_RUN},
    [RP_EVENT_STREAM_ATTACHED] = {ELSEWHERE},
    [RP_EVENT_STREAM_READ] = {ELSEWHERE},
    [RP_EVENT_STREAM_LOST] = {ELSEWHERE},
    [RP_EVENT_CUTOVER_DRAINED] = {ELSEWHERE},
    [RP_EVENT_CUTOVER_STOPPED] = {ELSEWHERE},
    [RP_EVENT_TOUCHED_READ] = {ELSEWHERE},
    [RP_EVENT_REDIS_LOST] = {IN_OUTAGE, "fail:page_read:2"},
    [RP_EVENT_REDIS_BACK] = {IN_OUTAGE, "fail:page_read:2"},
    [RP_EVENT_POSTGRES_LOST] = {IN_OUTAGE, "fail:rows_merged:3"},
    [RP_EVENT_POSTGRES_BACK] = {IN_OUTAGE, "fail:rows_merged:3"},
    [RP_EVENT_BATCH_REPEATED] = {IN_OUTAGE, "fail:rows_merged:3"},
    [RP_EVENT_COMMIT_SETTLED] = {IN_OUTAGE, "fail:after_commit:3"},
};

#define OPTIONS                                                                                              \
    "--batch-rows", "20", "--writers", "3", "--mappers", "2", "--log-level", "debug", "--progress", "none",  \
        NULL

static const char *const RUN[] = {"run", OPTIONS};
static const char *const RESUME[] = {"run", "--resume", OPTIONS};

/* What an undisturbed run does. */
typedef struct {
    RpCase *test_case;
    char *outcome;
    RpOutcome out;
} Reference;

/* A shop with faults that the program finds, and with rows that only PostgreSQL refuses. */
static RpCase *new_case(void) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    RpCase *test_case = rp_case_new();
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    rp_outcome_fill(test_case, N_CUSTOMERS, "10");
    rp_case_sql(test_case,
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF "
                "abs(hashtext(NEW.order_id)) % 60 = 0 THEN RAISE 'not this one'; END IF; RETURN NEW; END $$;"
                "CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()");
    return test_case;
}

static void run_undisturbed(Reference *reference) {
    reference->test_case = new_case();
    rp_fault_run(reference->test_case, NULL, &reference->out, RUN);
    rp_outcome_assert_status(&reference->out, WITH_REJECTS);
    reference->outcome = rp_case_outcome(reference->test_case, 1);
    rp_assert_says(reference->outcome, "database_error");
    rp_case_empty_target(reference->test_case);
}

static void reference_clear(Reference *reference) {
    rp_outcome_clear(&reference->out);
    g_clear_pointer(&reference->outcome, g_free);
    g_clear_pointer(&reference->test_case, rp_case_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reference, reference_clear)

static gboolean is_closed(RpCase *test_case) {
    return rp_case_sql_number(test_case,
                              "SELECT count(*) FROM redis2pg.runs WHERE status LIKE 'completed%'") > 0;
}

static void die(RpCase *test_case, const char *const *words, const char *fault) {
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, fault, &out, words);
    rp_outcome_assert_status(&out, 128 + SIGKILL);
}

/* Goes on unless the run had come to its end, and compares. */
static void finish(Reference *reference, const char *what) {
    RpCase *test_case = reference->test_case;
    if (!is_closed(test_case)) {
        g_auto(RpOutcome) out = {0};
        rp_fault_run(test_case, NULL, &out, RESUME);
        rp_outcome_assert_status(&out, WITH_REJECTS);
    }
    rp_case_assert_outcome(test_case, 1, reference->outcome, what);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs", "1");
    rp_case_empty_target(test_case);
}

static void die_and_finish(Reference *reference, RpEvent event, guint64 number) {
    g_autofree char *fault = rp_fault_text("kill", event, number);
    die(reference->test_case, RUN, fault);
    finish(reference, fault);
}

/* The events of a place as parameters of a test; can_fail: those of them that can. */
static struct criterion_test_params list_events(Place place, gboolean can_fail) {
    static int events[RP_N_EVENTS];
    size_t n_events = 0;
    for (int event = 0; event < RP_N_EVENTS; event++)
        if (COVERAGE[event].place == place && (!can_fail || rp_event_can_fail((RpEvent)event)))
            events[n_events++] = event;
    return cr_make_param_array(int, events, n_events);
}

Test(resume_events, each_event_is_covered) {
    for (int event = 0; event < RP_N_EVENTS; event++) {
        const char *name = rp_event_name((RpEvent)event);
        cr_assert(name != NULL && COVERAGE[event].place != UNCOVERED, "event %d, %s, has no test", event,
                  name);
        cr_assert(COVERAGE[event].place != IN_RUN || !rp_event_can_fail((RpEvent)event) ||
                      COVERAGE[event].recovery != RP_EVENT_RUN_OPENED,
                  "%s can fail: what shows that the run recovers?", name);
    }
}

ParameterizedTestParameters(resume_events, killed_there_and_resumed) {
    return list_events(IN_RUN, FALSE);
}

ParameterizedTest(int *parameter, resume_events, killed_there_and_resumed) {
    const RpEvent event = (RpEvent)*parameter;
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    const guint64 n_times = rp_fault_count(&reference.out, event);
    cr_assert(n_times > 0, "the run does not meet %s", rp_event_name(event));
    die_and_finish(&reference, event, 1);
    if (n_times > 2)
        die_and_finish(&reference, event, n_times / 2 + 1);
}

ParameterizedTestParameters(resume_events, fails_there_once_and_recovers) {
    return list_events(IN_RUN, TRUE);
}

ParameterizedTest(int *parameter, resume_events, fails_there_once_and_recovers) {
    const RpEvent event = (RpEvent)*parameter;
    const RpEvent recovery = COVERAGE[event].recovery;
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    g_auto(RpOutcome) out = {0};
    g_autofree char *fault = rp_fault_text("fail", event, rp_fault_count(&reference.out, event) / 2 + 1);
    rp_fault_run(reference.test_case, fault, &out, RUN);
    rp_outcome_assert_status(&out, WITH_REJECTS);
    cr_assert(eq(u64, rp_fault_count(&out, recovery), 1), "%s brings no %s:\n%s", fault,
              rp_event_name(recovery), out.errors);
    rp_case_assert_outcome(reference.test_case, 1, reference.outcome, fault);
}

ParameterizedTestParameters(resume_events, killed_while_it_recovers_and_resumed) {
    return list_events(IN_OUTAGE, FALSE);
}

ParameterizedTest(int *parameter, resume_events, killed_while_it_recovers_and_resumed) {
    const RpEvent event = (RpEvent)*parameter;
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    g_autofree char *kill = rp_fault_text("kill", event, 1);
    g_autofree char *fault = g_strdup_printf("%s,%s", COVERAGE[event].before, kill);
    die(reference.test_case, RUN, fault);
    finish(&reference, fault);
}

/* A run that dies again and again gets to its end all the same. */
Test(resume_events, killed_again_while_it_goes_on) {
    static const char *const FAULTS[] = {
        "kill:run_continued:1", "kill:batch_begun:2",   "kill:after_commit:3", "kill:batch_accounted:2",
        "kill:pass_ended:1",    "kill:run_continued:1", "kill:after_commit:5", "kill:before_close:1"};
    g_auto(Reference) reference = {0};
    run_undisturbed(&reference);
    die(reference.test_case, RUN, "kill:after_commit:4");
    for (guint i = 0; i < G_N_ELEMENTS(FAULTS); i++)
        die(reference.test_case, RESUME, FAULTS[i]);
    finish(&reference, "nine deaths");
}
