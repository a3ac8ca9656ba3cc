/* The target on a thread of its own, the source under the supervisor's eyes.
 *
 * 1. The target's snapshot is older than anything that is read of Redis: what is written to both meanwhile
 *    can be missing, but not extra.
 * 2. Tables keep their shape from before the snapshot to its end, and it is the one that the mapping was
 * bound to. */
#include "reconcile/first.h"

#include "base/error.h"
#include "reconcile/kept.h"
#include "reconcile/shape.h"

#include <string.h>

/* Both sides. */
typedef struct {
    const RpFirstReading *reading;
    GError *of_target;
    gint has_failed; /* atomic: the target could not be read */
} Sides;

/* ---- the target ---- */

/* A check that fails on some row of the target says nothing of the others: then all are to be judged. */
static gboolean doubt_rows(const RpFirstReading *reading, const RpUnit *unit, GError **error) {
    g_autoptr(GError) trouble = NULL;
    RpSide *target = reading->target;
    if (!rp_postgres_run(reading->connection, "SAVEPOINT checks", error))
        return FALSE;
    if (rp_target_read_refused(reading->connection, unit, reading->is_cancelled, rp_target_side_doubt, target,
                               &trouble))
        return rp_postgres_run(reading->connection, "RELEASE SAVEPOINT checks", error);
    if (!g_error_matches(trouble, RP_SINK_ERROR, RP_SINK_ERROR_DATA)) {
        g_propagate_error(error, g_steal_pointer(&trouble));
        return FALSE;
    }
    memset(target->is_doubtful + (gsize)unit->leader * target->buckets.n_buckets, 1,
           target->buckets.n_buckets);
    return rp_postgres_run(reading->connection, "ROLLBACK TO SAVEPOINT checks", error);
}

/* Rows that are kept are counted where entities are told, and not among the others. */
static gboolean read_table(const RpFirstReading *reading, const RpUnit *leader, GError **error) {
    return rp_target_read(reading->connection, leader, reading->is_cancelled, rp_target_side_take,
                          reading->target, error) &&
           (leader->link != NULL ||
            rp_kept_read(reading->connection, reading->units, leader, reading->is_cancelled,
                         rp_target_side_keep, reading->target, error));
}

static gboolean read_unit(const RpFirstReading *reading, const RpUnit *unit, GError **error) {
    if (!unit->is_wanted)
        return TRUE;
    if (unit->leader == unit->number && !read_table(reading, unit, error))
        return FALSE;
    return unit->is_staged || !unit->has_checks || reading->target->is_counting ||
           doubt_rows(reading, unit, error);
}

static gpointer read_target(gpointer data) {
    Sides *sides = data;
    const RpFirstReading *reading = sides->reading;
    for (guint i = 0; i < reading->units->units->len; i++)
        if (!read_unit(reading, rp_units_get(reading->units, i), &sides->of_target)) {
            g_atomic_int_set(&sides->has_failed, 1);
            break;
        }
    return NULL;
}

/* ---- the source ---- */

static gboolean take_batch(RpBatch *batch, gpointer data, GError **error) {
    const Sides *sides = data;
    if (!g_atomic_int_get(&sides->has_failed))
        return rp_source_side_take(batch, sides->reading->source, error);
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "given up: PostgreSQL could not be read");
    return FALSE;
}

static gboolean read_source(Sides *sides, GError **error) {
    RpSurvey survey = *sides->reading->survey;
    survey.take = take_batch;
    survey.data = sides;
    if (rp_survey(&survey, error))
        return TRUE;
    if (!g_atomic_int_get(&sides->has_failed))
        g_atomic_int_set(sides->reading->is_cancelled, 1);
    return FALSE;
}

/* The error of the side that failed first: the other one was given up for it. */
static gboolean conclude(Sides *sides, GError *of_source, gboolean was_target_first, GError **error) {
    GError *of_target = g_steal_pointer(&sides->of_target);
    GError *first = of_source == NULL || (was_target_first && of_target != NULL) ? of_target : of_source;
    GError *other = first == of_source ? of_target : of_source;
    g_clear_error(&other);
    if (first != NULL)
        g_propagate_error(error, first);
    return first == NULL;
}

gboolean rp_first_read(const RpFirstReading *reading, GError **error) {
    if (!rp_shape_begin(reading->connection, reading->units, error))
        return FALSE;
    Sides sides = {.reading = reading};
    GThread *thread = g_thread_new("target", read_target, &sides);
    GError *of_source = NULL;
    read_source(&sides, &of_source);
    const gboolean was_target_first = !g_atomic_int_get(reading->is_cancelled);
    g_thread_join(thread);
    return conclude(&sides, of_source, was_target_first, error) && rp_shape_end(reading->connection, error);
}
