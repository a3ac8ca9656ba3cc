/* Staging: a batch's tuples into the session's staging table.
 *
 * 1. A row that needs nothing from PostgreSQL is sent straight into the staging table.
 * 2. The rows of other entities are sent into a raw table first, with text for what PostgreSQL must cast and
 * the values to look up by; one statement makes staged rows of them.
 * 3. Every row that is sent ends in the staging table or as a reject. */
#include "sink/copy.h"
#include "sink/merge.h"
#include "sink/merge_rows.h"

gboolean rp_merge_prepare(PGconn *connection, const RpMergePlan *plan, GError **error) {
    if (rp_postgres_run(connection, plan->create_sql, error) &&
        (plan->raw == NULL || rp_postgres_run(connection, plan->create_raw_sql, error)) &&
        (plan->create_origins_sql == NULL || rp_postgres_run(connection, plan->create_origins_sql, error)))
        return TRUE;
    g_prefix_error(error, "creating the staging table of entity %s: ", plan->entity->name);
    return FALSE;
}

/* The tuples that take part, as few runs of bytes as they make. */
static GArray *list_runs(const RpTuples *tuples, guint64 *n_rows) {
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(RpSpan));
    *n_rows = 0;
    for (guint ordinal = 0; ordinal < tuples->rows->len; ordinal++) {
        const RpRow *row = rp_tuples_get(tuples, ordinal);
        if (row->state != RP_ROW_IN)
            continue;
        const RpSpan tuple = {tuples->bytes.data + row->offset,
                              rp_tuples_row_end(tuples, ordinal) - row->offset};
        RpSpan *last = runs->len > 0 ? &g_array_index(runs, RpSpan, runs->len - 1) : NULL;
        if (last != NULL && last->data + last->size == tuple.data)
            last->size += tuple.size;
        else
            g_array_append_val(runs, tuple);
        (*n_rows)++;
    }
    return runs;
}

/* Runs a statement that gives verdicts on rows of a table, if there is one, and follows them. */
static gboolean judge(PGconn *connection, const RpMergePlan *plan, const char *table, const char *sql,
                      RpBatch *batch, GError **error) {
    if (sql == NULL)
        return TRUE;
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    return result != NULL && rp_merge_take_verdicts(connection, plan, table, batch, result, NULL, error);
}

static gboolean make_rows(PGconn *connection, const RpMergePlan *plan, RpCasting casting, RpBatch *batch,
                          GError **error) {
    const char *judge_casts_sql = casting == RP_CAST_JUDGED ? plan->judge_casts_sql : NULL;
    return judge(connection, plan, plan->raw, judge_casts_sql, batch, error) &&
           rp_postgres_run(connection, plan->cast_sql, error) &&
           judge(connection, plan, plan->stage, plan->judge_nulls_sql, batch, error);
}

static gboolean note_origins(PGconn *connection, const RpMergePlan *plan, const RpBatch *batch,
                             GError **error) {
    if (plan->origins_sql == NULL)
        return TRUE;
    g_autofree char *origins = rp_merge_origins(plan, batch);
    const char *const parameters[] = {origins};
    g_autoptr(PGresult) result = rp_postgres_query(connection, plan->origins_sql, 1, parameters, error);
    return result != NULL;
}

gboolean rp_merge_stage(PGconn *connection, const RpMergePlan *plan, RpCasting casting, RpBatch *batch,
                        guint64 *n_staged, GError **error) {
    g_autoptr(GArray) runs = list_runs(&batch->tuples[plan->number], n_staged);
    if (rp_copy_binary(connection, plan->copy_sql, (const RpSpan *)(void *)runs->data, runs->len, error) &&
        (plan->raw == NULL || make_rows(connection, plan, casting, batch, error)) &&
        note_origins(connection, plan, batch, error))
        return TRUE;
    g_prefix_error(error, "staging %s: ", plan->entity->name);
    return FALSE;
}
