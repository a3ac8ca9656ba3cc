/* Rows that PostgreSQL makes, by the steps of a merge that come before anything is written: staging with
 * casts and look-ups, `where` and `checks`. What is staged is read back and rolled back.
 *
 * 1. Rows that the statements fail on are found by halving, as in a run.
 * 2. An error of whoever takes the rows is no row's: it ends the walk, and the connection, which stands in
 * the middle of a COPY. */
#include "reconcile/source_rows.h"

#include "ledger/batches.h"
#include "sink/merge.h"
#include "sink/merge_sql.h"
#include "sink/wait.h"

static gboolean open_connection(RpSourceRows *rows, GError **error) {
    if (rows->connection != NULL)
        return TRUE;
    rows->connection = rp_postgres_connect(rows->postgres, error);
    if (rows->connection == NULL)
        return FALSE;
    rp_wait_limit(rows->connection, rows->timeout_seconds, rows->is_cancelled);
    rows->plans = g_ptr_array_new_with_free_func((GDestroyNotify)rp_merge_plan_free);
    g_ptr_array_set_size(rows->plans, (gint)rows->units->units->len);
    return rp_postgres_run(rows->connection, "SET jit = off", error);
}

static void close_connection(RpSourceRows *rows) {
    g_clear_pointer(&rows->plans, g_ptr_array_unref);
    g_clear_pointer(&rows->connection, PQfinish);
}

static const RpMergePlan *plan_of(RpSourceRows *rows, const RpUnit *unit, GError **error) {
    if (!open_connection(rows, error))
        return NULL;
    gpointer *place = &g_ptr_array_index(rows->plans, unit->number);
    if (*place != NULL)
        return *place;
    g_autoptr(RpMergePlan) plan =
        rp_merge_plan_new(rows->connection, unit->entity, unit->number, &RP_LEDGER_FOR_MERGE, FALSE);
    if (!rp_merge_prepare(rows->connection, plan, error))
        return NULL;
    return *place = g_steal_pointer(&plan);
}

/* ---- reading back ---- */

typedef struct {
    RpSourceRows *rows;
    const RpUnit *unit;
    const RpBatch *batch;
    gboolean has_failed; /* whoever takes the rows */
} Reading;

static gboolean take_staged(RpSpan tuple, gpointer data, GError **error) {
    Reading *reading = data;
    RpTupleFields fields = rp_tuple_fields(tuple);
    guint32 big_endian;
    for (guint i = 0; i < reading->unit->columns->len; i++)
        reading->rows->values[i] = rp_tuple_next(&fields);
    const RpSpan ordinal = rp_tuple_next(&fields);
    memcpy(&big_endian, ordinal.data, sizeof big_endian);
    reading->has_failed = !rp_source_rows_give(reading->rows, reading->unit, reading->batch,
                                               GUINT32_FROM_BE(big_endian), TRUE, error);
    return !reading->has_failed;
}

static char *read_back_sql(RpSourceRows *rows, const RpUnit *unit, const RpMergePlan *plan) {
    g_autoptr(GString) sql = g_string_new("COPY (SELECT ");
    for (guint i = 0; i < unit->columns->len; i++) {
        const RpUnitColumn *column = rp_unit_column(unit, i);
        g_autofree char *quoted = rp_postgres_identifier(rows->connection, column->name);
        g_string_append_printf(sql, "%s%s, ", quoted, column->is_text ? "::text" : "");
    }
    g_string_append_printf(sql, RP_SQL_ORDINAL " FROM %s) TO STDOUT (FORMAT binary)", plan->stage);
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

/* ---- staging ---- */

static gboolean stage(RpSourceRows *rows, const RpUnit *unit, const RpMergePlan *plan, RpBatch *batch,
                      Reading *reading, GError **error) {
    guint64 n_staged;
    g_autofree char *sql = read_back_sql(rows, unit, plan);
    return rp_postgres_run(rows->connection, "BEGIN", error) &&
           rp_merge_stage(rows->connection, plan, RP_CAST_JUDGED, batch, &n_staged, error) &&
           rp_merge_judge(rows->connection, plan, RP_JUDGE_MAPPING, batch, error) &&
           rp_copy_out_binary(rows->connection, sql, take_staged, reading, error);
}

static RpRow *row_at(const RpUnit *unit, const RpBatch *batch, guint ordinal) {
    return &g_array_index(batch->tuples[unit->number].rows, RpRow, ordinal);
}

static void set_states(const RpUnit *unit, const RpBatch *batch, guint from, guint to, RpRowState state) {
    for (guint i = from; i < to; i++)
        row_at(unit, batch, i)->state = (guint8)state;
}

static void reject_row(const RpUnit *unit, RpBatch *batch, guint ordinal) {
    const RpRow *row = row_at(unit, batch, ordinal);
    const RpReject reject = {.entity = unit->number,
                             .record = row->record,
                             .element = row->element,
                             .stage = RP_STAGE_STAGE,
                             .code = RP_REJECT_DATABASE_ERROR,
                             .message = g_strdup("PostgreSQL refuses the row while it is staged")};
    rp_batch_take_reject(batch, &reject);
}

/* Rows are read back after all else of their statements has passed: none is given twice. */
static gboolean walk_rows(RpSourceRows *rows, const RpUnit *unit, const RpMergePlan *plan, RpBatch *batch,
                          guint from, guint to, GError **error) {
    g_autoptr(GError) trouble = NULL;
    Reading reading = {.rows = rows, .unit = unit, .batch = batch};
    const guint n_rejects = batch->rejects->len;
    set_states(unit, batch, 0, batch->tuples[unit->number].rows->len, RP_ROW_ASIDE);
    set_states(unit, batch, from, to, RP_ROW_IN);
    const guint64 filtered_before = batch->counts[unit->number].filtered;
    const gboolean is_fine = stage(rows, unit, plan, batch, &reading, &trouble);
    if (reading.has_failed)
        close_connection(rows);
    else
        rp_postgres_run(rows->connection, "ROLLBACK", NULL);
    if (is_fine) {
        rows->filtered[unit->number] += batch->counts[unit->number].filtered - filtered_before;
        return TRUE;
    }
    if (reading.has_failed || !g_error_matches(trouble, RP_SINK_ERROR, RP_SINK_ERROR_DATA)) {
        g_propagate_error(error, g_steal_pointer(&trouble));
        return FALSE;
    }
    g_array_set_size(batch->rejects, n_rejects);
    batch->counts[unit->number].filtered = filtered_before;
    if (to - from == 1) {
        reject_row(unit, batch, from);
        return TRUE;
    }
    const guint middle = from + (to - from) / 2;
    return walk_rows(rows, unit, plan, batch, from, middle, error) &&
           walk_rows(rows, unit, plan, batch, middle, to, error);
}

gboolean rp_staged_rows_walk(RpSourceRows *rows, const RpUnit *unit, RpBatch *batch, GError **error) {
    const RpMergePlan *plan = plan_of(rows, unit, error);
    return plan != NULL &&
           walk_rows(rows, unit, plan, batch, 0, batch->tuples[unit->number].rows->len, error);
}
