/* The report: one JSON document (docs/reports.md), from which every other face is made.
 *
 * {"report": 1, "kind": "run|dry_run|sync|replay|repair|rollback|reconcile|cutover", "made_at":
 * "2026-01-01T00:00:00Z", "verdict": {…}, "source": "host:port db N", "target": "host:port database",
 * "mapping": {"path", "digest"}, "started_at": …, "ended_at": …, "host": …, "versions": {"redis2pg", "redis",
 * "postgres"}, "settings": {…}, "run" | "rollback" | "reconcile" | "cutover": the JSON of the command; with
 * that of a cutover also "reconcile", which is null when it did not come to it, "reject_examples":
 * [{"entity", "code", "key", "key_hex", "column", "constraint", "message", "value"}], "throughput":
 * [{"seconds", "keys", "rows"}]}
 *
 * What is not known is null. But for made_at it follows from the ledger alone. */
#pragma once

#include "ledger/evidence.h"

#include <jansson.h>

G_BEGIN_DECLS

/* What stands around a result. All but target may be NULL. Borrowed. */
typedef struct {
    const char *source;
    const char *target; /* without user and password */
    const char *mapping;
    const char *started_at;
    const char *ended_at;
    const RpEvidence *evidence;
} RpReportFrame;

/* The document of a result of that kind, whose JSON it takes. The caller owns it. */
json_t *rp_document_new(const char *kind, json_t *result, const RpReportFrame *frame);

/* As it is written in a file, ends with a newline. The caller frees it. */
char *rp_document_text(const json_t *document);

/* The result in it: its run, its rollback, its reconciliation or its cutover. Borrowed. */
const json_t *rp_document_result(const json_t *document);

G_END_DECLS
