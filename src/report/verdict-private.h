/* How a verdict is put together. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

typedef struct {
    const char *status;
    char *headline;
    json_t *sentences;
} RpVerdict;

/* Each sets status and headline, and adds sentences. */
void rp_verdict_of_run(RpVerdict *verdict, const char *kind, const json_t *run);
void rp_verdict_of_reconcile(RpVerdict *verdict, const json_t *reconcile);
void rp_verdict_of_cutover(RpVerdict *verdict, const json_t *cutover);
void rp_verdict_of_rollback(RpVerdict *verdict, const json_t *rollback);

void rp_verdict_say(RpVerdict *verdict, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* "1 row", "1 600 rows". The caller frees it. */
char *rp_verdict_count(guint64 n, const char *thing);

/* "490 inserted, 2 updated": the numbers that are not 0, of members of an object or sums over an array.
 * "none" when all are 0. The caller frees it. */
char *rp_verdict_list(const json_t *counts, const char *const *names);

G_END_DECLS
