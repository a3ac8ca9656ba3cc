/* `redis2pg reconcile`: Redis and PostgreSQL compared in both directions. */
#include "reconcile/reconcile.h"

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "cli/report_option.h"
#include "ledger/results.h"
#include "migrations/migrations.h"
#include "report/reconcile_report.h"
#include "sink/wait.h"

#include <stdlib.h>

static struct {
    char *level;
    char **entities;
    gint64 rounds;
    gint64 limit;
    gint64 mappers;
    gint64 max_value_bytes;
    gint64 retry_seconds;
    gint64 timeout_seconds;
    gint64 max_rejects;
    gboolean allows_rejects;
    gboolean repairs;
    gboolean deletes_extra;
    gint64 max_delete_percent;
    char *report;
    char *format;
} settings = {.max_rejects = -1, .max_delete_percent = -1};

#define REPAIR_WRITERS     2
#define MAX_DELETE_PERCENT 1

static const RpOption OPTIONS[] = {
    {.name = "level",
     .kind = RP_OPTION_TEXT,
     .target = &settings.level,
     .argument = "counts|rows|fields",
     .fallback = "rows",
     .help = "how closely: by numbers of rows and sums, row by row, or with the columns that differ counted"},
    {.name = "entity",
     .kind = RP_OPTION_LIST,
     .target = &settings.entities,
     .argument = "NAME",
     .help = "compare only this entity; may stand several times"},
    {.name = "rounds",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.rounds,
     .argument = "N",
     .fallback = "3",
     .minimum = 1,
     .maximum = 100,
     .help = "how often differences are looked at before they are told, while Redis changes"},
    {.name = "limit",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.limit,
     .argument = "N",
     .fallback = "100",
     .minimum = 0,
     .maximum = 100000,
     .help = "differences of each entity that are listed; all are counted"},
    {.name = "allow-rejects",
     .kind = RP_OPTION_FLAG,
     .target = &settings.allows_rejects,
     .help = "exit status 0 when all that is missing has an open reject on record"},
    {.name = "repair",
     .kind = RP_OPTION_FLAG,
     .target = &settings.repairs,
     .help = "write what is missing or different, as a run of its own, and tell what is found after it"},
    {.name = "delete-extra",
     .kind = RP_OPTION_FLAG,
     .target = &settings.deletes_extra,
     .help = "with --repair: delete rows that no key of Redis gives"},
    {.name = "max-delete-percent",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.max_delete_percent,
     .argument = "N",
     .minimum = 0,
     .maximum = 100,
     .help = "with --delete-extra: write nothing, with exit status 6, when more than N percent (1) of a "
             "table's rows, and more than 100, would be deleted, or Redis gives none of them"},
    {.name = "max-rejects",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.max_rejects,
     .argument = "N",
     .minimum = 0,
     .maximum = G_MAXINT64,
     .help = "with --repair: stop with exit status 6 when there are more rejects; without it there is no "
             "limit"},
    {.name = "mappers",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.mappers,
     .argument = "N",
     .fallback = "1",
     .minimum = 1,
     .maximum = 64,
     .help = "threads that map records to rows"},
    {.name = "max-value-bytes",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.max_value_bytes,
     .argument = "N",
     .fallback = "67108864",
     .minimum = 1024,
     .maximum = 536870912,
     .help = "a key with more bytes is refused as too_large, as in a run"},
    {.name = "retry-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.retry_seconds,
     .argument = "N",
     .fallback = "60",
     .minimum = 0,
     .maximum = 86400,
     .help = "how long a lost Redis is tried again; 0: not at all"},
    {.name = "timeout-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.timeout_seconds,
     .argument = "N",
     .fallback = "60",
     .minimum = 1,
     .maximum = 86400,
     .help = "how long an answer of either server may take"},
    RP_REPORT_OPTION(settings.report, NULL),
    {.name = "format",
     .kind = RP_OPTION_TEXT,
     .target = &settings.format,
     .argument = "text,json,html,junit",
     .help = "with --report: which of its files are written; without it all"},
    {0},
};

/* What is wrong whatever the mapping and the servers say. */
static gboolean check_settings(RpLevel *level, guint *faces, GError **error) {
    if (!rp_level_parse(settings.level, level)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--level is counts, rows or fields, not \"%s\"", settings.level);
        return FALSE;
    }
    if ((settings.deletes_extra || settings.max_rejects >= 0) && !settings.repairs) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s goes with --repair",
                    settings.deletes_extra ? "--delete-extra" : "--max-rejects");
        return FALSE;
    }
    if (settings.max_delete_percent >= 0 && !settings.deletes_extra) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--max-delete-percent goes with --delete-extra");
        return FALSE;
    }
    if (settings.repairs && *level == RP_LEVEL_COUNTS) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--repair needs to know which rows differ: --level rows or fields");
        return FALSE;
    }
    if (settings.format == NULL)
        return TRUE;
    if (settings.report != NULL)
        return rp_report_faces_parse(settings.format, faces, error);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--format goes with --report");
    return FALSE;
}

static guint max_delete_percent(void) {
    return settings.max_delete_percent < 0 ? MAX_DELETE_PERCENT : (guint)settings.max_delete_percent;
}

/* What the ledger keeps of the settings, also of a repair: none of them is a secret. */
static char *settings_text(void) {
    g_autofree char *entities = rp_load_entities_json((const char *const *)settings.entities);
    json_t *object = json_pack(
        "{ss sI sI sI sI sI sI sb sb sb}", "level", settings.level, "rounds", (json_int_t)settings.rounds,
        "limit", (json_int_t)settings.limit, "mappers", (json_int_t)settings.mappers, "max_value_bytes",
        (json_int_t)settings.max_value_bytes, "retry_seconds", (json_int_t)settings.retry_seconds,
        "timeout_seconds", (json_int_t)settings.timeout_seconds, "allow_rejects", settings.allows_rejects,
        "repair", settings.repairs, "delete_extra", settings.deletes_extra);
    if (settings.repairs)
        json_object_set_new(object, "writers", json_integer(REPAIR_WRITERS));
    if (settings.deletes_extra)
        json_object_set_new(object, "max_delete_percent", json_integer(max_delete_percent()));
    if (settings.max_rejects >= 0)
        json_object_set_new(object, "max_rejects", json_integer(settings.max_rejects));
    json_object_set_new(object, "entities", json_loads(entities, JSON_DECODE_ANY, NULL));
    char *dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

static gboolean compare(const RpGlobals *globals, const RpPrepared *prepared, RpLevel level,
                        gboolean is_on_record, RpReconcileResult **result, GError **error) {
    g_autoptr(RpProgress) progress = rp_progress_new(globals->progress, globals->is_quiet, error);
    if (progress == NULL)
        return FALSE;
    const RpLoadOptions load = {.redis = prepared->redis,
                                .postgres = globals->postgres_conninfo,
                                .mapping = prepared->mapping,
                                .only = (const char *const *)settings.entities,
                                .batch_rows = 10000,
                                .batch_bytes = 4 * 1024 * 1024,
                                .n_mappers = (guint)settings.mappers,
                                .max_value_bytes = (gsize)settings.max_value_bytes,
                                .retry_seconds = (guint)settings.retry_seconds,
                                .timeout_seconds = (guint)settings.timeout_seconds,
                                .observe = rp_progress_observe,
                                .observe_data = progress};
    g_autofree char *repair_settings = settings_text();
    const RpRepairOptions repair = {settings.deletes_extra, max_delete_percent(), REPAIR_WRITERS,
                                    settings.max_rejects < 0 ? G_MAXUINT64 : (guint64)settings.max_rejects,
                                    repair_settings};
    const RpReconcileOptions options = {&load,
                                        level,
                                        is_on_record,
                                        (guint)settings.rounds,
                                        (guint)settings.limit,
                                        settings.repairs ? &repair : NULL};
    return rp_reconcile(&options, result, error);
}

/* That it cannot be kept changes nothing in the result. */
static void keep_result(const RpPrepared *prepared, const RpReconcileResult *result, json_t *document) {
    g_autoptr(GError) error = NULL;
    g_autofree char *place = rp_redis_address_show(prepared->redis);
    g_autofree char *text = settings_text();
    const RpResultHead head = {prepared->mapping,     place, result->source_run_id,
                               result->redis_version, text,  result->seconds};
    if (!rp_ledger_keep_result(prepared->postgres, &head, document, &error))
        rp_log(RP_LOG_WARNING, "%s", error->message);
}

/* Out of the ledger, so that it can be made again; of a result that is not kept, of what was found. */
static void write_report(const RpGlobals *globals, const RpPrepared *prepared, guint faces,
                         json_t *document) {
    const json_int_t run = json_integer_value(json_object_get(document, "run"));
    if (settings.report == NULL)
        return;
    if (run > 0) {
        rp_report_option_write_run(settings.report, faces, globals, (guint64)run);
        return;
    }
    g_autofree char *source = rp_redis_address_show(prepared->redis);
    g_autofree char *target = rp_report_option_target(prepared->postgres);
    const RpReportFrame frame = {.source = source, .target = target, .mapping = prepared->mapping->path};
    rp_report_option_write(settings.report, faces,
                           rp_document_new("reconcile", json_incref(document), &frame));
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
    const gboolean is_fine = settings.allows_rejects ? rp_reconcile_result_is_explained(result)
                                                     : rp_reconcile_result_is_equal(result);
    return is_fine ? 0 : 1;
}

/* Whoever may only read can compare, but nothing is explained then, nor kept; and nothing can be repaired. */
static gboolean reach_ledger(const RpPrepared *prepared, gboolean *is_on_record, GError **error) {
    GError *trouble = NULL;
    *is_on_record = rp_migrations_apply_ledger(prepared->postgres, &trouble);
    if (*is_on_record)
        return TRUE;
    if (settings.repairs) {
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
    rp_wait_default((guint)settings.timeout_seconds);
    if (!rp_expect_words(&RP_COMMAND_RECONCILE, n_words, 0, 0, error) ||
        !check_settings(&level, &faces, error) || !rp_progress_check(globals->progress, error) ||
        !rp_prepare_mapping(globals, settings.entities, &prepared, findings, error) ||
        !rp_report_option_prepare(settings.report, error) ||
        !rp_prepare(globals, (guint)settings.retry_seconds, &prepared, findings, error) ||
        !rp_findings_check(findings, error))
        return FALSE;
    gboolean is_on_record;
    g_autoptr(RpReconcileResult) result = NULL;
    if (!reach_ledger(&prepared, &is_on_record, error))
        return FALSE;
    if (!compare(globals, &prepared, level, is_on_record, &result, error)) {
        if (settings.report != NULL)
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
    .options = OPTIONS,
    .execute = execute,
};
