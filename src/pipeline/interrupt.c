/* Watching for signals beside the work. */
#include "pipeline/interrupt.h"

#include "base/log.h"

#define WATCH_MS 10

static gpointer watch(gpointer data) {
    RpInterrupt *interrupt = data;
    while (!g_atomic_int_get(&interrupt->is_over)) {
        if (interrupt->until_us != 0 && g_get_monotonic_time() >= interrupt->until_us) {
            g_atomic_int_set(&interrupt->is_late, 1);
            g_atomic_int_set(interrupt->is_cancelled, 1);
        }
        if (!rp_signals_wait(&interrupt->signals, WATCH_MS) || g_atomic_int_get(&interrupt->is_interrupted))
            continue;
        rp_log(RP_LOG_WARNING, "interrupted: what is under way is given up");
        g_atomic_int_set(&interrupt->is_interrupted, 1);
        g_atomic_int_set(interrupt->is_cancelled, 1);
    }
    return NULL;
}

void rp_interrupt_begin(RpInterrupt *interrupt, gint *is_cancelled) {
    rp_interrupt_begin_until(interrupt, is_cancelled, 0);
}

void rp_interrupt_begin_until(RpInterrupt *interrupt, gint *is_cancelled, gint64 until_us) {
    *interrupt = (RpInterrupt){.is_cancelled = is_cancelled, .until_us = until_us};
    rp_signals_block(&interrupt->signals);
    interrupt->thread = g_thread_new("signals", watch, interrupt);
}

gboolean rp_interrupt_end(RpInterrupt *interrupt) {
    g_atomic_int_set(&interrupt->is_over, 1);
    g_thread_join(interrupt->thread);
    rp_signals_unblock(&interrupt->signals);
    return g_atomic_int_get(&interrupt->is_interrupted) != 0;
}

gboolean rp_interrupt_was_late(RpInterrupt *interrupt) {
    return g_atomic_int_get(&interrupt->is_late) != 0;
}
