/* The result of a reconciliation, as JSON (CLI.md, "JSON of reconcile") and as text. */
#pragma once

#include "reconcile/result.h"

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* "run" and "repair" are null. The caller owns it. */
json_t *rp_report_reconcile_json(const RpReconcileResult *result);

/* The document as text, in brief: verdict, rows by entity, the first differences, aggregates that differ,
 * links, orphans. The caller frees it. */
char *rp_report_reconcile_text(const json_t *reconcile);

G_END_DECLS
