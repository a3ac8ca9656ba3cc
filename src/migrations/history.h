/* The table schema_migrations: which versions stand in a schema, and from which files. */
#pragma once

#include <glib.h>
#include <libpq-fe.h>

#include "migrations/set.h"

G_BEGIN_DECLS

typedef struct {
    char *version; /* in normal form */
    char *description;
    char *script;
    gint32 checksum;
    char *applied_by;
    char *applied_at; /* 2026-01-01T00:00:00Z */
} RpHistoryEntry;

typedef struct {
    char *schema;
    char *table;        /* schema and table, quoted */
    gboolean exists;    /* the table */
    GPtrArray *entries; /* RpHistoryEntry, versions rising */
} RpHistory;

/* Reads the history of a schema; NULL stands for the connection's current_schema(). Creates nothing: no table
 * gives an empty history. One query when the schema is named. Must not run inside a transaction.
 * RP_USAGE_ERROR when search_path names no schema that exists, or the table is another tool's. */
RpHistory *rp_history_read(PGconn *connection, const char *schema, GError **error);

/* Creates schema and table where they are missing, in the transaction that is open, if any. */
gboolean rp_history_prepare(PGconn *connection, const RpHistory *history, GError **error);

/* Writes and deletes the row of a version; the entries in memory stay as they are. */
gboolean rp_history_add(PGconn *connection, const RpHistory *history, const RpMigration *migration,
                        gint64 execution_ms, GError **error);
gboolean rp_history_remove(PGconn *connection, const RpHistory *history, const char *version, GError **error);

void rp_history_free(RpHistory *history);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpHistory, rp_history_free)

G_END_DECLS
