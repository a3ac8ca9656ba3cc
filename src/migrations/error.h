/* What can go wrong while SQL files run. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define RP_MIGRATION_ERROR (rp_migration_error_quark())
GQuark rp_migration_error_quark(void);

/* A set of files that cannot be used is RP_USAGE_ERROR, a lock that stays taken RP_GUARD_ERROR, a server that
 * went away RP_SINK_ERROR. */
typedef enum {
    RP_MIGRATION_ERROR_FAILED, /* a statement of a file failed; the message names file, line and SQLSTATE */
} RpMigrationError;

G_END_DECLS
