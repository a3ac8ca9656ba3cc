/* What stands where. */
#include "migrations/state.h"

#include "migrations/version.h"

void rp_migration_state_free(RpMigrationState *state) {
    g_free(state->version);
    g_free(state->description);
    g_free(state->script);
    g_free(state->applied_by);
    g_free(state->applied_at);
    g_free(state);
}

static RpMigrationStanding standing_of(const RpMigration *migration, const RpHistoryEntry *entry) {
    if (entry == NULL)
        return RP_MIGRATION_PENDING;
    if (migration == NULL)
        return RP_MIGRATION_MISSING;
    return migration->apply->checksum == entry->checksum ? RP_MIGRATION_APPLIED : RP_MIGRATION_CHANGED;
}

/* One of the two may be NULL, not both. */
static RpMigrationState *state_new(const RpMigration *migration, const RpHistoryEntry *entry) {
    RpMigrationState *state = g_new0(RpMigrationState, 1);
    state->standing = standing_of(migration, entry);
    state->version = g_strdup(migration != NULL ? migration->version : entry->version);
    state->description = g_strdup(migration != NULL ? migration->description : entry->description);
    state->script = g_strdup(migration != NULL ? migration->apply->name : entry->script);
    state->checksum = migration != NULL ? migration->apply->checksum : entry->checksum;
    state->has_undo = migration != NULL && migration->undo != NULL;
    if (entry != NULL) {
        state->applied_checksum = entry->checksum;
        state->applied_by = g_strdup(entry->applied_by);
        state->applied_at = g_strdup(entry->applied_at);
    }
    return state;
}

static void mark_overtaken(GPtrArray *states) {
    const char *newest_applied = NULL;
    for (guint i = states->len; i-- > 0;) {
        RpMigrationState *state = states->pdata[i];
        if (state->standing == RP_MIGRATION_PENDING)
            state->overtaken_by = newest_applied;
        else if (newest_applied == NULL)
            newest_applied = state->version;
    }
}

GPtrArray *rp_migration_states_new(const RpMigrationSet *set, const RpHistory *history) {
    GPtrArray *states = g_ptr_array_new_with_free_func((GDestroyNotify)rp_migration_state_free);
    const guint n_files = rp_migration_set_get_size(set);
    const guint n_entries = history->entries->len;
    for (guint file = 0, row = 0; file < n_files || row < n_entries;) {
        const RpMigration *migration = file < n_files ? rp_migration_set_get(set, file) : NULL;
        const RpHistoryEntry *entry = row < n_entries ? history->entries->pdata[row] : NULL;
        const int order = migration == NULL ? 1
                          : entry == NULL   ? -1
                                            : rp_version_compare(migration->version, entry->version);
        g_ptr_array_add(states, state_new(order <= 0 ? migration : NULL, order >= 0 ? entry : NULL));
        file += order <= 0;
        row += order >= 0;
    }
    mark_overtaken(states);
    return states;
}

char *rp_migration_state_fault(const RpMigrationState *state) {
    switch (state->standing) {
    case RP_MIGRATION_APPLIED:
        return NULL;
    case RP_MIGRATION_PENDING:
        if (state->overtaken_by == NULL)
            return NULL;
        return g_strdup_printf(
            "%s is out of order: version %s is older than version %s, which is applied; give it "
            "a version after %s",
            state->script, state->version, state->overtaken_by, state->overtaken_by);
    case RP_MIGRATION_CHANGED:
        return g_strdup_printf("%s was edited after it was applied: its checksum was %d at %s and is %d now; "
                               "restore the file, and put the change into a new version",
                               state->script, state->applied_checksum, state->applied_at, state->checksum);
    case RP_MIGRATION_MISSING:
        return g_strdup_printf("version %s is applied (%s, at %s), and its file is missing", state->version,
                               state->script, state->applied_at);
    }
    g_assert_not_reached();
}

const char *rp_migration_standing_name(RpMigrationStanding standing) {
    switch (standing) {
    case RP_MIGRATION_APPLIED:
        return "applied";
    case RP_MIGRATION_PENDING:
        return "pending";
    case RP_MIGRATION_CHANGED:
        return "changed";
    case RP_MIGRATION_MISSING:
        return "missing";
    }
    g_assert_not_reached();
}
