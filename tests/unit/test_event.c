/* Events, and the faults at them. */
#include "base/error.h"
#include "base/event.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(event, names_are_there_and_differ) {
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < RP_N_EVENTS; i++)
        cr_assert(g_hash_table_add(names, (gpointer)rp_event_name((RpEvent)i)));
    cr_assert(rp_event_name(RP_N_EVENTS) == NULL);
}

Test(event, is_counted) {
    rp_event_note(RP_EVENT_BATCH_FILLED);
    rp_event_note(RP_EVENT_BATCH_FILLED);
    cr_assert(rp_event_count(RP_EVENT_BATCH_FILLED) == 2 && rp_event_count(RP_EVENT_BATCH_MAPPED) == 0);
}

Test(event, passes_where_no_fault_is_armed) {
    cr_assert(rp_event_arm(NULL, NULL));
    cr_assert(rp_event_pass(RP_EVENT_BEFORE_COMMIT, NULL));
}

#ifdef RP_FAULT_INJECTION

Test(event, fails_at_the_nth_time_and_only_then) {
    g_autoptr(GError) error = NULL;
    cr_assert(rp_event_arm("fail:before_commit:2,fail:page_read", NULL));
    cr_assert(rp_event_pass(RP_EVENT_BEFORE_COMMIT, NULL));
    cr_assert(!rp_event_pass(RP_EVENT_BEFORE_COMMIT, &error));
    cr_assert(g_error_matches(error, RP_FAULT_ERROR, RP_FAULT_ERROR_INJECTED));
    cr_assert(rp_event_pass(RP_EVENT_BEFORE_COMMIT, NULL));
    cr_assert(!rp_event_pass(RP_EVENT_PAGE_READ, NULL));
}

static void assert_refused(const char *text) {
    g_autoptr(GError) error = NULL;
    cr_assert(!rp_event_arm(text, &error), "%s", text);
    cr_assert(g_error_matches(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID));
    cr_assert(strstr(error->message, "REDIS2PG_FAULT") != NULL);
}

Test(event, faults_that_mean_nothing_are_refused) {
    assert_refused("fail");
    assert_refused("fail:nothing_like_it");
    assert_refused("burn:before_commit");
    assert_refused("fail:before_commit:0");
    assert_refused("fail:before_commit:x");
    assert_refused("fail:before_commit:1:2");
    assert_refused("fail:batch_filled"); /* cannot fail */
}

Test(event, kills_at_once, .signal = SIGKILL) {
    cr_assert(rp_event_arm("kill:batch_filled", NULL));
    rp_event_note(RP_EVENT_BATCH_FILLED);
}

#endif
