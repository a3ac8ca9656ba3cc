/* The settings of `reconcile`: options, what the ledger keeps of them, and how they reach a comparison. */
#pragma once

#include "cli/options.h"
#include "cli/throttle_options.h"
#include "reconcile/reconcile.h"

G_BEGIN_DECLS

typedef struct {
    char *level;
    char **entities;
    gint64 rounds;
    gint64 limit;
    gint64 mappers;
    gint64 max_value_bytes;
    gint64 retry_seconds;
    gint64 timeout_seconds;
    RpThrottleSettings throttle;
    gint64 max_rejects;
    gboolean allows_rejects;
    gboolean repairs;
    gboolean deletes_extra;
    gint64 max_delete_percent;
    char *report;
    char *format;
} RpReconcileSettings;

/* Filled by the options. */
extern RpReconcileSettings rp_reconcile_settings;
extern const RpOption RP_RECONCILE_OPTIONS[];

/* What is wrong with them whatever the mapping and the servers say: RP_USAGE_ERROR. Else *level, and *faces
 * of the report. */
gboolean rp_reconcile_settings_check(RpLevel *level, guint *faces, GError **error);

/* What the ledger keeps of them, also of a repair: a JSON object, none of it a secret. The caller frees it.
 */
char *rp_reconcile_settings_text(void);

/* Sets what they decide of a load's options, and of a repair's. */
void rp_reconcile_settings_apply(RpLoadOptions *load);
void rp_reconcile_settings_apply_repair(RpRepairOptions *repair);

G_END_DECLS
