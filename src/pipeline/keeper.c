/* Keeping the target's lock.
 *
 * 1. While the connection is lost batches are safe: they are only written for a run that is open, and whoever
 *    takes the lock closes it first.
 * 2. The session that was lost may hold the lock for a moment: it is ended, and the lock is asked for as long
 *    as troubles may last.
 * 3. With the lock in hand the run must still be open, or another one had it in between. Only when it is
 *    being closed that may be our own doing.
 * 4. A dry run has only this connection, which is the writer's until the end: nothing is done with it before,
 *    and when it is lost all that was done is gone with it.
 * 5. Nobody waits for this thread but at the end: a server that is silent delays no signal. */
#include "pipeline/keeper.h"

#include "base/error.h"
#include "ledger/lock.h"
#include "ledger/runs.h"
#include "ledger/standing.h"
#include "sink/trouble.h"
#include "sink/wait.h"

#define LOOK_US (2 * G_USEC_PER_SEC)

void rp_keeper_init(RpKeeper *keeper, RpCrew *crew, PGconn *connection, RpKeeperEnd end, gpointer end_data) {
    *keeper = (RpKeeper){.crew = crew, .end = end, .end_data = end_data, .connection = connection};
    rp_outage_init(&keeper->outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK,
                   crew->options->retry_seconds);
    g_mutex_init(&keeper->mutex);
    g_cond_init(&keeper->told);
}

void rp_keeper_clear(RpKeeper *keeper) {
    g_clear_pointer(&keeper->connection, PQfinish);
    g_clear_error(&keeper->lost);
    rp_predecessor_clear(&keeper->session);
    rp_outage_clear(&keeper->outage);
    g_mutex_clear(&keeper->mutex);
    g_cond_clear(&keeper->told);
}

/* ---- the connection ---- */

/* The lock, for a run that is still ours. A lock that is not to be had while the run is open is our own old
 * session's. */
static gboolean take_lock(RpKeeper *keeper, PGconn *connection, GError **error) {
    const guint64 run = keeper->crew->attempt.run;
    gboolean is_ours = FALSE;
    g_autoptr(GError) held = NULL;
    const gboolean is_locked = rp_ledger_lock(connection, &held);
    if (!is_locked && held->domain != RP_GUARD_ERROR) {
        g_propagate_error(error, g_steal_pointer(&held));
        return FALSE;
    }
    if (!rp_ledger_is_ours(connection, run, &is_ours, error))
        return FALSE;
    if (!is_ours && !keeper->is_closing) {
        g_set_error(
            error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
            "the connection that holds the target's lock was lost, and another run took it meanwhile");
        return FALSE;
    }
    if (is_locked)
        return rp_ledger_note_holder(connection, run, error);
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_RETRY, "%s", held->message);
    return FALSE;
}

static gboolean reach(RpKeeper *keeper, GError **error) {
    const RpLoadOptions *options = keeper->crew->options;
    g_autoptr(PGconn) connection = rp_postgres_connect(options->postgres, error);
    if (connection == NULL)
        return FALSE;
    rp_wait_limit(connection, options->timeout_seconds, &keeper->crew->is_cancelled);
    if (!rp_predecessor_end(&keeper->session, connection, error) || !take_lock(keeper, connection, error) ||
        !rp_predecessor_note(&keeper->session, connection, error))
        return FALSE;
    keeper->connection = g_steal_pointer(&connection);
    g_clear_error(&keeper->lost);
    return TRUE;
}

static void lose(RpKeeper *keeper, const GError *trouble) {
    g_clear_pointer(&keeper->connection, PQfinish);
    if (keeper->lost == NULL)
        keeper->lost = g_error_copy(trouble);
}

/* At the end there is one try at once, that a run which was interrupted is closed; but a second signal waits
 * for nothing. */
static gboolean tries_at_once(RpKeeper *keeper) {
    const gboolean is_first = keeper->is_closing && !keeper->has_reached;
    keeper->has_reached = keeper->is_closing;
    return is_first && !g_atomic_int_get(&keeper->crew->is_aborted);
}

gboolean rp_keeper_recover(RpKeeper *keeper, GError *trouble, GError **error) {
    const gboolean is_all_lost = keeper->crew->rehearsal != NULL;
    lose(keeper, trouble);
    for (;;) {
        if (is_all_lost || !rp_trouble_passes(trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        if (tries_at_once(keeper))
            g_error_free(trouble);
        else if (!rp_outage_wait(&keeper->outage, trouble, TRUE, &keeper->crew->is_pressed, error))
            return FALSE;
        trouble = NULL;
        if (reach(keeper, &trouble))
            return TRUE;
    }
}

gboolean rp_keeper_stands(RpKeeper *keeper, GError **error) {
    if (keeper->connection != NULL)
        return TRUE;
    g_propagate_error(error, g_error_copy(keeper->lost));
    return FALSE;
}

void rp_keeper_note_success(RpKeeper *keeper) {
    rp_outage_end(&keeper->outage);
}

/* ---- the thread ---- */

/* After a signal it is enough that the run is closed at the end. */
static void look(RpKeeper *keeper) {
    GError *trouble = NULL;
    if (g_atomic_int_get(&keeper->crew->is_pressed))
        return;
    if (rp_keeper_stands(keeper, &trouble) && rp_postgres_run(keeper->connection, "SELECT 1", &trouble))
        return;
    g_prefix_error(&trouble, "the connection that holds the target's lock was lost: ");
    GError *last = NULL;
    if (rp_keeper_recover(keeper, trouble, &last))
        rp_keeper_note_success(keeper);
    else if (rp_trouble_passes(last) && g_atomic_int_get(&keeper->crew->is_pressed))
        g_error_free(last);
    else
        rp_crew_fail(keeper->crew, last, TRUE);
}

/* FALSE: it is time to come to the end. */
static gboolean await_next_look(RpKeeper *keeper) {
    const gint64 next = g_get_monotonic_time() + LOOK_US;
    g_mutex_lock(&keeper->mutex);
    while (!keeper->is_told && g_cond_wait_until(&keeper->told, &keeper->mutex, next))
        ;
    const gboolean is_told = keeper->is_told;
    g_mutex_unlock(&keeper->mutex);
    return !is_told;
}

static gpointer keep(gpointer data) {
    RpKeeper *keeper = data;
    g_autoptr(GError) trouble = NULL;
    const gboolean is_lent = keeper->crew->rehearsal != NULL;
    if (!is_lent && !rp_predecessor_note(&keeper->session, keeper->connection, &trouble))
        lose(keeper, trouble);
    while (await_next_look(keeper))
        if (!is_lent)
            look(keeper);
    keeper->is_closing = TRUE;
    keeper->end(keeper, keeper->end_data);
    g_atomic_int_set(&keeper->has_ended, 1);
    return NULL;
}

void rp_keeper_begin(RpKeeper *keeper) {
    keeper->thread = g_thread_new("keeper", keep, keeper);
}

void rp_keeper_tell(RpKeeper *keeper) {
    g_mutex_lock(&keeper->mutex);
    keeper->is_told = TRUE;
    g_cond_signal(&keeper->told);
    g_mutex_unlock(&keeper->mutex);
}

gboolean rp_keeper_has_ended(RpKeeper *keeper) {
    return g_atomic_int_get(&keeper->has_ended) != 0;
}

void rp_keeper_join(RpKeeper *keeper) {
    g_thread_join(g_steal_pointer(&keeper->thread));
}
