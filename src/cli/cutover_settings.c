/* The table of options of `cutover`, and what follows from it. */
#include "cli/cutover_settings.h"

#include "base/error.h"
#include "cli/report_option.h"

#include <jansson.h>
#include <stdlib.h>

#define BATCH_ROWS  10000
#define BATCH_BYTES (4 * 1024 * 1024)

RpCutoverSettings rp_cutover_settings;

const RpOption RP_CUTOVER_OPTIONS[] = {
    {.name = "yes",
     .kind = RP_OPTION_FLAG,
     .target = &rp_cutover_settings.is_confirmed,
     .help = "the writers are stopped already: do not ask"},
    {.name = "hook",
     .kind = RP_OPTION_TEXT,
     .target = &rp_cutover_settings.hook,
     .argument = "COMMAND",
     .help = "stop the writers with this command (/bin/sh -c); what it prints goes to stderr"},
    {.name = "pause-writes",
     .kind = RP_OPTION_FLAG,
     .target = &rp_cutover_settings.pauses_writes,
     .help = "hold all writes with CLIENT PAUSE until the verdict is there (Redis 6.2)"},
    {.name = "max-pause",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_cutover_settings.max_pause,
     .argument = "SECONDS",
     .fallback = "30",
     .minimum = 1,
     .maximum = 3600,
     .help = "how long writers may stand still; what takes longer is refused"},
    {.name = "allow",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_cutover_settings.n_allowed,
     .argument = "N",
     .fallback = "0",
     .minimum = 0,
     .maximum = G_MAXINT64,
     .help = "open rejects and differences that are tolerated, together"},
    {.name = "max-lag-ms",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_cutover_settings.max_lag_ms,
     .argument = "N",
     .fallback = "5000",
     .minimum = 1,
     .maximum = 86400000,
     .help = "how far behind the sync may be before writers are stopped"},
    {.name = "level",
     .kind = RP_OPTION_TEXT,
     .target = &rp_cutover_settings.level,
     .argument = "rows|fields",
     .fallback = "rows",
     .help = "how closely the two are compared: row by row, or with the columns that differ counted"},
    {.name = "rounds",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_cutover_settings.rounds,
     .argument = "N",
     .fallback = "1",
     .minimum = 1,
     .maximum = 100,
     .help = "how often differences are looked at before they are told"},
    {.name = "limit",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_cutover_settings.limit,
     .argument = "N",
     .fallback = "100",
     .minimum = 0,
     .maximum = 100000,
     .help = "differences of each entity that are listed; all are counted"},
    {.name = "mappers",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_cutover_settings.mappers,
     .argument = "N",
     .fallback = "1",
     .minimum = 1,
     .maximum = 64,
     .help = "threads that map records to rows"},
    {.name = "max-value-bytes",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_cutover_settings.max_value_bytes,
     .argument = "N",
     .fallback = "67108864",
     .minimum = 1024,
     .maximum = 536870912,
     .help = "a key with more bytes is refused as too_large, as in the sync"},
    {.name = "retry-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_cutover_settings.retry_seconds,
     .argument = "N",
     .fallback = "10",
     .minimum = 0,
     .maximum = 86400,
     .help = "how long a lost server is tried again; 0: not at all"},
    {.name = "timeout-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_cutover_settings.timeout_seconds,
     .argument = "N",
     .fallback = "10",
     .minimum = 1,
     .maximum = 86400,
     .help = "how long an answer of either server may take"},
    RP_REPORT_OPTION(rp_cutover_settings.report, NULL),
    {.name = "format",
     .kind = RP_OPTION_TEXT,
     .target = &rp_cutover_settings.format,
     .argument = "text,json,html,junit",
     .help = "with --report: which of its files are written; without it all"},
    {0},
};

gboolean rp_cutover_settings_check(guint *faces, GError **error) {
    RpLevel level;
    if (!rp_level_parse(rp_cutover_settings.level, &level) || level == RP_LEVEL_COUNTS) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--level is rows or fields, not \"%s\": equal numbers prove no equal rows",
                    rp_cutover_settings.level);
        return FALSE;
    }
    if (rp_cutover_settings.format == NULL)
        return TRUE;
    if (rp_cutover_settings.report != NULL)
        return rp_report_faces_parse(rp_cutover_settings.format, faces, error);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--format goes with --report");
    return FALSE;
}

char *rp_cutover_settings_text(void) {
    const RpCutoverSettings *settings = &rp_cutover_settings;
    json_t *object = json_pack(
        "{sb sb sb sI sI sI ss sI sI sI sI sI sI}", "yes", (int)settings->is_confirmed, "hook",
        (int)(settings->hook != NULL), "pause_writes", (int)settings->pauses_writes, "max_pause",
        (json_int_t)settings->max_pause, "allow", (json_int_t)settings->n_allowed, "max_lag_ms",
        (json_int_t)settings->max_lag_ms, "level", settings->level, "rounds", (json_int_t)settings->rounds,
        "limit", (json_int_t)settings->limit, "mappers", (json_int_t)settings->mappers, "max_value_bytes",
        (json_int_t)settings->max_value_bytes, "retry_seconds", (json_int_t)settings->retry_seconds,
        "timeout_seconds", (json_int_t)settings->timeout_seconds);
    char *dumped = json_dumps(object, JSON_COMPACT);
    char *text = g_strdup(dumped);
    json_decref(object);
    free(dumped);
    return text;
}

void rp_cutover_settings_apply(RpLoadOptions *load, RpCutoverOptions *options) {
    const RpCutoverSettings *settings = &rp_cutover_settings;
    load->batch_rows = BATCH_ROWS;
    load->batch_bytes = BATCH_BYTES;
    load->n_mappers = (guint)settings->mappers;
    load->max_value_bytes = (gsize)settings->max_value_bytes;
    load->retry_seconds = (guint)settings->retry_seconds;
    load->timeout_seconds = (guint)settings->timeout_seconds;
    rp_level_parse(settings->level, &options->level);
    options->n_rounds = (guint)settings->rounds;
    options->limit = (guint)settings->limit;
    options->hook = settings->hook;
    options->pauses_writes = settings->pauses_writes;
    options->max_pause_seconds = (guint)settings->max_pause;
    options->n_allowed = (guint64)settings->n_allowed;
    options->max_lag_ms = (guint64)settings->max_lag_ms;
}
