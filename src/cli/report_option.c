/* From the ledger to a folder with a report. */
#include "cli/report_option.h"

#include "base/error.h"
#include "base/log.h"
#include "ledger/results.h"
#include "ledger/rollback.h"
#include "report/rollback_report.h"
#include "report/run_report.h"

#include <string.h>

gboolean rp_report_option_prepare(const char *path, GError **error) {
    return path == NULL || (rp_report_folder_prepare(path, error) && rp_report_folder_clear(path, error));
}

char *rp_report_option_target(PGconn *connection) {
    const char *host = PQhost(connection), *port = PQport(connection), *name = PQdb(connection);
    return g_strdup_printf("%s:%s %s", host != NULL && host[0] != '\0' ? host : "local",
                           port != NULL && port[0] != '\0' ? port : "5432", name != NULL ? name : "");
}

/* ---- what the ledger has ---- */

static json_t *read_rollback(PGconn *connection, guint64 run, GError **error) {
    g_autoptr(RpRollbackSummary) summary = NULL;
    if (!rp_rollback_read(connection, run, &summary, error))
        return NULL;
    return rp_report_rollback_json(summary, FALSE);
}

/* A reconciliation's or a cutover's result, which is kept as it was given. */
static json_t *read_reconcile(PGconn *connection, guint64 run, GError **error) {
    json_t *result = NULL;
    if (rp_ledger_read_result(connection, run, &result, error) && result == NULL)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "run %" G_GUINT64_FORMAT " did not come to a result: there is nothing to report", run);
    return result;
}

static json_t *read_result(PGconn *connection, const RpRunSummary *summary, GError **error) {
    if (strcmp(summary->kind, "rollback") == 0)
        return read_rollback(connection, summary->run, error);
    if (strcmp(summary->kind, "reconcile") == 0 || strcmp(summary->kind, "cutover") == 0)
        return read_reconcile(connection, summary->run, error);
    return rp_report_run_json_full(summary);
}

static json_t *make_document(PGconn *connection, const char *kind, json_t *result,
                             const RpRunSummary *summary, const RpEvidence *evidence) {
    g_autofree char *target = rp_report_option_target(connection);
    const RpReportFrame frame = {.source = summary->source,
                                 .target = target,
                                 .mapping = summary->mapping,
                                 .started_at = summary->started_at,
                                 .ended_at = summary->ended_at,
                                 .evidence = evidence};
    return rp_document_new(kind, result, &frame);
}

json_t *rp_report_option_read(PGconn *connection, guint64 run, GError **error) {
    g_autoptr(RpRunSummary) summary = NULL;
    g_autoptr(RpEvidence) evidence = NULL;
    if (!rp_ledger_read_run(connection, run, &summary, error) ||
        !rp_ledger_read_evidence(connection, run, &evidence, error))
        return NULL;
    if (summary == NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "the ledger has no run %" G_GUINT64_FORMAT " (see redis2pg runs list)", run);
        return NULL;
    }
    json_t *result = read_result(connection, summary, error);
    return result != NULL ? make_document(connection, summary->kind, result, summary, evidence) : NULL;
}

/* ---- writing ---- */

static void warn(const char *path, guint64 run, const GError *error) {
    if (run > 0)
        rp_log(RP_LOG_WARNING,
               "the report was not written: %s; what the command did stands, and this writes it: redis2pg "
               "runs show "
               "%" G_GUINT64_FORMAT " --report %s",
               error->message, run, path);
    else
        rp_log(RP_LOG_WARNING, "the report was not written: %s", error->message);
}

static gboolean write_document(const char *path, guint faces, const json_t *document, GError **error) {
    if (!rp_report_folder_write(path, faces, document, error))
        return FALSE;
    rp_log(RP_LOG_INFO, "report: %s%s", path, (faces & RP_REPORT_HTML) != 0 ? "/report.html" : "");
    return TRUE;
}

void rp_report_option_write_run(const char *path, guint faces, const RpGlobals *globals, guint64 run) {
    if (path == NULL || run == 0)
        return;
    g_autoptr(GError) trouble = NULL;
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, &trouble);
    json_t *document = connection != NULL ? rp_report_option_read(connection, run, &trouble) : NULL;
    if (document == NULL || !write_document(path, faces, document, &trouble))
        warn(path, run, trouble);
    json_decref(document);
}

void rp_report_option_write_load(const char *path, const RpGlobals *globals, const RpRunSummary *summary) {
    if (path == NULL || summary == NULL)
        return;
    if (!summary->is_dry_run) {
        rp_report_option_write_run(path, RP_REPORT_ALL_FACES, globals, summary->run);
        return;
    }
    g_autoptr(GError) trouble = NULL;
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, &trouble);
    if (connection == NULL)
        warn(path, 0, trouble);
    else
        rp_report_option_write(path, RP_REPORT_ALL_FACES,
                               make_document(connection, "dry_run", rp_report_run_json_full(summary), summary,
                                             summary->evidence));
}

void rp_report_option_write(const char *path, guint faces, json_t *document) {
    g_autoptr(GError) trouble = NULL;
    if (path != NULL && !write_document(path, faces, document, &trouble))
        warn(path, 0, trouble);
    json_decref(document);
}

void rp_report_option_write_result(const char *path, guint faces, const RpGlobals *globals, const char *kind,
                                   const char *source, PGconn *connection, const char *mapping,
                                   const json_t *result) {
    const json_int_t run = json_integer_value(json_object_get(result, "run"));
    if (path == NULL)
        return;
    if (run > 0) {
        rp_report_option_write_run(path, faces, globals, (guint64)run);
        return;
    }
    g_autofree char *target = rp_report_option_target(connection);
    const RpReportFrame frame = {.source = source, .target = target, .mapping = mapping};
    rp_report_option_write(path, faces, rp_document_new(kind, json_deep_copy(result), &frame));
}
