/* `redis2pg runs`: what ran, and what came of it. */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/prepare.h"
#include "cli/report_option.h"
#include "ledger/rollback.h"
#include "migrations/migrations.h"
#include "report/folder.h"
#include "report/rollback_report.h"
#include "report/run_report.h"
#include "report/table.h"
#include "report/text_report.h"

#include <string.h>

static char *report;

static const RpOption OPTIONS[] = {RP_REPORT_OPTION(report, "show"), {0}};

/* ---- show ---- */

static void print_times(const RpRunSummary *run) {
    g_print("started: %s\nended: %s\n", run->started_at, run->ended_at != NULL ? run->ended_at : "not yet");
}

static void add_times(json_t *document, const RpRunSummary *run) {
    json_object_set_new(document, "started_at", json_string(run->started_at));
    json_object_set_new(document, "ended_at",
                        run->ended_at != NULL ? json_string(run->ended_at) : json_null());
}

/* A rollback has a result of its own. */
static gboolean show_rollback(PGconn *connection, gboolean is_json, const RpRunSummary *run, GError **error) {
    g_autoptr(RpRollbackSummary) summary = NULL;
    if (!rp_rollback_read(connection, run->run, &summary, error))
        return FALSE;
    if (is_json) {
        json_t *document = rp_report_rollback_json(summary, FALSE);
        add_times(document, run);
        rp_print_json(document);
        return TRUE;
    }
    g_autofree char *text = rp_report_rollback_text(summary, FALSE);
    g_print("%s\n", text);
    print_times(run);
    return TRUE;
}

/* A reconciliation's or a cutover's is the one that the ledger keeps; as text it is what its report says. One
 * that came to no result is shown as a run. */
static gboolean show_result(PGconn *connection, gboolean is_json, const RpRunSummary *run, GError **error) {
    json_t *document = rp_report_option_read(connection, run->run, error);
    if (document == NULL)
        return FALSE;
    if (is_json) {
        json_t *result = json_deep_copy(rp_document_result(document));
        json_object_set_new(result, "kind", json_string(run->kind));
        add_times(result, run);
        rp_print_json(result);
    } else {
        g_autofree char *text = rp_text_report(document);
        g_print("%s", text);
    }
    json_decref(document);
    return TRUE;
}

static void show_run(gboolean is_json, const RpRunSummary *run) {
    if (is_json) {
        rp_print_json(rp_report_run_json_full(run));
        return;
    }
    g_autofree char *text = rp_report_run_text(run);
    g_print("%s\nmapping: %s\nsource: %s\n", text, run->mapping, run->source);
    print_times(run);
}

/* A report needs a ledger of this version; showing does not change it. */
static gboolean write_report(PGconn *connection, guint64 run, GError **error) {
    if (report == NULL)
        return TRUE;
    if (!rp_migrations_apply_ledger(connection, error))
        return FALSE;
    json_t *document = rp_report_option_read(connection, run, error);
    const gboolean is_written =
        document != NULL && rp_report_folder_write(report, RP_REPORT_ALL_FACES, document, error);
    json_decref(document);
    return is_written;
}

static gboolean show_any(PGconn *connection, gboolean is_json, const RpRunSummary *run, GError **error) {
    if (!write_report(connection, run->run, error))
        return FALSE;
    if (strcmp(run->kind, "rollback") == 0)
        return show_rollback(connection, is_json, run, error);
    if (strcmp(run->kind, "cutover") == 0 ||
        (strcmp(run->kind, "reconcile") == 0 && g_str_has_prefix(run->status, "completed")))
        return show_result(connection, is_json, run, error);
    show_run(is_json, run);
    return TRUE;
}

static gboolean show(PGconn *connection, gboolean is_json, guint64 run, GError **error) {
    g_autoptr(RpRunSummary) summary = NULL;
    gboolean exists;
    if (!rp_ledger_exists(connection, &exists, error) ||
        (exists && !rp_ledger_read_run(connection, run, &summary, error)))
        return FALSE;
    if (summary != NULL)
        return show_any(connection, is_json, summary, error);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "the ledger has no run %" G_GUINT64_FORMAT " (see redis2pg runs list)", run);
    return FALSE;
}

/* ---- list ---- */

static void print_list(const GPtrArray *runs) {
    static const char *const headings[] = {">run",  "kind",     "status",  "started", ">seconds",
                                           ">read", ">rejects", "mapping", NULL};
    g_autoptr(RpTextTable) table = rp_text_table_new(headings);
    for (guint i = 0; i < runs->len; i++) {
        const RpRunSummary *summary = g_ptr_array_index(runs, i);
        guint64 n_read = 0;
        for (guint e = 0; e < summary->entities->len; e++)
            n_read += ((const RpEntitySummary *)g_ptr_array_index(summary->entities, e))->counts.read;
        g_autofree char *run = g_strdup_printf("%" G_GUINT64_FORMAT, summary->run);
        g_autofree char *seconds = g_strdup_printf("%.1f", summary->seconds);
        g_autofree char *n_read_text = rp_text_number(n_read);
        g_autofree char *rejects = rp_text_number(summary->n_rejects);
        const char *const cells[] = {run,     summary->kind, summary->status, summary->started_at,
                                     seconds, n_read_text,   rejects,         summary->mapping};
        rp_text_table_add(table, cells);
    }
    g_autofree char *text = rp_text_table_show(table);
    g_print("%s", runs->len > 0 ? text : "no run yet\n");
}

static gboolean list(PGconn *connection, gboolean is_json, GError **error) {
    gboolean exists;
    if (!rp_ledger_exists(connection, &exists, error))
        return FALSE;
    g_autoptr(GPtrArray) runs = exists ? rp_ledger_read_runs(connection, error) : g_ptr_array_new();
    if (runs == NULL)
        return FALSE;
    if (!is_json) {
        print_list(runs);
        return TRUE;
    }
    json_t *array = json_array();
    for (guint i = 0; i < runs->len; i++)
        json_array_append_new(array, rp_report_run_json_full(g_ptr_array_index(runs, i)));
    rp_print_json(json_pack("{so}", "runs", array));
    return TRUE;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    *status = 0;
    if (!rp_expect_words(&RP_COMMAND_RUNS, n_words, 1, 2, error))
        return FALSE;
    const gboolean is_show = strcmp(words[0], "show") == 0;
    if ((!is_show && strcmp(words[0], "list") != 0) || n_words != (is_show ? 2 : 1))
        return rp_expect_words(&RP_COMMAND_RUNS, -1, 0, 0, error);
    guint64 run = 0;
    if ((is_show && !rp_parse_number(words[1], "run", &run, error)) ||
        !rp_report_option_prepare(is_show ? report : NULL, error))
        return FALSE;
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, error);
    if (connection == NULL)
        return FALSE;
    return is_show ? show(connection, globals->is_json, run, error)
                   : list(connection, globals->is_json, error);
}

const RpCommand RP_COMMAND_RUNS = {
    .name = "runs",
    .arguments = "list|show RUN",
    .summary = "Lists the runs of a target, or shows one with its account of keys and rows.\n"
               "With --report the report of a run that has ended is made again from the ledger.",
    .example = "redis2pg runs show 12 --postgres 'dbname=shop' --report report",
    .options = OPTIONS,
    .execute = execute,
};
