/* `redis2pg run`: the full load. */
#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/load_settings.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "cli/report_option.h"
#include "migrations/migrations.h"
#include "pipeline/load.h"
#include "sink/wait.h"

#include <string.h>

static struct {
    char *strategy;
    RpLoadSettings load;
    gboolean is_dry_run;
    gboolean is_resuming;
    char **entities;
    char *report;
} settings = {.load = {.max_rejects = -1}};

static const RpOption OPTIONS[] = {
    {.name = "strategy",
     .kind = RP_OPTION_TEXT,
     .target = &settings.strategy,
     .argument = "auto|merge|bulk",
     .fallback = "auto",
     .help = "how rows are written: merge, into tables as they are; bulk, into empty tables whose keys and "
             "indexes are built at the end; auto: bulk where it can"},
    RP_LOAD_OPTIONS(settings.load, NULL, "60"),
    {.name = "resume",
     .kind = RP_OPTION_FLAG,
     .target = &settings.is_resuming,
     .help = "go on with the last run of this mapping and source, which was interrupted or killed"},
    {.name = "dry-run",
     .kind = RP_OPTION_FLAG,
     .target = &settings.is_dry_run,
     .help = "do it all in one transaction with one writer, say what came of it, and leave everything as it "
             "was"},
    {.name = "entity",
     .kind = RP_OPTION_LIST,
     .target = &settings.entities,
     .argument = "NAME",
     .help = "load only this entity; may stand several times"},
    RP_REPORT_OPTION(settings.report, NULL),
    {0},
};

/* What is wrong whatever the mapping and the servers say. */
static gboolean check_settings(GError **error) {
    RpStrategy strategy;
    if (!rp_strategy_parse(settings.strategy, &strategy)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--strategy is auto, merge or bulk, not \"%s\"", settings.strategy);
        return FALSE;
    }
    if (settings.is_dry_run && strategy == RP_STRATEGY_BULK) {
        g_set_error(
            error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
            "--dry-run does not go with --strategy bulk, which would lock the tables until its end: a "
            "merge gives the same result");
        return FALSE;
    }
    if (settings.is_dry_run && settings.is_resuming) {
        g_set_error(
            error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
            "--dry-run does not go with --resume: a dry run begins anew, and leaves nothing to resume");
        return FALSE;
    }
    return TRUE;
}

/* What the ledger keeps of the settings: none of them is a secret. */
static char *settings_json(void) {
    g_autofree char *entities = rp_load_entities_json((const char *const *)settings.entities);
    json_t *object = rp_load_settings_json(&settings.load);
    json_object_set_new(object, "entities", json_loads(entities, JSON_DECODE_ANY, NULL));
    char *dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

static gboolean load(const RpGlobals *globals, const RpPrepared *prepared, RpRunSummary **summary,
                     GError **error) {
    g_autofree char *json = settings_json();
    g_autoptr(RpProgress) progress = rp_progress_new(globals->progress, globals->is_quiet, error);
    RpStrategy strategy;
    if (progress == NULL || !rp_strategy_parse(settings.strategy, &strategy))
        return FALSE;
    RpLoadOptions options = {
        .redis = prepared->redis,
        .postgres = globals->postgres_conninfo,
        .mapping = prepared->mapping,
        .only = (const char *const *)settings.entities,
        .settings = json,
        .strategy = strategy,
        .is_dry_run = settings.is_dry_run,
        .is_resuming = settings.is_resuming,
        .observe = rp_progress_observe,
        .observe_data = progress,
    };
    rp_load_settings_apply(&settings.load, &options);
    return rp_load(&options, summary, error);
}

/* A Redis that is down is found before anything is written to PostgreSQL. */
static gboolean reach_redis(const RpRedisAddress *address, GError **error) {
    g_autoptr(redisContext) redis = rp_redis_await(address, (guint)settings.load.timeout_seconds,
                                                   (guint)settings.load.retry_seconds, error);
    return redis != NULL;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    (void)words;
    g_auto(RpPrepared) prepared = {0};
    g_autoptr(RpFindings) findings = rp_findings_new();
    rp_wait_default((guint)settings.load.timeout_seconds);
    if (settings.is_dry_run) /* one transaction, one connection */
        settings.load.writers = 1;
    if (!rp_expect_words(&RP_COMMAND_RUN, n_words, 0, 0, error) || !check_settings(error) ||
        !rp_progress_check(globals->progress, error) ||
        !rp_prepare_mapping(globals, settings.entities, &prepared, findings, error) ||
        !rp_report_option_prepare(settings.report, error) ||
        !rp_prepare(globals, (guint)settings.load.retry_seconds, &prepared, findings, error) ||
        !rp_findings_check(findings, error) || !reach_redis(prepared.redis, error) ||
        (!settings.is_dry_run && !rp_migrations_apply_ledger(prepared.postgres, error)))
        return FALSE;
    g_autoptr(RpRunSummary) summary = NULL;
    const gboolean is_fine = load(globals, &prepared, &summary, error);
    rp_report_option_write_load(settings.report, globals, summary);
    return rp_load_settings_conclude(&settings.load, globals, is_fine, summary, status, error);
}

const RpCommand RP_COMMAND_RUN = {
    .name = "run",
    .summary = "Moves the keys that the mapping names into its tables.\n"
               "Every key is written, found unchanged, rejected with a reason, filtered, or was gone. Run "
               "again, it\n"
               "writes only what has changed.",
    .example =
        "redis2pg run --redis redis://127.0.0.1:6379/0 --postgres 'dbname=shop' --mapping mappings/shop.yaml",
    .options = OPTIONS,
    .execute = execute,
};
