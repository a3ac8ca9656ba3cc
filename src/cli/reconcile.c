/* `redis2pg reconcile`: Redis and PostgreSQL compared in both directions. */
#include "reconcile/reconcile.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "migrations/migrations.h"
#include "report/reconcile_report.h"
#include "sink/wait.h"

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
} settings = {.max_rejects = -1};

#define REPAIR_WRITERS 2

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
    {0},
};

static gboolean check_settings(const RpMapping *mapping, RpLevel *level, GError **error) {
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
    if (settings.repairs && *level == RP_LEVEL_COUNTS) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--repair needs to know which rows differ: --level rows or fields");
        return FALSE;
    }
    return rp_check_entities(mapping, settings.entities, error);
}

/* What the ledger keeps of the settings of a repair: none of them is a secret. */
static char *repair_json(void) {
    g_autofree char *entities = rp_load_entities_json((const char *const *)settings.entities);
    json_t *object = json_pack("{sI sI sI sb}", "mappers", (json_int_t)settings.mappers, "writers",
                               (json_int_t)REPAIR_WRITERS, "max_value_bytes",
                               (json_int_t)settings.max_value_bytes, "delete_extra", settings.deletes_extra);
    json_object_set_new(object, "entities", json_loads(entities, JSON_DECODE_ANY, NULL));
    char *dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

static gboolean compare(const RpGlobals *globals, const RpPrepared *prepared, RpLevel level,
                        RpReconcileResult **result, GError **error) {
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
    g_autofree char *repair_settings = repair_json();
    const RpRepairOptions repair = {settings.deletes_extra, REPAIR_WRITERS,
                                    settings.max_rejects < 0 ? G_MAXUINT64 : (guint64)settings.max_rejects,
                                    repair_settings};
    const RpReconcileOptions options = {&load, level, (guint)settings.rounds, (guint)settings.limit,
                                        settings.repairs ? &repair : NULL};
    return rp_reconcile(&options, result, error);
}

static int print_result(const RpGlobals *globals, const RpReconcileResult *result) {
    if (globals->is_json) {
        rp_print_json(rp_report_reconcile_json(result));
    } else {
        g_autofree char *text = rp_report_reconcile_text(result);
        g_print("%s", text);
    }
    return (settings.allows_rejects ? rp_reconcile_result_is_explained(result)
                                    : rp_reconcile_result_is_equal(result))
               ? 0
               : 1;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    (void)words;
    g_auto(RpPrepared) prepared = {0};
    g_autoptr(RpFindings) findings = rp_findings_new();
    RpLevel level;
    rp_wait_default((guint)settings.timeout_seconds);
    if (!rp_expect_words(&RP_COMMAND_RECONCILE, n_words, 0, 0, error) ||
        !rp_prepare(globals, (guint)settings.retry_seconds, &prepared, findings, error) ||
        !rp_findings_check(findings, error) || !check_settings(prepared.mapping, &level, error) ||
        (settings.repairs && !rp_migrations_apply_ledger(prepared.postgres, error)))
        return FALSE;
    g_autoptr(RpReconcileResult) result = NULL;
    if (!compare(globals, &prepared, level, &result, error))
        return FALSE;
    *status = print_result(globals, result);
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
