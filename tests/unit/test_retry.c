/* Back-off, and the outages that are made of it. */
#include "base/outage.h"
#include "base/retry.h"

#include <criterion/criterion.h>

static gint64 ms_since(gint64 start) {
    return (g_get_monotonic_time() - start) / 1000;
}

Test(retry, grows_and_ends_with_its_time) {
    RpRetry retry;
    rp_retry_init(&retry, 1);
    const gint64 start = g_get_monotonic_time();
    guint n_waits = 0;
    while (rp_retry_wait(&retry, NULL))
        n_waits++;
    cr_assert(ms_since(start) >= 1000 && ms_since(start) < 300000);
    cr_assert(n_waits >= 2 && n_waits <= 9, "%u waits", n_waits); /* 20 + 40 + 80 + … ms, or half of it */
}

Test(retry, of_no_time_waits_for_nothing) {
    RpRetry retry;
    rp_retry_init(&retry, 0);
    cr_assert(!rp_retry_wait(&retry, NULL));
}

Test(retry, has_its_time_anew_after_a_reset) {
    RpRetry retry;
    rp_retry_init(&retry, 1);
    while (rp_retry_wait(&retry, NULL))
        ;
    rp_retry_reset(&retry);
    cr_assert(rp_retry_wait(&retry, NULL));
}

static gpointer set_soon(gpointer flag) {
    g_usleep(100000);
    g_atomic_int_set((gint *)flag, 1);
    return NULL;
}

Test(retry, ends_soon_when_it_is_cancelled) {
    RpRetry retry;
    gint is_cancelled = 0;
    rp_retry_init(&retry, 60);
    const gint64 start = g_get_monotonic_time();
    GThread *thread = g_thread_new("canceller", set_soon, &is_cancelled);
    while (rp_retry_wait(&retry, &is_cancelled))
        ;
    cr_assert(ms_since(start) < 30000);
    g_thread_join(thread);
}

static GError *trouble(void) {
    return g_error_new(RP_FAULT_ERROR, RP_FAULT_ERROR_INJECTED, "gone");
}

Test(outage, is_noted_once_and_its_end_too) {
    RpOutage outage;
    rp_outage_init(&outage, "Redis", RP_EVENT_REDIS_LOST, RP_EVENT_REDIS_BACK, 60);
    rp_outage_end(&outage);
    cr_assert(rp_event_count(RP_EVENT_REDIS_BACK) == 0);
    for (guint i = 0; i < 3; i++)
        cr_assert(rp_outage_wait(&outage, trouble(), TRUE, NULL, NULL));
    rp_outage_end(&outage);
    rp_outage_end(&outage);
    cr_assert(rp_event_count(RP_EVENT_REDIS_LOST) == 1 && rp_event_count(RP_EVENT_REDIS_BACK) == 1);
}

Test(outage, says_how_long_it_was_tried) {
    RpOutage outage;
    g_autoptr(GError) error = NULL;
    rp_outage_init(&outage, "Redis", RP_EVENT_REDIS_LOST, RP_EVENT_REDIS_BACK, 1);
    while (rp_outage_wait(&outage, trouble(), TRUE, NULL, &error))
        ;
    cr_assert_str_eq(error->message, "gone (tried again for 1 s)");
    cr_assert(error->domain == RP_FAULT_ERROR);
}

Test(outage, that_may_last_no_time_is_the_trouble_itself) {
    RpOutage outage;
    g_autoptr(GError) error = NULL;
    rp_outage_init(&outage, "Redis", RP_EVENT_REDIS_LOST, RP_EVENT_REDIS_BACK, 0);
    cr_assert(!rp_outage_wait(&outage, trouble(), TRUE, NULL, &error));
    cr_assert_str_eq(error->message, "gone");
    cr_assert(rp_event_count(RP_EVENT_REDIS_LOST) == 0);
}

Test(outage, of_which_one_is_tired_is_not_waited_for) {
    RpOutage outage;
    const gint gives_up = 1;
    g_autoptr(GError) error = NULL;
    rp_outage_init(&outage, "Redis", RP_EVENT_REDIS_LOST, RP_EVENT_REDIS_BACK, 60);
    cr_assert(!rp_outage_wait(&outage, trouble(), TRUE, &gives_up, &error));
    cr_assert_str_eq(error->message, "gone");
}
