/* `redis2pg reconcile`: Redis and PostgreSQL compared in both directions. */
#include "reconcile/reconcile.h"

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "cli/reconcile_settings.h"
#include "cli/report_option.h"
#include "ledger/results.h"
#include "migrations/migrations.h"
#include "report/reconcile_report.h"
#include "sink/wait.h"

static const RpReconcileSettings *const settings = &rp_reconcile_settings;

static gboolean compare(const RpGlobals *globals, const RpPrepared *prepared, RpLevel level,
                        gboolean is_on_record, RpReconcileResult **result, GError **error) {
    g_autoptr(RpProgress) progress = rp_progress_new(globals->progress, globals->is_quiet, error);
    if (progress == NULL)
        return FALSE;
    RpLoadOptions load = {.redis = prepared->redis,
                          .postgres = globals->postgres_conninfo,
                          .mapping = prepared->mapping,
                          .observe = rp_progress_observe,
                          .observe_data = progress};
    g_autofree char *text = rp_reconcile_settings_text();
    RpRepairOptions repair = {.settings = text};
    rp_reconcile_settings_apply(&load);
    rp_reconcile_settings_apply_repair(&repair);
    const RpReconcileOptions options = {&load,
                                        level,
                                        is_on_record,
                                        (guint)settings->rounds,
                                        (guint)settings->limit,
                                        settings->repairs ? &repair : NULL};
    return rp_reconcile(&options, result, error);
}

/* That it cannot be kept changes nothing in the result. */
static void keep_result(const RpPrepared *prepared, const RpReconcileResult *result, json_t *document) {
    g_autoptr(GError) error = NULL;
    g_autofree char *place = rp_redis_address_show(prepared->redis);
    g_autofree char *text = rp_reconcile_settings_text();
    const RpResultHead head = {"reconcile",           NULL, prepared->mapping, place, result->source_run_id,
                               result->redis_version, text, result->seconds};
    if (!rp_ledger_keep_result(prepared->postgres, &head, document, &error))
        rp_log(RP_LOG_WARNING, "%s", error->message);
}

static void write_report(const RpGlobals *globals, const RpPrepared *prepared, guint faces,
                         const json_t *document) {
    g_autofree char *source = rp_redis_address_show(prepared->redis);
    rp_report_option_write_result(settings->report, faces, globals, "reconcile", source, prepared->postgres,
                                  prepared->mapping->path, document);
}

static void print_result(const RpGlobals *globals, const RpReconcileResult *result, json_t *document) {
    if (globals->is_json) {
        rp_print_json(json_incref(document));
        return;
    }
    g_autofree char *text = rp_report_reconcile_text(document);
    if (result->has_repair && result->repair.run == 0)
        g_print("Nothing to repair\n");
    g_print("%s", text);
}

static int status_of(const RpReconcileResult *result) {
    const gboolean is_fine = settings->allows_rejects ? rp_reconcile_result_is_explained(result)
                                                      : rp_reconcile_result_is_equal(result);
    return is_fine ? 0 : 1;
}

/* Whoever may only read can compare, but nothing is explained then, nor kept; and nothing can be repaired. */
static gboolean reach_ledger(const RpPrepared *prepared, gboolean *is_on_record, GError **error) {
    GError *trouble = NULL;
    *is_on_record = rp_migrations_apply_ledger(prepared->postgres, &trouble);
    if (*is_on_record)
        return TRUE;
    if (settings->repairs) {
        g_propagate_error(error, trouble);
        return FALSE;
    }
    rp_log(RP_LOG_WARNING, "the ledger is left out: rejects explain nothing, and the result is not kept: %s",
           trouble->message);
    g_error_free(trouble);
    return TRUE;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    (void)words;
    g_auto(RpPrepared) prepared = {0};
    g_autoptr(RpFindings) findings = rp_findings_new();
    RpLevel level;
    guint faces = RP_REPORT_ALL_FACES;
    rp_wait_default((guint)settings->timeout_seconds);
    if (!rp_expect_words(&RP_COMMAND_RECONCILE, n_words, 0, 0, error) ||
        !rp_reconcile_settings_check(&level, &faces, error) || !rp_progress_check(globals->progress, error) ||
        !rp_prepare_mapping(globals, settings->entities, &prepared, findings, error) ||
        !rp_report_option_prepare(settings->report, error) ||
        !rp_prepare(globals, (guint)settings->retry_seconds, &prepared, findings, error) ||
        !rp_findings_check(findings, error))
        return FALSE;
    gboolean is_on_record;
    g_autoptr(RpReconcileResult) result = NULL;
    if (!reach_ledger(&prepared, &is_on_record, error))
        return FALSE;
    if (!compare(globals, &prepared, level, is_on_record, &result, error)) {
        if (settings->report != NULL)
            rp_log(RP_LOG_WARNING,
                   "there is no report of a comparison that did not come to its end; of a repair "
                   "that was begun, redis2pg runs show RUN --report makes one");
        return FALSE;
    }
    json_auto_t *document = rp_report_reconcile_json(result);
    if (is_on_record)
        keep_result(&prepared, result, document);
    write_report(globals, &prepared, faces, document);
    print_result(globals, result, document);
    *status = status_of(result);
    return TRUE;
}

const RpCommand RP_COMMAND_RECONCILE = {
    .name = "reconcile",
    .summary = "Compares Redis with PostgreSQL, in both directions.\n"
               "Tells rows that are missing, extra or different, aggregates, links, and what open rejects "
               "explain; writes them with --repair.",
    .example = "redis2pg reconcile --redis redis://127.0.0.1:6379/0 --postgres 'dbname=shop' --mapping "
               "mappings/shop.yaml",
    .options = RP_RECONCILE_OPTIONS,
    .execute = execute,
};
