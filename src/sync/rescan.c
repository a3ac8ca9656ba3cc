/* All keys, for the first time or after a gap.
 *
 * 1. The capture is attached before the first key is read: a key that changes meanwhile is in the set.
 * 2. Rows that Redis gives no longer are deleted only where the policy says so, and not those of keys whose
 * time ran out where such rows are kept.
 * 3. Nothing is deleted when so much would be that this is hardly the right Redis. */
#include "base/error.h"
#include "base/log.h"
#include "base/outage.h"
#include "ledger/batches.h"
#include "ledger/lifetimes.h"
#include "pipeline/load_from.h"
#include "pipeline/signals.h"
#include "reconcile/reconcile.h"
#include "sink/key_sql.h"
#include "sync/parts.h"
#include "sync/steps.h"

/* Rows of expired keys stand on purpose: where a row does not tell its key, they cannot be told from those
 * that are to go. */
static gboolean can_tell_kept(PGconn *connection, const RpEntity *entity) {
    g_autofree char *key = rp_key_sql_new(connection, entity, "t");
    if (entity->on_expire != RP_WHEN_GONE_KEEP || key != NULL)
        return TRUE;
    rp_log(RP_LOG_WARNING,
           "rows of %s whose keys are gone are left: a row does not tell its key, and rows of expired keys "
           "are to stay",
           entity->name);
    return FALSE;
}

/* Entities whose rows go with their keys: their names (borrowed), ended by NULL. */
static GPtrArray *find_deleting(PGconn *connection, const RpMapping *mapping) {
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        if (entity->on_delete == RP_WHEN_GONE_DELETE && can_tell_kept(connection, entity))
            g_ptr_array_add(names, entity->name);
    }
    g_ptr_array_add(names, NULL);
    return names;
}

static gboolean has_rows(PGconn *connection, const RpMapping *mapping, gboolean *has_any, GError **error) {
    *has_any = FALSE;
    for (guint i = 0; i < mapping->entities->len && !*has_any; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        g_autofree char *sql = g_strdup_printf("SELECT FROM %s LIMIT 1", entity->table->quoted);
        g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
        if (result == NULL)
            return FALSE;
        *has_any = PQntuples(result) > 0;
    }
    return TRUE;
}

static gboolean load_all(RpSyncParts *parts, RpRunSummary **summary, GError **error) {
    static const RpFeed feed = {.kind = "run",
                                .way_on = "sync reads all keys again",
                                .read = rp_reader_thread,
                                .ledger = &RP_LEDGER_FOR_SYNC,
                                .needs_expiry = TRUE,
                                .steps = &RP_SYNC_LOAD_STEPS};
    return rp_load_from(parts->options->load, &feed, summary, error);
}

/* What the load has not met has no key any more. */
static gboolean delete_gone_once(RpSyncParts *parts, const GPtrArray *names, GError **error) {
    const RpSyncOptions *options = parts->options;
    RpLoadOptions load = *options->load;
    load.only = (const char *const *)names->pdata;
    const RpRepairOptions repair = {.deletes_extra = TRUE,
                                    .max_delete_percent = options->max_delete_percent,
                                    .n_writers = load.n_writers,
                                    .max_rejects = load.max_rejects,
                                    .settings = load.settings};
    const RpReconcileOptions reconcile = {&load, RP_LEVEL_ROWS, TRUE, 3, 0, &repair};
    RpReconcileResult *result = NULL;
    const gboolean is_fine = rp_reconcile(&reconcile, &result, error);
    if (is_fine && result->has_repair && result->repair.deleted > 0)
        rp_log(RP_LOG_INFO,
               "%" G_GUINT64_FORMAT " rows of keys that are gone were deleted (run %" G_GUINT64_FORMAT ")",
               result->repair.deleted, result->repair.run);
    rp_reconcile_result_free(result);
    return is_fine;
}

/* A look that lost a server ends there: what it deleted is gone, and the next one finds the rest. */
static gboolean delete_gone(RpSyncParts *parts, const GPtrArray *names, GError **error) {
    const RpLoadOptions *load = parts->options->load;
    gboolean is_fine, goes_on = TRUE;
    RpOutage outage;
    rp_outage_init(&outage, "A server", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK, load->retry_seconds);
    do {
        GError *trouble = NULL;
        is_fine = delete_gone_once(parts, names, &trouble);
        if (is_fine)
            rp_outage_end(&outage);
        else if (g_error_matches(trouble, RP_STOP_ERROR, RP_STOP_ERROR_LOST) && !rp_signals_were_seen())
            goes_on = rp_outage_wait(&outage, trouble, TRUE, NULL, error);
        else {
            g_propagate_error(error, trouble);
            goes_on = FALSE;
        }
    } while (!is_fine && goes_on);
    rp_outage_clear(&outage);
    return is_fine;
}

gboolean rp_rescan(RpSyncParts *parts, RpRunSummary **summary, GError **error) {
    const RpLoadOptions *load = parts->options->load;
    gboolean has_any;
    *summary = NULL;
    g_autoptr(PGconn) connection = rp_postgres_await(load->postgres, load->retry_seconds, error);
    /* Whose rows are whose is learned anew: a key that went while nobody followed would hold its row for
     * ever. */
    if (connection == NULL || !has_rows(connection, load->mapping, &has_any, error) ||
        !rp_postgres_run(connection, "TRUNCATE redis2pg.holders", error) || !load_all(parts, summary, error))
        return FALSE;
    if (!has_any)
        return TRUE;
    g_clear_pointer(&connection, PQfinish);
    connection = rp_postgres_await(load->postgres, load->retry_seconds, error);
    if (connection == NULL)
        return FALSE;
    g_autoptr(GPtrArray) names = find_deleting(connection, load->mapping);
    if (names->len == 1)
        return TRUE;
    return rp_lifetimes_note_expired(connection, load->mapping, error) && delete_gone(parts, names, error);
}
