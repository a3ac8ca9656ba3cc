/* Dry runs that are killed, interrupted or fail at any step leave nothing. */
#include "fault.h"
#include "rehearsal.h"
#include "shop.h"

#include <signal.h>

static const char *const WORDS[] = {"run", "--dry-run", "--batch-rows", "30", "--progress", "none", NULL};

static RpCase *new_case(void) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    RpCase *test_case = rp_case_new();
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    rp_case_fill(test_case, 30, "20");
    /* A trigger that no check foresees, so that there is a search, too. */
    rp_case_sql(test_case, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                           "'BEGIN IF NEW.quantity % 9 = 4 THEN RAISE ''no''; END IF; RETURN NEW; END';"
                           "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION "
                           "refuse()");
    return test_case;
}

static void disturb_at(const char *action, RpEvent event, guint64 number, int status) {
    g_autoptr(RpCase) test_case = new_case();
    g_autofree char *picture = rp_case_picture(test_case);
    g_autofree char *fault = rp_fault_text(action, event, number);
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, fault, &out, WORDS);
    cr_assert(eq(int, out.status, status), "%s: %s", fault, out.errors);
    rp_case_assert_untouched(test_case, picture);
}

static const struct {
    RpEvent event;
    guint64 number;
} STEPS[] = {
    {RP_EVENT_RUN_OPENED, 1},    {RP_EVENT_PAGE_READ, 2},    {RP_EVENT_BATCH_FILLED, 2},
    {RP_EVENT_BATCH_BEGUN, 3},   {RP_EVENT_ROWS_STAGED, 3},  {RP_EVENT_ROWS_CHECKED, 2},
    {RP_EVENT_ROWS_MERGED, 3},   {RP_EVENT_ROWS_TRIED, 2},   {RP_EVENT_BATCH_ACCOUNTED, 2},
    {RP_EVENT_BEFORE_COMMIT, 3}, {RP_EVENT_AFTER_COMMIT, 3}, {RP_EVENT_PASS_ENDED, 1},
    {RP_EVENT_BEFORE_CLOSE, 1},
};

Test(dry_run_faults, killed_at_any_step_leaves_nothing) {
    for (guint i = 0; i < G_N_ELEMENTS(STEPS); i++)
        disturb_at("kill", STEPS[i].event, STEPS[i].number, 128 + SIGKILL);
}

/* Which stands for a connection that was lost there; reading is repeated. */
Test(dry_run_faults, a_step_that_fails_ends_it) {
    for (guint i = 0; i < G_N_ELEMENTS(STEPS); i++)
        if (rp_event_can_fail(STEPS[i].event) && STEPS[i].event != RP_EVENT_PAGE_READ)
            disturb_at("fail", STEPS[i].event, STEPS[i].number, 5);
}

/* Signals are heard from the first step after the opening on; with the last one everything was told already,
 * and the signal changes nothing. */
Test(dry_run_faults, interrupted_at_any_step_leaves_nothing) {
    for (guint i = 1; i < G_N_ELEMENTS(STEPS) - 1; i++)
        disturb_at("interrupt", STEPS[i].event, STEPS[i].number, 5);
    disturb_at("interrupt", RP_EVENT_BEFORE_CLOSE, 1, 1);
}

/* A read that is repeated is repeated in a dry run, too. */
Test(dry_run_faults, a_page_that_is_read_again_changes_nothing) {
    g_autoptr(RpCase) test_case = new_case();
    g_autofree char *picture = rp_case_picture(test_case);
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, "fail:page_read:2", &out, WORDS);
    rp_outcome_assert_status(&out, 1);
    rp_case_assert_untouched(test_case, picture);
}
