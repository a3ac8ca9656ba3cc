/* Reading and writing the row.
 *
 * 1. The checkpoint moves only in a transaction that writes rows (ledger/checkpoints.c), or when all keys
 * were read again since the stream stood there.
 * 2. A gap is on record before anything is done about it: whoever starts next reads all keys again. */
#include "ledger/following.h"

#include "base/error.h"
#include "ledger/attempts.h"
#include "ledger/lock.h"

#include <stdlib.h>

#define NUMBER G_GUINT64_FORMAT

void rp_following_clear(RpFollowing *following) {
    g_free(following->mapping);
    g_free(following->mapping_digest);
    g_free(following->source);
    g_free(following->capture);
    g_free(following->rescan_reason);
    *following = (RpFollowing){0};
}

static char *dup_value(PGresult *result, int column) {
    return PQgetisnull(result, 0, column) ? NULL : g_strdup(PQgetvalue(result, 0, column));
}

static void take_row(PGresult *result, RpFollowing *following) {
    following->exists = TRUE;
    following->mapping = dup_value(result, 0);
    following->mapping_digest = dup_value(result, 1);
    following->source = dup_value(result, 2);
    following->capture = dup_value(result, 3);
    following->rescan_reason = dup_value(result, 7);
    following->is_to_pause = PQgetvalue(result, 0, 8)[0] == 't';
    if (!PQgetisnull(result, 0, 4))
        g_strlcpy(following->place.replication_id, PQgetvalue(result, 0, 4),
                  sizeof following->place.replication_id);
    following->place.offset = g_ascii_strtoull(PQgetvalue(result, 0, 5), NULL, 10);
    following->place.database = PQgetisnull(result, 0, 6) ? -1 : atoi(PQgetvalue(result, 0, 6));
}

gboolean rp_following_read(PGconn *connection, RpFollowing *following, GError **error) {
    *following = (RpFollowing){0};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection,
                          "SELECT mapping, mapping_digest, source, capture, replication_id, stream_offset,"
                          " stream_database, rescan_reason, is_to_pause FROM redis2pg.sync",
                          0, NULL, error);
    if (result == NULL) {
        g_prefix_error(error, "reading the checkpoint: ");
        return FALSE;
    }
    if (PQntuples(result) > 0)
        take_row(result, following);
    return TRUE;
}

/* The address before this one was the same Redis, or one that it has taken the place of. */
#define NOTE_SOURCE(parameter)                                                                               \
    " former_sources = CASE WHEN s.source <> " parameter " THEN array_remove(s.former_sources, s.source) ||" \
    " s.source ELSE s.former_sources END, source = " parameter ","

/* Of statements that change the row. */
static gboolean change(PGconn *connection, const char *sql, int n, const char *const *parameters,
                       GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, n, parameters, error);
    if (result == NULL) {
        g_prefix_error(error, "writing to redis2pg.sync: ");
        return FALSE;
    }
    if (rp_postgres_affected(result) == 0) {
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "another sync has taken over this target since: redis2pg status shows it");
        return FALSE;
    }
    return TRUE;
}

gboolean rp_following_begin(PGconn *connection, const RpMapping *mapping, const char *source,
                            const char *capture, const char *reason, GError **error) {
    const char *const parameters[] = {mapping->path, mapping->digest, source,
                                      capture,       reason,          rp_ledger_owner()};
    /* All keys are read anew: what waits is found again, and of another mapping it would wait for ever. */
    if (!rp_postgres_run(connection, "DELETE FROM redis2pg.parked", error))
        return FALSE;
    return change(
        connection,
        "INSERT INTO redis2pg.sync AS s (mapping, mapping_digest, source, capture, rescan_reason, owner,"
        " state, seen_at) VALUES ($1, $2, $3, $4, $5, $6::uuid, 'loading', clock_timestamp())"
        " ON CONFLICT (only_row) DO UPDATE SET mapping = $1, mapping_digest = $2," NOTE_SOURCE(
            "$3") " capture = $4, rescan_reason = $5, owner = $6::uuid, state = 'loading', replication_id ="
                  " NULL, stream_offset = NULL, stream_database = NULL, checkpoint_at = NULL, seen_at ="
                  " clock_timestamp()",
        G_N_ELEMENTS(parameters), parameters, error);
}

gboolean rp_following_take_over(PGconn *connection, const char *source, const char *capture, GError **error) {
    const char *const parameters[] = {source, rp_ledger_owner(), capture};
    return change(connection,
                  "UPDATE redis2pg.sync s SET" NOTE_SOURCE("$1") " owner = $2::uuid, capture = $3, seen_at = "
                                                                 "clock_timestamp()",
                  G_N_ELEMENTS(parameters), parameters, error);
}

gboolean rp_following_has_read_all(PGconn *connection, const RpStreamPlace *place, GError **error) {
    g_autofree char *offset = g_strdup_printf("%" NUMBER, place->offset);
    g_autofree char *database = place->database < 0 ? NULL : g_strdup_printf("%d", place->database);
    const char *const parameters[] = {rp_stream_place_is_set(place) ? place->replication_id : NULL, offset,
                                      database, rp_ledger_owner()};
    return change(connection,
                  "UPDATE redis2pg.sync SET replication_id = $1, stream_offset = $2, stream_database = $3,"
                  " checkpoint_at = clock_timestamp(), rescan_reason = NULL WHERE owner = $4::uuid",
                  G_N_ELEMENTS(parameters), parameters, error);
}

gboolean rp_following_has_gap(PGconn *connection, const char *reason, GError **error) {
    const char *const parameters[] = {reason, rp_ledger_owner()};
    return change(connection,
                  "UPDATE redis2pg.sync SET rescan_reason = $1, state = 'loading' WHERE owner = $2::uuid",
                  G_N_ELEMENTS(parameters), parameters, error);
}

gboolean rp_following_note(PGconn *connection, const RpFollowingState *state, gboolean *is_to_pause,
                           guint64 *n_parked, GError **error) {
    const guint64 values[] = {state->run,    state->source_offset, state->lag_bytes,
                              state->lag_ms, state->keys_waiting,  (guint64)state->last_commit_us};
    char texts[G_N_ELEMENTS(values)][24];
    char rate[G_ASCII_DTOSTR_BUF_SIZE];
    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        g_snprintf(texts[i], sizeof texts[i], "%" NUMBER, values[i]);
    g_ascii_formatd(rate, sizeof rate, "%.1f", state->changes_per_second);
    const char *const parameters[] = {state->state, texts[0], texts[1], texts[2],         texts[3],
                                      texts[4],     texts[5], rate,     rp_ledger_owner()};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "UPDATE redis2pg.sync SET state = $1, run = nullif($2::bigint, 0), source_offset = "
        "nullif($3::numeric,"
        " 0), lag_bytes = $4::bigint, lag_ms = $5::bigint, keys_waiting = $6::bigint, last_commit ="
        " to_timestamp(nullif($7::bigint, 0) / 1e6), changes_per_second = $8::double precision, seen_at ="
        " clock_timestamp() WHERE owner = $9::uuid RETURNING is_to_pause,"
        " (SELECT count(*) FROM redis2pg.parked WHERE NOT is_rejected)",
        G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL || PQntuples(result) == 0) {
        g_prefix_error(error, "writing the state of the sync: ");
        return result != NULL;
    }
    *is_to_pause = PQgetvalue(result, 0, 0)[0] == 't';
    *n_parked = g_ascii_strtoull(PQgetvalue(result, 0, 1), NULL, 10);
    return TRUE;
}

gboolean rp_following_ask(PGconn *connection, gboolean is_to_pause, GError **error) {
    const char *const parameters[] = {is_to_pause ? "t" : "f"};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, "UPDATE redis2pg.sync SET is_to_pause = $1", 1, parameters, error);
    if (result == NULL || rp_postgres_affected(result) == 1)
        return result != NULL;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "no sync has ever been started on this target: there is nothing to %s",
                is_to_pause ? "pause" : "continue");
    return FALSE;
}

/* A run that is not a sync's is loading as long as it holds the lock. */
static const char DESCRIBE_SQL[] =
    "WITH newest AS (SELECT run, kind, status, backend IS NOT NULL AND backend = " RP_LEDGER_LOCK_HOLDER
    " AS is_held FROM redis2pg.runs WHERE kind IN ('run', 'sync') ORDER BY run DESC LIMIT 1),"
    " live AS (SELECT s.*, seen_at > clock_timestamp() - interval '10 s' AND state <> 'stopped' AS is_live"
    " FROM (SELECT) nothing LEFT JOIN redis2pg.sync s ON true)"
    " SELECT coalesce(json_build_object('run', coalesce(CASE WHEN is_live THEN l.run END, n.run),"
    " 'state', CASE WHEN is_live THEN l.state WHEN n.status = 'open' AND n.is_held THEN 'loading'"
    " ELSE 'stopped' END, 'lag_bytes', l.lag_bytes, 'lag_ms', l.lag_ms,"
    " 'keys_waiting', coalesce(l.keys_waiting, 0),"
    " 'parked', (SELECT count(*) FROM redis2pg.parked WHERE NOT is_rejected),"
    " 'changes_per_second', CASE WHEN is_live THEN l.changes_per_second ELSE 0 END,"
    " 'last_commit', to_char(l.last_commit AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    " 'capture', l.capture, 'source', l.source, 'mapping', l.mapping,"
    " 'offset', l.stream_offset, 'source_offset', l.source_offset, 'replication_id', l.replication_id,"
    " 'checkpoint_at', to_char(l.checkpoint_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    " 'seen_at', to_char(l.seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    " 'rescan_reason', l.rescan_reason, 'pause_requested', coalesce(l.is_to_pause, false)), 'null'::json)"
    " FROM newest n FULL JOIN live l ON true";

char *rp_following_describe(PGconn *connection, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, DESCRIBE_SQL, 0, NULL, error);
    if (result == NULL) {
        g_prefix_error(error, "reading the state of the sync: ");
        return NULL;
    }
    return g_strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "null");
}
