/* A reconciliation from its beginning to its result.
 *
 * 1. Whatever differs in a bucket shows in its sums; what stands in other buckets is equal without being read
 *    again.
 * 2. While the source changes, a bucket's rows are looked at again before a difference is told, and what came
 *    after the first reading is looked for.
 * 3. Memory does not follow the number of rows: buckets are looked at in portions of a bounded number. */
#include "reconcile/reconcile.h"

#include "base/error.h"
#include "ledger/summary.h"
#include "reconcile/first.h"
#include "reconcile/reconciliation.h"
#include "sink/wait.h"

#include <string.h>

#define PORTION_ROWS  200000u /* rows of both sides in the buckets that are looked at together */
#define FIRST_WAIT_US (200 * G_TIME_SPAN_MILLISECOND)
#define MOST_WAIT_US  (2 * G_TIME_SPAN_SECOND)

/* ---- beginning ---- */

static gboolean connect(RpReconciliation *own, GError **error) {
    const RpLoadOptions *load = own->options->load;
    own->connection = rp_postgres_await(load->postgres, load->retry_seconds, error);
    if (own->connection == NULL)
        return FALSE;
    rp_wait_limit(own->connection, load->timeout_seconds, &own->is_cancelled);
    return rp_postgres_run(own->connection, "SET jit = off", error) &&
           rp_ledger_exists(own->connection, &own->has_ledger, error) &&
           rp_pulse_take(load->redis, load->timeout_seconds, load->retry_seconds, &own->pulse, error);
}

static gboolean begin(RpReconciliation *own, GError **error) {
    const RpLoadOptions *load = own->options->load;
    const guint64 seed = rp_digester_seed();
    if (!connect(own, error))
        return FALSE;
    own->units = rp_units_new(own->connection, load->mapping, load->only);
    own->load = *load;
    own->load.mapping = &own->units->mapping;
    own->load.only = own->units->only != NULL ? (const char *const *)own->units->only->pdata : NULL;
    own->survey = (RpSurvey){.load = &own->load, .run_id = own->pulse.run_id};
    own->n_source = g_new0(guint64, own->units->units->len);
    own->n_equal = g_new0(guint64, own->units->units->len);
    own->source.rows.postgres = load->postgres;
    own->source.rows.is_cancelled = &own->is_cancelled;
    own->source.rows.timeout_seconds = load->timeout_seconds;
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
    return rp_source_side_init(&own->source, own->units, seed, is_counting, error) &&
           rp_differences_init(&own->differences, own->units, error);
}

static void clear(RpReconciliation *own) {
    rp_differences_clear(&own->differences);
    rp_source_side_clear(&own->source);
    rp_side_clear(&own->target);
    rp_units_free(own->units);
    rp_pulse_clear(&own->pulse);
    g_free(own->n_source);
    g_free(own->n_equal);
    g_clear_pointer(&own->connection, PQfinish);
}

/* ---- whether anything changes ---- */

static gboolean has_open_run(RpReconciliation *own, gboolean *has_one, GError **error) {
    *has_one = FALSE;
    if (!own->has_ledger)
        return TRUE;
    g_autoptr(PGresult) result = rp_postgres_query(
        own->connection, "SELECT EXISTS (SELECT FROM redis2pg.runs WHERE status = 'open')", 0, NULL, error);
    if (result == NULL)
        return FALSE;
    *has_one = rp_postgres_is_true(result, 0, 0);
    return TRUE;
}

/* A run that is under way changes the target. */
static gboolean feel_pulse(RpReconciliation *own, GError **error) {
    const RpLoadOptions *load = own->options->load;
    g_auto(RpPulse) now = {0};
    gboolean has_run;
    if (!rp_pulse_take(load->redis, load->timeout_seconds, load->retry_seconds, &now, error) ||
        !has_open_run(own, &has_run, error))
        return FALSE;
    if (has_run || !rp_pulse_is_same(&own->pulse, &now))
        own->result->is_live = TRUE;
    return TRUE;
}

/* ---- buckets ---- */

/* Those that are to be looked at next: a portion of the ones that differ. */
typedef struct {
    guint8 *is_wanted;
    guint leader;
    guint32 bucket;
    guint64 n_rows;
    guint n_wanted;
} Portion;

static guint64 rows_in(const RpReconciliation *own, guint leader, guint32 bucket) {
    guint64 n_rows = rp_buckets_count(&own->target.buckets, leader, bucket);
    for (guint i = leader; i < own->units->units->len; i++)
        if (rp_units_get(own->units, i)->leader == leader)
            n_rows += rp_buckets_count(&own->source.side.buckets, i, bucket);
    return n_rows;
}

/* Counts of a bucket that is equal, or that is being looked at. */
static void pass_bucket(RpReconciliation *own, guint leader, guint32 bucket) {
    for (guint i = leader; i < own->units->units->len; i++) {
        if (rp_units_get(own->units, i)->leader != leader)
            continue;
        const guint64 n_rows = rp_buckets_count(&own->source.side.buckets, i, bucket);
        own->n_source[i] += n_rows;
        own->n_equal[i] += n_rows;
    }
}

static gboolean is_compared(const RpReconciliation *own, guint leader) {
    const RpUnit *unit = rp_units_get(own->units, leader);
    return unit->leader == leader && rp_units_wants(own->units, unit);
}

/* Goes on where the portion before ended; FALSE when nothing is left. */
static gboolean next_portion(RpReconciliation *own, Portion *portion) {
    const guint32 n_buckets = own->place.n_buckets;
    memset(portion->is_wanted, 0, (gsize)own->units->units->len * n_buckets);
    portion->n_rows = portion->n_wanted = 0;
    for (; portion->leader < own->units->units->len; portion->leader++, portion->bucket = 0) {
        if (!is_compared(own, portion->leader))
            continue;
        for (; portion->bucket < n_buckets; portion->bucket++) {
            if (rp_buckets_is_equal(&own->source.side.buckets, &own->target.buckets, own->units,
                                    portion->leader, portion->bucket)) {
                pass_bucket(own, portion->leader, portion->bucket);
                continue;
            }
            const guint64 n_rows = rows_in(own, portion->leader, portion->bucket);
            if (portion->n_wanted > 0 && portion->n_rows + n_rows > PORTION_ROWS)
                return TRUE;
            portion->is_wanted[(gsize)portion->leader * n_buckets + portion->bucket] = 1;
            portion->n_rows += n_rows;
            portion->n_wanted++;
        }
    }
    return portion->n_wanted > 0;
}

/* ---- looks ---- */

/* What a look has found. */
typedef struct {
    const RpReconciliation *own;
    guint64 *n_source;
    guint64 *n_equal;
    GArray *suspicions; /* of RpSuspicion; names are the look's */
    guint n_extra;
} Outcome;

static void take_suspicion(const RpSuspicion *suspicion, gpointer data) {
    Outcome *outcome = data;
    const RpUnit *unit = rp_units_get(outcome->own->units, suspicion->unit);
    if (suspicion->kind == RP_DIFFERENCE_EXTRA && !unit->is_told_extra)
        return;
    outcome->n_extra += suspicion->kind == RP_DIFFERENCE_EXTRA;
    g_array_append_val(outcome->suspicions, *suspicion);
}

static void settle(RpReconciliation *own, RpLook *look, Outcome *outcome) {
    const gsize n_bytes = own->units->units->len * sizeof(guint64);
    memset(outcome->n_source, 0, n_bytes);
    memset(outcome->n_equal, 0, n_bytes);
    g_array_set_size(outcome->suspicions, 0);
    outcome->n_extra = 0;
    rp_suspects_settle(&look->suspects, outcome->n_source, outcome->n_equal, take_suspicion, outcome);
}

/* Looks until nothing differs, nothing changes any more, or it was often enough. */
static gboolean look_at(RpReconciliation *own, RpLook *look, Outcome *outcome, GError **error) {
    gint64 wait_us = FIRST_WAIT_US;
    for (guint round = 1;; round++) {
        if (!rp_look(look, own->connection, error) || !feel_pulse(own, error))
            return FALSE;
        settle(own, look, outcome);
        own->result->n_rounds = MAX(own->result->n_rounds, round);
        if (outcome->suspicions->len == 0 || !own->result->is_live || round >= own->options->n_rounds)
            return TRUE;
        g_usleep((gulong)wait_us);
        wait_us = MIN(2 * wait_us, MOST_WAIT_US);
        look->reads_all = round + 1 == own->options->n_rounds && outcome->n_extra > 0;
    }
}

static void take_outcome(RpReconciliation *own, const RpLook *look, const Outcome *outcome) {
    for (guint i = 0; i < own->units->units->len; i++) {
        own->n_source[i] += outcome->n_source[i];
        own->n_equal[i] += outcome->n_equal[i];
        own->source.rows.filtered[i] += look->n_filtered[i];
    }
    for (guint i = 0; i < outcome->suspicions->len; i++)
        rp_differences_add(&own->differences, &g_array_index(outcome->suspicions, RpSuspicion, i));
    rp_look_take_refused(look, own->source.refused, own->source.n_refused);
}

static gboolean look_at_portion(RpReconciliation *own, const Portion *portion, GError **error) {
    RpLook look;
    Outcome outcome = {.own = own,
                       .n_source = g_new0(guint64, own->units->units->len),
                       .n_equal = g_new0(guint64, own->units->units->len),
                       .suspicions = g_array_new(FALSE, FALSE, sizeof(RpSuspicion))};
    rp_look_init(&look, &own->place);
    look.is_wanted = portion->is_wanted;
    const gboolean is_fine = look_at(own, &look, &outcome, error);
    if (is_fine)
        take_outcome(own, &look, &outcome);
    g_free(outcome.n_source);
    g_free(outcome.n_equal);
    g_array_unref(outcome.suspicions);
    rp_look_clear(&look);
    return is_fine;
}

static gboolean look_at_differing(RpReconciliation *own, GError **error) {
    Portion portion = {.is_wanted = g_malloc((gsize)own->units->units->len * own->place.n_buckets)};
    gboolean is_fine = TRUE;
    own->place.keys = own->source.keys;
    while (is_fine && next_portion(own, &portion))
        is_fine = look_at_portion(own, &portion, error);
    g_free(portion.is_wanted);
    return is_fine;
}

/* ---- the whole ---- */

static gboolean reconcile(RpReconciliation *own, GError **error) {
    const RpFirstReading first = {own->units,   &own->survey, own->connection,
                                  &own->source, &own->target, &own->is_cancelled};
    own->result->n_rounds = 1;
    return rp_first_read(&first, error) && feel_pulse(own, error) &&
           (own->options->level == RP_LEVEL_COUNTS || look_at_differing(own, error)) &&
           rp_conclude(own, error);
}

gboolean rp_reconcile(const RpReconcileOptions *options, RpReconcileResult **result, GError **error) {
    const gint64 start = g_get_monotonic_time();
    g_autoptr(RpReconcileResult) made = rp_reconcile_result_new(options->level);
    RpReconciliation own = {.options = options, .result = made};
    const gboolean is_fine = begin(&own, error) && reconcile(&own, error);
    clear(&own);
    made->seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    *result = is_fine ? g_steal_pointer(&made) : NULL;
    return is_fine;
}
