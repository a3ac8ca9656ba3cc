/* `redis2pg cutover`: the gate between the two systems. */
#include "sync/cutover.h"

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/cutover_settings.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "cli/report_option.h"
#include "ledger/results.h"
#include "migrations/migrations.h"
#include "report/cutover_report.h"
#include "sink/wait.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLICE_MS 50

static const RpCutoverSettings *const settings = &rp_cutover_settings;

/* ---- asking ---- */

static gboolean can_ask(void) {
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* A line, without what ends it; FALSE: the input is over, or was given up. */
static gboolean read_answer(char *answer, gsize size, const gint *is_cancelled) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    gssize n = 0;
    while (g_atomic_int_get(is_cancelled) == 0 && n == 0) {
        if (poll(&input, 1, SLICE_MS) <= 0)
            continue;
        n = read(STDIN_FILENO, answer, size - 1);
        if (n <= 0)
            return FALSE;
    }
    answer[MAX(n, 0)] = '\0';
    g_strstrip(answer);
    return n > 0;
}

static gboolean ask(gpointer data, const gint *is_cancelled, GError **error) {
    char answer[16];
    (void)data;
    fprintf(stderr, "All checks have passed. Stop everything that writes to Redis now, then type yes: ");
    if (read_answer(answer, sizeof answer, is_cancelled) && strcmp(answer, "yes") == 0)
        return TRUE;
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "not confirmed: nothing was done, everything goes on as before");
    return FALSE;
}

/* Writers that are stopped already need not be stopped. Whoever is not there cannot be asked. */
static gboolean check_ways(GError **error) {
    if (settings->hook != NULL && settings->hook[0] == '\0') {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--hook is empty: it names the command that stops the writers");
        return FALSE;
    }
    if (settings->is_confirmed && (settings->hook != NULL || settings->pauses_writes)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--yes says that the writers are stopped: it does not go with --hook or --pause-writes");
        return FALSE;
    }
    if (settings->is_confirmed || settings->hook != NULL || settings->pauses_writes || can_ask())
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "there is no terminal to ask on whether the writers are stopped: --yes when they are, or "
                "--hook COMMAND or --pause-writes to stop them");
    return FALSE;
}

/* ---- the gate ---- */

static gboolean pass(const RpGlobals *globals, const RpPrepared *prepared, RpCutoverResult *result,
                     GError **error) {
    g_autoptr(RpProgress) progress = rp_progress_new(globals->progress, globals->is_quiet, error);
    if (progress == NULL)
        return FALSE;
    RpLoadOptions load = {.redis = prepared->redis,
                          .postgres = globals->postgres_conninfo,
                          .mapping = prepared->mapping,
                          .observe = rp_progress_observe,
                          .observe_data = progress};
    RpCutoverOptions options = {.load = &load};
    rp_cutover_settings_apply(&load, &options);
    if (!settings->is_confirmed && settings->hook == NULL && !settings->pauses_writes)
        options.confirm = ask;
    return rp_cutover(&options, result, error);
}

/* ---- the evidence ---- */

static char *show_reasons(const RpCutoverResult *result) {
    GString *text = g_string_new("refused");
    for (guint i = 0; i < result->reasons->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : ": ",
                               (const char *)g_ptr_array_index(result->reasons, i));
    return g_string_free(text, FALSE);
}

/* That it cannot be kept changes nothing in the verdict. The connection of before has stood idle. */
static void keep_result(const RpGlobals *globals, const RpPrepared *prepared, const RpCutoverResult *result,
                        json_t *document) {
    g_autoptr(GError) error = NULL;
    g_autofree char *place = rp_redis_address_show(prepared->redis);
    g_autofree char *text = rp_cutover_settings_text();
    g_autofree char *reasons = result->is_go ? NULL : show_reasons(result);
    const RpResultHead head = {
        "cutover", reasons,        prepared->mapping, place, result->source_run_id, result->redis_version,
        text,      result->seconds};
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, &error);
    if (connection == NULL || !rp_ledger_keep_result(connection, &head, document, &error))
        rp_log(RP_LOG_WARNING, "%s", error->message);
}

static void write_report(const RpGlobals *globals, const RpPrepared *prepared, guint faces,
                         const json_t *document) {
    g_autofree char *source = rp_redis_address_show(prepared->redis);
    rp_report_option_write_result(settings->report, faces, globals, "cutover", source, prepared->postgres,
                                  prepared->mapping->path, document);
}

static void tell(const RpGlobals *globals, const RpPrepared *prepared, const RpCutoverResult *result,
                 guint faces) {
    json_auto_t *document = rp_report_cutover_json(result);
    if (settings->report != NULL)
        json_object_set_new(document, "report", json_string(settings->report));
    keep_result(globals, prepared, result, document);
    write_report(globals, prepared, faces, document);
    if (globals->is_json) {
        rp_print_json(json_incref(document));
        return;
    }
    g_autofree char *text = rp_report_cutover_text(document);
    g_print("%s", text);
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    (void)words;
    g_auto(RpPrepared) prepared = {0};
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpCutoverResult) result = rp_cutover_result_new();
    guint faces = RP_REPORT_ALL_FACES;
    *status = 0;
    rp_wait_default((guint)settings->timeout_seconds);
    if (!rp_expect_words(&RP_COMMAND_CUTOVER, n_words, 0, 0, error) ||
        !rp_cutover_settings_check(&faces, error) || !check_ways(error) ||
        !rp_progress_check(globals->progress, error) ||
        !rp_prepare_mapping(globals, NULL, &prepared, findings, error) ||
        !rp_report_option_prepare(settings->report, error) ||
        !rp_prepare(globals, (guint)settings->retry_seconds, &prepared, findings, error) ||
        !rp_findings_check(findings, error) || !rp_migrations_apply_ledger(prepared.postgres, error) ||
        !pass(globals, &prepared, result, error))
        return FALSE;
    tell(globals, &prepared, result, faces);
    if (result->is_go)
        return TRUE;
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "the cutover is refused (%u reason%s): everything goes on as before", result->reasons->len,
                result->reasons->len == 1 ? "" : "s");
    return FALSE;
}

const RpCommand RP_COMMAND_CUTOVER = {
    .name = "cutover",
    .summary = "The gate: whether PostgreSQL has all that Redis has, while nobody writes.\n"
               "It stands beside a running sync: checks, has the writers stopped, waits until all has\n"
               "arrived, compares, and says go or refused, with the reasons. It switches nothing itself.",
    .example = "redis2pg cutover --redis redis://127.0.0.1:6379/0 --postgres 'dbname=shop' --mapping "
               "mappings/shop.yaml --pause-writes --report cutover",
    .options = RP_CUTOVER_OPTIONS,
    .execute = execute,
};
