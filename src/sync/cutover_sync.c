/* What the sync in the other process says of itself, and waiting until it has caught up. */
#include "ledger/following.h"
#include "sync/cutover_parts.h"

#include <string.h>

#define POLL_US (100 * G_TIME_SPAN_MILLISECOND)

void rp_cutover_sync_clear(RpCutoverSync *sync) {
    g_free(sync->state);
    g_free(sync->capture);
    g_free(sync->mapping);
    g_free(sync->source);
    g_free(sync->rescan_reason);
    g_free(sync->seen_at);
    *sync = (RpCutoverSync){0};
}

static char *dup_value(const PGresult *row, int column) {
    return PQgetisnull(row, 0, column) ? NULL : g_strdup(PQgetvalue(row, 0, column));
}

static guint64 number_of(const PGresult *row, int column) {
    return g_ascii_strtoull(PQgetvalue(row, 0, column), NULL, 10);
}

static gboolean is_true(const PGresult *row, int column) {
    return !PQgetisnull(row, 0, column) && rp_postgres_is_true(row, 0, column);
}

static void take_row(const PGresult *row, RpCutoverSync *sync) {
    *sync = (RpCutoverSync){.exists = TRUE,
                            .is_ours = is_true(row, 0),
                            .is_live = is_true(row, 1),
                            .is_after = is_true(row, 2),
                            .state = dup_value(row, 3),
                            .capture = dup_value(row, 4),
                            .mapping = dup_value(row, 5),
                            .source = dup_value(row, 6),
                            .rescan_reason = dup_value(row, 7),
                            .seen_at = dup_value(row, 8),
                            .lag_ms = number_of(row, 9),
                            .lag_bytes = number_of(row, 10),
                            .keys_waiting = number_of(row, 11),
                            .stream_offset = number_of(row, 12),
                            .source_offset = number_of(row, 13),
                            .n_parked = number_of(row, 14)};
}

gboolean rp_cutover_sync_read(const RpCutover *cutover, RpCutoverSync *sync, GError **error) {
    const char *const parameters[] = {cutover->options->load->mapping->digest, cutover->source,
                                      cutover->since};
    *sync = (RpCutoverSync){0};
    g_autoptr(PGresult) row = rp_postgres_query(
        cutover->postgres,
        "SELECT mapping_digest = $1 AND source = $2, seen_at > clock_timestamp() - interval '10 s' AND state"
        " = 'following' AND NOT is_to_pause, seen_at > $3::timestamptz, CASE WHEN is_to_pause AND state ="
        " 'following' THEN 'paused' ELSE state END, capture, mapping, source, rescan_reason, seen_at, lag_ms,"
        " lag_bytes, keys_waiting, stream_offset, source_offset,"
        " (SELECT count(*) FROM redis2pg.parked WHERE NOT is_rejected) FROM redis2pg.sync",
        G_N_ELEMENTS(parameters), parameters, error);
    if (row == NULL) {
        g_prefix_error(error, "reading the state of the sync: ");
        return FALSE;
    }
    if (PQntuples(row) > 0)
        take_row(row, sync);
    return TRUE;
}

void rp_cutover_sync_check(RpCutover *cutover, const RpCutoverSync *sync) {
    if (!sync->exists)
        rp_cutover_refuse(cutover, "no sync has ever been started on this target: redis2pg sync");
    else if (!sync->is_ours)
        rp_cutover_refuse(
            cutover,
            "the sync of this target follows %s with %s: not this Redis, or not this mapping as "
            "it is now",
            sync->source, sync->mapping);
    else if (!sync->is_live && strcmp(sync->state, "following") == 0)
        rp_cutover_refuse(cutover, "no sync is running: it was last seen at %s",
                          sync->seen_at != NULL ? sync->seen_at : "no time");
    else if (!sync->is_live)
        rp_cutover_refuse(cutover, "the sync is not following changes: it is %s", sync->state);
    if (sync->exists && sync->rescan_reason != NULL)
        rp_cutover_refuse(cutover, "all keys have to be read again first: %s", sync->rescan_reason);
}

/* ---- draining ---- */

/* By the checkpoint; or, where nothing that came since is a row of ours, by what the process says of itself.
 */
static gboolean has_all_of_stream(const RpCutover *cutover, const RpCutoverSync *sync) {
    const guint64 offset = cutover->result->offset;
    return sync->stream_offset >= offset || (sync->is_after && sync->lag_bytes == 0 &&
                                             sync->keys_waiting == 0 && sync->source_offset >= offset);
}

/* Notifications have no places: two states in a row, both written after writers stood still, in which nothing
 * waits. */
static gboolean has_all_that_is_known(const RpCutoverSync *sync, char **quiet_at) {
    if (!sync->is_after || sync->keys_waiting > 0 || sync->lag_ms > 0) {
        g_clear_pointer(quiet_at, g_free);
        return FALSE;
    }
    if (*quiet_at != NULL)
        return strcmp(*quiet_at, sync->seen_at) != 0;
    *quiet_at = g_strdup(sync->seen_at);
    return FALSE;
}

static gboolean is_drained(const RpCutover *cutover, const RpCutoverSync *sync, char **quiet_at) {
    const gboolean has_all = cutover->result->has_offset ? has_all_of_stream(cutover, sync)
                                                         : has_all_that_is_known(sync, quiet_at);
    return has_all && sync->n_parked <= cutover->options->n_allowed;
}

/* TRUE: there is nothing left to wait for. */
static gboolean look(RpCutover *cutover, char **quiet_at, gboolean *is_over, GError **error) {
    g_auto(RpCutoverSync) sync = {0};
    const guint n_reasons = cutover->result->reasons->len;
    if (!rp_cutover_sync_read(cutover, &sync, error))
        return FALSE;
    cutover->result->n_parked = sync.n_parked;
    rp_cutover_sync_check(cutover, &sync);
    *is_over = cutover->result->reasons->len > n_reasons || is_drained(cutover, &sync, quiet_at);
    if (*is_over)
        return TRUE;
    g_autofree char *what =
        g_strdup_printf("the target had not got everything: %" G_GUINT64_FORMAT
                        " keys wait, %" G_GUINT64_FORMAT " are parked, %" G_GUINT64_FORMAT " bytes behind",
                        sync.keys_waiting, sync.n_parked, sync.lag_bytes);
    *is_over = rp_cutover_is_late(cutover, what);
    return TRUE;
}

gboolean rp_cutover_drain(RpCutover *cutover, GError **error) {
    g_autofree char *quiet_at = NULL;
    gboolean is_over = FALSE;
    while (!is_over) {
        if (!rp_cutover_goes_on(cutover, error) || !look(cutover, &quiet_at, &is_over, error))
            return FALSE;
        if (!is_over)
            g_usleep(POLL_US);
    }
    if (cutover->result->reasons->len == 0)
        cutover->result->drained_ms = (g_get_monotonic_time() - cutover->stopped_us) / 1000;
    return TRUE;
}
