/* The target on a thread of its own, the source under the supervisor's eyes.
 *
 * 1. The target's snapshot is older than anything that is read of Redis: what is written to both meanwhile
 *    can be missing, but not extra.
 * 2. Tables keep their shape from before the snapshot to its end, and it is the one that the mapping was
 * bound to. */
#include "reconcile/first.h"

#include "base/error.h"
#include "reconcile/shape.h"

#include <string.h>

/* ---- the target ---- */

typedef struct {
    const RpFirstReading *reading;
    GError *error;
} TargetThread;

static gpointer read_target(gpointer data) {
    TargetThread *thread = data;
    const RpFirstReading *reading = thread->reading;
    for (guint i = 0; i < reading->units->units->len; i++) {
        const RpUnit *unit = rp_units_get(reading->units, i);
        if (unit->leader != unit->number || !unit->is_wanted)
            continue;
        if (rp_target_read(reading->connection, unit, rp_target_side_take, reading->target, &thread->error))
            continue;
        g_atomic_int_set(reading->is_cancelled, 1);
        return NULL;
    }
    return NULL;
}

/* ---- the source ---- */

static gboolean take_batch(RpBatch *batch, gpointer data, GError **error) {
    const RpFirstReading *reading = data;
    if (!g_atomic_int_get(reading->is_cancelled))
        return rp_source_side_take(batch, reading->source, error);
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "given up: PostgreSQL could not be read");
    return FALSE;
}

static gboolean read_source(const RpFirstReading *reading, GError **error) {
    RpSurvey survey = *reading->survey;
    survey.take = take_batch;
    survey.data = (gpointer)reading;
    if (rp_survey(&survey, error))
        return TRUE;
    g_atomic_int_set(reading->is_cancelled, 1);
    return FALSE;
}

/* The error of the side that failed first: the other one was given up for it. */
static gboolean conclude(TargetThread *thread, gboolean was_cancelled_by_target, GError *of_source,
                         GError **error) {
    if (thread->error == NULL && of_source == NULL)
        return TRUE;
    const gboolean is_target = thread->error != NULL && (of_source == NULL || was_cancelled_by_target);
    g_propagate_error(error, is_target ? g_steal_pointer(&thread->error) : g_steal_pointer(&of_source));
    g_clear_error(&thread->error);
    g_clear_error(&of_source);
    return FALSE;
}

gboolean rp_first_read(const RpFirstReading *reading, GError **error) {
    if (!rp_shape_begin(reading->connection, reading->units, error))
        return FALSE;
    TargetThread target = {.reading = reading};
    GThread *thread = g_thread_new("target", read_target, &target);
    GError *of_source = NULL;
    read_source(reading, &of_source);
    const gboolean is_stop = of_source != NULL && of_source->domain == RP_STOP_ERROR;
    g_thread_join(thread);
    const gboolean is_of_target = is_stop && target.error != NULL && target.error->domain != RP_STOP_ERROR &&
                                  strstr(of_source->message, "signal") == NULL;
    return conclude(&target, is_of_target, of_source, error) && rp_shape_end(reading->connection, error);
}
