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
    g_autoptr(PGresult) result =
        rp_postgres_query(connection,
                          "UPDATE redis2pg.rejects r SET resolved_by = CASE WHEN passed THEN $1::bigint END,"
                          " replaced_by = CASE WHEN NOT passed THEN $1::bigint END"
                          " FROM (SELECT unnest($2::bigint[]) AS reject, true AS passed"
                          "  UNION ALL SELECT unnest($3::bigint[]), false) s"
                          " WHERE r.reject = s.reject AND r.resolved_by IS NULL AND r.replaced_by IS NULL",
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

gboolean rp_ledger_settle_earlier(PGconn *connection, guint64 run, const char *const *only, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    g_autofree char *names = names_json(only);
    const char *const parameters[] = {number, names};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "WITH earlier AS (SELECT r.reject, EXISTS (SELECT FROM redis2pg.rejects n WHERE n.entity = r.entity"
        "  AND n.key = r.key AND n.run = $1::bigint AND n.resolved_by IS NULL AND n.replaced_by IS NULL)"
        " AS is_refused_again"
        " FROM redis2pg.runs self JOIN redis2pg.run_entities e USING (run)"
        " JOIN redis2pg.rejects r ON r.entity = e.entity AND r.resolved_by IS NULL AND r.replaced_by IS NULL"
        " AND r.run < self.run JOIN redis2pg.runs u ON u.run = r.run AND u.source = self.source"
        " WHERE self.run = $1::bigint AND ($2::jsonb IS NULL OR $2::jsonb ? e.entity))"
        " UPDATE redis2pg.rejects r SET resolved_by = CASE WHEN NOT is_refused_again THEN $1::bigint END,"
        " replaced_by = CASE WHEN is_refused_again THEN $1::bigint END"
        " FROM earlier WHERE r.reject = earlier.reject",
        2, parameters, error);
    if (result != NULL)
        return TRUE;
    g_prefix_error(error, "settling rejects of earlier runs: ");
    return FALSE;
}
