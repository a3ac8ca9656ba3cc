/* Finding the rows that PostgreSQL refuses: the ones that no set-based check foresees, because a trigger, a
 * policy, an exclusion constraint or a domain judges them.
 *
 * 1. A search writes nothing: each of its transactions is rolled back.
 * 2. The whole is tried again first: a trouble that has passed rejects nobody. A row is rejected when it is
 * refused alone; when none is, the first one that does not go with those before it is.
 * 3. Never a savepoint for each row: rows written inside one would carry another xmin. */
#include "pipeline/writer.h"

#include "base/error.h"
#include "base/event.h"
#include "sink/trouble.h"
#include "sink/unit.h"

#include <string.h>

#define PROBES        8u
#define MAX_DEAD_ROWS 5000u
#define BY_ONES                                                                                              \
    4u /* so few rows are tried one by one at once: where every row is bad, halving them costs more */

typedef struct {
    RpWriter *writer;
    const RpMergePlan *plan;
    RpBatch *batch;
    GArray *rows; /* of guint32: the ordinals that took part in the failing attempt */
    guint n_rejected;
    guint64
        n_dead; /* rows that trials have left in the staging tables, which every later trial passes over */
} Search;

static RpRow *row_at(Search *search, guint position) {
    const guint32 ordinal = g_array_index(search->rows, guint32, position);
    return &g_array_index(search->batch->tuples[search->plan->number].rows, RpRow, ordinal);
}

static void set_states(Search *search, guint from, guint to, RpRowState state) {
    for (guint i = from; i < to; i++)
        if (row_at(search, i)->state != RP_ROW_REJECTED)
            row_at(search, i)->state = (guint8)state;
}

/* How far a trial goes. */
typedef enum {
    TRY_STAGING,
    TRY_MERGE,
} Trial;

static gboolean make_trial(Search *search, Trial trial, GError **error) {
    guint64 n_rows;
    return rp_writer_begin(search->writer, error) &&
           (trial == TRY_STAGING
                ? rp_writer_stage_entity(search->writer, search->plan, search->batch, &n_rows, error)
                : rp_writer_begin_merges(search->writer, search->batch, search->plan, error) &&
                      rp_writer_write_entity(search->writer, search->plan, search->batch, error));
}

/* Rows that were rolled back still take their place, until the tables are emptied by a transaction that is
 * not. When that fails the next trial will too, and say why. */
static void sweep(Search *search, guint n_rows) {
    search->n_dead += n_rows;
    if (search->n_dead < MAX_DEAD_ROWS)
        return;
    search->n_dead = 0;
    rp_writer_empty_stages(search->writer, NULL);
}

/* Stages or merges only the rows [from, to) and rolls back. */
static gboolean try_rows(Search *search, Trial trial, guint from, guint to, GError **error) {
    set_states(search, 0, search->rows->len, RP_ROW_ASIDE);
    set_states(search, from, to, RP_ROW_IN);
    if (g_atomic_int_get(&search->writer->crew->is_cancelled)) {
        g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "stopped while looking for bad rows");
        return FALSE;
    }
    const gboolean is_fine = make_trial(search, trial, error);
    rp_unit_abort(search->writer->connection);
    sweep(search, to - from);
    rp_batch_forget_write(search->batch);
    set_states(search, 0, search->rows->len, RP_ROW_IN);
    return is_fine && rp_event_pass(RP_EVENT_ROWS_TRIED, error);
}

static RpRejectCode code_of(const char *sqlstate) {
    static const struct {
        const char *sqlstate;
        RpRejectCode code;
    } codes[] = {{"23502", RP_REJECT_NOT_NULL},
                 {"23503", RP_REJECT_MISSING_REFERENCE},
                 {RP_UNIQUE_VIOLATION, RP_REJECT_DUPLICATE_KEY},
                 {"23514", RP_REJECT_CHECK_FAILED}};
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
        if (g_strcmp0(sqlstate, codes[i].sqlstate) == 0)
            return codes[i].code;
    return RP_REJECT_DATABASE_ERROR;
}

/* Foreign keys, unique values, exclusions: other rows are in the way, or missing. */
static gboolean is_of_others(const char *sqlstate) {
    static const char *const states[] = {RP_FOREIGN_KEY_VIOLATION, RP_UNIQUE_VIOLATION, "23P01", NULL};
    return sqlstate != NULL && g_strv_contains(states, sqlstate);
}

/* Of a value that PostgreSQL cannot read, or that is beyond the type: it says so while the row is staged. */
static gboolean is_of_cast(Search *search, guint position, const char *sqlstate) {
    static const char *const states[] = {"22P02", "22007", "22008", "22003", NULL};
    if (search->plan->raw == NULL || sqlstate == NULL || !g_strv_contains(states, sqlstate))
        return FALSE;
    g_autoptr(GError) trouble = NULL;
    return !try_rows(search, TRY_STAGING, position, position + 1, &trouble) &&
           g_strcmp0(rp_sink_error_get_sqlstate(trouble), sqlstate) == 0;
}

static void reject_row(Search *search, guint position, const GError *why) {
    const char *sqlstate = rp_sink_error_get_sqlstate(why);
    const gboolean is_cast = is_of_cast(search, position, sqlstate);
    /* What the server says may quote the row. */
    const char *said =
        rp_entity_has_sensitive(search->plan->entity) ? RP_MASK : rp_sink_error_get_primary(why);
    const RpReject reject = {
        .entity = search->plan->number,
        .record = row_at(search, position)->record,
        .element = row_at(search, position)->element,
        .stage = is_cast ? RP_STAGE_STAGE : RP_STAGE_WRITE,
        .code = is_cast ? RP_REJECT_INVALID_VALUE : code_of(sqlstate),
        .constraint = g_strdup(rp_sink_error_get_constraint(why)),
        .is_of_others = is_of_others(sqlstate),
        .message = g_strdup_printf("PostgreSQL refused the row: %s (SQLSTATE %s)", said,
                                   sqlstate != NULL ? sqlstate : "unknown"),
    };
    row_at(search, position)->state = RP_ROW_REJECTED;
    rp_batch_take_reject(search->batch, &reject);
    rp_batch_seal_map(search->batch); /* what is known of the row does not change with the next attempt */
    search->n_rejected++;
}

/* Tries the rows [from, to): NULL when they pass; the refusal when they do not; with *error set when the
 * trial itself went wrong. */
static GError *refusal_of(Search *search, guint from, guint to, GError **error) {
    GError *trouble = NULL;
    if (try_rows(search, TRY_MERGE, from, to, &trouble) || rp_trouble_may_be_of_rows(trouble))
        return trouble;
    g_propagate_error(error, trouble);
    return NULL;
}

/* A run that has too many rejects ends while they are still being found. */
static gboolean has_too_many(const Search *search, GError **error) {
    RpCrew *crew = search->writer->crew;
    g_mutex_lock(&crew->mutex);
    const guint64 n_rejects = crew->progress.rejects + rp_batch_n_rejects(search->batch);
    g_mutex_unlock(&crew->mutex);
    if (n_rejects <= crew->options->max_rejects)
        return FALSE;
    g_propagate_error(error, rp_writer_complain_of_rejects(crew, n_rejects));
    return TRUE;
}

static gboolean search_rows(Search *search, guint from, guint to, const GError *why, GError **error);

/* Looks for bad rows in a part of those that were refused. */
static gboolean search_part(Search *search, guint from, guint to, GError **error) {
    g_autoptr(GError) obstacle = NULL;
    g_autoptr(GError) refusal = refusal_of(search, from, to, &obstacle);
    if (obstacle == NULL)
        return refusal == NULL || search_rows(search, from, to, refusal, error);
    g_propagate_error(error, g_steal_pointer(&obstacle));
    return FALSE;
}

/* The rows [from, to) are refused together, for the reason why. */
static gboolean search_rows(Search *search, guint from, guint to, const GError *why, GError **error) {
    const guint n_rows = to - from;
    if (n_rows == 1) {
        reject_row(search, from, why);
        return !has_too_many(search, error);
    }
    const guint step = n_rows <= BY_ONES ? 1 : (n_rows + 1) / 2;
    for (guint part = from; part < to; part += step)
        if (!search_part(search, part, MIN(part + step, to), error))
            return FALSE;
    return TRUE;
}

/* Rows that are refused only beside others (two that exclude each other): rejects the first one that the rows
 * before it do not go with. */
static gboolean reject_first_odd_one(Search *search, const GError *why, GError **error) {
    guint n_fine = 0, n_refused = search->rows->len;
    g_autoptr(GError) last = g_error_copy(why);
    while (n_refused - n_fine > 1) {
        const guint middle = n_fine + (n_refused - n_fine) / 2;
        g_autoptr(GError) obstacle = NULL;
        g_autoptr(GError) refusal = refusal_of(search, 0, middle, &obstacle);
        if (obstacle != NULL) {
            g_propagate_error(error, g_steal_pointer(&obstacle));
            return FALSE;
        }
        if (refusal == NULL) {
            n_fine = middle;
            continue;
        }
        n_refused = middle;
        g_clear_error(&last);
        last = g_steal_pointer(&refusal);
    }
    reject_row(search, n_refused - 1, last);
    return TRUE;
}

/* A missing right or a wrong statement refuses every row: a few of them, spread over the batch, tell. */
static gboolean is_every_row_refused(Search *search, GError **error) {
    const guint n_rows = search->rows->len;
    for (guint i = 0; i < MIN(n_rows, PROBES); i++) {
        const guint row = (guint)((guint64)i * n_rows / MIN(n_rows, PROBES));
        g_autoptr(GError) refusal = refusal_of(search, row, row + 1, error);
        if (refusal == NULL || refusal->code == RP_SINK_ERROR_DATA)
            return FALSE;
    }
    return TRUE;
}

static gboolean search_all(Search *search, const GError *why, GError **error) {
    if (why->code == RP_SINK_ERROR_FATAL) {
        g_autoptr(GError) obstacle = NULL;
        const gboolean is_of_statement = is_every_row_refused(search, &obstacle);
        if (obstacle != NULL || is_of_statement) {
            g_propagate_error(error, obstacle != NULL ? g_steal_pointer(&obstacle) : g_error_copy(why));
            return FALSE;
        }
    }
    return search_rows(search, 0, search->rows->len, why, error) &&
           (search->n_rejected > 0 || reject_first_odd_one(search, why, error));
}

gboolean rp_isolate_bad_rows(RpWriter *writer, const RpMergePlan *plan, RpBatch *batch,
                             gboolean *has_rejected, GError **error) {
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(guint32));
    const RpTuples *tuples = &batch->tuples[plan->number];
    for (guint32 ordinal = 0; ordinal < tuples->rows->len; ordinal++)
        if (rp_tuples_get(tuples, ordinal)->state == RP_ROW_IN)
            g_array_append_val(rows, ordinal);
    Search search = {.writer = writer, .plan = plan, .batch = batch, .rows = rows};
    g_autoptr(GError) obstacle = NULL;
    g_autoptr(GError) refusal = refusal_of(&search, 0, rows->len, &obstacle);
    const gboolean is_fine = obstacle == NULL && (refusal == NULL || search_all(&search, refusal, &obstacle));
    *has_rejected = search.n_rejected > 0;
    if (!is_fine)
        g_propagate_error(error, g_steal_pointer(&obstacle));
    return is_fine;
}
