/* The parts of `redis2pg rejects`. */
#pragma once

#include "cli/load_settings.h"
#include "ledger/rejects.h"

#include <jansson.h>

G_BEGIN_DECLS

typedef struct {
    gint64 run;
    char *entity;
    char *code;
    gint64 limit;
    gboolean is_open; /* only open ones */
    gboolean reveals; /* export shows sensitive values */
    gboolean is_from_source;
    RpLoadSettings load; /* of replay */
    char *report;        /* of replay; NULL: none */
} RpRejectsSettings;

/* What the options say to choose. It borrows from settings. */
RpRejectFilter rp_rejects_filter(const RpRejectsSettings *settings);

/* A reject as list, show and export give it. */
json_t *rp_rejects_json(const RpStoredReject *reject);

/* `rejects export` */
gboolean rp_rejects_export(const RpGlobals *globals, const RpRejectsSettings *settings, GError **error);

/* `rejects replay` */
gboolean rp_rejects_replay(const RpGlobals *globals, const RpRejectsSettings *settings, int *status,
                           GError **error);

G_END_DECLS
