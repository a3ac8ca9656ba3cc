/* The result of a reconciliation, as JSON (CLI.md, "JSON of reconcile") and as text. */
#pragma once

#include "reconcile/result.h"

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* "run" and "repair" are null. The caller owns it. */
json_t *rp_report_reconcile_json(const RpReconcileResult *result);

/* Verdict, a table by entity, differences, aggregates that differ, links, orphans. The caller frees it. */
char *rp_report_reconcile_text(const RpReconcileResult *result);

G_END_DECLS
