/* The merge of one entity's rows in a batch.
 *
 * 1. Every staged row ends as inserted, updated, unchanged, rejected or filtered, and each of these is
 * observed: none is inferred from what is left.
 * 2. A row leaves the staging table when its end is known; no later step sees it.
 * 3. Rows that equal what stands in the target are not written, not even locked. */
#include "sink/merge.h"

#include "sink/merge_rows.h"

#include <stdlib.h>
#include <string.h>

/* Runs a statement whose one parameter is the run. */
static PGresult *query_for_run(PGconn *connection, const char *sql, guint64 run, GError **error) {
    char text[32];
    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {text};
    return rp_postgres_query(connection, sql, 1, parameters, error);
}

static gboolean claim(PGconn *connection, const RpMergePlan *plan, guint64 run, GError **error) {
    if (plan->claim_sql == NULL)
        return TRUE;
    g_autoptr(PGresult) claimed = query_for_run(connection, plan->claim_sql, run, error);
    return claimed != NULL;
}

gboolean rp_merge_drop_equal(PGconn *connection, const RpMergePlan *plan, guint64 run, guint64 *n_equal,
                             GError **error) {
    g_autoptr(PGresult) dropped = claim(connection, plan, run, error)
                                      ? rp_postgres_query(connection, plan->drop_equal_sql, 0, NULL, error)
                                      : NULL;
    if (dropped == NULL) {
        g_prefix_error(error, "comparing %s: ", plan->entity->name);
        return FALSE;
    }
    *n_equal = rp_postgres_affected(dropped);
    return TRUE;
}

static guint64 number_at(const PGresult *result, int field) {
    return g_ascii_strtoull(PQgetvalue(result, 0, field), NULL, 10);
}

gboolean rp_merge_drop_equal_again(PGconn *connection, const RpMergePlan *plan, guint64 run, guint64 *n_equal,
                                   guint64 *n_counted, GError **error) {
    g_autoptr(PGresult) dropped = claim(connection, plan, run, error)
                                      ? query_for_run(connection, plan->drop_equal_again_sql, run, error)
                                      : NULL;
    if (dropped == NULL) {
        g_prefix_error(error, "comparing %s: ", plan->entity->name);
        return FALSE;
    }
    *n_equal = number_at(dropped, 0);
    *n_counted = number_at(dropped, 1);
    return TRUE;
}

gboolean rp_merge_count_changed_again(PGconn *connection, const RpMergePlan *plan, guint64 run,
                                      guint64 *n_counted, GError **error) {
    g_autoptr(PGresult) counted = query_for_run(connection, plan->changed_again_sql, run, error);
    if (counted == NULL)
        return FALSE;
    *n_counted = number_at(counted, 0);
    return TRUE;
}

static const char *judgement_sql(const RpMergePlan *plan, RpJudgement judgement) {
    switch (judgement) {
    case RP_JUDGE_MAPPING:
        return plan->judge_mapping_sql;
    case RP_JUDGE_ROWS:
        return plan->judge_rows_sql;
    case RP_JUDGE_ALL:
        return plan->judge_all_sql;
    }
    g_assert_not_reached();
}

gboolean rp_merge_judge(PGconn *connection, const RpMergePlan *plan, RpJudgement judgement, RpBatch *batch,
                        GError **error) {
    const char *sql = judgement_sql(plan, judgement);
    if (sql == NULL)
        return TRUE;
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    if (result != NULL && rp_merge_take_verdicts(connection, plan, plan->stage, batch, result, NULL, error))
        return TRUE;
    g_prefix_error(error, "checking %s: ", plan->entity->name);
    return FALSE;
}

/* Runs a statement that takes RP_MERGE_BATCH_PARAMETERS and, unless NULL, one more, and gives a count. */
static gboolean insert(PGconn *connection, const RpMergePlan *plan, guint64 run, const RpBatch *batch,
                       const char *sql, const char *ordinals, guint64 *n_inserted, GError **error) {
    g_autofree char *run_text = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    g_autofree char *pass = g_strdup_printf("%u", batch->pass);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, batch->number);
    g_autofree char *entity = g_strdup_printf("%u", plan->number);
    const char *const parameters[RP_MERGE_BATCH_PARAMETERS + 1] = {
        run_text, pass, number, entity, plan->entity->table->shown, ordinals};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, sql, RP_MERGE_BATCH_PARAMETERS + (ordinals != NULL ? 1 : 0), parameters, error);
    if (result == NULL)
        return FALSE;
    *n_inserted = g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    return TRUE;
}

gboolean rp_merge_insert(PGconn *connection, const RpMergePlan *plan, guint64 run, const RpBatch *batch,
                         guint64 *n_inserted, GError **error) {
    if (insert(connection, plan, run, batch, plan->insert_sql, NULL, n_inserted, error))
        return TRUE;
    g_prefix_error(error, "inserting %s: ", plan->entity->name);
    return FALSE;
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

/* Whether two rows are readings of one thing: of the same key, the same element of it, the same element of
 * its array. A list may hold a value twice: that is two elements. */
static gboolean is_same_origin(const RpMergePlan *plan, const RpBatch *batch, guint a, guint b) {
    const RpRow *first = rp_tuples_get(&batch->tuples[plan->number], a);
    const RpRow *second = rp_tuples_get(&batch->tuples[plan->number], b);
    return first->element == second->element &&
           rp_records_is_same(&batch->records, first->record, second->record);
}

/* One group of rows with the same identity, in the order of reading. */
static void settle_group(const RpMergePlan *plan, RpBatch *batch, const char *ordinals_text, GString *gone,
                         guint64 *n_repeated, GString *kept_ordinals) {
    g_auto(GStrv) texts = g_strsplit(ordinals_text, " ", -1);
    const guint n_rows = g_strv_length(texts);
    const guint first = (guint)strtoul(texts[0], NULL, 10);
    guint kept = first;
    for (guint i = 1; i < n_rows; i++) {
        const guint ordinal = (guint)strtoul(texts[i], NULL, 10);
        if (is_same_origin(plan, batch, ordinal, first)) {
            rp_ordinals_add(gone, kept);
            (*n_repeated)++;
            kept = ordinal;
            continue;
        }
        const RpSpan winner =
            rp_records_key(&batch->records, rp_tuples_get(&batch->tuples[plan->number], first)->record);
        g_autofree char *shown = rp_span_show(winner, RP_SHOWN_KEY_BYTES);
        rp_merge_reject(plan, batch, ordinal, identity_verdict(plan), shown);
        rp_ordinals_add(gone, ordinal);
    }
    if (kept != first)
        rp_ordinals_add(kept_ordinals, kept);
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
    return rp_merge_unstage(connection, plan->stage, gone, error);
}

gboolean rp_merge_drop_inserted(PGconn *connection, const RpMergePlan *plan, GString *kept,
                                guint64 *n_dropped, GError **error) {
    g_autofree char *array = rp_ordinals_show(kept);
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
        const RpRow *origin = rp_tuples_get(&batch->tuples[plan->number], ordinal);
        const RpReject reject = {
            .entity = plan->number,
            .record = origin->record,
            .element = origin->element,
            .stage = RP_STAGE_WRITE,
            .code = RP_REJECT_DATABASE_ERROR,
            .message =
                g_strdup_printf("PostgreSQL did not write the row, and said nothing: a trigger, a rule or a "
                                "policy of %s passes it over",
                                plan->entity->table->shown),
        };
        rp_batch_take_reject(batch, &reject);
        rp_ordinals_add(gone, ordinal);
    }
    return rp_merge_unstage(connection, plan->stage, gone, error);
}

static gboolean insert_plainly(PGconn *connection, const RpMergePlan *plan, guint64 run, RpBatch *batch,
                               GString *ordinals, guint64 *n_inserted, GError **error) {
    if (ordinals->len == 0)
        return TRUE;
    g_autofree char *asked = rp_ordinals_show(ordinals);
    const char *const parameters[] = {asked};
    guint64 n_written;
    if (!insert(connection, plan, run, batch, plan->insert_plainly_sql, asked, &n_written, error))
        return FALSE;
    g_autoptr(PGresult) passed_over =
        rp_postgres_query(connection, plan->passed_over_sql, 1, parameters, error);
    if (passed_over == NULL)
        return FALSE;
    *n_inserted += n_written;
    return reject_unwritten(connection, plan, batch, passed_over, error) &&
           rp_merge_unstage(connection, plan->stage, ordinals, error);
}

gboolean rp_merge_settle_collisions(PGconn *connection, const RpMergePlan *plan, guint64 run, RpBatch *batch,
                                    guint64 *n_inserted, GError **error) {
    g_autoptr(GString) unknown = g_string_new(NULL);
    g_autofree char *run_text = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    g_autofree char *origins = plan->origins_sql != NULL ? rp_merge_origins(plan, batch) : NULL;
    const char *const parameters[] = {run_text, origins};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, plan->collisions_sql, origins != NULL ? 2 : 1, parameters, error);
    if (result != NULL &&
        rp_merge_take_verdicts(connection, plan, plan->stage, batch, result, unknown, error) &&
        insert_plainly(connection, plan, run, batch, unknown, n_inserted, error))
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
