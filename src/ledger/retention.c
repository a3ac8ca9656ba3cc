/* Dropping what is older than its time.
 *
 * 1. The account of a run stays what it was: what a dropped batch counted is counted by the batch that is
 * kept.
 * 2. That a run can no longer be undone is on record with the deletion that makes it so. */
#include "ledger/retention.h"

/* $1: days. In each run and pass, of the batches that are old the newest is kept. */
#define OLD                                                                                                  \
    "CREATE TEMPORARY TABLE r2p_old ON COMMIT DROP AS SELECT b.run, b.pass, b.number, b.portion,"            \
    " row_number() OVER (PARTITION BY b.run, b.pass ORDER BY b.number DESC, b.portion DESC) = 1 AS is_kept"  \
    " FROM redis2pg.batches b JOIN redis2pg.runs r USING (run) WHERE r.kind = 'sync'"                        \
    " AND b.committed_at < clock_timestamp() - make_interval(days => %u)"

static const char NOTE_SQL[] =
    "UPDATE redis2pg.runs r SET undo_kept_since = o.since, batches_dropped = r.batches_dropped + o.n_dropped"
    " FROM (SELECT run, max(b.committed_at) AS since, count(*) FILTER (WHERE NOT is_kept) AS n_dropped"
    " FROM r2p_old JOIN redis2pg.batches b USING (run, pass, number, portion) GROUP BY run) o"
    " WHERE o.run = r.run AND o.n_dropped > 0";

static const char SUM_KEYS_SQL[] =
    "UPDATE redis2pg.batches k SET keys_scanned = k.keys_scanned + s.scanned, keys_mapped = k.keys_mapped +"
    " s.mapped, keys_ignored = k.keys_ignored + s.ignored, keys_unmapped = k.keys_unmapped + s.unmapped"
    " FROM (SELECT run, pass, sum(keys_scanned) AS scanned, sum(keys_mapped) AS mapped, sum(keys_ignored) AS"
    " ignored, sum(keys_unmapped) AS unmapped FROM r2p_old JOIN redis2pg.batches USING (run, pass, number,"
    " portion) WHERE NOT is_kept GROUP BY run, pass) s, r2p_old o WHERE o.is_kept AND o.run = s.run AND "
    "o.pass ="
    " s.pass AND (k.run, k.pass, k.number, k.portion) = (o.run, o.pass, o.number, o.portion)";

/* Of keys that nothing covers the pattern says as much for all batches: they are added up, with one example.
 */
static const char SUM_UNMAPPED_SQL[] =
    "UPDATE redis2pg.batches k SET unmapped = s.unmapped FROM (SELECT run, pass, jsonb_object_agg(pattern,"
    " jsonb_build_object('keys', keys, 'example', example)) AS unmapped FROM (SELECT b.run, b.pass, u.key AS"
    " pattern, sum((u.value ->> 'keys')::bigint) AS keys, min(u.value ->> 'example') AS example FROM r2p_old "
    "JOIN"
    " redis2pg.batches b USING (run, pass, number, portion), jsonb_each(b.unmapped) u GROUP BY 1, 2, 3) p"
    " GROUP BY run, pass) s, r2p_old o WHERE o.is_kept AND o.run = s.run AND o.pass = s.pass"
    " AND (k.run, k.pass, k.number, k.portion) = (o.run, o.pass, o.number, o.portion)";

static const char SUM_ROWS_SQL[] =
    "INSERT INTO redis2pg.batch_counts AS k (run, pass, batch, portion, entity, read, inserted, updated, "
    "unchanged,"
    " deleted, rejected, filtered, vanished, parked) SELECT o.run, o.pass, o.number, o.portion, c.entity,"
    " sum(c.read), sum(c.inserted), sum(c.updated), sum(c.unchanged), sum(c.deleted), sum(c.rejected),"
    " sum(c.filtered), sum(c.vanished), sum(c.parked) FROM r2p_old o JOIN r2p_old d ON d.run = o.run AND "
    "d.pass ="
    " o.pass AND NOT d.is_kept JOIN redis2pg.batch_counts c ON (c.run, c.pass, c.batch, c.portion) ="
    " (d.run, d.pass, d.number, d.portion) WHERE o.is_kept GROUP BY 1, 2, 3, 4, 5"
    " ON CONFLICT (run, pass, batch, portion, entity) DO UPDATE SET read = k.read + excluded.read,"
    " inserted = k.inserted + excluded.inserted, updated = k.updated + excluded.updated,"
    " unchanged = k.unchanged + excluded.unchanged, deleted = k.deleted + excluded.deleted,"
    " rejected = k.rejected + excluded.rejected, filtered = k.filtered + excluded.filtered,"
    " vanished = k.vanished + excluded.vanished, parked = k.parked + excluded.parked";

static const char DROP_UNDO_SQL[] = "DELETE FROM redis2pg.undo u USING r2p_old o WHERE u.run = o.run AND "
                                    "u.pass = o.pass AND u.batch = o.number";

static const char DROP_BATCHES_SQL[] =
    "DELETE FROM redis2pg.batches b USING r2p_old o WHERE NOT o.is_kept"
    " AND (b.run, b.pass, b.number, b.portion) = (o.run, o.pass, o.number, o.portion)";

static gboolean drop_old(PGconn *connection, guint days, guint64 *n_batches, GError **error) {
    if (!rp_postgres_runf(connection, error, OLD, days))
        return FALSE;
    static const char *const statements[] = {NOTE_SQL,     SUM_KEYS_SQL,  SUM_UNMAPPED_SQL,
                                             SUM_ROWS_SQL, DROP_UNDO_SQL, DROP_BATCHES_SQL};
    for (guint i = 0; i < G_N_ELEMENTS(statements); i++) {
        g_autoptr(PGresult) result = rp_postgres_query(connection, statements[i], 0, NULL, error);
        if (result == NULL)
            return FALSE;
        *n_batches = rp_postgres_affected(result);
    }
    return TRUE;
}

gboolean rp_retention_apply(PGconn *connection, guint days, guint64 *n_batches, GError **error) {
    *n_batches = 0;
    if (rp_postgres_run(connection, "BEGIN", error) && drop_old(connection, days, n_batches, error) &&
        rp_postgres_run(connection, "COMMIT", error))
        return TRUE;
    rp_postgres_run(connection, "ROLLBACK", NULL);
    g_prefix_error(error, "dropping what is kept of old batches: ");
    return FALSE;
}
