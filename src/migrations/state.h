/* What stands where: the files of a set beside the history of a schema. */
#pragma once

#include <glib.h>

#include "migrations/history.h"
#include "migrations/set.h"

G_BEGIN_DECLS

typedef enum {
    RP_MIGRATION_APPLIED,
    RP_MIGRATION_PENDING,
    RP_MIGRATION_CHANGED, /* applied, and its file was edited since */
    RP_MIGRATION_MISSING, /* applied, and its file is gone */
} RpMigrationStanding;

typedef struct {
    RpMigrationStanding standing;
    char *version; /* in normal form */
    char *description;
    char *script;             /* the file's name; the recorded one when it is missing */
    gint32 checksum;          /* the file's; the recorded one when it is missing */
    gint32 applied_checksum;  /* the recorded one; 0 while pending */
    char *applied_by;         /* NULL while pending */
    char *applied_at;         /* 2026-01-01T00:00:00Z; NULL while pending */
    gboolean has_undo;        /* there is a U file */
    const char *overtaken_by; /* pending, and older than this newest applied version; else NULL; borrowed
                                 from another state of the same list */
} RpMigrationState;

void rp_migration_state_free(RpMigrationState *state);

/* The state of every version that the set or the history knows, versions rising: an array that frees them. */
GPtrArray *rp_migration_states_new(const RpMigrationSet *set, const RpHistory *history);

/* What is wrong with a state in one line, or NULL when nothing is; the caller frees it. To be pending is
 * nothing wrong, unless a newer version is applied. */
char *rp_migration_state_fault(const RpMigrationState *state);

const char *rp_migration_standing_name(RpMigrationStanding standing);

G_END_DECLS
