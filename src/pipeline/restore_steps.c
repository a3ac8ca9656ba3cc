/* The transactions of a restore.
 *
 * 1. Each begins by locking what the ledger says of its index or foreign key, and leaves alone what an
 * earlier one has done: it can be repeated after its COMMIT's answer was lost.
 * 2. A lock of a table is waited for in turns, so that others do not stand behind it for long.
 * 3. What works on all rows may take hours: only then there is no limit for an answer. */
#include "pipeline/restore_steps.h"

#include "base/event.h"
#include "base/log.h"
#include "ledger/bad_rows.h"
#include "ledger/lock.h"
#include "pipeline/session.h"
#include "sink/unit.h"
#include "sink/wait.h"

/* Sorting rows for an index and matching those of a foreign key take maintenance_work_mem, the search for bad
 * rows work_mem. A server that gives more is left at that. */
static const char SESSION_SQL[] =
    "SET lock_timeout = '2s'; SET jit = off;" RP_LEDGER_SHOW_WRITER_SQL ";"
    "SELECT set_config('maintenance_work_mem', '256MB', false)"
    " WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('256MB');"
    "SELECT set_config('work_mem', '64MB', false)"
    " WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')";

gboolean rp_restore_session_prepare(PGconn *connection, GError **error) {
    return rp_postgres_run(connection, SESSION_SQL, error) && rp_session_make_durable(connection, error);
}

/* Runs a statement that works on all rows of a table. */
static gboolean run_long(const RpRestoreSession *session, const char *sql, GError **error) {
    const guint seconds = rp_wait_change(session->connection, G_MAXUINT);
    const gboolean is_done = rp_postgres_run(session->connection, sql, error);
    rp_wait_change(session->connection, seconds);
    return is_done;
}

/* Who has lost the run changes nothing any more. */
static gboolean begin(const RpRestoreSession *session, GError **error) {
    return rp_unit_begin(session->connection, NULL, error) &&
           rp_restoring_enter(session->connection, session->by_run, session->by_attempt, error);
}

static gboolean end(const RpRestoreSession *session, RpEvent event, GError **error) {
    return rp_event_pass(event, error) && rp_unit_commit(session->connection, error);
}

/* ---- a schema that has changed meanwhile ---- */

/* Tables, columns or constraints that are gone, or are there again, by somebody else's hand. */
static gboolean is_of_schema(const GError *trouble) {
    static const char *const states[] = {"42P01", "42703", "42704", "42883", "42809",
                                         "42P07", "42710", "42P16", NULL};
    const char *sqlstate = rp_sink_error_get_sqlstate(trouble);
    return sqlstate != NULL && g_strv_contains(states, sqlstate);
}

/* Takes the trouble. What can be put back must not wait for what cannot: it is told, and left to whoever
 * changed the schema. */
static gboolean give_up(const RpRestoreSession *session, RpRestorable *what, GError *trouble,
                        GError **error) {
    g_autoptr(GError) reason = trouble;
    rp_unit_abort(session->connection);
    if (!is_of_schema(reason)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (!begin(session, error) ||
        !rp_restoring_give_up(session->connection, session->run, what, reason->message, error) ||
        !rp_unit_commit(session->connection, error))
        return FALSE;
    rp_log(RP_LOG_WARNING, "%s of %s is not put back, since the schema has changed: %s. It was: %s%s%s",
           what->name, what->target_name, reason->message,
           what->create_index != NULL ? what->create_index : "",
           what->create_index != NULL && what->add_constraint != NULL ? "; " : "",
           what->add_constraint != NULL ? what->add_constraint : "");
    return TRUE;
}

/* ---- indexes ---- */

/* What a statement over all rows said, as an outcome where rows are to blame. */
static gboolean is_of_rows(GError *trouble, const char *sqlstate, RpRestoreResult *result, GError **error) {
    if (!g_error_matches(trouble, RP_SINK_ERROR, RP_SINK_ERROR_DATA)) {
        g_propagate_error(error, trouble);
        return FALSE;
    }
    result->outcome = g_strcmp0(rp_sink_error_get_sqlstate(trouble), sqlstate) == 0 ? RP_RESTORE_REFUSED
                                                                                    : RP_RESTORE_UNABLE;
    result->refusal = trouble;
    return TRUE;
}

/* Rows that were taken out stand against the index as long as a transaction may see them. */
static gboolean is_of_gone_rows(const RpRestoreUnit *unit, GError **trouble) {
    if (!unit->entry->is_cleaned || !g_error_matches(*trouble, RP_SINK_ERROR, RP_SINK_ERROR_DATA) ||
        g_strcmp0(rp_sink_error_get_sqlstate(*trouble), RP_UNIQUE_VIOLATION) == 0)
        return FALSE;
    GError *passing = g_error_new(RP_SINK_ERROR, RP_SINK_ERROR_RETRY,
                                  "%s; it may be over rows that were taken out, and that transactions which "
                                  "began before may still see",
                                  (*trouble)->message);
    g_error_free(*trouble);
    *trouble = passing;
    return TRUE;
}

static gboolean build(const RpRestoreSession *session, const RpRestoreUnit *unit, RpRestoreResult *result,
                      GError **error) {
    RpRestorable *what = unit->entry->what;
    GError *trouble = NULL;
    if (!begin(session, error) || !rp_restoring_lock(session->connection, session->run, what, error))
        return FALSE;
    if (what->is_built)
        return rp_unit_commit(session->connection, error);
    if (!run_long(session, what->create_index, &trouble)) {
        if (is_of_schema(trouble))
            return give_up(session, what, trouble, error);
        rp_unit_abort(session->connection);
        if (!is_of_gone_rows(unit, &trouble))
            return is_of_rows(trouble, RP_UNIQUE_VIOLATION, result, error);
        g_propagate_error(error, trouble);
        return FALSE;
    }
    return rp_restoring_mark_built(session->connection, session->run, what, error) &&
           end(session, RP_EVENT_RESTORED_ONE, error);
}

static gboolean attach_one(const RpRestoreSession *session, RpRestorable *what, GError **error) {
    PGconn *connection = session->connection;
    if (!rp_restoring_lock(connection, session->run, what, error))
        return FALSE;
    return what->is_restored ||
           ((what->add_constraint == NULL || rp_postgres_run(connection, what->add_constraint, error)) &&
            (what->comments == NULL || rp_postgres_run(connection, what->comments, error)) &&
            rp_restoring_mark_restored(connection, session->run, what, error));
}

static gboolean attach(const RpRestoreSession *session, const RpRestoreUnit *unit, GError **error) {
    if (!begin(session, error))
        return FALSE;
    for (guint i = 0; i < session->plan->entries->len; i++) {
        const RpRestoreEntry *entry = g_ptr_array_index(session->plan->entries, i);
        if (entry->table != unit->table || entry->what->create_index == NULL)
            continue;
        GError *trouble = NULL;
        if (attach_one(session, entry->what, &trouble))
            continue;
        g_prefix_error(&trouble, "%s: ", entry->what->name);
        return give_up(session, entry->what, trouble, error) && attach(session, unit, error);
    }
    return end(session, RP_EVENT_RESTORED_ONE, error);
}

/* ---- foreign keys ---- */

static gboolean add(const RpRestoreSession *session, const RpRestoreUnit *unit, GError **error) {
    RpRestorable *what = unit->entry->what;
    if (!begin(session, error) || !rp_restoring_lock(session->connection, session->run, what, error))
        return FALSE;
    if (what->is_built)
        return rp_unit_commit(session->connection, error);
    GError *trouble = NULL;
    if (!rp_postgres_runf(session->connection, &trouble, "%s NOT VALID", what->add_constraint))
        return give_up(session, what, trouble, error);
    return rp_restoring_mark_built(session->connection, session->run, what, error) &&
           end(session, RP_EVENT_RESTORED_ONE, error);
}

static gboolean validate(const RpRestoreSession *session, const RpRestoreUnit *unit, RpRestoreResult *result,
                         GError **error) {
    PGconn *connection = session->connection;
    RpRestorable *what = unit->entry->what;
    GError *trouble = NULL;
    if (!begin(session, error) || !rp_restoring_lock(connection, session->run, what, error))
        return FALSE;
    if (what->is_restored)
        return rp_unit_commit(connection, error);
    g_autofree char *name = rp_postgres_identifier(connection, what->name);
    g_autofree char *sql = g_strdup_printf("ALTER TABLE %s VALIDATE CONSTRAINT %s", what->target_name, name);
    if (!run_long(session, sql, &trouble)) {
        if (is_of_schema(trouble))
            return give_up(session, what, trouble, error);
        rp_unit_abort(connection);
        return is_of_rows(trouble, RP_FOREIGN_KEY_VIOLATION, result, error);
    }
    return (what->comments == NULL || rp_postgres_run(connection, what->comments, error)) &&
           rp_restoring_mark_restored(connection, session->run, what, error) &&
           end(session, RP_EVENT_RESTORED_ONE, error);
}

/* ---- rows ---- */

static gboolean find_rows(const RpRestoreSession *session, const RpTakingOut *out, const RpRestoreUnit *unit,
                          GError **error) {
    switch (unit->work) {
    case RP_RESTORE_FAILING:
        return rp_bad_rows_add_failing(out, unit->table->entity, error);
    case RP_RESTORE_TWINS:
        return rp_bad_rows_add_twins(out, session->plan->what, error);
    case RP_RESTORE_UNFIT:
        return rp_bad_rows_add_unfit(out, unit->entry->what, error);
    case RP_RESTORE_ORPHANS:
        return rp_bad_rows_add_orphans(out, unit->entry->what, error);
    case RP_RESTORE_ATTACH:
    case RP_RESTORE_ADD:
    case RP_RESTORE_LOOK:
    case RP_RESTORE_BUILD:
    case RP_RESTORE_VALIDATE:
    case RP_RESTORE_ANALYZE:
    case RP_N_RESTORE_WORKS:
        break;
    }
    g_assert_not_reached();
}

static gboolean take_out_found(const RpRestoreSession *session, const RpTakingOut *out,
                               const RpRestoreUnit *unit, guint64 *n_rows, GError **error) {
    guint64 n_found;
    *n_rows = 0;
    if (!rp_taking_out_begin(out, error) || !find_rows(session, out, unit, error) ||
        !rp_taking_out_count(out, &n_found, error))
        return FALSE;
    if (n_found == 0)
        return TRUE;
    return rp_restoring_take_off_references(session->connection, session->run, unit->table->oid, error) &&
           rp_taking_out_do(out, n_rows, error);
}

/* Of a table that the run has not loaded there is nothing to take out. */
static gboolean take_out(const RpRestoreSession *session, const RpRestoreUnit *unit, RpRestoreResult *result,
                         GError **error) {
    const RpRestoreTable *table = unit->table;
    const RpTakingOut out = {session->connection, session->run, table->loaded, table->has_elements};
    if (table->loaded == NULL)
        return TRUE;
    if (!begin(session, error))
        return FALSE;
    const guint seconds = rp_wait_change(session->connection, G_MAXUINT);
    const gboolean is_done = take_out_found(session, &out, unit, &result->n_taken_out, error);
    rp_wait_change(session->connection, seconds);
    if (is_done && result->n_taken_out == 0)
        return rp_unit_commit(session->connection, error);
    return is_done && end(session, RP_EVENT_ROWS_TAKEN_OUT, error);
}

static gboolean look(const RpRestoreSession *session, const RpRestoreUnit *unit, RpRestoreResult *result,
                     GError **error) {
    gboolean is_found;
    const guint seconds = rp_wait_change(session->connection, G_MAXUINT);
    const gboolean is_done =
        rp_bad_rows_look(session->connection, unit->table->name, unit->table->entity, &is_found, error);
    rp_wait_change(session->connection, seconds);
    result->outcome = is_done && is_found ? RP_RESTORE_FOUND : RP_RESTORE_FINE;
    return is_done;
}

/* ---- units ---- */

static gboolean analyze(const RpRestoreSession *session, const RpRestoreUnit *unit, GError **error) {
    g_autofree char *sql = g_strdup_printf("ANALYZE %s", unit->table->name);
    g_autoptr(GError) trouble = NULL;
    if (run_long(session, sql, &trouble) || is_of_schema(trouble))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&trouble));
    return FALSE;
}

gboolean rp_restore_unit_do(RpRestoreSession *session, const RpRestoreUnit *unit, RpRestoreResult *result,
                            GError **error) {
    *result = (RpRestoreResult){.outcome = RP_RESTORE_FINE};
    switch (unit->work) {
    case RP_RESTORE_ATTACH:
        return attach(session, unit, error);
    case RP_RESTORE_ADD:
        return add(session, unit, error);
    case RP_RESTORE_FAILING:
    case RP_RESTORE_TWINS:
    case RP_RESTORE_UNFIT:
    case RP_RESTORE_ORPHANS:
        return take_out(session, unit, result, error);
    case RP_RESTORE_LOOK:
        return look(session, unit, result, error);
    case RP_RESTORE_BUILD:
        return build(session, unit, result, error);
    case RP_RESTORE_VALIDATE:
        return validate(session, unit, result, error);
    case RP_RESTORE_ANALYZE:
        return analyze(session, unit, error);
    case RP_N_RESTORE_WORKS:
        break;
    }
    g_assert_not_reached();
}

char *rp_restore_unit_describe(const RpRestoreUnit *unit) {
    const char *table = unit->table->name;
    const char *name = unit->entry != NULL ? unit->entry->what->name : NULL;
    switch (unit->work) {
    case RP_RESTORE_ATTACH:
        return g_strdup_printf("putting the indexes of %s back", table);
    case RP_RESTORE_BUILD:
        return g_strdup_printf("putting index %s of %s back", name, table);
    case RP_RESTORE_ADD:
    case RP_RESTORE_VALIDATE:
        return g_strdup_printf("putting foreign key %s of %s back", name, table);
    case RP_RESTORE_FAILING:
    case RP_RESTORE_TWINS:
    case RP_RESTORE_UNFIT:
    case RP_RESTORE_ORPHANS:
        return g_strdup_printf("taking rows out of %s that cannot stay", table);
    case RP_RESTORE_LOOK:
        return g_strdup_printf("looking at the rows of %s by the mapping's checks", table);
    case RP_RESTORE_ANALYZE:
        return g_strdup_printf("ANALYZE %s", table);
    case RP_N_RESTORE_WORKS:
        break;
    }
    g_assert_not_reached();
}
