/* `redis2pg rollback`: undoes a run. */
#include "pipeline/rollback.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "cli/report_option.h"
#include "ledger/summary.h"
#include "migrations/migrations.h"
#include "report/rollback_report.h"
#include "report/table.h"

static struct {
    gboolean is_dry_run;
    gboolean is_forced;
    gint64 retry_seconds;
    gint64 timeout_seconds;
    char *report;
} settings;

static const RpOption OPTIONS[] = {
    {.name = "dry-run",
     .kind = RP_OPTION_FLAG,
     .target = &settings.is_dry_run,
     .help = "do it all in one transaction, say what came of it, and leave everything as it was"},
    {.name = "force",
     .kind = RP_OPTION_FLAG,
     .target = &settings.is_forced,
     .help = "exit status 0 although rows were kept"},
    {.name = "retry-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.retry_seconds,
     .argument = "N",
     .fallback = "60",
     .minimum = 0,
     .maximum = 86400,
     .help = "how long a lost server, a deadlock or a lock is waited out"},
    {.name = "timeout-seconds",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.timeout_seconds,
     .argument = "N",
     .fallback = "60",
     .minimum = 1,
     .maximum = 86400,
     .help = "how long an answer of PostgreSQL may take"},
    RP_REPORT_OPTION(settings.report, NULL),
    {0},
};

static void print_summary(const RpGlobals *globals, const RpRollbackSummary *summary) {
    if (globals->is_json) {
        rp_print_json(rp_report_rollback_json(summary, settings.is_dry_run));
        return;
    }
    g_autofree char *text = rp_report_rollback_text(summary, settings.is_dry_run);
    g_print("%s", text);
}

/* Nothing of a dry run stays in the ledger: its report is made of what it gave. */
static void write_report(const RpGlobals *globals, const RpRollbackSummary *summary) {
    if (settings.report == NULL)
        return;
    if (!settings.is_dry_run) {
        rp_report_option_write_run(settings.report, RP_REPORT_ALL_FACES, globals, summary->run);
        return;
    }
    g_autoptr(GError) trouble = NULL;
    g_autoptr(RpRunSummary) undone = NULL;
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, &trouble);
    if (connection == NULL || !rp_ledger_read_run(connection, summary->undoes, &undone, &trouble)) {
        rp_log(RP_LOG_WARNING, "the report was not written: %s", trouble->message);
        return;
    }
    g_autofree char *target = rp_report_option_target(connection);
    const RpReportFrame frame = {.target = target,
                                 .source = undone != NULL ? undone->source : NULL,
                                 .mapping = undone != NULL ? undone->mapping : NULL};
    rp_report_option_write(settings.report, RP_REPORT_ALL_FACES,
                           rp_document_new("rollback", rp_report_rollback_json(summary, TRUE), &frame));
}

static void observe(const RpRollbackProgress *rollback, gpointer data) {
    g_autofree char *rows = rp_text_number(rollback->rows_undone);
    g_autofree char *rate =
        rp_text_number((guint64)((double)rollback->rows_undone / MAX(rollback->seconds, 0.001)));
    g_autofree char *kept = rp_text_number(rollback->rows_kept);
    g_autofree char *text = g_strdup_printf("%s rows undone, %s rows/s, %s kept", rows, rate, kept);
    rp_progress_say(data, rollback->seconds, text);
}

/* The ledger is looked for before it is brought up to date: a command that undoes does not create one. */
static gboolean reach_ledger(const RpGlobals *globals, guint64 run, GError **error) {
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, error);
    gboolean exists;
    if (connection == NULL || !rp_ledger_exists(connection, &exists, error))
        return FALSE;
    if (exists)
        return rp_migrations_apply_ledger(connection, error);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "the ledger has no run %" G_GUINT64_FORMAT ": nothing has run on this database", run);
    return FALSE;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    guint64 run;
    if (!rp_expect_words(&RP_COMMAND_ROLLBACK, n_words, 1, 1, error) ||
        !rp_parse_number(words[0], "run", &run, error) || !rp_progress_check(globals->progress, error) ||
        !rp_report_option_prepare(settings.report, error) || !reach_ledger(globals, run, error))
        return FALSE;
    g_autoptr(RpProgress) progress = rp_progress_new(globals->progress, globals->is_quiet, error);
    if (progress == NULL)
        return FALSE;
    const RpRollbackOptions options = {.postgres = globals->postgres_conninfo,
                                       .run = run,
                                       .is_dry_run = settings.is_dry_run,
                                       .retry_seconds = (guint)settings.retry_seconds,
                                       .timeout_seconds = (guint)settings.timeout_seconds,
                                       .observe = observe,
                                       .observe_data = progress};
    g_autoptr(RpRollbackSummary) summary = NULL;
    const gboolean is_fine = rp_roll_back(&options, &summary, error);
    if (summary != NULL) {
        write_report(globals, summary);
        print_summary(globals, summary);
    }
    if (is_fine && summary != NULL && summary->n_kept > 0 && !settings.is_forced)
        *status = RP_EXIT_REFUSED;
    return is_fine;
}

const RpCommand RP_COMMAND_ROLLBACK = {
    .name = "rollback",
    .arguments = "RUN",
    .summary = "Undoes a run: deletes what it inserted, and puts back what it changed or deleted.\n"
               "Rows that somebody else changed since stay, and are listed with the reason: exit status 6. A "
               "rollback\n"
               "is a run itself, and can be rolled back. Interrupted, the same command goes on.",
    .example = "redis2pg rollback 12 --dry-run --postgres 'dbname=shop'",
    .options = OPTIONS,
    .execute = execute,
};
