/* A set of SQL files, read and ordered by version. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One file. */
typedef struct {
    char *name; /* V001__types.sql */
    char *path; /* for messages: its folder and its name */
    char *sql;  /* UTF-8, without byte order mark */
    gint32 checksum;
    gboolean is_transactional; /* no when its first line is "-- redis2pg: no-transaction" */
} RpScript;

typedef struct {
    char *version; /* in normal form, see rp_version_parse */
    char *description;
    RpScript *apply;
    RpScript *undo; /* NULL when there is none */
} RpMigration;

typedef struct RpMigrationSet RpMigrationSet;

/* Reads the files V….sql and U….sql of a folder. Other files are left alone (with a warning when they are
 * SQL). RP_USAGE_ERROR: no such folder, a name that starts with V or U and does not parse, two files of one
 * version, a file that is not UTF-8. */
RpMigrationSet *rp_migration_set_load_folder(const char *path, GError **error);

/* The same for a GResource path that is built in, such as /org/redis2pg/ledger. */
RpMigrationSet *rp_migration_set_load_resource(const char *resource_path, GError **error);

void rp_migration_set_free(RpMigrationSet *set);

/* Where the files come from, for messages. */
const char *rp_migration_set_get_place(const RpMigrationSet *set);

/* The number of versions, and each of them in rising order; borrowed. */
guint rp_migration_set_get_size(const RpMigrationSet *set);
const RpMigration *rp_migration_set_get(const RpMigrationSet *set, guint index);

/* The migration of a version in normal form, or NULL. */
const RpMigration *rp_migration_set_find(const RpMigrationSet *set, const char *version);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpMigrationSet, rp_migration_set_free)

G_END_DECLS
