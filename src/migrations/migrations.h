/* Versioned SQL: what stands in a database, and the steps up and down. */
#pragma once

#include <glib.h>
#include <libpq-fe.h>

#include "migrations/error.h"
#include "migrations/set.h"
#include "migrations/state.h"

G_BEGIN_DECLS

/* How long to wait for another session that migrates the same database, unless told otherwise. */
#define RP_MIGRATION_LOCK_SECONDS 60

typedef struct {
    const char *schema; /* where schema_migrations lives, created when missing; NULL: current_schema() */
    guint lock_seconds; /* 0: ask once */
} RpMigrationOptions;

/* All functions here take a connection that is idle (no transaction open), and options that may be NULL for
 * current_schema() and RP_MIGRATION_LOCK_SECONDS. Errors: RP_USAGE_ERROR when the set does not fit the
 * database (nothing was touched), RP_MIGRATION_ERROR when a file failed, RP_GUARD_ERROR when the lock stays
 * taken, RP_SINK_ERROR for the server. */

/* The state of every version, rising: an array of RpMigrationState that frees its elements. Reads only. */
GPtrArray *rp_migrations_status(PGconn *connection, const RpMigrationSet *set,
                                const RpMigrationOptions *options, GError **error);

/* Applies what is pending, oldest first, each file in a transaction of its own; the ones before a failing
 * file stand. Refuses before it touches anything when an applied file was edited or is missing, when a
 * pending version is older than an applied one, or when a file begins or ends transactions. *applied (may be
 * NULL) gets the RpMigrationState of each as it stands now, to be unreffed by the caller; on failure it is
 * left alone. */
gboolean rp_migrations_apply(PGconn *connection, const RpMigrationSet *set, const RpMigrationOptions *options,
                             GPtrArray **applied, GError **error);

/* Undoes the newest applied version; with to_version, all that are newer than that one, newest first.
 * to_version is an applied version, or "0" for all. Refuses before it touches anything when one of them has
 * no U file. *undone (may be NULL) gets the RpMigrationState of each as it stood before, in the order in
 * which they were undone, to be unreffed by the caller; on failure it is left alone. */
gboolean rp_migrations_undo(PGconn *connection, const RpMigrationSet *set, const RpMigrationOptions *options,
                            const char *to_version, GPtrArray **undone, GError **error);

/* What keeps the states from being verified, in words, as an array of strings that frees them: files edited,
 * missing or out of order, and files that are pending. Empty when all is well. */
GPtrArray *rp_migrations_verify(const GPtrArray *states);

/* Brings the tool's own tables, the schema redis2pg, up to date; two queries when they are. A connection that
 * rehearses (sink/unit.h) does so in its transaction, and keeps the migration lock if it had to be taken. */
gboolean rp_migrations_apply_ledger(PGconn *connection, GError **error);

G_END_DECLS
