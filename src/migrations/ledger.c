/* The tool's own tables, from the SQL that is built into the program. */
#include "migrations/migrations.h"

#define LEDGER_RESOURCE "/org/redis2pg/ledger"

static const RpMigrationOptions LEDGER_OPTIONS = {.schema = "redis2pg",
                                                  .lock_seconds = RP_MIGRATION_LOCK_SECONDS};

static gboolean is_up_to_date(const GPtrArray *states) {
    for (guint i = 0; i < states->len; i++)
        if (((const RpMigrationState *)states->pdata[i])->standing != RP_MIGRATION_APPLIED)
            return FALSE;
    return TRUE;
}

static gboolean bring_up_to_date(PGconn *connection, GError **error) {
    g_autoptr(RpMigrationSet) set = rp_migration_set_load_resource(LEDGER_RESOURCE, error);
    if (set == NULL)
        return FALSE;
    g_autoptr(GPtrArray) states = rp_migrations_status(connection, set, &LEDGER_OPTIONS, error);
    if (states == NULL)
        return FALSE;
    return is_up_to_date(states) || rp_migrations_apply(connection, set, &LEDGER_OPTIONS, NULL, error);
}

gboolean rp_migrations_apply_ledger(PGconn *connection, GError **error) {
    if (bring_up_to_date(connection, error))
        return TRUE;
    g_prefix_error(error, "bringing redis2pg's own tables up to date: ");
    return FALSE;
}
