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

/* ---- at the end of a run ---- */

#define SLICE 20000 /* rejects that one statement settles */

/* What this run has overtaken; $1 run, $2 entities. Numbers of runs say nothing of time: a run may be
 * continued after others.
 * - What was read before the run began: it has met every key since.
 * - What an attempt of its own read, a replay refused again, and another attempt read anew: the first
 * attempt's reject is gone with its batch. Where it is still there (own), the key was not met again. A key
 * was met when the run's pattern of keys is the same, or when the run refused it, too. The planner knows
 * nothing of rejects that were just written: without nested loops it cannot go wrong much. */
static const char LIST_EARLIER_SQL[] =
    "WITH this AS MATERIALIZED (SELECT u.source, min(a.started_at) AS began, max(a.started_at) AS went_on"
    "  FROM redis2pg.runs u JOIN redis2pg.attempts a USING (run) WHERE u.run = $1::bigint GROUP BY u.run), "
    "unsettled AS MATERIALIZED (SELECT r.reject, r.run, r.entity, r.key, r.read_at, u.source, u.started_at"
    "  FROM redis2pg.rejects r JOIN redis2pg.runs u USING (run)"
    "  WHERE r.resolved_by IS NULL AND r.replaced_by IS NULL AND NOT EXISTS (SELECT FROM redis2pg.parked p"
    "   WHERE p.entity = r.entity AND p.key_digest = md5(r.key)::uuid)), "
    "again AS (SELECT DISTINCT entity, key, true AS is_refused FROM unsettled WHERE run = $1::bigint), "
    "own AS (SELECT DISTINCT entity, key, read_at, true AS stands FROM redis2pg.rejects"
    "  WHERE run = $1::bigint AND replaced_by IS NOT NULL), "
    "loaded AS (SELECT entity, keys FROM redis2pg.run_entities WHERE run = $1::bigint"
    "  AND ($2::jsonb IS NULL OR $2::jsonb ? entity)) "
    "INSERT INTO redis2pg_earlier (reject, is_refused) SELECT o.reject, coalesce(a.is_refused, false)"
    " FROM unsettled o JOIN loaded l USING (entity) JOIN redis2pg.run_entities e USING (run, entity)"
    " LEFT JOIN again a USING (entity, key) LEFT JOIN own w USING (entity, key, read_at)"
    " WHERE o.run <> $1::bigint AND (o.source = (SELECT source FROM this) OR o.source = ANY (ARRAY (SELECT"
    "  unnest(former_sources) FROM redis2pg.sync WHERE source = (SELECT source FROM this)))) AND (e.keys = "
    "l.keys"
    "  OR a.is_refused)"
    "  AND (o.read_at < (SELECT began FROM this) OR (o.read_at < (SELECT went_on FROM this)"
    "   AND o.read_at < o.started_at AND w.stands IS NULL))";

static gboolean list_earlier(PGconn *connection, const char *run, const char *const *only, guint64 *n_listed,
                             GError **error) {
    g_autofree char *names = names_json(only);
    const char *const parameters[] = {run, names};
    if (!rp_postgres_run(
            connection,
            "CREATE TEMP TABLE redis2pg_earlier (place bigint GENERATED ALWAYS AS IDENTITY PRIMARY"
            " KEY, reject bigint NOT NULL, is_refused boolean NOT NULL) ON COMMIT DROP;"
            "SET LOCAL enable_nestloop = off; SET LOCAL jit = off",
            error))
        return FALSE;
    g_autoptr(PGresult) listed =
        rp_postgres_query(connection, LIST_EARLIER_SQL, G_N_ELEMENTS(parameters), parameters, error);
    if (listed == NULL)
        return FALSE;
    *n_listed = rp_postgres_affected(listed);
    /* From here on by indexes alone. */
    return rp_postgres_run(connection,
                           "SET LOCAL enable_nestloop = on; SET LOCAL enable_hashjoin = off;"
                           "SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off",
                           error);
}

/* However many there are, no statement may take longer than an answer may. */
static gboolean settle_earlier(PGconn *connection, guint64 run, const char *const *only, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    guint64 n_listed;
    if (!list_earlier(connection, number, only, &n_listed, error))
        return FALSE;
    for (guint64 first = 1; first <= n_listed; first += SLICE)
        if (!rp_postgres_runf(
                connection, error,
                "UPDATE redis2pg.rejects r SET resolved_by = CASE WHEN NOT is_refused THEN %s END,"
                " replaced_by = CASE WHEN is_refused THEN %s END FROM redis2pg_earlier e"
                " WHERE r.reject = e.reject AND e.place BETWEEN %" G_GUINT64_FORMAT " AND %" G_GUINT64_FORMAT,
                number, number, first, first + SLICE - 1))
            return FALSE;
    return TRUE;
}

gboolean rp_ledger_settle_earlier(PGconn *connection, guint64 run, const char *const *only, GError **error) {
    if (settle_earlier(connection, run, only, error))
        return TRUE;
    g_prefix_error(error, "settling rejects of earlier runs: ");
    return FALSE;
}
