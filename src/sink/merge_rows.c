/* Sets of staged rows, and what becomes of rows that a check refuses. */
#include "sink/merge_rows.h"

#include "sink/merge_sql.h"

#include <stdlib.h>

void rp_ordinals_add(GString *ordinals, guint ordinal) {
    g_string_append_printf(ordinals, ",%u", ordinal);
}

char *rp_ordinals_show(const GString *ordinals) {
    return g_strdup_printf("{%s}", ordinals->len > 0 ? ordinals->str + 1 : "");
}

gboolean rp_merge_unstage(PGconn *connection, const char *table, const GString *ordinals, GError **error) {
    if (ordinals->len == 0)
        return TRUE;
    g_autofree char *sql =
        g_strdup_printf("DELETE FROM %s WHERE " RP_SQL_ORDINAL " = ANY ($1::integer[])", table);
    g_autofree char *array = rp_ordinals_show(ordinals);
    const char *const parameters[] = {array};
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 1, parameters, error);
    return result != NULL;
}

void rp_merge_reject(const RpMergePlan *plan, RpBatch *batch, guint ordinal, const RpVerdict *verdict,
                     const char *value) {
    const RpRow *row = rp_tuples_get(&batch->tuples[plan->number], ordinal);
    const RpReject reject = {
        .entity = plan->number,
        .record = row->record,
        .element = row->element,
        .stage = RP_STAGE_STAGE,
        .code = verdict->code,
        .column = g_strdup(verdict->column),
        .constraint = g_strdup(verdict->constraint),
        .message = g_strdup(verdict->message),
        .value = verdict->is_sensitive ? g_strdup(RP_MASK) : g_strdup(value),
        .is_of_others =
            verdict->code == RP_REJECT_MISSING_REFERENCE || verdict->code == RP_REJECT_DUPLICATE_KEY,
    };
    rp_batch_take_reject(batch, &reject);
}

gboolean rp_merge_take_verdicts(PGconn *connection, const RpMergePlan *plan, const char *table,
                                RpBatch *batch, PGresult *result, GString *unknown, GError **error) {
    g_autoptr(GString) gone = g_string_new(NULL);
    for (int row = 0; row < PQntuples(result); row++) {
        const guint ordinal = (guint)strtoul(PQgetvalue(result, row, 0), NULL, 10);
        const int number = atoi(PQgetvalue(result, row, 1));
        if (number == RP_VERDICT_UNKNOWN) {
            rp_ordinals_add(unknown, ordinal);
            continue;
        }
        rp_ordinals_add(gone, ordinal);
        if (number == RP_VERDICT_FILTERED) {
            batch->counts[plan->number].filtered++;
            g_array_index(batch->tuples[plan->number].rows, RpRow, ordinal).is_filtered = TRUE;
            continue;
        }
        g_autofree char *value =
            PQgetisnull(result, row, 2)
                ? NULL
                : rp_span_show(rp_span(PQgetvalue(result, row, 2)), RP_REJECT_VALUE_BYTES);
        rp_merge_reject(plan, batch, ordinal, &g_array_index(plan->verdicts, RpVerdict, (guint)number),
                        value);
    }
    return rp_merge_unstage(connection, table, gone, error);
}
