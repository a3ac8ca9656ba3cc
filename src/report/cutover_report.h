/* The result of a cutover, as JSON (CLI.md, "JSON of the other commands") and as text. */
#pragma once

#include "sync/cutover.h"

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* "run" and "report" are null. The caller owns it. */
json_t *rp_report_cutover_json(const RpCutoverResult *result);

/* The document as text, in brief: verdict, reasons, notes, what was measured, then the reconciliation. The
 * caller frees it. */
char *rp_report_cutover_text(const json_t *cutover);

G_END_DECLS
