/* `--report DIR`: the same for every command that has it.
 *
 * A command prepares the folder before it begins, and writes the report after it ended, whatever came of it.
 * One that fails before there is anything to tell leaves no report, and no earlier one either. */
#pragma once

#include "cli/options.h"
#include "ledger/summary.h"
#include "report/document.h"
#include "report/folder.h"
#include "sink/connection.h"

G_BEGIN_DECLS

/* A row of a command's table of options; path is a char * that lives as long as the program, words are those
 * that it goes with (NULL: any). */
#define RP_REPORT_OPTION(path, words)                                                                        \
    {                                                                                                        \
        .name = "report", .kind = RP_OPTION_TEXT, .goes_with = (words), .target = &(path),                   \
        .argument = "DIR",                                                                                   \
        .help = "write a report to this folder: report.html, report.json, report.txt, junit.xml"             \
    }

/* Whether the folder can be written, of which an earlier report is removed, so that none stands there after a
 * command that failed: call it when all options have been looked at, and before anything else is touched.
 * Without a path (NULL) it can. RP_USAGE_ERROR. */
gboolean rp_report_option_prepare(const char *path, GError **error);

/* The report of a run of any kind, as the ledger has it; the caller owns it. NULL with an error also when
 * there is no such run (RP_USAGE_ERROR). The ledger must be of this version. */
json_t *rp_report_option_read(PGconn *connection, guint64 run, GError **error);

/* "host:port database" of a connection, without user and password. The caller frees it. */
char *rp_report_option_target(PGconn *connection);

/* Writes those files (RP_REPORT_…) of the report of a run that has ended, by a connection of its own. What
 * goes wrong is a warning, with the way to the report: the command's exit status is the run's. Does nothing
 * without a path or run (0). */
void rp_report_option_write_run(const char *path, guint faces, const RpGlobals *globals, guint64 run);

/* The same of what a load gave, with all files; a dry run's is made of the summary, for nothing else is left
 * of it. summary may be NULL: there was no run. */
void rp_report_option_write_load(const char *path, const RpGlobals *globals, const RpRunSummary *summary);

/* Writes a document that no ledger keeps (a dry run's), which it takes. What goes wrong is a warning. */
void rp_report_option_write(const char *path, guint faces, json_t *document);

/* The report of a result that the ledger keeps as a run of that kind ("reconcile"), out of the ledger, so
 * that it can be made again; of one that is not kept (its "run" is no number), of the result itself, which is
 * borrowed. source: where Redis is. */
void rp_report_option_write_result(const char *path, guint faces, const RpGlobals *globals, const char *kind,
                                   const char *source, PGconn *connection, const char *mapping,
                                   const json_t *result);

G_END_DECLS
