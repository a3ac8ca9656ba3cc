/* The table of options, and what follows from it. */
#include "cli/reconcile_settings.h"

#include "base/error.h"
#include "cli/report_option.h"

#include <jansson.h>
#include <stdlib.h>

RpReconcileSettings rp_reconcile_settings = {.max_rejects = -1, .max_delete_percent = -1};

#define REPAIR_WRITERS     2
#define MAX_DELETE_PERCENT 1
#define BATCH_ROWS         10000
#define BATCH_BYTES        (4 * 1024 * 1024)

const RpOption RP_RECONCILE_OPTIONS[] = {
    {.name = "level",
     .kind = RP_OPTION_TEXT,
     .target = &rp_reconcile_settings.level,
     .argument = "counts|rows|fields",
     .fallback = "rows",
     .help = "how closely: by numbers of rows and sums, row by row, or with the columns that differ counted"},
    {.name = "entity",
     .kind = RP_OPTION_LIST,
     .target = &rp_reconcile_settings.entities,
     .argument = "NAME",
     .help = "compare only this entity; may stand several times"},
    {.name = "rounds",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_reconcile_settings.rounds,
     .argument = "N",
     .fallback = "3",
     .minimum = 1,
     .maximum = 100,
     .help = "how often differences are looked at before they are told, while Redis changes"},
    {.name = "limit",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_reconcile_settings.limit,
     .argument = "N",
     .fallback = "100",
     .minimum = 0,
     .maximum = 100000,
     .help = "differences of each entity that are listed; all are counted"},
    {.name = "allow-rejects",
     .kind = RP_OPTION_FLAG,
     .target = &rp_reconcile_settings.allows_rejects,
     .help = "exit status 0 when all that is missing has an open reject on record"},
    {.name = "repair",
     .kind = RP_OPTION_FLAG,
     .target = &rp_reconcile_settings.repairs,
     .help = "write what is missing or different, as a run of its own, and tell what is found after it"},
    {.name = "delete-extra",
     .kind = RP_OPTION_FLAG,
     .target = &rp_reconcile_settings.deletes_extra,
     .help = "with --repair: delete rows that no key of Redis gives"},
    {.name = "max-delete-percent",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_reconcile_settings.max_delete_percent,
     .argument = "N",
     .minimum = 0,
     .maximum = 100,
     .help = "with --delete-extra: write nothing, with exit status 6, when more than N percent (1) of a "
             "table's rows, and more than 100, would be deleted, or Redis gives none of them"},
    {.name = "max-rejects",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_reconcile_settings.max_rejects,
     .argument = "N",
     .minimum = 0,
     .maximum = G_MAXINT64,
     .help = "with --repair: stop with exit status 6 when there are more rejects; without it there is no "
             "limit"},
    {.name = "mappers",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_reconcile_settings.mappers,
     .argument = "N",
     .fallback = "1",
     .minimum = 1,
     .maximum = 64,
     .help = "threads that map records to rows"},
    {.name = "max-value-bytes",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_reconcile_settings.max_value_bytes,
     .argument = "N",
     .fallback = "67108864",
     .minimum = 1024,
     .maximum = 536870912,
     .help = "a key with more bytes is refused as too_large, as in a run"},
    {.name = "retry-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_reconcile_settings.retry_seconds,
     .argument = "N",
     .fallback = "60",
     .minimum = 0,
     .maximum = 86400,
     .help = "how long a lost Redis is tried again; 0: not at all"},
    {.name = "timeout-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_reconcile_settings.timeout_seconds,
     .argument = "N",
     .fallback = "60",
     .minimum = 1,
     .maximum = 86400,
     .help = "how long an answer of either server may take"},
    RP_THROTTLE_OPTIONS(rp_reconcile_settings.throttle, NULL),
    RP_REPORT_OPTION(rp_reconcile_settings.report, NULL),
    {.name = "format",
     .kind = RP_OPTION_TEXT,
     .target = &rp_reconcile_settings.format,
     .argument = "text,json,html,junit",
     .help = "with --report: which of its files are written; without it all"},
    {0},
};

gboolean rp_reconcile_settings_check(RpLevel *level, guint *faces, GError **error) {
    if (!rp_level_parse(rp_reconcile_settings.level, level)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--level is counts, rows or fields, not \"%s\"", rp_reconcile_settings.level);
        return FALSE;
    }
    if ((rp_reconcile_settings.deletes_extra || rp_reconcile_settings.max_rejects >= 0) &&
        !rp_reconcile_settings.repairs) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s goes with --repair",
                    rp_reconcile_settings.deletes_extra ? "--delete-extra" : "--max-rejects");
        return FALSE;
    }
    if (rp_reconcile_settings.max_delete_percent >= 0 && !rp_reconcile_settings.deletes_extra) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--max-delete-percent goes with --delete-extra");
        return FALSE;
    }
    if (rp_reconcile_settings.repairs && *level == RP_LEVEL_COUNTS) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--repair needs to know which rows differ: --level rows or fields");
        return FALSE;
    }
    if (rp_reconcile_settings.format == NULL)
        return TRUE;
    if (rp_reconcile_settings.report != NULL)
        return rp_report_faces_parse(rp_reconcile_settings.format, faces, error);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--format goes with --report");
    return FALSE;
}

static guint max_delete_percent(void) {
    return rp_reconcile_settings.max_delete_percent < 0 ? MAX_DELETE_PERCENT
                                                        : (guint)rp_reconcile_settings.max_delete_percent;
}

char *rp_reconcile_settings_text(void) {
    g_autofree char *entities = rp_load_entities_json((const char *const *)rp_reconcile_settings.entities);
    json_t *object =
        json_pack("{ss sI sI sI sI sI sI sb sb sb}", "level", rp_reconcile_settings.level, "rounds",
                  (json_int_t)rp_reconcile_settings.rounds, "limit", (json_int_t)rp_reconcile_settings.limit,
                  "mappers", (json_int_t)rp_reconcile_settings.mappers, "max_value_bytes",
                  (json_int_t)rp_reconcile_settings.max_value_bytes, "retry_seconds",
                  (json_int_t)rp_reconcile_settings.retry_seconds, "timeout_seconds",
                  (json_int_t)rp_reconcile_settings.timeout_seconds, "allow_rejects",
                  rp_reconcile_settings.allows_rejects, "repair", rp_reconcile_settings.repairs,
                  "delete_extra", rp_reconcile_settings.deletes_extra);
    rp_throttle_options_add(&rp_reconcile_settings.throttle, object);
    if (rp_reconcile_settings.repairs)
        json_object_set_new(object, "writers", json_integer(REPAIR_WRITERS));
    if (rp_reconcile_settings.deletes_extra)
        json_object_set_new(object, "max_delete_percent", json_integer(max_delete_percent()));
    if (rp_reconcile_settings.max_rejects >= 0)
        json_object_set_new(object, "max_rejects", json_integer(rp_reconcile_settings.max_rejects));
    json_object_set_new(object, "entities", json_loads(entities, JSON_DECODE_ANY, NULL));
    char *dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

void rp_reconcile_settings_apply(RpLoadOptions *load) {
    load->only = (const char *const *)rp_reconcile_settings.entities;
    load->batch_rows = BATCH_ROWS;
    load->batch_bytes = BATCH_BYTES;
    load->n_mappers = (guint)rp_reconcile_settings.mappers;
    load->max_value_bytes = (gsize)rp_reconcile_settings.max_value_bytes;
    load->retry_seconds = (guint)rp_reconcile_settings.retry_seconds;
    load->timeout_seconds = (guint)rp_reconcile_settings.timeout_seconds;
    rp_throttle_options_apply(&rp_reconcile_settings.throttle, load);
}

void rp_reconcile_settings_apply_repair(RpRepairOptions *repair) {
    const gint64 max_rejects = rp_reconcile_settings.max_rejects;
    repair->deletes_extra = rp_reconcile_settings.deletes_extra;
    repair->max_delete_percent = max_delete_percent();
    repair->n_writers = REPAIR_WRITERS;
    repair->max_rejects = max_rejects < 0 ? G_MAXUINT64 : (guint64)max_rejects;
}
