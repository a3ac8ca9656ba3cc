/* The settings of `sync`: its options, and how they reach the sync. */
#pragma once

#include "cli/load_settings.h"
#include "sync/sync.h"

G_BEGIN_DECLS

typedef struct {
    RpLoadSettings load;
    char *capture;
    gboolean configures_notifications;
    gboolean ends_when_caught_up;
    gboolean begins_anew;
    gboolean writes_heartbeat;
    gboolean pauses;
    gboolean continues;
    gint64 flush_ms;
    gint64 max_delete_percent;
    gint64 park_seconds;
    gint64 undo_days;
    char *report;
} RpSyncSettings;

extern RpSyncSettings rp_sync_settings;
extern const RpOption RP_SYNC_OPTIONS[];

/* What is wrong with them whatever the servers say: RP_USAGE_ERROR. */
gboolean rp_sync_settings_check(GError **error);

/* Sets what they decide of a sync. RP_USAGE_ERROR as above. */
gboolean rp_sync_settings_apply(RpSyncOptions *options, GError **error);

/* A JSON object for the ledger: none of them is a secret. The caller frees it. */
char *rp_sync_settings_text(void);

G_END_DECLS
