/* The queue between threads: order, closing, waiting. */
#include "pipeline/queue.h"

#include <criterion/criterion.h>
#include <glib.h>

TestSuite(queue, .timeout = 150);

Test(queue, gives_items_in_their_order_and_then_its_end) {
    g_autoptr(RpQueue) queue = rp_queue_new();
    rp_queue_push(queue, GUINT_TO_POINTER(1));
    rp_queue_push(queue, GUINT_TO_POINTER(2));
    cr_assert(GPOINTER_TO_UINT(rp_queue_pop(queue)) == 1);
    rp_queue_push(queue, GUINT_TO_POINTER(3));
    rp_queue_close(queue);
    cr_assert(GPOINTER_TO_UINT(rp_queue_pop(queue)) == 2);
    cr_assert(GPOINTER_TO_UINT(rp_queue_pop(queue)) == 3);
    cr_assert(rp_queue_pop(queue) == NULL);
    cr_assert(rp_queue_pop(queue) == NULL, "the end stays");
}

Test(queue, takes_items_back_after_its_end) {
    g_autoptr(RpQueue) queue = rp_queue_new();
    rp_queue_close(queue);
    rp_queue_push(queue, GUINT_TO_POINTER(1));
    cr_assert(GPOINTER_TO_UINT(rp_queue_pop(queue)) == 1);
    cr_assert(rp_queue_pop(queue) == NULL);
}

static gpointer pop_one(gpointer queue) {
    return rp_queue_pop(queue);
}

Test(queue, wakes_who_waits_for_an_item) {
    g_autoptr(RpQueue) queue = rp_queue_new();
    GThread *waiter = g_thread_new("waiter", pop_one, queue);
    g_usleep(20000);
    rp_queue_push(queue, GUINT_TO_POINTER(7));
    cr_assert(GPOINTER_TO_UINT(g_thread_join(waiter)) == 7);
}

Test(queue, wakes_all_who_wait_when_it_is_closed) {
    g_autoptr(RpQueue) queue = rp_queue_new();
    GThread *waiters[3];
    for (guint i = 0; i < G_N_ELEMENTS(waiters); i++)
        waiters[i] = g_thread_new("waiter", pop_one, queue);
    g_usleep(20000);
    rp_queue_close(queue);
    for (guint i = 0; i < G_N_ELEMENTS(waiters); i++)
        cr_assert(g_thread_join(waiters[i]) == NULL);
}

static gpointer wait_for_two(gpointer queue) {
    return GINT_TO_POINTER(rp_queue_wait_for(queue, 2) ? 1 : 0);
}

Test(queue, waits_until_it_holds_enough) {
    g_autoptr(RpQueue) queue = rp_queue_new();
    cr_assert(rp_queue_wait_for(queue, 0));
    GThread *waiter = g_thread_new("waiter", wait_for_two, queue);
    rp_queue_push(queue, GUINT_TO_POINTER(1));
    g_usleep(20000);
    rp_queue_push(queue, GUINT_TO_POINTER(2));
    cr_assert(GPOINTER_TO_INT(g_thread_join(waiter)) == 1);
    cr_assert(rp_queue_wait_for(queue, 2), "waiting takes nothing out");
}

Test(queue, that_is_closed_is_not_waited_for) {
    g_autoptr(RpQueue) queue = rp_queue_new();
    rp_queue_push(queue, GUINT_TO_POINTER(1));
    GThread *waiter = g_thread_new("waiter", wait_for_two, queue);
    g_usleep(20000);
    rp_queue_close(queue);
    cr_assert(GPOINTER_TO_INT(g_thread_join(waiter)) == 0);
}

#define N_ITEMS   20000
#define N_THREADS 4

static gpointer take_all(gpointer queue) {
    guint64 sum = 0;
    for (gpointer item = rp_queue_pop(queue); item != NULL; item = rp_queue_pop(queue))
        sum += GPOINTER_TO_UINT(item);
    return (gpointer)(guintptr)sum;
}

static gpointer give_all(gpointer queue) {
    for (guint i = 1; i <= N_ITEMS; i++)
        rp_queue_push(queue, GUINT_TO_POINTER(i));
    return NULL;
}

Test(queue, loses_and_doubles_nothing_between_threads) {
    g_autoptr(RpQueue) queue = rp_queue_new();
    GThread *givers[N_THREADS], *takers[N_THREADS];
    for (guint i = 0; i < N_THREADS; i++) {
        takers[i] = g_thread_new("taker", take_all, queue);
        givers[i] = g_thread_new("giver", give_all, queue);
    }
    guint64 sum = 0;
    for (guint i = 0; i < N_THREADS; i++)
        g_thread_join(givers[i]);
    rp_queue_close(queue);
    for (guint i = 0; i < N_THREADS; i++)
        sum += (guintptr)g_thread_join(takers[i]);
    cr_assert(sum == (guint64)N_THREADS * N_ITEMS * (N_ITEMS + 1) / 2);
}
