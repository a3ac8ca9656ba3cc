/* The merge of one entity's rows in a batch.
 *
 * 1. Every staged row ends as inserted, updated, unchanged, rejected or filtered, and each of these is
 * observed: none is inferred from what is left.
 * 2. A row leaves the staging table when its end is known; no later step sees it.
 * 3. Rows that equal what stands in the target are not written, not even locked. */
#include "sink/merge.h"

#include <stdlib.h>
#include <string.h>

gboolean rp_merge_prepare(PGconn *connection, const RpMergePlan *plan, GError **error) {
    if (rp_postgres_run(connection, plan->create_sql, error))
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

gboolean rp_merge_stage(PGconn *connection, const RpMergePlan *plan, const RpBatch *batch, guint64 *n_staged,
                        GError **error) {
    g_autoptr(GArray) runs = list_runs(&batch->tuples[plan->number], n_staged);
    if (rp_copy_binary(connection, plan->copy_sql, (const RpSpan *)(void *)runs->data, runs->len, error))
        return TRUE;
    g_prefix_error(error, "staging %s: ", plan->entity->name);
    return FALSE;
}

/* The text of an SQL array of what collect gathered; the caller frees it. */
static char *as_array(const GString *ordinals) {
    return g_strdup_printf("{%s}", ordinals->len > 0 ? ordinals->str + 1 : "");
}

/* Deletes rows from the staging table. */
static gboolean unstage(PGconn *connection, const RpMergePlan *plan, GString *ordinals, GError **error) {
    if (ordinals->len == 0)
        return TRUE;
    g_autofree char *sql =
        g_strdup_printf("DELETE FROM %s WHERE r2p_ordinal = ANY ($1::integer[])", plan->stage);
    g_autofree char *array = as_array(ordinals);
    const char *const parameters[] = {array};
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 1, parameters, error);
    return result != NULL;
}

/* Collects ordinals for as_array: ",1,5,9", whose first comma is left out. */
static void collect(GString *ordinals, guint ordinal) {
    g_string_append_printf(ordinals, ",%u", ordinal);
}

static void reject_row(const RpMergePlan *plan, RpBatch *batch, guint ordinal, const RpVerdict *verdict,
                       const char *value) {
    const RpReject reject = {
        .entity = plan->number,
        .record = rp_tuples_get(&batch->tuples[plan->number], ordinal)->record,
        .stage = RP_STAGE_STAGE,
        .code = verdict->code,
        .column = g_strdup(verdict->column),
        .constraint = g_strdup(verdict->constraint),
        .message = g_strdup(verdict->message),
        .value = verdict->is_sensitive ? g_strdup(RP_MASK) : g_strdup(value),
    };
    rp_batch_take_reject(batch, &reject);
}

/* Turns rows of (ordinal, verdict, value) into rejects and unstages them. Ordinals without a known reason are
 * collected in unknown, which may be NULL where there can be none. */
static gboolean take_verdicts(PGconn *connection, const RpMergePlan *plan, RpBatch *batch, PGresult *result,
                              GString *unknown, GError **error) {
    g_autoptr(GString) gone = g_string_new(NULL);
    for (int row = 0; row < PQntuples(result); row++) {
        const guint ordinal = (guint)strtoul(PQgetvalue(result, row, 0), NULL, 10);
        const int number = atoi(PQgetvalue(result, row, 1));
        if (number == RP_VERDICT_UNKNOWN) {
            collect(unknown, ordinal);
            continue;
        }
        collect(gone, ordinal);
        if (number == RP_VERDICT_FILTERED) {
            batch->counts[plan->number].filtered++;
            continue;
        }
        g_autofree char *value =
            PQgetisnull(result, row, 2)
                ? NULL
                : rp_span_show(rp_span(PQgetvalue(result, row, 2)), RP_REJECT_VALUE_BYTES);
        reject_row(plan, batch, ordinal, &g_array_index(plan->verdicts, RpVerdict, (guint)number), value);
    }
    return unstage(connection, plan, gone, error);
}

/* Runs a statement whose one parameter is the run. */
static PGresult *query_for_run(PGconn *connection, const char *sql, guint64 run, GError **error) {
    char text[32];
    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {text};
    return rp_postgres_query(connection, sql, 1, parameters, error);
}

/* Claims the staged rows' identities, and says by which statement those that equal the target go: when all
 * were free, there is no need to ask for each. */
static const char *claim(PGconn *connection, const RpMergePlan *plan, guint64 run, guint64 n_staged,
                         GError **error) {
    if (plan->claim_sql == NULL)
        return plan->drop_equal_sql;
    g_autoptr(PGresult) result = query_for_run(connection, plan->claim_sql, run, error);
    if (result == NULL)
        return NULL;
    return rp_postgres_affected(result) == n_staged ? plan->drop_equal_sql : plan->drop_unclaimed_equal_sql;
}

gboolean rp_merge_drop_equal(PGconn *connection, const RpMergePlan *plan, guint64 run, guint64 n_staged,
                             guint64 *n_equal, GError **error) {
    const char *sql = claim(connection, plan, run, n_staged, error);
    g_autoptr(PGresult) result = sql != NULL ? rp_postgres_query(connection, sql, 0, NULL, error) : NULL;
    if (result == NULL) {
        g_prefix_error(error, "comparing %s: ", plan->entity->name);
        return FALSE;
    }
    *n_equal = rp_postgres_affected(result);
    return TRUE;
}

gboolean rp_merge_judge(PGconn *connection, const RpMergePlan *plan, RpJudgement judgement, RpBatch *batch,
                        GError **error) {
    const char *sql = judgement == RP_JUDGE_ALL ? plan->judge_all_sql : plan->judge_mapping_sql;
    if (sql == NULL)
        return TRUE;
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    if (result != NULL && take_verdicts(connection, plan, batch, result, NULL, error))
        return TRUE;
    g_prefix_error(error, "checking %s: ", plan->entity->name);
    return FALSE;
}

gboolean rp_merge_insert(PGconn *connection, const RpMergePlan *plan, guint64 *n_inserted, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, plan->insert_sql, 0, NULL, error);
    if (result == NULL) {
        g_prefix_error(error, "inserting %s: ", plan->entity->name);
        return FALSE;
    }
    *n_inserted = rp_postgres_affected(result);
    return TRUE;
}

/* The verdict of rows that another key's row keeps out: the first that says duplicate_key of the identity. */
static const RpVerdict *identity_verdict(const RpMergePlan *plan) {
    const RpConstraint *key =
        rp_table_find_unique(plan->entity->table, (const char *const *)plan->entity->key);
    for (guint i = 0; i < plan->verdicts->len; i++) {
        const RpVerdict *verdict = &g_array_index(plan->verdicts, RpVerdict, i);
        if (verdict->code == RP_REJECT_DUPLICATE_KEY && verdict->constraint == key->name)
            return verdict;
    }
    g_assert_not_reached();
}

static RpSpan key_of(const RpMergePlan *plan, const RpBatch *batch, guint ordinal) {
    return rp_records_key(&batch->records, rp_tuples_get(&batch->tuples[plan->number], ordinal)->record);
}

/* One group of rows with the same identity, in the order of reading. */
static void settle_group(const RpMergePlan *plan, RpBatch *batch, const char *ordinals_text, GString *gone,
                         guint64 *n_repeated, GString *kept_ordinals) {
    g_auto(GStrv) texts = g_strsplit(ordinals_text, " ", -1);
    const guint n_rows = g_strv_length(texts);
    const guint first = (guint)strtoul(texts[0], NULL, 10);
    const RpSpan winner = key_of(plan, batch, first);
    guint kept = first;
    for (guint i = 1; i < n_rows; i++) {
        const guint ordinal = (guint)strtoul(texts[i], NULL, 10);
        if (rp_span_equal(key_of(plan, batch, ordinal), winner)) {
            collect(gone, kept);
            (*n_repeated)++;
            kept = ordinal;
            continue;
        }
        g_autofree char *shown = rp_span_show(winner, RP_SHOWN_KEY_BYTES);
        reject_row(plan, batch, ordinal, identity_verdict(plan), shown);
        collect(gone, ordinal);
    }
    if (kept != first)
        collect(kept_ordinals, kept);
}

gboolean rp_merge_settle_duplicates(PGconn *connection, const RpMergePlan *plan, RpBatch *batch,
                                    guint64 *n_repeated, GString *kept, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, plan->duplicates_sql, 0, NULL, error);
    if (result == NULL) {
        g_prefix_error(error, "looking for duplicates among %s: ", plan->entity->name);
        return FALSE;
    }
    g_autoptr(GString) gone = g_string_new(NULL);
    for (int row = 0; row < PQntuples(result); row++)
        settle_group(plan, batch, PQgetvalue(result, row, 0), gone, n_repeated, kept);
    return unstage(connection, plan, gone, error);
}

gboolean rp_merge_drop_inserted(PGconn *connection, const RpMergePlan *plan, GString *kept,
                                guint64 *n_dropped, GError **error) {
    g_autofree char *array = as_array(kept);
    const char *const parameters[] = {array};
    g_autoptr(PGresult) result = rp_postgres_query(connection, plan->drop_inserted_sql, 1, parameters, error);
    if (result == NULL)
        return FALSE;
    *n_dropped = rp_postgres_affected(result);
    return TRUE;
}

/* Rejects and unstages rows that PostgreSQL did not write and did not refuse: result gives their ordinals. */
static gboolean reject_unwritten(PGconn *connection, const RpMergePlan *plan, RpBatch *batch,
                                 PGresult *result, GError **error) {
    g_autoptr(GString) gone = g_string_new(NULL);
    for (int row = 0; row < PQntuples(result); row++) {
        const guint ordinal = (guint)strtoul(PQgetvalue(result, row, 0), NULL, 10);
        const RpReject reject = {
            .entity = plan->number,
            .record = rp_tuples_get(&batch->tuples[plan->number], ordinal)->record,
            .stage = RP_STAGE_WRITE,
            .code = RP_REJECT_DATABASE_ERROR,
            .message =
                g_strdup_printf("PostgreSQL did not write the row, and said nothing: a trigger, a rule or a "
                                "policy of %s passes it over",
                                plan->entity->table->shown),
        };
        rp_batch_take_reject(batch, &reject);
        collect(gone, ordinal);
    }
    return unstage(connection, plan, gone, error);
}

static gboolean insert_plainly(PGconn *connection, const RpMergePlan *plan, RpBatch *batch, GString *ordinals,
                               guint64 *n_inserted, GError **error) {
    if (ordinals->len == 0)
        return TRUE;
    g_autofree char *asked = as_array(ordinals);
    const char *const parameters[] = {asked};
    g_autoptr(PGresult) inserted =
        rp_postgres_query(connection, plan->insert_plainly_sql, 1, parameters, error);
    g_autoptr(PGresult) passed_over =
        inserted != NULL ? rp_postgres_query(connection, plan->passed_over_sql, 1, parameters, error) : NULL;
    if (passed_over == NULL)
        return FALSE;
    *n_inserted += rp_postgres_affected(inserted);
    g_autofree char *sql =
        g_strdup_printf("DELETE FROM %s WHERE r2p_ordinal = ANY ($1::integer[])", plan->stage);
    g_autoptr(PGresult) unstaged = NULL;
    return reject_unwritten(connection, plan, batch, passed_over, error) &&
           (unstaged = rp_postgres_query(connection, sql, 1, parameters, error)) != NULL;
}

gboolean rp_merge_settle_collisions(PGconn *connection, const RpMergePlan *plan, guint64 run, RpBatch *batch,
                                    guint64 *n_inserted, GError **error) {
    g_autoptr(GString) unknown = g_string_new(NULL);
    g_autoptr(PGresult) result = query_for_run(connection, plan->collisions_sql, run, error);
    if (result != NULL && take_verdicts(connection, plan, batch, result, unknown, error) &&
        insert_plainly(connection, plan, batch, unknown, n_inserted, error))
        return TRUE;
    g_prefix_error(error, "looking for collisions of %s: ", plan->entity->name);
    return FALSE;
}

gboolean rp_merge_update(PGconn *connection, const RpMergePlan *plan, RpBatch *batch, guint64 *n_updated,
                         GError **error) {
    *n_updated = 0;
    if (plan->update_sql == NULL)
        return TRUE;
    g_autoptr(PGresult) updated = rp_postgres_query(connection, plan->update_sql, 0, NULL, error);
    g_autoptr(PGresult) kept_old =
        updated != NULL ? rp_postgres_query(connection, plan->kept_old_sql, 0, NULL, error) : NULL;
    if (kept_old == NULL || !reject_unwritten(connection, plan, batch, kept_old, error)) {
        g_prefix_error(error, "updating %s: ", plan->entity->name);
        return FALSE;
    }
    *n_updated = rp_postgres_affected(updated);
    return TRUE;
}
