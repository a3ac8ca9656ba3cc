/* The list of what a replay tries again.
 *
 * 1. A reject is replayed only from the newest reading that the ledger has of its key: an older one would
 *    bring old data back.
 * 2. What is not replayed is counted with its reason: nothing is left out in silence. */
#include "base/error.h"
#include "ledger/replay.h"

#include <jansson.h>

static const char *const LEFT_NAMES[RP_N_LEFT] = {
    [RP_LEFT_VALUES] = "values",   [RP_LEFT_PARTIAL] = "partial", [RP_LEFT_TTL] = "ttl",
    [RP_LEFT_DAMAGED] = "damaged", [RP_LEFT_LATER] = "later",     [RP_LEFT_ENTITY] = "entity",
    [RP_LEFT_SOURCE] = "source",
};

void rp_replay_selection_clear(RpReplaySelection *selection) {
    g_clear_pointer(&selection->source, g_free);
}

static const char CREATE_SQL[] =
    "CREATE TEMP TABLE redis2pg_replay (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " entity text NOT NULL, key bytea NOT NULL, reject bigint NOT NULL, element text,"
    " read_at timestamptz NOT NULL, is_first boolean NOT NULL, bytes_before bigint NOT NULL,"
    " source text NOT NULL, reason text, is_late boolean NOT NULL DEFAULT false)";

/* $1 run, $2 entity, $3 code: empty for any. */
#define FITS(alias)                                                                                          \
    "($1 = '' OR " alias ".run = nullif($1, '')::bigint) AND ($2 = '' OR " alias ".entity = $2)"             \
    " AND ($3 = '' OR " alias ".code = $3)"

#define IS_OPEN(alias) alias ".resolved_by IS NULL AND " alias ".replaced_by IS NULL"

/* Where one record gives all of a key's rejects, any of them stands for all. $4: {entity: {"has_elements"}}.
 */
#define OPEN_SQL                                                                                             \
    "open AS MATERIALIZED (SELECT r.reject, r.run, r.entity, r.key, r.element, r.code, r.read_at,"           \
    " u.source, octet_length(r.raw) AS raw_bytes, u.settings,"                                               \
    " coalesce(($4::jsonb -> r.entity -> 'has_elements')::boolean, false) AND NOT $5::boolean AS is_single"  \
    " FROM redis2pg.rejects r JOIN redis2pg.runs u USING (run)"                                              \
    " WHERE " IS_OPEN("r") " AND u.undone_by IS NULL AND u.status <> 'rolled_back'), "

#define CHOSEN_SQL                                                                                           \
    "fitting AS MATERIALIZED (SELECT DISTINCT o.source, o.entity, o.key FROM open o WHERE " FITS(            \
        "o") "), "                                                                                           \
             "chosen AS (SELECT o.* FROM open o LEFT JOIN fitting f USING (source, entity, key)"             \
             " WHERE CASE WHEN o.is_single THEN " FITS("o") " ELSE f.key IS NOT NULL END), "

/* The run of each source and entity that was the last to read: it met the entity's keys when it is complete,
 * and may have met them when it wrote some. Complete ones have settled what they overtook, but a rollback may
 * have opened it again. The times are all of the server's clock; the numbers of runs say nothing of time,
 * since a run may be continued. own: readings of such a run that are still its own, though a replay has
 * refused them again.
 */
#define LATER_SQL                                                                                            \
    "later AS MATERIALIZED (SELECT DISTINCT ON (l.source, e.entity) l.source, e.entity, l.run AS later_run," \
    "  a.started_at FROM redis2pg.runs l JOIN redis2pg.attempts a USING (run, attempt)"                      \
    "  JOIN redis2pg.run_entities e USING (run) WHERE l.kind = 'run' AND l.undone_by IS NULL"                \
    "  AND l.status <> 'rolled_back' AND (EXISTS (SELECT FROM redis2pg.batch_counts c"                       \
    "   WHERE c.run = l.run AND c.entity = e.number) OR (l.status LIKE 'completed%'"                         \
    "   AND coalesce(nullif(l.settings -> 'entities', 'null') ? e.entity, true)))"                           \
    "  ORDER BY l.source, e.entity, a.started_at DESC, l.run DESC), "                                        \
    "own AS (SELECT DISTINCT q.entity, q.key, q.read_at, q.run AS later_run FROM redis2pg.rejects q"         \
    "  JOIN later l ON l.later_run = q.run AND l.entity = q.entity WHERE q.replaced_by IS NOT NULL), "

/* A string that was refused for its type is kept up to the limit of values only. $5: from source; $6: of
 * which. */
#define REASON_SQL                                                                                           \
    "CASE WHEN NOT $4::jsonb ? c.entity THEN 'entity'"                                                       \
    " WHEN $5::boolean THEN CASE WHEN c.source <> $6 THEN 'source' END"                                      \
    " WHEN l.started_at > c.newest_at AND l.later_run <> c.newest_run AND w.key IS NULL THEN 'later'"        \
    " WHEN c.newest_raw IS NULL THEN 'damaged'"                                                              \
    " WHEN c.code = 'too_large' OR (c.code = 'wrong_type' AND"                                               \
    "  c.raw_bytes >= coalesce((c.settings ->> 'max_value_bytes')::bigint, 0)) THEN 'values' END"

static const char FILL_SQL[] =
    "WITH " OPEN_SQL CHOSEN_SQL LATER_SQL
    "ranked AS (SELECT *, CASE WHEN is_single THEN CASE WHEN raw_bytes > 0 THEN reject END"
    "  WHEN $5::boolean THEN min(reject) OVER (PARTITION BY source, entity, key)"
    "  ELSE first_value(CASE WHEN raw_bytes > 0 THEN reject END) OVER same END AS newest_raw,"
    " CASE WHEN is_single THEN read_at ELSE first_value(read_at) OVER same END AS newest_at,"
    " CASE WHEN is_single THEN run ELSE first_value(run) OVER same END AS newest_run FROM chosen"
    " WINDOW same AS (PARTITION BY source, entity, key ORDER BY raw_bytes > 0 DESC, read_at DESC, reject "
    "DESC)), "
    "judged AS (SELECT c.*, c.reject IS NOT DISTINCT FROM c.newest_raw AS is_first,"
    " NOT is_single AND c.reject IS NOT DISTINCT FROM c.newest_raw AS is_ahead, " REASON_SQL
    " AS reason FROM ranked c LEFT JOIN later l USING (source, entity) LEFT JOIN own w ON w.entity = c.entity"
    "  AND w.key = c.key AND w.read_at = c.newest_at AND w.later_run = l.later_run) "
    "INSERT INTO redis2pg_replay (entity, key, reject, element, read_at, is_first, bytes_before, source,"
    " reason) SELECT entity, key, reject, element, read_at, is_first,"
    "  coalesce(sum(CASE WHEN is_first AND reason IS NULL AND NOT $5::boolean THEN raw_bytes END)"
    "  OVER (ORDER BY entity, key, is_single, is_ahead DESC, reject ROWS BETWEEN UNBOUNDED PRECEDING AND 1"
    "  PRECEDING), 0), source, reason FROM judged ORDER BY entity, key, is_single, is_ahead DESC, reject";

static char *entities_json(const RpMapping *mapping) {
    json_t *entities = json_object();
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        json_object_set_new(
            entities, entity->name,
            json_pack("{sb}", "has_elements", rp_record_type_has_elements(entity->scope.type)));
    }
    char *dumped = json_dumps(entities, JSON_COMPACT);
    json_decref(entities);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

/* The planner knows nothing of rejects that were just written: row by row it would compare all with all. */
static const char PLAN_FILL_SQL[] = "BEGIN; SET LOCAL enable_nestloop = off";

static gboolean fill(PGconn *connection, const RpReplayChoice *choice, GError **error) {
    const RpRejectFilter *filter = &choice->filter;
    g_autofree char *run =
        filter->run != 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, filter->run) : g_strdup("");
    g_autofree char *entities = entities_json(choice->mapping);
    const char *const parameters[] = {
        run,      filter->entity != NULL ? filter->entity : "", filter->code != NULL ? filter->code : "",
        entities, choice->is_from_source ? "t" : "f",           choice->source != NULL ? choice->source : ""};
    if (!rp_postgres_run(connection, PLAN_FILL_SQL, error))
        return FALSE;
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, FILL_SQL, G_N_ELEMENTS(parameters), parameters, error);
    return result != NULL && rp_postgres_run(connection, "COMMIT; ANALYZE redis2pg_replay", error);
}

static gboolean count_left(PGconn *connection, RpReplaySelection *selection, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, "SELECT reason, count(*) FROM redis2pg_replay WHERE reason IS NOT NULL GROUP BY reason",
        0, NULL, error);
    for (int row = 0; result != NULL && row < PQntuples(result); row++)
        for (guint left = 0; left < RP_N_LEFT; left++)
            if (g_str_equal(PQgetvalue(result, row, 0), LEFT_NAMES[left]))
                selection->left[left] = g_ascii_strtoull(PQgetvalue(result, row, 1), NULL, 10);
    return result != NULL;
}

static gboolean count_chosen(PGconn *connection, RpReplaySelection *selection, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT count(*), count(*) FILTER (WHERE is_first), min(source), max(source) FROM redis2pg_replay"
        " WHERE reason IS NULL",
        0, NULL, error);
    if (result == NULL)
        return FALSE;
    const char *first = PQgetvalue(result, 0, 2), *last = PQgetvalue(result, 0, 3);
    if (!g_str_equal(first, last)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "the rejects are of several Redis databases, %s and %s among them: name a run with --run",
                    first, last);
        return FALSE;
    }
    selection->n_rejects = g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    selection->n_records = g_ascii_strtoull(PQgetvalue(result, 0, 1), NULL, 10);
    selection->source = selection->n_rejects > 0 ? g_strdup(first) : NULL;
    return TRUE;
}

gboolean rp_replay_select(PGconn *connection, const RpReplayChoice *choice, RpReplaySelection *selection,
                          GError **error) {
    *selection = (RpReplaySelection){0};
    if (rp_postgres_run(connection, CREATE_SQL, error) && fill(connection, choice, error) &&
        count_left(connection, selection, error) && count_chosen(connection, selection, error))
        return TRUE;
    g_prefix_error(error, "choosing rejects to replay: ");
    return FALSE;
}

/* From here on the list is read by pages, which are small, and by keys of indexes. */
static const char REFRESH_SQL[] =
    "BEGIN; SET LOCAL enable_nestloop = off;"
    "DELETE FROM redis2pg_replay p WHERE NOT EXISTS (SELECT FROM redis2pg.rejects r"
    " WHERE r.reject = p.reject AND " IS_OPEN(
        "r") ");"
             "COMMIT; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off";

gboolean rp_replay_refresh(PGconn *connection, GError **error) {
    return rp_postgres_run(connection, REFRESH_SQL, error);
}
