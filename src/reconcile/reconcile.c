/* A reconciliation from its beginning to its result. */
#include "reconcile/reconcile.h"

#include "base/error.h"
#include "pipeline/interrupt.h"
#include "reconcile/first.h"
#include "reconcile/kept.h"
#include "reconcile/reconciliation.h"
#include "reconcile/repair.h"
#include "sink/wait.h"

/* ---- beginning ---- */

static gboolean connect(RpReconciliation *own, GError **error) {
    const RpLoadOptions *load = own->options->load;
    own->connection = rp_postgres_await(load->postgres, load->retry_seconds, error);
    if (own->connection == NULL)
        return FALSE;
    rp_wait_limit(own->connection, load->timeout_seconds, &own->is_cancelled);
    return rp_postgres_run(own->connection, "SET jit = off", error) &&
           rp_pulse_take(load->redis, load->timeout_seconds, load->retry_seconds, &own->pulse, error);
}

static gboolean begin(RpReconciliation *own, GError **error) {
    const RpLoadOptions *load = own->options->load;
    const guint64 seed = rp_digester_seed();
    g_autofree char *source = own->options->is_on_record ? rp_redis_address_show(load->redis) : NULL;
    if (!connect(own, error))
        return FALSE;
    own->units = rp_units_new(own->connection, load->mapping, load->only);
    own->load = *load;
    own->load.mapping = &own->units->mapping;
    own->load.only = own->units->only != NULL ? (const char *const *)own->units->only->pdata : NULL;
    own->survey =
        (RpSurvey){.load = &own->load, .run_id = own->pulse.run_id, .is_cancelled = &own->is_cancelled};
    own->result->source_run_id = g_strdup(own->pulse.run_id);
    own->result->redis_version = g_strdup(own->pulse.version);
    own->n_source = g_new0(guint64, own->units->units->len);
    own->n_equal = g_new0(guint64, own->units->units->len);
    own->n_kept = g_new0(guint64, own->units->units->len);
    own->n_different = g_new0(guint64 *, own->units->units->len + 1);
    for (guint i = 0; i < own->units->units->len; i++)
        own->n_different[i] = g_new0(guint64, rp_units_most_columns(own->units));
    rp_totals_init(&own->looked_source, own->units);
    rp_totals_init(&own->looked_target, own->units);
    rp_totals_init(&own->rest, own->units);
    own->source.rows.postgres = load->postgres;
    own->source.rows.is_cancelled = &own->is_cancelled;
    own->source.rows.timeout_seconds = load->timeout_seconds;
    own->source.rows.database = load->redis->database;
    const gboolean is_counting = own->options->level == RP_LEVEL_COUNTS;
    own->source.rows.judges = is_counting; /* there is no look that would ask for checks */
    rp_side_init(&own->target, own->units, seed, is_counting);
    own->place = (RpLookPlace){.units = own->units,
                               .survey = &own->survey,
                               .postgres = load->postgres,
                               .timeout_seconds = load->timeout_seconds,
                               .is_cancelled = &own->is_cancelled,
                               .seed = seed,
                               .n_buckets = own->target.buckets.n_buckets};
    return rp_kept_prepare(own->connection, own->units, error) &&
           rp_source_side_init(&own->source, own->units, seed, is_counting, error) &&
           rp_differences_init(&own->differences, own->units, source, error);
}

static void clear(RpReconciliation *own) {
    rp_differences_clear(&own->differences);
    rp_source_side_clear(&own->source);
    rp_side_clear(&own->target);
    rp_totals_clear(&own->looked_source);
    rp_totals_clear(&own->looked_target);
    rp_totals_clear(&own->rest);
    for (guint i = 0; own->n_different != NULL && own->n_different[i] != NULL; i++)
        g_free(own->n_different[i]);
    g_free(own->n_different);
    rp_units_free(own->units);
    rp_pulse_clear(&own->pulse);
    g_free(own->n_source);
    g_free(own->n_equal);
    g_free(own->n_kept);
    g_clear_pointer(&own->connection, PQfinish);
}

/* ---- the whole ---- */

static gboolean compare(RpReconciliation *own, GError **error) {
    const RpFirstReading first = {own->units,   &own->survey, own->connection,
                                  &own->source, &own->target, &own->is_cancelled};
    own->result->n_rounds = 1;
    return rp_first_read(&first, error) && rp_rounds_feel_pulse(own, error) &&
           (own->options->level == RP_LEVEL_COUNTS || rp_rounds_look(own, error)) && rp_conclude(own, error);
}

/* From the first connections on a signal ends it: what fails then fails for that. */
static gboolean reconcile(RpReconciliation *own, GError **error) {
    RpInterrupt interrupt;
    if (!begin(own, error))
        return FALSE;
    rp_interrupt_begin_until(&interrupt, &own->is_cancelled, own->options->until_us);
    const gboolean is_fine = compare(own, error);
    if (rp_interrupt_end(&interrupt) && !is_fine) {
        g_clear_error(error);
        g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                    "interrupted by a signal: nothing was compared to the end, and nothing changed");
    } else if (!is_fine && rp_interrupt_was_late(&interrupt)) {
        g_clear_error(error);
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "the time for it is over: nothing was compared to the end");
    }
    return is_fine;
}

/* repair: NULL, or what is to be done about what was found; then *repaired says what was done. */
static gboolean reconcile_once(const RpReconcileOptions *options, const RpRepairOptions *repair,
                               RpRepairResult *repaired, RpReconcileResult **result, GError **error) {
    const gint64 start = g_get_monotonic_time();
    g_autoptr(RpReconcileResult) made = rp_reconcile_result_new(options->level);
    RpReconciliation own = {.options = options, .result = made};
    const gboolean is_fine =
        reconcile(&own, error) && (repair == NULL || rp_repair(&own, repair, repaired, error));
    clear(&own);
    made->seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    *result = is_fine ? g_steal_pointer(&made) : NULL;
    return is_fine;
}

gboolean rp_reconcile(const RpReconcileOptions *options, RpReconcileResult **result, GError **error) {
    RpRepairResult repaired = {0};
    if (!reconcile_once(options, options->repair, &repaired, result, error))
        return FALSE;
    if (repaired.run > 0) {
        g_clear_pointer(result, rp_reconcile_result_free);
        if (!reconcile_once(options, NULL, NULL, result, error))
            return FALSE;
    }
    (*result)->has_repair = options->repair != NULL;
    (*result)->repair = repaired;
    return TRUE;
}
