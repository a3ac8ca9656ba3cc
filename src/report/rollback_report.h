/* The result of a rollback, as JSON (CLI.md) and as text. */
#pragma once

#include "ledger/rollback.h"

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* Of a dry run "run" is null. The caller owns the result. */
json_t *rp_report_rollback_json(const RpRollbackSummary *summary, gboolean is_dry_run);

/* What was undone by table, and the first 100 rows that were kept. The caller frees it. */
char *rp_report_rollback_text(const RpRollbackSummary *summary, gboolean is_dry_run);

G_END_DECLS
