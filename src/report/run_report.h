/* The summary of a run, as JSON (CLI.md, "JSON of run") and as text. */
#pragma once

#include "ledger/summary.h"

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* The caller owns the result. */
json_t *rp_report_run_json(const RpRunSummary *summary);

/* The same with the keys that `runs list` adds: mapping, source, started_at, ended_at. */
json_t *rp_report_run_json_full(const RpRunSummary *summary);

/* Verdict, a table by entity, keys, and rejects by code. The caller frees it. */
char *rp_report_run_text(const RpRunSummary *summary);

/* {"code": count, …}; codes are RpCodeCount. The caller owns the result. */
json_t *rp_report_codes_json(const GPtrArray *codes);

G_END_DECLS
