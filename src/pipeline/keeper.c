/* Keeping the target's lock.
 *
 * 1. While the connection is lost batches are safe: they are only written for a run that is open, and whoever
 *    takes the lock closes it first.
 * 2. The session that was lost may hold the lock for a moment: it is asked for as long as troubles may last.
 * 3. With the lock in hand the run must still be open, or another one had it in between. Only when it is
 * being closed that may be our own doing. */
#include "pipeline/keeper.h"

#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "base/outage.h"
#include "ledger/lock.h"
#include "ledger/runs.h"
#include "ledger/standing.h"
#include "sink/trouble.h"
#include "sink/wait.h"

#define LOOK_US  (2 * G_USEC_PER_SEC)
#define AGAIN_MS 500

void rp_keeper_init(RpKeeper *keeper, RpCrew *crew, const RpSignals *signals, PGconn *connection) {
    *keeper = (RpKeeper){crew, signals, connection, g_get_monotonic_time() + LOOK_US, 0, FALSE};
}

void rp_keeper_clear(RpKeeper *keeper) {
    g_clear_pointer(&keeper->connection, PQfinish);
}

static gboolean is_refused(const GError *error) {
    return error->domain == RP_GUARD_ERROR;
}

/* Connects and takes the lock. A lock that is not to be had while the run is open is our own old session's.
 */
static gboolean reach(RpKeeper *keeper, GError **error) {
    const RpLoadOptions *options = keeper->crew->options;
    gboolean is_ours = FALSE;
    g_clear_pointer(&keeper->connection, PQfinish);
    g_autoptr(PGconn) connection = rp_postgres_connect(options->postgres, error);
    if (connection == NULL)
        return FALSE;
    rp_wait_limit(connection, options->timeout_seconds, &keeper->crew->is_cancelled);
    g_autoptr(GError) held = NULL;
    const gboolean is_locked = rp_ledger_lock(connection, &held);
    if (!is_locked && !is_refused(held)) {
        g_propagate_error(error, g_steal_pointer(&held));
        return FALSE;
    }
    if (!rp_ledger_is_ours(connection, keeper->crew->attempt.run, &is_ours, error))
        return FALSE;
    if (!is_ours && !keeper->is_closing) {
        g_set_error(
            error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
            "the connection that holds the target's lock was lost, and another run took it meanwhile");
        return FALSE;
    }
    if (!is_locked) {
        g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_RETRY, "%s", held->message);
        return FALSE;
    }
    if (!rp_ledger_note_holder(connection, keeper->crew->attempt.run, error))
        return FALSE;
    keeper->connection = g_steal_pointer(&connection);
    return TRUE;
}

static void note_loss(RpKeeper *keeper, const GError *trouble) {
    if (keeper->lost_at != 0)
        return;
    keeper->lost_at = g_get_monotonic_time();
    rp_event_note(RP_EVENT_POSTGRES_LOST);
    rp_log(RP_LOG_WARNING, "the connection that holds the target's lock was lost: %s", trouble->message);
}

void rp_keeper_note_success(RpKeeper *keeper) {
    if (keeper->lost_at == 0)
        return;
    keeper->lost_at = 0;
    rp_event_note(RP_EVENT_POSTGRES_BACK);
    rp_log(RP_LOG_INFO, "the target's lock is held again");
}

/* Whether there is time for another try; else words are added to the trouble. */
static gboolean has_time(const RpKeeper *keeper, GError *trouble) {
    const guint seconds = keeper->crew->options->retry_seconds;
    if (!rp_trouble_passes(trouble))
        return FALSE;
    if (g_get_monotonic_time() - keeper->lost_at < (gint64)seconds * G_USEC_PER_SEC)
        return TRUE;
    if (seconds > 0)
        rp_outage_add_words(trouble, " (tried again for %u s)", seconds);
    return FALSE;
}

void rp_keeper_look(RpKeeper *keeper) {
    if (g_get_monotonic_time() < keeper->next_look || g_atomic_int_get(&keeper->crew->is_cancelled))
        return;
    GError *trouble = NULL;
    if (keeper->connection != NULL ? rp_postgres_run(keeper->connection, "SELECT 1", &trouble)
                                   : reach(keeper, &trouble)) {
        rp_keeper_note_success(keeper);
        keeper->next_look = g_get_monotonic_time() + LOOK_US;
        return;
    }
    note_loss(keeper, trouble);
    g_clear_pointer(&keeper->connection, PQfinish);
    keeper->next_look = g_get_monotonic_time() + AGAIN_MS * 1000;
    if (has_time(keeper, trouble))
        g_error_free(trouble);
    else
        rp_crew_fail(keeper->crew, trouble, TRUE);
}

gboolean rp_keeper_recover(RpKeeper *keeper, GError *trouble, GError **error) {
    note_loss(keeper, trouble);
    while (has_time(keeper, trouble) && !g_atomic_int_get(&keeper->crew->is_pressed) &&
           !rp_signals_wait(keeper->signals, AGAIN_MS)) {
        g_clear_error(&trouble);
        if (reach(keeper, &trouble))
            return TRUE;
    }
    g_propagate_error(error, trouble);
    return FALSE;
}
