/* Versioned SQL: what stands in a database, and the steps up and down. Whatever writes holds the migration
 * lock, and reads the history after it has it. */
#include "migrations/migrations.h"

#include "base/error.h"
#include "migrations/execute.h"
#include "migrations/lock.h"
#include "migrations/step.h"
#include "migrations/version.h"
#include "sink/unit.h"

static const RpMigrationOptions DEFAULTS = {.schema = NULL, .lock_seconds = RP_MIGRATION_LOCK_SECONDS};

static const char *schema_of(const RpMigrationOptions *options) {
    return options != NULL ? options->schema : DEFAULTS.schema;
}

static guint lock_seconds_of(const RpMigrationOptions *options) {
    return options != NULL ? options->lock_seconds : DEFAULTS.lock_seconds;
}

GPtrArray *rp_migrations_status(PGconn *connection, const RpMigrationSet *set,
                                const RpMigrationOptions *options, GError **error) {
    g_autoptr(RpHistory) history = rp_history_read(connection, schema_of(options), error);
    return history != NULL ? rp_migration_states_new(set, history) : NULL;
}

GPtrArray *rp_migrations_verify(const GPtrArray *states) {
    GPtrArray *findings = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < states->len; i++) {
        const RpMigrationState *state = states->pdata[i];
        char *fault = rp_migration_state_fault(state);
        if (fault == NULL && state->standing == RP_MIGRATION_PENDING)
            fault = g_strdup_printf("%s is not applied", state->script);
        if (fault != NULL)
            g_ptr_array_add(findings, fault);
    }
    return findings;
}

static gboolean check_fit(const RpMigrationSet *set, const GPtrArray *states, GError **error) {
    for (guint i = 0; i < states->len; i++) {
        const RpMigrationState *state = states->pdata[i];
        g_autofree char *fault = rp_migration_state_fault(state);
        if (fault != NULL) {
            g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s: %s",
                        rp_migration_set_get_place(set), fault);
            return FALSE;
        }
        if (state->standing == RP_MIGRATION_PENDING &&
            !rp_execute_check(rp_migration_set_find(set, state->version)->apply, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean apply_pending(PGconn *connection, const RpMigrationSet *set, RpHistory *history,
                              const GPtrArray *states, GError **error) {
    for (guint i = 0; i < states->len; i++) {
        const RpMigrationState *state = states->pdata[i];
        if (state->standing == RP_MIGRATION_PENDING &&
            !rp_step_apply(connection, history, rp_migration_set_find(set, state->version), error))
            return FALSE;
    }
    return TRUE;
}

/* The states in now of what was pending before: both lists hold the same versions. */
static GPtrArray *take_newly_applied(const GPtrArray *before, GPtrArray *now) {
    for (guint i = now->len; i-- > 0;) {
        const RpMigrationState *former = before->pdata[i];
        if (former->standing != RP_MIGRATION_PENDING)
            g_ptr_array_remove_index(now, i);
    }
    return now;
}

static gboolean apply_locked(PGconn *connection, const RpMigrationSet *set, const char *schema,
                             GPtrArray **applied, GError **error) {
    g_autoptr(RpHistory) history = rp_history_read(connection, schema, error);
    if (history == NULL)
        return FALSE;
    g_autoptr(GPtrArray) states = rp_migration_states_new(set, history);
    if (!check_fit(set, states, error) || !apply_pending(connection, set, history, states, error))
        return FALSE;
    if (applied == NULL)
        return TRUE;
    g_autoptr(RpHistory) now = rp_history_read(connection, history->schema, error);
    if (now == NULL)
        return FALSE;
    *applied = take_newly_applied(states, rp_migration_states_new(set, now));
    return TRUE;
}

gboolean rp_migrations_apply(PGconn *connection, const RpMigrationSet *set, const RpMigrationOptions *options,
                             GPtrArray **applied, GError **error) {
    if (!rp_migration_lock_take(connection, lock_seconds_of(options), error))
        return FALSE;
    const gboolean is_done = apply_locked(connection, set, schema_of(options), applied, error);
    /* What a rehearsal has applied stands in others' way until it is rolled back: they are told so. */
    if (!rp_unit_is_rehearsed(connection))
        rp_migration_lock_release(connection);
    return is_done;
}

/* Reads --to: an applied version, or 0. *version gets its normal form. */
static gboolean read_bound(const GPtrArray *states, const char *text, char **version, GError **error) {
    *version = rp_version_parse(text);
    if (*version == NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "\"%s\" is no version", text);
        return FALSE;
    }
    gboolean is_known = rp_version_compare(*version, "0") == 0;
    for (guint i = 0; i < states->len && !is_known; i++) {
        const RpMigrationState *state = states->pdata[i];
        is_known =
            state->standing != RP_MIGRATION_PENDING && rp_version_compare(state->version, *version) == 0;
    }
    if (!is_known)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "version %s is not applied: undo goes down to an applied version, or to 0 for all",
                    *version);
    return is_known;
}

/* Takes those to undo out of states, newest first. */
static GPtrArray *take_undoable(GPtrArray *states, const char *to_version, GError **error) {
    g_autofree char *bound = NULL;
    if (to_version != NULL && !read_bound(states, to_version, &bound, error))
        return NULL;
    GPtrArray *taken = g_ptr_array_new_with_free_func((GDestroyNotify)rp_migration_state_free);
    for (guint i = states->len; i-- > 0;) {
        const RpMigrationState *state = states->pdata[i];
        if (state->standing == RP_MIGRATION_PENDING)
            continue;
        if (bound != NULL && rp_version_compare(state->version, bound) <= 0)
            break;
        g_ptr_array_add(taken, g_ptr_array_steal_index(states, i));
        if (bound == NULL)
            break;
    }
    return taken;
}

static gboolean check_undoable(const RpMigrationSet *set, const GPtrArray *taken, GError **error) {
    for (guint i = 0; i < taken->len; i++) {
        const RpMigrationState *state = taken->pdata[i];
        if (!state->has_undo) {
            g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                        "%s: version %s (%s) cannot be undone: %s", rp_migration_set_get_place(set),
                        state->version, state->script,
                        state->standing == RP_MIGRATION_MISSING ? "its file is missing"
                                                                : "there is no U file for it");
            return FALSE;
        }
        if (!rp_execute_check(rp_migration_set_find(set, state->version)->undo, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean undo_locked(PGconn *connection, const RpMigrationSet *set, const char *schema,
                            const char *to_version, GPtrArray **undone, GError **error) {
    g_autoptr(RpHistory) history = rp_history_read(connection, schema, error);
    if (history == NULL)
        return FALSE;
    g_autoptr(GPtrArray) states = rp_migration_states_new(set, history);
    g_autoptr(GPtrArray) taken = take_undoable(states, to_version, error);
    if (taken == NULL || !check_undoable(set, taken, error))
        return FALSE;
    for (guint i = 0; i < taken->len; i++) {
        const RpMigrationState *state = taken->pdata[i];
        if (!rp_step_undo(connection, history, rp_migration_set_find(set, state->version), error))
            return FALSE;
    }
    if (undone != NULL)
        *undone = g_steal_pointer(&taken);
    return TRUE;
}

gboolean rp_migrations_undo(PGconn *connection, const RpMigrationSet *set, const RpMigrationOptions *options,
                            const char *to_version, GPtrArray **undone, GError **error) {
    if (!rp_migration_lock_take(connection, lock_seconds_of(options), error))
        return FALSE;
    const gboolean is_done = undo_locked(connection, set, schema_of(options), to_version, undone, error);
    rp_migration_lock_release(connection);
    return is_done;
}
