/* `redis2pg run`: the full load. */
#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "migrations/migrations.h"
#include "pipeline/load.h"
#include "report/run_report.h"

#include <string.h>

static struct {
    char *strategy;
    gint64 batch_rows;
    gint64 batch_bytes;
    gint64 mappers;
    gint64 writers;
    gint64 max_value_bytes;
    gint64 max_rejects;
    gint64 retry_seconds;
    gint64 timeout_seconds;
    gboolean allows_rejects;
    gboolean is_resuming;
    char **entities;
} settings = {.max_rejects = -1};

static const RpOption OPTIONS[] = {
    {.name = "strategy",
     .kind = RP_OPTION_TEXT,
     .target = &settings.strategy,
     .argument = "auto|merge",
     .fallback = "auto",
     .help = "how rows are written: merge, into tables as they are; auto takes it"},
    {.name = "batch-rows",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.batch_rows,
     .argument = "N",
     .fallback = "10000",
     .minimum = 1,
     .maximum = 10000000,
     .help = "records in a batch, about"},
    {.name = "batch-bytes",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.batch_bytes,
     .argument = "N",
     .fallback = "6291456",
     .minimum = 65536,
     .maximum = 1073741824,
     .help = "bytes of records in a batch, at most about"},
    {.name = "mappers",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.mappers,
     .argument = "N",
     .fallback = "1",
     .minimum = 1,
     .maximum = 64,
     .help = "threads that map records to rows"},
    {.name = "writers",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.writers,
     .argument = "N",
     .fallback = "2",
     .minimum = 1,
     .maximum = 64,
     .help = "connections that write batches"},
    {.name = "max-value-bytes",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.max_value_bytes,
     .argument = "N",
     .fallback = "67108864",
     .minimum = 1024,
     .maximum = 536870912,
     .help = "a key with more bytes is rejected as too_large"},
    {.name = "max-rejects",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.max_rejects,
     .argument = "N",
     .minimum = 0,
     .maximum = G_MAXINT64,
     .help = "stop with exit status 6 when there are more rejects; without it there is no limit"},
    {.name = "retry-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.retry_seconds,
     .argument = "N",
     .fallback = "60",
     .minimum = 0,
     .maximum = 86400,
     .help = "how long a lost server, a deadlock and the like are tried again; 0: not at all"},
    {.name = "timeout-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.timeout_seconds,
     .argument = "N",
     .fallback = "60",
     .minimum = 1,
     .maximum = 86400,
     .help = "how long an answer of either server may take"},
    {.name = "allow-rejects",
     .kind = RP_OPTION_FLAG,
     .target = &settings.allows_rejects,
     .help = "exit status 0 although there are rejects"},
    {.name = "resume",
     .kind = RP_OPTION_FLAG,
     .target = &settings.is_resuming,
     .help = "go on with the last run of this mapping and source, which was interrupted or killed"},
    {.name = "entity",
     .kind = RP_OPTION_LIST,
     .target = &settings.entities,
     .argument = "NAME",
     .help = "load only this entity; may stand several times"},
    {0},
};

static gboolean check_settings(const RpMapping *mapping, GError **error) {
    if (strcmp(settings.strategy, "auto") != 0 && strcmp(settings.strategy, "merge") != 0) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--strategy is auto or merge, not \"%s\"",
                    settings.strategy);
        return FALSE;
    }
    for (char **name = settings.entities; name != NULL && *name != NULL; name++) {
        if (rp_mapping_find_entity(mapping, *name) == NULL) {
            g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                        "--entity: the mapping has no entity \"%s\"", *name);
            return FALSE;
        }
    }
    return TRUE;
}

/* What the ledger keeps of the settings: none of them is a secret. */
static char *settings_json(void) {
    g_autofree char *entities = rp_load_entities_json((const char *const *)settings.entities);
    json_t *object =
        json_pack("{sI sI sI sI sI so}", "batch_rows", (json_int_t)settings.batch_rows, "batch_bytes",
                  (json_int_t)settings.batch_bytes, "mappers", (json_int_t)settings.mappers, "writers",
                  (json_int_t)settings.writers, "max_value_bytes", (json_int_t)settings.max_value_bytes,
                  "entities", json_loads(entities, JSON_DECODE_ANY, NULL));
    char *dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

static void print_summary(const RpGlobals *globals, const RpRunSummary *summary) {
    if (globals->is_json) {
        rp_print_json(rp_report_run_json(summary));
        return;
    }
    g_autofree char *text = rp_report_run_text(summary);
    g_print("%s", text);
}

static gboolean load(const RpGlobals *globals, const RpPrepared *prepared, RpRunSummary **summary,
                     GError **error) {
    g_autofree char *json = settings_json();
    g_autoptr(RpProgress) progress = rp_progress_new(globals->progress, globals->is_quiet, error);
    if (progress == NULL)
        return FALSE;
    const RpLoadOptions options = {
        .redis = prepared->redis,
        .postgres = globals->postgres_conninfo,
        .mapping = prepared->mapping,
        .only = (const char *const *)settings.entities,
        .settings = json,
        .batch_rows = (guint)settings.batch_rows,
        .batch_bytes = (gsize)settings.batch_bytes,
        .n_mappers = (guint)settings.mappers,
        .n_writers = (guint)settings.writers,
        .max_value_bytes = (gsize)settings.max_value_bytes,
        .is_resuming = settings.is_resuming,
        .retry_seconds = (guint)settings.retry_seconds,
        .timeout_seconds = (guint)settings.timeout_seconds,
        .max_rejects = settings.max_rejects < 0 ? G_MAXUINT64 : (guint64)settings.max_rejects,
        .observe = rp_progress_observe,
        .observe_data = progress,
    };
    return rp_load(&options, summary, error);
}

/* A Redis that is down is found before anything is written to PostgreSQL. */
static gboolean reach_redis(const RpRedisAddress *address, GError **error) {
    g_autoptr(redisContext) redis =
        rp_redis_await(address, (guint)settings.timeout_seconds, (guint)settings.retry_seconds, error);
    return redis != NULL;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    (void)words;
    g_auto(RpPrepared) prepared = {0};
    g_autoptr(RpFindings) findings = rp_findings_new();
    if (!rp_expect_words(&RP_COMMAND_RUN, n_words, 0, 0, error) ||
        !rp_prepare(globals, (guint)settings.retry_seconds, &prepared, findings, error) ||
        !rp_findings_check(findings, error) || !check_settings(prepared.mapping, error) ||
        !reach_redis(prepared.redis, error) || !rp_migrations_apply_ledger(prepared.postgres, error))
        return FALSE;
    g_autoptr(RpRunSummary) summary = NULL;
    const gboolean is_fine = load(globals, &prepared, &summary, error);
    if (summary != NULL)
        print_summary(globals, summary);
    if (!is_fine)
        return FALSE;
    if (!summary->is_balanced) {
        g_set_error(error, RP_DEFECT_ERROR, RP_DEFECT_ERROR_UNBALANCED,
                    "run %" G_GUINT64_FORMAT " does not balance: rows are unaccounted for", summary->run);
        return FALSE;
    }
    *status = summary->n_rejects > 0 && !settings.allows_rejects ? 1 : 0;
    return TRUE;
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
