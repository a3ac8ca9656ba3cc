/* Settling rejects of earlier runs.
 *
 * 1. What a batch replays is settled in the transaction that writes its rows: a replay that is killed has
 *    settled exactly what it has written.
 * 2. A reject that is settled is not settled again. */
#include "ledger/settle.h"

#include "base/event.h"

#include <jansson.h>

static void add_number(GString *array, guint64 number) {
    g_string_append_printf(array, "%c%" G_GUINT64_FORMAT, array->len == 0 ? '{' : ',', number);
}

static void end_array(GString *array) {
    g_string_append(array, array->len == 0 ? "{}" : "}");
}

gboolean rp_ledger_settle_replays(PGconn *connection, guint64 run, const RpBatch *batch, GError **error) {
    if (batch->replays->len == 0 || !batch->is_whole)
        return TRUE;
    g_autoptr(GArray) failed = rp_replays_judge(batch->replays, batch->rejects);
    g_autoptr(GString) resolved = g_string_new(NULL);
    g_autoptr(GString) replaced = g_string_new(NULL);
    for (guint i = 0; i < batch->replays->len; i++)
        add_number(g_array_index(failed, gboolean, i) ? replaced : resolved,
                   g_array_index(batch->replays, RpReplay, i).reject);
    end_array(resolved);
    end_array(replaced);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number, resolved->str, replaced->str};
    /* Rejects are many, and the planner may not know it: they are to be found by their numbers, not by going
     * through all, nor (hence coalesce) through the index of all that are open. Nothing that follows in the
     * transaction asks for anything. */
    if (!rp_postgres_run(connection, "SET LOCAL enable_seqscan = off", error))
        return FALSE;
    g_autoptr(PGresult) result =
        rp_postgres_query(connection,
                          "UPDATE redis2pg.rejects r SET resolved_by = CASE WHEN passed THEN $1::bigint END,"
                          " replaced_by = CASE WHEN NOT passed THEN $1::bigint END"
                          " FROM (SELECT unnest($2::bigint[]) AS reject, true AS passed"
                          "  UNION ALL SELECT unnest($3::bigint[]), false) s"
                          " WHERE r.reject = s.reject AND coalesce(r.resolved_by, r.replaced_by) IS NULL",
                          3, parameters, error);
    return result != NULL && rp_event_pass(RP_EVENT_REJECTS_SETTLED, error);
}

/* NULL: all entities. The caller frees it. */
static char *names_json(const char *const *names) {
    if (names == NULL)
        return NULL;
    json_t *array = json_array();
    for (; *names != NULL; names++)
        json_array_append_new(array, json_string(*names));
    char *dumped = json_dumps(array, JSON_COMPACT);
    json_decref(array);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

/* The planner knows nothing of rejects that were just written: without nested loops it cannot go wrong much.
 */
static const char SETTLE_EARLIER_SQL[] =
    "WITH unsettled AS MATERIALIZED (SELECT r.reject, r.run, r.entity, r.key, u.source"
    "  FROM redis2pg.rejects r JOIN redis2pg.runs u USING (run)"
    "  WHERE r.resolved_by IS NULL AND r.replaced_by IS NULL AND r.run <= $1::bigint), "
    "again AS (SELECT DISTINCT entity, key, true AS is_refused FROM unsettled WHERE run = $1::bigint), "
    "earlier AS (SELECT o.reject, coalesce(a.is_refused, false) AS is_refused"
    "  FROM unsettled o LEFT JOIN again a USING (entity, key) WHERE o.run < $1::bigint"
    "  AND o.source = (SELECT source FROM redis2pg.runs WHERE run = $1::bigint)"
    "  AND o.entity IN (SELECT entity FROM redis2pg.run_entities WHERE run = $1::bigint)"
    "  AND ($2::jsonb IS NULL OR $2::jsonb ? o.entity)) "
    "UPDATE redis2pg.rejects r SET resolved_by = CASE WHEN NOT is_refused THEN $1::bigint END,"
    " replaced_by = CASE WHEN is_refused THEN $1::bigint END FROM earlier WHERE r.reject = earlier.reject";

gboolean rp_ledger_settle_earlier(PGconn *connection, guint64 run, const char *const *only, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    g_autofree char *names = names_json(only);
    const char *const parameters[] = {number, names};
    g_autoptr(PGresult) result =
        rp_postgres_run(connection, "SET LOCAL enable_nestloop = off", error)
            ? rp_postgres_query(connection, SETTLE_EARLIER_SQL, G_N_ELEMENTS(parameters), parameters, error)
            : NULL;
    if (result != NULL)
        return TRUE;
    g_prefix_error(error, "settling rejects of earlier runs: ");
    return FALSE;
}
