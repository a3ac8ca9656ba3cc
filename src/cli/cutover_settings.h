/* The settings of `cutover`: options, what the ledger keeps of them, and how they reach the gate. */
#pragma once

#include "cli/options.h"
#include "sync/cutover.h"

G_BEGIN_DECLS

typedef struct {
    gboolean is_confirmed;
    char *hook;
    gboolean pauses_writes;
    gint64 max_pause;
    gint64 n_allowed;
    gint64 max_lag_ms;
    char *level;
    gint64 rounds;
    gint64 limit;
    gint64 mappers;
    gint64 max_value_bytes;
    gint64 retry_seconds;
    gint64 timeout_seconds;
    char *report;
    char *format;
} RpCutoverSettings;

/* Filled by the options. */
extern RpCutoverSettings rp_cutover_settings;
extern const RpOption RP_CUTOVER_OPTIONS[];

/* What is wrong with them whatever the mapping and the servers say: RP_USAGE_ERROR. Else *faces of the
 * report. */
gboolean rp_cutover_settings_check(guint *faces, GError **error);

/* What the ledger keeps of them: a JSON object without the hook's text, which may hold a secret. The caller
 * frees it. */
char *rp_cutover_settings_text(void);

/* Sets what they decide of a load's options, and of the gate's. */
void rp_cutover_settings_apply(RpLoadOptions *load, RpCutoverOptions *options);

G_END_DECLS
