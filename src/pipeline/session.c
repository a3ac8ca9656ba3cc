/* A writer's session: what it is made of each time that it is opened. */
#include "pipeline/session.h"

#include "ledger/lock.h"
#include "pipeline/writer.h"
#include "sink/unit.h"
#include "sink/wait.h"

/* Whoever has the rehearsal's connection after the writer asks the ledger, whose joins are of another kind.
 */
static const char RESET_SQL[] = "RESET work_mem; RESET jit; RESET enable_hashjoin; RESET enable_mergejoin;"
                                "RESET enable_seqscan; RESET lock_timeout";

#define MAX_LOCK_WAIT 10u /* seconds */

/* A batch fits into the session's buffers, and is sorted in memory. Compiling a statement costs more than
 * running it over one batch, and so does hashing or sorting the whole target to join it with one: but the
 * planner, which has no statistics of staging tables and perhaps none of a target that was just filled, does
 * not know. Every join of the merge goes by a key that has an index. */
static const char SETTINGS_SQL[] = "SET temp_buffers = '24MB'; SET work_mem = '32MB'; SET jit = off;"
                                   "SET enable_hashjoin = off; SET enable_mergejoin = off; SET "
                                   "enable_seqscan = off;" RP_LEDGER_SHOW_WRITER_SQL;

/* A run outlives a crash of the server: what it was told is committed must do so too. */
gboolean rp_session_make_durable(PGconn *connection, GError **error) {
    return rp_postgres_run(connection,
                           "SELECT set_config('synchronous_commit', 'local', false)"
                           " WHERE current_setting('synchronous_commit') = 'off'",
                           error);
}

/* A session whose client is gone must not hold its locks until its statement ends. From PostgreSQL 14 on, and
 * not on every system. */
void rp_session_limit(PGconn *connection, guint timeout_seconds, const gint *is_cancelled) {
    rp_wait_limit(connection, timeout_seconds, is_cancelled);
    if (PQserverVersion(connection) >= 140000)
        rp_postgres_run(connection, "SET client_connection_check_interval = '10s'", NULL);
}

/* A lock is waited for in turns that are shorter than an answer may take, and than troubles may last. */
static guint lock_wait_of(const RpLoadOptions *options) {
    guint seconds = MAX_LOCK_WAIT;
    if (options->retry_seconds > 0)
        seconds = MIN(seconds, options->retry_seconds / 2);
    if (options->timeout_seconds > 0)
        seconds = MIN(seconds, options->timeout_seconds / 2);
    return MAX(seconds, 1);
}

static gboolean prepare(RpCrew *crew, PGconn *connection, GError **error) {
    const RpLoadOptions *options = crew->options;
    if (crew->rehearsal == NULL)
        rp_session_limit(connection, options->timeout_seconds, &crew->is_cancelled);
    if (!rp_postgres_run(connection, SETTINGS_SQL, error) || !rp_session_make_durable(connection, error) ||
        !rp_postgres_runf(connection, error, "SET lock_timeout = '%us'", lock_wait_of(options)))
        return FALSE;
    if (!rp_unit_prepare_ids(connection, error))
        return FALSE;
    for (guint i = 0; i < crew->plans->len; i++)
        if (!rp_merge_prepare(connection, g_ptr_array_index(crew->plans, i), error))
            return FALSE;
    return TRUE;
}

static PGconn *open_own(RpWriter *writer, GError **error) {
    RpCrew *crew = writer->crew;
    g_autoptr(PGconn) connection = rp_postgres_connect(crew->options->postgres, error);
    if (connection == NULL || !prepare(crew, connection, error) ||
        !rp_predecessor_end(&writer->session, connection, error) ||
        !rp_predecessor_note(&writer->session, connection, error))
        return NULL;
    return g_steal_pointer(&connection);
}

/* The rehearsal's connection is lent: it is not closed here. */
static void drop(const RpCrew *crew, PGconn *connection) {
    if (connection != crew->rehearsal) {
        PQfinish(connection);
        return;
    }
    rp_unit_abort(connection);
    rp_postgres_run(connection, RESET_SQL, NULL);
}

gboolean rp_session_open(RpWriter *writer, GError **error) {
    RpCrew *crew = writer->crew;
    if (crew->rehearsal == NULL)
        writer->connection = open_own(writer, error);
    else if (prepare(crew, crew->rehearsal, error))
        writer->connection = crew->rehearsal;
    if (writer->connection == NULL)
        return FALSE;
    writer->cancel = PQgetCancel(writer->connection);
    g_mutex_lock(&crew->mutex);
    g_ptr_array_add(crew->cancels, writer->cancel);
    g_mutex_unlock(&crew->mutex);
    const RpFeedSteps *steps = crew->feed->steps;
    return steps == NULL || steps->prepare == NULL || steps->prepare(writer, error);
}

void rp_session_close(RpWriter *writer) {
    if (writer->connection == NULL)
        return;
    g_mutex_lock(&writer->crew->mutex);
    g_ptr_array_remove_fast(writer->crew->cancels, writer->cancel);
    g_mutex_unlock(&writer->crew->mutex);
    writer->cancel = NULL;
    drop(writer->crew, g_steal_pointer(&writer->connection));
}
