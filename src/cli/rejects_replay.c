/* `redis2pg rejects replay`: what was refused goes through the mapping as it is now. */
#include "base/error.h"
#include "base/log.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "cli/rejects.h"
#include "cli/report_option.h"
#include "migrations/migrations.h"
#include "pipeline/replay.h"

#include <string.h>

static gboolean check_run(PGconn *connection, guint64 run, GError **error) {
    if (run == 0)
        return TRUE;
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, "SELECT status, undone_by FROM redis2pg.runs WHERE run = $1", 1, parameters, error);
    if (result == NULL)
        return FALSE;
    if (PQntuples(result) == 0)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "the ledger has no run %s (see redis2pg runs list)", number);
    else if (!PQgetisnull(result, 0, 1) || g_str_equal(PQgetvalue(result, 0, 0), "rolled_back"))
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "run %s was rolled back: its rejects are not open", number);
    else
        return TRUE;
    return FALSE;
}

/* ---- what stays open ---- */

static const char *const WHY_LEFT[RP_N_LEFT] = {
    [RP_LEFT_VALUES] = "whose values were not kept whole",
    [RP_LEFT_PARTIAL] = "of big hashes whose other fields were not read",
    [RP_LEFT_TTL] = "whose time to live was not kept",
    [RP_LEFT_DAMAGED] = "whose record cannot be read",
    [RP_LEFT_LATER] = "that a later run has overtaken, or may have",
    [RP_LEFT_ENTITY] = "that the mapping has no entity for any more",
    [RP_LEFT_SOURCE] = "of another Redis",
};

/* One line, for as many reasons as there are. Gives how many stay open. */
static guint64 warn_of_left(const RpReplaySelection *selection, gboolean is_from_source) {
    g_autoptr(GString) reasons = g_string_new(NULL);
    guint64 n_left = 0, n_in_source = 0;
    for (guint left = 0; left < RP_N_LEFT; left++) {
        n_left += selection->left[left];
        n_in_source += left != RP_LEFT_ENTITY && left != RP_LEFT_SOURCE ? selection->left[left] : 0;
        if (selection->left[left] > 0)
            g_string_append_printf(reasons, "%s%" G_GUINT64_FORMAT " %s", reasons->len > 0 ? ", " : "",
                                   selection->left[left], WHY_LEFT[left]);
    }
    if (n_left > 0)
        rp_log(RP_LOG_WARNING, "rejects that stay open: %s%s", reasons->str,
               n_in_source > 0 && !is_from_source
                   ? "; to read their keys as they are now: redis2pg rejects replay --from-source"
                   : "");
    return n_left;
}

/* ---- replaying ---- */

/* $db means the database that the records were read from ("…:6379 db 3"). */
static void take_database(RpRedisAddress *address, const char *source) {
    const char *number = strrchr(source, ' ');
    guint64 database;
    if (number != NULL && g_ascii_string_to_unsigned(number + 1, 10, 0, G_MAXINT, &database, NULL))
        address->database = (int)database;
}

static char *settings_text(const RpRejectsSettings *settings) {
    json_t *object = rp_load_settings_json(&settings->load);
    json_object_set_new(object, "from_source", json_boolean(settings->is_from_source));
    if (settings->run != 0)
        json_object_set_new(object, "of_run", json_integer((json_int_t)settings->run));
    if (settings->entity != NULL)
        json_object_set_new(object, "of_entity", json_string(settings->entity));
    if (settings->code != NULL)
        json_object_set_new(object, "of_code", json_string(settings->code));
    char *dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

static gboolean load(const RpGlobals *globals, const RpRejectsSettings *settings, const RpPrepared *prepared,
                     const RpReplaySource *source, RpRunSummary **summary, GError **error) {
    g_autofree char *text = settings_text(settings);
    g_autoptr(RpProgress) progress = rp_progress_new(globals->progress, globals->is_quiet, error);
    if (progress == NULL)
        return FALSE;
    RpLoadOptions options = {
        .redis = prepared->redis,
        .postgres = globals->postgres_conninfo,
        .mapping = prepared->mapping,
        .settings = text,
        .observe = rp_progress_observe,
        .observe_data = progress,
    };
    rp_load_settings_apply(&settings->load, &options);
    return rp_replay(&options, source, summary, error);
}

static void say_nothing_to_do(const RpGlobals *globals) {
    if (globals->is_json)
        rp_print_json(json_pack("{sn ss ss sb sb s{si si si si} s[] s[] s{si s{}}}", "run", "kind", "replay",
                                "status", "completed", "dry_run", 0, "balanced", 1, "keys", "scanned", 0,
                                "mapped", 0, "ignored", 0, "unmapped", 0, "unmapped_patterns", "entities",
                                "rejects", "total", 0, "by_code"));
    else
        g_print("nothing to replay\n");
}

static gboolean replay(const RpGlobals *globals, const RpRejectsSettings *settings, RpPrepared *prepared,
                       int *status, GError **error) {
    g_autofree char *address = rp_redis_address_show(prepared->redis);
    const RpReplayChoice choice = {rp_rejects_filter(settings), prepared->mapping, settings->is_from_source,
                                   settings->is_from_source ? address : NULL};
    g_auto(RpReplaySelection) selection = {0};
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, error);
    if (connection == NULL || !rp_replay_select(connection, &choice, &selection, error))
        return FALSE;
    gboolean is_fine = TRUE;
    if (selection.n_rejects == 0) {
        say_nothing_to_do(globals);
        if (settings->report != NULL)
            rp_log(RP_LOG_INFO, "nothing was replayed, so there is no report");
    } else {
        if (!settings->is_from_source)
            take_database(prepared->redis, selection.source);
        const RpReplaySource source = {connection, &selection, settings->is_from_source};
        g_autoptr(RpRunSummary) summary = NULL;
        is_fine = load(globals, settings, prepared, &source, &summary, error);
        rp_report_option_write_load(settings->report, globals, summary);
        is_fine = rp_load_settings_conclude(&settings->load, globals, is_fine, summary, status, error);
    }
    if (warn_of_left(&selection, settings->is_from_source) > 0 && !settings->load.allows_rejects)
        *status = 1;
    return is_fine;
}

gboolean rp_rejects_replay(const RpGlobals *globals, const RpRejectsSettings *settings, int *status,
                           GError **error) {
    g_auto(RpPrepared) prepared = {0};
    g_autoptr(RpFindings) findings = rp_findings_new();
    char *entities[] = {settings->entity, NULL};
    if (!rp_progress_check(globals->progress, error) ||
        !rp_prepare_mapping(globals, entities, &prepared, findings, error) ||
        !rp_report_option_prepare(settings->report, error) ||
        !rp_prepare(globals, (guint)settings->load.retry_seconds, &prepared, findings, error) ||
        !rp_findings_check(findings, error))
        return FALSE;
    if (settings->is_from_source) { /* one that is down is found before anything is written */
        g_autoptr(redisContext) redis = rp_redis_await(prepared.redis, (guint)settings->load.timeout_seconds,
                                                       (guint)settings->load.retry_seconds, error);
        if (redis == NULL)
            return FALSE;
    }
    return rp_migrations_apply_ledger(prepared.postgres, error) &&
           check_run(prepared.postgres, (guint64)settings->run, error) &&
           replay(globals, settings, &prepared, status, error);
}
