/* From buckets that differ to differences.
 *
 * 1. Whatever differs in a bucket shows in its sums; what stands in other buckets is equal without being read
 *    again.
 * 2. While the source changes, a bucket's rows are looked at again before a difference is told, and what came
 *    after the first reading is looked for.
 * 3. Memory does not follow the number of rows: buckets are looked at in portions of a bounded number. */
#include "reconcile/reconciliation.h"

#include "base/error.h"
#include "reconcile/kept.h"

#include <string.h>

#define PORTION_ROWS  200000u /* rows of both sides in the buckets that are looked at together */
#define FIRST_WAIT_US (200 * G_TIME_SPAN_MILLISECOND)
#define MOST_WAIT_US  (2 * G_TIME_SPAN_SECOND)
#define SLICE_US      (20 * G_TIME_SPAN_MILLISECOND)

/* ---- whether anything changes ---- */

static gboolean has_open_run(RpReconciliation *own, gboolean *has_one, GError **error) {
    *has_one = FALSE;
    if (!own->options->is_on_record)
        return TRUE;
    g_autoptr(PGresult) result = rp_postgres_query(
        own->connection, "SELECT EXISTS (SELECT FROM redis2pg.runs WHERE status = 'open')", 0, NULL, error);
    if (result == NULL)
        return FALSE;
    *has_one = rp_postgres_is_true(result, 0, 0);
    return TRUE;
}

/* A run that is under way changes the target. */
gboolean rp_rounds_feel_pulse(RpReconciliation *own, GError **error) {
    const RpLoadOptions *load = own->options->load;
    g_auto(RpPulse) now = {0};
    gboolean has_run;
    if (!has_open_run(own, &has_run, error))
        return FALSE;
    /* A Redis that cannot be asked now may have changed: whoever reads it next will say what is wrong. */
    if (has_run || !rp_pulse_take(load->redis, load->timeout_seconds, 0, &now, NULL) ||
        !rp_pulse_is_same(&own->pulse, &now))
        own->result->is_live = TRUE;
    return TRUE;
}

/* ---- buckets ---- */

/* Those that are to be looked at next: a portion of the ones that differ. */
typedef struct {
    guint8 *is_wanted;
    guint8 *is_differing; /* all that differ */
    gboolean is_first;
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
        own->n_kept[i] += own->target.n_kept[(gsize)i * own->place.n_buckets + bucket];
    }
}

static gboolean is_compared(const RpReconciliation *own, guint leader) {
    const RpUnit *unit = rp_units_get(own->units, leader);
    return unit->leader == leader && unit->is_wanted;
}

/* Equal sums, and nothing that a check of the mapping would refuse. */
static gboolean is_settled(const RpReconciliation *own, guint leader, guint32 bucket) {
    return !own->target.is_doubtful[(gsize)leader * own->place.n_buckets + bucket] &&
           rp_buckets_is_equal(&own->source.side.buckets, &own->target.buckets, own->units, leader, bucket);
}

static void mark_differing(const RpReconciliation *own, guint8 *is_differing) {
    const guint32 n_buckets = own->place.n_buckets;
    for (guint leader = 0; leader < own->units->units->len; leader++)
        for (guint32 bucket = 0; is_compared(own, leader) && bucket < n_buckets; bucket++)
            is_differing[(gsize)leader * n_buckets + bucket] = !is_settled(own, leader, bucket);
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
            if (is_settled(own, portion->leader, portion->bucket)) {
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
    const RpLook *look;
    guint64 *n_source;
    guint64 *n_equal;
    guint64 *n_kept;
    GArray *suspicions; /* of RpSuspicion; names and columns are the look's */
    guint n_extra;
} Outcome;

static void take_suspicion(const RpSuspicion *suspicion, gpointer data) {
    Outcome *outcome = data;
    const RpUnit *unit = rp_units_get(outcome->own->units, suspicion->unit);
    if (suspicion->kind == RP_DIFFERENCE_EXTRA) {
        const int keeper = rp_kept_rows_find(outcome->look->kept, &suspicion->identity);
        if (keeper >= 0)
            outcome->n_kept[keeper]++;
        if (keeper >= 0 || !unit->is_told_extra)
            return;
    }
    outcome->n_extra += suspicion->kind == RP_DIFFERENCE_EXTRA;
    g_array_append_val(outcome->suspicions, *suspicion);
}

static void settle(RpReconciliation *own, RpLook *look, Outcome *outcome) {
    const gsize n_bytes = own->units->units->len * sizeof(guint64);
    memset(outcome->n_source, 0, n_bytes);
    memset(outcome->n_equal, 0, n_bytes);
    memset(outcome->n_kept, 0, n_bytes);
    g_array_set_size(outcome->suspicions, 0);
    outcome->n_extra = 0;
    rp_suspects_settle(&look->suspects, outcome->n_source, outcome->n_equal, take_suspicion, outcome);
}

static gboolean rest(const RpReconciliation *own, gint64 wait_us, GError **error) {
    const gint64 end = g_get_monotonic_time() + wait_us;
    while (g_get_monotonic_time() < end && !g_atomic_int_get(&own->is_cancelled))
        g_usleep(SLICE_US);
    if (!g_atomic_int_get(&own->is_cancelled))
        return TRUE;
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "given up");
    return FALSE;
}

/* Looks until nothing differs, nothing changes, or it was often enough; but rows are not told as extra before
 * keys that came since the first reading were looked for. */
static gboolean look_at(RpReconciliation *own, RpLook *look, Outcome *outcome, GError **error) {
    gint64 wait_us = FIRST_WAIT_US;
    for (guint round = 1;; round++) {
        if (!rp_look(look, own->connection, error) || !rp_rounds_feel_pulse(own, error))
            return FALSE;
        look->is_differing = NULL; /* the rest is not read twice */
        settle(own, look, outcome);
        own->result->n_rounds = MAX(own->result->n_rounds, round);
        if (outcome->suspicions->len == 0 || !own->result->is_live)
            return TRUE;
        if (round >= own->options->n_rounds && (outcome->n_extra == 0 || look->reads_all))
            return TRUE;
        if (!rest(own, wait_us, error))
            return FALSE;
        wait_us = MIN(2 * wait_us, MOST_WAIT_US);
        look->reads_all = round + 1 >= own->options->n_rounds && outcome->n_extra > 0;
    }
}

/* Hashes of columns are not aligned. */
static guint64 hash_at(const char *columns, guint column) {
    guint64 hash;
    memcpy(&hash, columns + column * sizeof hash, sizeof hash);
    return hash;
}

static void take_difference(RpReconciliation *own, const RpSuspicion *suspicion) {
    const RpUnit *unit = rp_units_get(own->units, suspicion->unit);
    rp_differences_add(&own->differences, suspicion);
    for (guint i = 0; suspicion->source_columns != NULL && i < unit->columns->len; i++)
        if (hash_at(suspicion->source_columns, i) != hash_at(suspicion->target_columns, i))
            own->n_different[unit->number][i]++;
}

static void take_outcome(RpReconciliation *own, const RpLook *look, const Outcome *outcome) {
    for (guint i = 0; i < own->units->units->len; i++) {
        own->n_source[i] += outcome->n_source[i];
        own->n_equal[i] += outcome->n_equal[i];
        own->n_kept[i] += outcome->n_kept[i];
    }
    own->has_come_back = own->has_come_back || look->has_come_back;
    for (guint i = 0; i < outcome->suspicions->len; i++)
        take_difference(own, &g_array_index(outcome->suspicions, RpSuspicion, i));
    rp_totals_add_all(&own->looked_source, &look->source);
    rp_totals_add_all(&own->looked_target, &look->target);
    rp_look_take_refused(look, own->source.refused, own->source.n_refused);
}

static gboolean look_at_portion(RpReconciliation *own, const Portion *portion, GError **error) {
    RpLook look;
    Outcome outcome = {.own = own,
                       .look = &look,
                       .n_kept = g_new0(guint64, own->units->units->len),
                       .n_source = g_new0(guint64, own->units->units->len),
                       .n_equal = g_new0(guint64, own->units->units->len),
                       .suspicions = g_array_new(FALSE, FALSE, sizeof(RpSuspicion))};
    rp_look_init(&look, &own->place);
    look.is_wanted = portion->is_wanted;
    look.is_differing = portion->is_first ? portion->is_differing : NULL;
    look.rest = &own->rest;
    const gboolean is_fine = look_at(own, &look, &outcome, error);
    if (is_fine)
        take_outcome(own, &look, &outcome);
    g_free(outcome.n_source);
    g_free(outcome.n_equal);
    g_free(outcome.n_kept);
    g_array_unref(outcome.suspicions);
    rp_look_clear(&look);
    return is_fine;
}

gboolean rp_rounds_look(RpReconciliation *own, GError **error) {
    const gsize n_buckets = (gsize)own->units->units->len * own->place.n_buckets;
    Portion portion = {
        .is_wanted = g_malloc0(n_buckets), .is_differing = g_malloc0(n_buckets), .is_first = TRUE};
    gboolean is_fine = TRUE;
    own->place.keys = own->source.keys;
    own->place.has_columns = own->options->level == RP_LEVEL_FIELDS;
    mark_differing(own, portion.is_differing);
    for (; is_fine && next_portion(own, &portion); portion.is_first = FALSE)
        is_fine = look_at_portion(own, &portion, error);
    own->has_looked = !portion.is_first;
    g_free(portion.is_wanted);
    g_free(portion.is_differing);
    return is_fine;
}
