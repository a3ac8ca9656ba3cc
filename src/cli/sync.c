/* `redis2pg sync`: all keys once, then every change. */
#include "sync/sync.h"

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/load_settings.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "cli/report_option.h"
#include "cli/sync_settings.h"
#include "ledger/following.h"
#include "migrations/migrations.h"
#include "report/run_report.h"
#include "report/table.h"
#include "sink/wait.h"

static const RpSyncSettings *const settings = &rp_sync_settings;

/* ---- pausing ---- */

static gboolean ask(const RpGlobals *globals, gboolean is_to_pause, GError **error) {
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, error);
    if (connection == NULL || !rp_migrations_apply_ledger(connection, error) ||
        !rp_following_ask(connection, is_to_pause, error))
        return FALSE;
    if (globals->is_json)
        rp_print_json(json_pack("{sb}", "pause_requested", (int)is_to_pause));
    else
        g_print("%s\n", is_to_pause ? "The sync pauses within a second; changes are captured meanwhile"
                                    : "The sync goes on");
    return TRUE;
}

/* ---- following ---- */

static void observe(const RpSyncProgress *sync, gpointer data) {
    g_autofree char *waiting = rp_text_number(sync->keys_waiting);
    g_autofree char *parked = rp_text_number(sync->n_parked);
    g_autofree char *rate = rp_text_number((guint64)(sync->changes_per_second + 0.5));
    g_autofree char *bytes = rp_text_number(sync->lag_bytes);
    g_autofree char *lag = rp_text_number(sync->lag_ms);
    g_autofree char *text =
        g_strdup_printf("%s: %s ms and %s bytes behind, %s changes/s, %s keys waiting, %s parked",
                        sync->state, lag, bytes, rate, waiting, parked);
    rp_progress_say(data, sync->seconds, text);
}

static gboolean follow(const RpGlobals *globals, const RpPrepared *prepared, RpSyncResult *result,
                       GError **error) {
    g_autofree char *json = rp_sync_settings_text();
    g_autoptr(RpProgress) loading = rp_progress_new(globals->progress, globals->is_quiet, error);
    g_autoptr(RpProgress) following =
        loading != NULL ? rp_progress_new(globals->progress, globals->is_quiet, error) : NULL;
    if (following == NULL)
        return FALSE;
    RpLoadOptions load = {.redis = prepared->redis,
                          .postgres = globals->postgres_conninfo,
                          .mapping = prepared->mapping,
                          .settings = json,
                          .observe = rp_progress_observe,
                          .observe_data = loading};
    rp_load_settings_apply(&settings->load, &load);
    RpSyncOptions options = {.load = &load, .observe = observe, .observe_data = following};
    return rp_sync_settings_apply(&options, error) && rp_sync(&options, result, error);
}

/* ---- the result ---- */

/* The run that followed changes; where none came to that, the one that read all keys. */
static json_t *result_json(const RpSyncResult *result) {
    const RpRunSummary *run = result->run != NULL ? result->run : result->load;
    json_t *document = rp_report_run_json(run);
    json_object_set_new(document, "capture", json_string(result->capture));
    json_object_set_new(document, "capture_reason", json_string(result->why));
    json_object_set_new(document, "full_loads", json_integer((json_int_t)result->n_rescans));
    json_object_set_new(document, "parked", json_integer((json_int_t)result->n_parked));
    json_object_set_new(document, "load",
                        result->run != NULL && result->load != NULL ? rp_report_run_json(result->load)
                                                                    : json_null());
    return document;
}

static void print_result(const RpGlobals *globals, const RpSyncResult *result) {
    if (result->run == NULL && result->load == NULL)
        return;
    if (globals->is_json) {
        rp_print_json(result_json(result));
        return;
    }
    g_autofree char *load = result->load != NULL ? rp_report_run_text(result->load) : NULL;
    g_autofree char *run = result->run != NULL ? rp_report_run_text(result->run) : NULL;
    g_print("%s%s%s", load != NULL ? load : "", load != NULL && run != NULL ? "\n" : "",
            run != NULL ? run : "");
    g_print("\nChanges were captured by %s: %s.\n", result->capture, result->why);
    if (g_strcmp0(result->capture, "notify") == 0)
        g_print("Notifications are sent at most once: between two reconciliations a change may be missed.\n");
    if (result->n_parked > 0)
        g_print("%" G_GUINT64_FORMAT " keys wait for other rows (redis2pg.parked).\n", result->n_parked);
}

static int status_of(const RpSyncResult *result) {
    const guint64 n_rejects = (result->load != NULL ? result->load->n_rejects : 0) +
                              (result->run != NULL ? result->run->n_rejects : 0);
    return n_rejects + result->n_parked > 0 && !settings->load.allows_rejects ? 1 : 0;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    (void)words;
    g_auto(RpPrepared) prepared = {0};
    g_auto(RpSyncResult) result = {0};
    g_autoptr(RpFindings) findings = rp_findings_new();
    rp_wait_default((guint)settings->load.timeout_seconds);
    if (!rp_expect_words(&RP_COMMAND_SYNC, n_words, 0, 0, error) || !rp_sync_settings_check(error))
        return FALSE;
    *status = 0;
    if (settings->pauses || settings->continues)
        return ask(globals, settings->pauses, error);
    if (!rp_progress_check(globals->progress, error) ||
        !rp_prepare_mapping(globals, NULL, &prepared, findings, error) ||
        !rp_report_option_prepare(settings->report, error) ||
        !rp_prepare(globals, (guint)settings->load.retry_seconds, &prepared, findings, error) ||
        !rp_findings_check(findings, error) || !rp_migrations_apply_ledger(prepared.postgres, error))
        return FALSE;
    g_clear_pointer(&prepared.postgres, PQfinish); /* a sync lasts: its parts have their own */
    const gboolean is_fine = follow(globals, &prepared, &result, error);
    rp_report_option_write_load(settings->report, globals, result.run != NULL ? result.run : result.load);
    print_result(globals, &result);
    *status = status_of(&result);
    return is_fine;
}

const RpCommand RP_COMMAND_SYNC = {
    .name = "sync",
    .summary = "Follows Redis: reads all keys once, then writes each change.\n"
               "It goes on from its checkpoint when it is started again, and ends with a signal, or with\n"
               "--until-caught-up. What Redis deletes is deleted, or kept, as the mapping says.",
    .example = "redis2pg sync --redis redis://127.0.0.1:6379/0 --postgres 'dbname=shop' --mapping "
               "mappings/shop.yaml",
    .options = RP_SYNC_OPTIONS,
    .execute = execute,
};
