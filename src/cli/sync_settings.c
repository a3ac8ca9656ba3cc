/* The table of options, and what follows from it. */
#include "cli/sync_settings.h"

#include "base/error.h"
#include "cli/report_option.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_BYTES (32 * 1024 * 1024)

RpSyncSettings rp_sync_settings = {.load = {.max_rejects = -1}};

const RpOption RP_SYNC_OPTIONS[] = {
    {.name = "capture",
     .kind = RP_OPTION_TEXT,
     .target = &rp_sync_settings.capture,
     .argument = "replica|notify|auto",
     .fallback = "auto",
     .help = "how changes are captured: from the replication stream, which loses none; or by keyspace "
             "notifications, at most once; auto takes the first where Redis lets us"},
    {.name = "configure-notifications",
     .kind = RP_OPTION_FLAG,
     .target = &rp_sync_settings.configures_notifications,
     .help = "let Redis send the events that notify needs, and set its configuration back at the end"},
    {.name = "until-caught-up",
     .kind = RP_OPTION_FLAG,
     .target = &rp_sync_settings.ends_when_caught_up,
     .help = "end as soon as all that Redis has is in PostgreSQL"},
    {.name = "rescan",
     .kind = RP_OPTION_FLAG,
     .target = &rp_sync_settings.begins_anew,
     .help = "read all keys, whatever the checkpoint says, and whosever it is"},
    {.name = "pause",
     .kind = RP_OPTION_FLAG,
     .target = &rp_sync_settings.pauses,
     .help = "have the running sync write nothing until --continue; it goes on capturing changes"},
    {.name = "continue",
     .kind = RP_OPTION_FLAG,
     .target = &rp_sync_settings.continues,
     .help = "have a paused sync go on"},
    {.name = "flush-ms",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_sync_settings.flush_ms,
     .argument = "N",
     .fallback = "100",
     .minimum = 1,
     .maximum = 60000,
     .help = "changes are collected for so long: a key that is written often is written once"},
    {.name = "max-delete-percent",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_sync_settings.max_delete_percent,
     .argument = "N",
     .fallback = "1",
     .minimum = 0,
     .maximum = 100,
     .help = "after a gap: stop with exit status 6 when more than N percent of a table's rows, and more than "
             "100, have no key any more, or Redis gives none of them"},
    {.name = "park-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_sync_settings.park_seconds,
     .argument = "N",
     .fallback = "60",
     .minimum = 0,
     .maximum = 86400,
     .help = "how long a row may wait for others (its parent, a unique value) before it is a reject"},
    {.name = "undo-retention",
     .kind = RP_OPTION_NUMBER,
     .target = &rp_sync_settings.undo_days,
     .argument = "DAYS",
     .fallback = "30",
     .minimum = 0,
     .maximum = 36500,
     .help = "how long it is kept what a rollback of the sync needs; 0: for ever"},
    {.name = "heartbeat",
     .kind = RP_OPTION_FLAG,
     .target = &rp_sync_settings.writes_heartbeat,
     .help = "write the key redis2pg:heartbeat to Redis each second, to measure the lag from there on"},
    RP_LOAD_OPTIONS(rp_sync_settings.load, NULL, "3600"),
    RP_REPORT_OPTION(rp_sync_settings.report, NULL),
    {0},
};

static gboolean find_capture(RpCaptureKind *kind) {
    static const char *const names[] = {
        [RP_CAPTURE_AUTO] = "auto", [RP_CAPTURE_REPLICA] = "replica", [RP_CAPTURE_NOTIFY] = "notify"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], rp_sync_settings.capture) == 0) {
            *kind = (RpCaptureKind)i;
            return TRUE;
        }
    return FALSE;
}

gboolean rp_sync_settings_check(GError **error) {
    RpCaptureKind kind;
    if (!find_capture(&kind)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--capture is replica, notify or auto, not \"%s\"", rp_sync_settings.capture);
        return FALSE;
    }
    if (rp_sync_settings.pauses && rp_sync_settings.continues) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--pause does not go with --continue");
        return FALSE;
    }
    return TRUE;
}

gboolean rp_sync_settings_apply(RpSyncOptions *options, GError **error) {
    const RpSyncSettings *settings = &rp_sync_settings;
    if (!rp_sync_settings_check(error) || !find_capture(&options->capture))
        return FALSE;
    options->configures_notifications = settings->configures_notifications;
    options->ends_when_caught_up = settings->ends_when_caught_up;
    options->begins_anew = settings->begins_anew;
    options->writes_heartbeat = settings->writes_heartbeat;
    options->flush_ms = (guint)settings->flush_ms;
    options->max_delete_percent = (guint)settings->max_delete_percent;
    options->park_seconds = (guint)settings->park_seconds;
    options->undo_days = (guint)settings->undo_days;
    options->waiting_bytes = WAITING_BYTES;
    return TRUE;
}

char *rp_sync_settings_text(void) {
    const RpSyncSettings *settings = &rp_sync_settings;
    json_t *object = rp_load_settings_json(&settings->load);
    json_object_set_new(object, "entities", json_null());
    json_object_set_new(object, "capture", json_string(settings->capture));
    json_object_set_new(object, "flush_ms", json_integer(settings->flush_ms));
    json_object_set_new(object, "max_delete_percent", json_integer(settings->max_delete_percent));
    json_object_set_new(object, "park_seconds", json_integer(settings->park_seconds));
    json_object_set_new(object, "undo_retention_days", json_integer(settings->undo_days));
    char *dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}
