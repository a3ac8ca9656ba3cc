/* A cutover from its checks to its verdict.
 *
 * 1. Nothing is asked of anybody before all checks have passed.
 * 2. Whatever happens after writers were stopped, Redis is let go before the result is there.
 * 3. The verdict is about the moment in which nobody wrote: a write in between, and a pause that was too
 *    short, refuse. */
#include "sync/cutover.h"

#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "pipeline/interrupt.h"
#include "sink/wait.h"
#include "sync/cutover_parts.h"

/* ---- the result ---- */

RpCutoverResult *rp_cutover_result_new(void) {
    RpCutoverResult *result = g_new0(RpCutoverResult, 1);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    result->reasons = g_ptr_array_new_with_free_func(g_free);
    result->notes = g_ptr_array_new_with_free_func(g_free);
    result->paused_ms = result->drained_ms = -1;
    result->started_at = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    return result;
}

void rp_cutover_result_free(RpCutoverResult *result) {
    if (result == NULL)
        return;
    g_ptr_array_unref(result->reasons);
    g_ptr_array_unref(result->notes);
    g_free(result->capture);
    g_free(result->started_at);
    rp_reconcile_result_free(result->reconcile);
    g_free(result->source_run_id);
    g_free(result->redis_version);
    g_free(result);
}

void rp_cutover_refuse(RpCutover *cutover, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(cutover->result->reasons, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void rp_cutover_note(RpCutover *cutover, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(cutover->result->notes, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

gboolean rp_cutover_is_late(RpCutover *cutover, const char *what) {
    if (g_get_monotonic_time() < cutover->until_us)
        return FALSE;
    rp_cutover_refuse(cutover, "the pause ran out (--max-pause %u): %s", cutover->options->max_pause_seconds,
                      what);
    return TRUE;
}

/* A signal may have come when no watch stood, or have been taken by the watch of a comparison that ended well
 * all the same. */
static gboolean is_interrupted(const RpCutover *cutover) {
    return g_atomic_int_get(&cutover->is_cancelled) != 0 || rp_signals_were_seen();
}

gboolean rp_cutover_goes_on(const RpCutover *cutover, GError **error) {
    if (!is_interrupted(cutover))
        return TRUE;
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "given up");
    return FALSE;
}

/* ---- steps ---- */

static gboolean is_refused(const RpCutover *cutover) {
    return cutover->result->reasons->len > 0;
}

/* What the sync's servers are asked is given up with a signal; a comparison watches for signals itself. */
static gboolean watched(RpCutover *cutover, gboolean (*step)(RpCutover *cutover, GError **error),
                        GError **error) {
    RpInterrupt interrupt;
    rp_interrupt_begin(&interrupt, &cutover->is_cancelled);
    const gboolean is_fine = step(cutover, error);
    rp_interrupt_end(&interrupt);
    return is_fine && rp_cutover_goes_on(cutover, error);
}

static gboolean compare(RpCutover *cutover, GError **error) {
    const RpCutoverOptions *options = cutover->options;
    const RpReconcileOptions reconcile = {.load = options->load,
                                          .level = options->level,
                                          .is_on_record = TRUE,
                                          .n_rounds = options->n_rounds,
                                          .limit = options->limit,
                                          .until_us = cutover->until_us};
    g_autoptr(GError) trouble = NULL;
    rp_event_note(RP_EVENT_CUTOVER_DRAINED);
    if (rp_reconcile(&reconcile, &cutover->result->reconcile, &trouble)) {
        rp_cutover_is_late(cutover, "the comparison took longer");
        return rp_cutover_goes_on(cutover, error);
    }
    if (g_error_matches(trouble, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED) &&
        rp_cutover_is_late(cutover, "the comparison had not come to its end"))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&trouble));
    return FALSE;
}

static gboolean conclude(RpCutover *cutover, GError **error) {
    if (!rp_cutover_check_stillness(cutover, error) || !rp_cutover_count_rejects(cutover, error))
        return FALSE;
    if (cutover->result->reconcile != NULL)
        rp_cutover_judge(cutover);
    return TRUE;
}

/* From the stop of the writers on; what is left of it is undone by the caller. */
static gboolean stand_still(RpCutover *cutover, GError **error) {
    if (!watched(cutover, rp_cutover_stop_writers, error))
        return FALSE;
    rp_event_note(RP_EVENT_CUTOVER_STOPPED);
    if (!is_refused(cutover) && !watched(cutover, rp_cutover_drain, error))
        return FALSE;
    return is_refused(cutover) || (compare(cutover, error) && watched(cutover, conclude, error));
}

static gboolean connect(RpCutover *cutover, GError **error) {
    const RpLoadOptions *load = cutover->options->load;
    cutover->postgres = rp_postgres_await(load->postgres, load->retry_seconds, error);
    if (cutover->postgres == NULL)
        return FALSE;
    rp_wait_limit(cutover->postgres, load->timeout_seconds, &cutover->is_cancelled);
    cutover->redis = rp_redis_await(load->redis, load->timeout_seconds, load->retry_seconds, error);
    return cutover->redis != NULL;
}

static gboolean check(RpCutover *cutover, GError **error) {
    return connect(cutover, error) && rp_cutover_preflight(cutover, error);
}

static gboolean work(RpCutover *cutover, GError **error) {
    RpCutoverResult *result = cutover->result;
    if (!watched(cutover, check, error))
        return FALSE;
    if (is_refused(cutover))
        return TRUE;
    const gboolean is_fine = stand_still(cutover, error);
    if (cutover->stopped_us != 0)
        result->paused_ms = (g_get_monotonic_time() - cutover->stopped_us) / 1000;
    result->is_go = is_fine && !is_refused(cutover);
    return is_fine;
}

static void clear(RpCutover *cutover) {
    g_clear_pointer(&cutover->postgres, PQfinish);
    g_clear_pointer(&cutover->redis, redisFree);
    rp_pulse_clear(&cutover->still);
    g_free(cutover->source);
    g_free(cutover->since);
}

/* Signals are ours from the beginning to the end, so that none ends the program while Redis is paused. */
gboolean rp_cutover(const RpCutoverOptions *options, RpCutoverResult *result, GError **error) {
    RpCutover cutover = {.options = options, .result = result};
    const gint64 start = g_get_monotonic_time();
    RpSignals signals;
    GError *trouble = NULL;
    rp_signals_block(&signals);
    cutover.source = rp_redis_address_show(options->load->redis);
    const gboolean is_fine = work(&cutover, &trouble);
    rp_cutover_release(&cutover);
    if (is_fine && options->pauses_writes && result->paused_ms >= 0)
        rp_cutover_note(&cutover, "Redis takes writes again: the sync carries them over, and this verdict is "
                                  "not about them");
    clear(&cutover);
    rp_signals_unblock(&signals);
    result->seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    if (is_fine && !is_interrupted(&cutover))
        return TRUE;
    if (is_interrupted(&cutover)) {
        g_clear_error(&trouble);
        g_set_error(&trouble, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                    "interrupted by a signal: there is no verdict, and everything goes on as before");
    }
    g_propagate_error(error, trouble);
    return FALSE;
}
