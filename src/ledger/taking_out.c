/* Taking rows out again.
 *
 * 1. All of it is one transaction: the rows go, the account and the undo log know of them no longer, and
 * their keys are noted.
 * 2. A key goes with all that it gave: what is merged later is the whole key. Rows of one transaction with
 * one identity cannot be told apart: they go together, and so do their keys.
 * 3. No row goes of which it is not known where it came from. */
#include "ledger/taking_out.h"

#define NUMBER G_GUINT64_FORMAT

static gboolean run(const RpTakingOut *out, const char *sql, guint64 *n_rows, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(out->connection, sql, 0, NULL, error);
    if (result != NULL && n_rows != NULL)
        *n_rows = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1
                      ? g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10)
                      : rp_postgres_affected(result);
    return result != NULL;
}

/* *n_rows, unless n_rows is NULL, gets the number in the statement's one row, or else that of rows touched.
 */
static gboolean runf(const RpTakingOut *out, guint64 *n_rows, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static gboolean runf(const RpTakingOut *out, guint64 *n_rows, GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sql = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return run(out, sql, n_rows, error);
}

gboolean rp_taking_out_begin(const RpTakingOut *out, GError **error) {
    return runf(out, NULL, error,
                "CREATE TEMPORARY TABLE r2p_ours ON COMMIT DROP AS SELECT DISTINCT xid::xid AS r2p_writer"
                " FROM redis2pg.batches WHERE run = %" NUMBER,
                out->run) &&
           runf(out, NULL, error, "CREATE TEMPORARY TABLE r2p_found (r2p_writer xid, %s) ON COMMIT DROP",
                out->table->columns) &&
           runf(out, NULL, error,
                "CREATE TEMPORARY TABLE r2p_bad (r2p_round integer, r2p_writer xid, %s) ON COMMIT DROP",
                out->table->columns) &&
           runf(out, NULL, error,
                "CREATE TEMPORARY TABLE r2p_gone (r2p_round integer, r2p_undo bigint, r2p_place bigint,"
                " r2p_batch bigint, r2p_writer xid, r2p_key bytea, %s) ON COMMIT DROP",
                out->table->columns);
}

gboolean rp_taking_out_add(const RpTakingOut *out, const char *query, GError **error) {
    return runf(out, NULL, error, "INSERT INTO pg_temp.r2p_found %s", query);
}

gboolean rp_taking_out_count(const RpTakingOut *out, guint64 *n_rows, GError **error) {
    return run(out, "SELECT count(*) FROM pg_temp.r2p_found", n_rows, error);
}

/* ---- where they came from ---- */

/* The rows of an entry u, with their places in it. */
#define UNPACKED                                                                                             \
    "ROWS FROM (json_to_recordset(u.before) AS (%s), unnest(u.loaded_keys)) WITH ORDINALITY"                 \
    " AS x (%s, r2p_key, r2p_place)"
#define ENTRIES "u.run = %" NUMBER " AND u.entity = %u AND u.operation = 'insert' AND u.loaded_by IS NOT NULL"

static gboolean find_keys(const RpTakingOut *out, guint round, GError **error) {
    const RpLoadedTable *table = out->table;
    return runf(out, NULL, error,
                "INSERT INTO pg_temp.r2p_gone SELECT %u, t.* FROM (SELECT u.undo, x.r2p_place, u.batch,"
                " u.loaded_by AS r2p_writer, x.r2p_key, %s FROM redis2pg.undo u CROSS JOIN LATERAL " UNPACKED
                " WHERE " ENTRIES " AND u.loaded_by IN (SELECT r2p_writer FROM pg_temp.r2p_bad"
                " WHERE r2p_round = %u)) AS t (r2p_undo, r2p_place, r2p_batch, r2p_writer, r2p_key, %s)"
                " JOIN pg_temp.r2p_bad b ON b.r2p_round = %u AND b.r2p_writer = t.r2p_writer AND %s",
                round, table->of_json, table->definitions, table->names, out->run, table->entity, round,
                table->names, round, table->equal) &&
           run(out, "ANALYZE pg_temp.r2p_gone", NULL, error);
}

/* The other rows of the keys that the round has met. Entries without such a key are not unpacked. */
static gboolean find_other_rows(const RpTakingOut *out, guint round, guint64 *n_found, GError **error) {
    const RpLoadedTable *table = out->table;
    return runf(out, n_found, error,
                "WITH more AS MATERIALIZED (SELECT u.undo, k.place FROM redis2pg.undo u"
                " CROSS JOIN LATERAL unnest(u.loaded_keys) WITH ORDINALITY AS k (key, place) WHERE " ENTRIES
                " AND k.key IN (SELECT r2p_key FROM pg_temp.r2p_gone WHERE r2p_round = %u)"
                " AND NOT EXISTS (SELECT FROM pg_temp.r2p_gone g WHERE g.r2p_undo = u.undo"
                "  AND g.r2p_place = k.place)), found AS (INSERT INTO pg_temp.r2p_bad SELECT DISTINCT %u,"
                " u.loaded_by, %s FROM redis2pg.undo u CROSS JOIN LATERAL " UNPACKED
                " JOIN more m ON m.undo = u.undo AND m.place = x.r2p_place WHERE u.undo IN (SELECT undo FROM"
                " more) RETURNING 1) SELECT count(*) FROM found",
                out->run, table->entity, round, round + 1, table->of_json, table->definitions,
                table->names) &&
           run(out, "ANALYZE pg_temp.r2p_bad", NULL, error);
}

static gboolean complain(const RpTakingOut *out, const char *words, GError **error) {
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_FATAL, "%s: %s", out->table->shown, words);
    return FALSE;
}

static gboolean check_known(const RpTakingOut *out, GError **error) {
    g_autofree char *same = g_strdup_printf("SELECT count(*) FROM pg_temp.r2p_bad b WHERE NOT EXISTS (SELECT"
                                            " FROM pg_temp.r2p_gone t WHERE t.r2p_writer = b.r2p_writer AND"
                                            " %s)",
                                            out->table->equal);
    guint64 n_unknown;
    if (!run(out, same, &n_unknown, error))
        return FALSE;
    return n_unknown == 0 ||
           complain(out, "the ledger does not know from which Redis keys some of its rows came", error);
}

static gboolean collect(const RpTakingOut *out, guint64 *n_bad, GError **error) {
    if (!runf(out, n_bad, error,
              "WITH bad AS (INSERT INTO pg_temp.r2p_bad SELECT DISTINCT 0, f.* FROM pg_temp.r2p_found f"
              " RETURNING 1) SELECT count(*) FROM bad") ||
        !run(out, "ANALYZE pg_temp.r2p_bad", NULL, error))
        return FALSE;
    guint64 n_found = *n_bad;
    for (guint round = 0; n_found > 0; round++)
        if (!find_keys(out, round, error) || (round == 0 && !check_known(out, error)) ||
            !find_other_rows(out, round, &n_found, error))
            return FALSE;
    return TRUE;
}

/* ---- out of the table, the account and the undo log ---- */

/* As many rows as the ledger knows of: then none was kept back. Others may have changed some meanwhile. */
static gboolean delete_rows(const RpTakingOut *out, guint64 *n_rows, GError **error) {
    const RpLoadedTable *table = out->table;
    guint64 n_known, n_left;
    if (!runf(out, n_rows, error,
              "DELETE FROM %s t USING pg_temp.r2p_bad b WHERE t.xmin = b.r2p_writer AND %s", table->quoted,
              table->equal) ||
        !run(out, "SELECT count(*) FROM pg_temp.r2p_gone", &n_known, error))
        return FALSE;
    if (*n_rows == n_known)
        return TRUE;
    if (!runf(out, &n_left, error,
              "SELECT count(*) FROM %s t JOIN pg_temp.r2p_bad b ON t.xmin = b.r2p_writer AND %s",
              table->quoted, table->equal))
        return FALSE;
    return n_left == 0 ||
           complain(out, "a trigger, a rule or a policy keeps rows that have to be merged again", error);
}

static gboolean correct_account(const RpTakingOut *out, GError **error) {
    guint64 n_wrong;
    if (!runf(out, &n_wrong, error,
              "WITH gone AS (SELECT b.run, b.pass, b.number, b.portion, sum(g.n) AS n FROM (SELECT"
              " r2p_writer, count(*) AS n FROM pg_temp.r2p_gone GROUP BY 1) g JOIN redis2pg.batches b"
              " ON b.xid::xid = g.r2p_writer AND b.run = %" NUMBER " GROUP BY 1, 2, 3, 4), corrected AS ("
              "UPDATE redis2pg.batch_counts c SET read = c.read - g.n, inserted = c.inserted - g.n FROM gone"
              " g WHERE c.run = g.run AND c.pass = g.pass AND c.batch = g.number AND c.portion = g.portion"
              " AND c.entity = %u RETURNING g.n) SELECT (SELECT count(*) FROM pg_temp.r2p_gone) -"
              " (SELECT coalesce(sum(n), 0) FROM corrected)",
              out->run, out->table->entity))
        return FALSE;
    return n_wrong == 0 || complain(out, "the ledger has no account of rows of it", error);
}

/* Rejects of some elements of a key come again with the key. */
static gboolean drop_rejects(const RpTakingOut *out, GError **error) {
    g_autofree char *name = rp_postgres_literal(out->connection, out->table->entity_name);
    return runf(out, NULL, error,
                "WITH gone AS (DELETE FROM redis2pg.rejects r USING (SELECT DISTINCT r2p_key FROM"
                " pg_temp.r2p_gone) g WHERE r.run = %" NUMBER " AND r.pass = 0 AND r.entity = %s"
                " AND r.key = g.r2p_key RETURNING r.xmin AS writer), counted AS (SELECT b.run, b.pass,"
                " b.number, b.portion, count(*) AS n FROM gone g JOIN redis2pg.batches b ON b.xid::xid ="
                " g.writer AND b.run = %" NUMBER " GROUP BY 1, 2, 3, 4) UPDATE redis2pg.batch_counts c"
                " SET read = c.read - g.n, rejected = c.rejected - g.n FROM counted g WHERE c.run = g.run AND"
                " c.pass = g.pass AND c.batch = g.number AND c.portion = g.portion AND c.entity = %u",
                out->run, name, out->run, out->table->entity);
}

static gboolean correct_undo(const RpTakingOut *out, GError **error) {
    return run(out,
               "DELETE FROM redis2pg.undo u USING (SELECT r2p_undo, count(*) AS n FROM pg_temp.r2p_gone"
               " GROUP BY 1) g WHERE u.undo = g.r2p_undo AND cardinality(u.loaded_keys) = g.n",
               NULL, error) &&
           run(out,
               "UPDATE redis2pg.undo u SET before = k.before, loaded_keys = k.keys FROM (SELECT u.undo,"
               " json_agg(x.identity ORDER BY x.place) AS before, array_agg(x.key ORDER BY x.place) AS keys"
               " FROM redis2pg.undo u CROSS JOIN LATERAL ROWS FROM (json_array_elements(u.before),"
               " unnest(u.loaded_keys)) WITH ORDINALITY AS x (identity, key, place) LEFT JOIN"
               " pg_temp.r2p_gone g ON g.r2p_undo = u.undo AND g.r2p_place = x.place WHERE g.r2p_undo IS"
               " NULL AND u.undo IN (SELECT r2p_undo FROM pg_temp.r2p_gone) GROUP BY u.undo) k"
               " WHERE u.undo = k.undo",
               NULL, error);
}

/* Each key as often as it was read. One that gives many rows may fill several batches, one after the other:
 * where some batch between two of its own has none of it, it was read again. A reading that another attempt
 * has repeated counts only where that did not meet the key. */
static gboolean note_keys(const RpTakingOut *out, GError **error) {
    const char *turn =
        out->has_elements
            ? "dense_rank() OVER (PARTITION BY r2p_key ORDER BY r2p_reading)"
            : "row_number() OVER (PARTITION BY r2p_key ORDER BY r2p_batch, r2p_undo, r2p_place)";
    return runf(
        out, NULL, error,
        "WITH met AS (SELECT g.*, g.r2p_batch - dense_rank() OVER (PARTITION BY g.r2p_key ORDER BY"
        " g.r2p_batch) AS r2p_reading, b.is_superseded, bool_and(b.is_superseded) OVER (PARTITION BY"
        " g.r2p_key) AS is_lost FROM pg_temp.r2p_gone g JOIN redis2pg.batches b ON b.xid::xid ="
        " g.r2p_writer AND b.run = %" NUMBER "), turns AS (SELECT m.*, %s AS turn FROM met m"
        " WHERE is_lost OR NOT is_superseded), readings AS (SELECT DISTINCT ON (r2p_key, turn) * FROM turns "
        "WHERE turn = 1 OR NOT"
        " is_lost ORDER BY r2p_key, turn, r2p_batch, r2p_undo, r2p_place) INSERT INTO redis2pg.again (run,"
        " entity, undo, batch, place, key) SELECT %" NUMBER ", %u, r2p_undo, r2p_batch, r2p_place, r2p_key"
        " FROM readings ORDER BY r2p_batch, r2p_undo, r2p_place",
        out->run, turn, out->run, out->table->entity);
}

gboolean rp_taking_out_do(const RpTakingOut *out, guint64 *n_rows, GError **error) {
    guint64 n_bad;
    *n_rows = 0;
    if (!collect(out, &n_bad, error))
        return FALSE;
    return n_bad == 0 || (delete_rows(out, n_rows, error) && correct_account(out, error) &&
                          (!out->has_elements || drop_rejects(out, error)) && note_keys(out, error) &&
                          correct_undo(out, error));
}
