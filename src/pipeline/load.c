/* A load from its opening to its closing.
 *
 * 1. The first error wins; later ones follow from it.
 * 2. The run is closed in the ledger whatever came of it, as long as PostgreSQL can be reached. */
#include "pipeline/load.h"

#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "ledger/batches.h"
#include "ledger/lock.h"
#include "ledger/runs.h"
#include "ledger/set_aside.h"
#include "ledger/settle.h"
#include "ledger/standing.h"
#include "pipeline/load_from.h"
#include "pipeline/opening.h"
#include "pipeline/strategy.h"
#include "pipeline/supervise.h"
#include "sink/connection.h"
#include "sink/trouble.h"
#include "sink/unit.h"
#include "sink/wait.h"

#include <jansson.h>
#include <string.h>

static gint compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *rp_load_entities_json(const char *const *only) {
    if (only == NULL)
        return g_strdup("null");
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (; *only != NULL; only++)
        if (!g_ptr_array_find_with_equal_func(names, *only, g_str_equal, NULL))
            g_ptr_array_add(names, (gpointer)*only);
    g_ptr_array_sort(names, compare_names);
    json_t *array = json_array();
    for (guint i = 0; i < names->len; i++)
        json_array_append_new(array, json_string(names->pdata[i]));
    char *dumped = json_dumps(array, 0);
    json_decref(array);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

/* A server that went away in the middle leaves the run interrupted: what is committed stands. */
static gboolean is_interruption(const GError *error) {
    return error->domain == RP_STOP_ERROR || error->domain == RP_GUARD_ERROR || rp_trouble_passes(error) ||
           g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RESTARTED) ||
           g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL);
}

static const char *status_of(const RpCrew *crew) {
    if (crew->error != NULL)
        return is_interruption(crew->error) ? "interrupted" : "failed";
    return crew->progress.rejects > 0 ? "completed_with_rejects" : "completed";
}

/* A run that has met every key anew has made what earlier ones refused a matter of the past. */
static gboolean settle_and_close(RpCrew *crew, PGconn *connection, GError **error) {
    const char *reason = crew->error != NULL ? crew->error->message : NULL;
    const gboolean settles = crew->error == NULL && g_str_equal(crew->feed->kind, "run");
    const gboolean has_loaded = crew->error == NULL && crew->strategy == RP_STRATEGY_BULK;
    if (rp_unit_begin(connection, NULL, error) &&
        (!has_loaded || rp_set_aside_forget(connection, crew->attempt.run, error)) &&
        (!settles || rp_ledger_settle_earlier(connection, crew->attempt.run, crew->options->only, error)) &&
        rp_ledger_close_run(connection, crew->attempt.run, status_of(crew), reason, error) &&
        rp_unit_commit(connection, error))
        return TRUE;
    rp_unit_abort(connection);
    return FALSE;
}

/* A server that took over, or one that came back without its last transactions, has not got all that it was
 * given: whoever goes on with the run reads again what is missing. */
static gboolean check_batches(RpCrew *crew, PGconn *connection, GError **error) {
    guint64 n_batches;
    if (!rp_ledger_count_batches(connection, crew->attempt.run, &n_batches, error))
        return FALSE;
    if (crew->error == NULL && n_batches < crew->n_committed)
        crew->error = g_error_new(RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                                  "PostgreSQL has lost %" G_GUINT64_FORMAT " batches that it had committed",
                                  crew->n_committed - n_batches);
    return TRUE;
}

static gboolean close_once(RpCrew *crew, PGconn *connection, RpRunSummary **summary, GError **error) {
    return rp_event_pass(RP_EVENT_BEFORE_CLOSE, error) && check_batches(crew, connection, error) &&
           settle_and_close(crew, connection, error) &&
           rp_ledger_read_run(connection, crew->attempt.run, summary, error);
}

/* Closing twice is closing once: it is tried again whatever came of it before. */
static gboolean close_at_last(RpCrew *crew, RpKeeper *keeper, RpRunSummary **summary, GError **error) {
    for (;;) {
        GError *trouble = NULL;
        if (rp_keeper_stands(keeper, &trouble) && close_once(crew, keeper->connection, summary, &trouble)) {
            rp_keeper_note_success(keeper);
            return TRUE;
        }
        if (!rp_keeper_recover(keeper, trouble, error))
            return FALSE;
    }
}

/* Closes the run and reads what the ledger says of it. An unbalanced run is a failed run. */
static gboolean close_run(RpCrew *crew, RpKeeper *keeper, RpRunSummary **summary, GError **error) {
    if (!close_at_last(crew, keeper, summary, error))
        return FALSE;
    rp_event_note(RP_EVENT_RUN_CLOSED);
    if ((*summary)->is_balanced)
        return TRUE;
    g_free((*summary)->status);
    (*summary)->status = g_strdup("failed");
    return rp_ledger_close_run(keeper->connection, crew->attempt.run, "failed",
                               "the account of rows does not balance", error);
}

/* The last look at what a dry run wrote. */
static gboolean sum_up(const RpCrew *crew, RpKeeper *keeper, RpRunSummary *summary, GError **error) {
    summary->is_dry_run = TRUE;
    if (crew->error == NULL && summary->is_balanced) {
        g_free(summary->status);
        summary->status = g_strdup("dry_run");
    }
    return rp_ledger_read_evidence(keeper->connection, summary->run, &summary->evidence, error);
}

/* Takes everything back; and what could not be told is not told by halves. */
static gboolean end_rehearsal(const RpCrew *crew, RpKeeper *keeper, RpRunSummary **summary,
                              gboolean is_closed, GError **error) {
    const gboolean is_fine = is_closed && sum_up(crew, keeper, *summary, error);
    if (!is_fine)
        g_clear_pointer(summary, rp_run_summary_free);
    if (keeper->connection != NULL) {
        rp_unit_end_rehearsal(keeper->connection);
        rp_ledger_unlock(keeper->connection);
    }
    return is_fine;
}

static int stop_code(const GError *error) {
    if (error->domain == RP_STOP_ERROR)
        return error->code;
    if (g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RESTARTED))
        return RP_STOP_ERROR_RESTARTED;
    return rp_trouble_passes(error) ? RP_STOP_ERROR_LOST : RP_STOP_ERROR_INTERRUPTED;
}

/* After a server was lost in the middle the way on is the same, whichever it was. */
static void report_error(RpCrew *crew, GError **error) {
    if (crew->error == NULL)
        return;
    g_autoptr(GError) first = g_steal_pointer(&crew->error);
    const gboolean is_stop = is_interruption(first) && first->domain != RP_GUARD_ERROR;
    const GQuark domain = is_stop ? RP_STOP_ERROR : first->domain;
    const int code = is_stop ? stop_code(first) : first->code;
    /* A new error: the domain of one that was made stays what it is. */
    if (crew->options->is_dry_run)
        g_set_error(error, domain, code, "dry run: %s; nothing of it is left", first->message);
    else
        g_set_error(error, domain, code, "run %" G_GUINT64_FORMAT ": %s%s%s", crew->attempt.run,
                    first->message, is_stop ? "; what is committed stands, and " : "",
                    is_stop ? crew->feed->way_on : "");
}

static const RpFeed FROM_REDIS = {.kind = "run",
                                  .way_on = "run --resume goes on",
                                  .read = rp_reader_thread,
                                  .ledger = &RP_LEDGER_FOR_MERGE};

gboolean rp_load(const RpLoadOptions *options, RpRunSummary **summary, GError **error) {
    return rp_load_from(options, &FROM_REDIS, summary, error);
}

/* A run that could not be closed. */
static void note_open(RpCrew *crew, GError *trouble) {
    if (crew->options->is_dry_run)
        rp_log(RP_LOG_WARNING, "the dry run cannot tell what it did: %s", trouble->message);
    else
        rp_log(RP_LOG_WARNING, "run %" G_GUINT64_FORMAT " stays open in the ledger: %s", crew->attempt.run,
               trouble->message);
    if (crew->error == NULL)
        crew->error = trouble;
    else
        g_error_free(trouble);
}

/* A bulk load that did not come to its end. */
static void warn_of_set_aside(const RpCrew *crew, PGconn *connection) {
    guint64 run;
    guint n_definitions;
    if (crew->strategy != RP_STRATEGY_BULK || connection == NULL ||
        !rp_set_aside_find(connection, &run, &n_definitions, NULL) || run != crew->attempt.run)
        return;
    rp_log(RP_LOG_WARNING,
           "%u keys and indexes of the tables stay set aside: `redis2pg run --resume` goes on and puts them "
           "back, "
           "`redis2pg rollback %" G_GUINT64_FORMAT "` takes the load back",
           n_definitions, run);
}

/* The end of the keeper's thread; data is the summary's place. */
static void end_run(RpKeeper *keeper, gpointer data) {
    RpCrew *crew = keeper->crew;
    GError *trouble = NULL;
    gboolean is_closed = close_run(crew, keeper, data, &trouble);
    if (crew->rehearsal != NULL)
        is_closed = end_rehearsal(crew, keeper, data, is_closed, &trouble);
    if (!is_closed)
        note_open(crew, trouble);
    if (crew->error != NULL)
        warn_of_set_aside(crew, keeper->connection);
}

/* A signal that comes meanwhile is seen when the threads would begin; a failure ends the run as it began. */
static void try_bulk(RpCrew *crew, PGconn *connection) {
    GError *error = NULL;
    if (crew->may_be_bulk && !rp_strategy_set_aside(crew, connection, &error))
        rp_crew_fail(crew, error, TRUE);
}

gboolean rp_load_from(const RpLoadOptions *options, const RpFeed *feed, RpRunSummary **summary,
                      GError **error) {
    *summary = NULL;
    g_assert(!options->is_dry_run || (options->n_writers == 1 && !options->is_resuming));
    g_autoptr(PGconn) connection = rp_postgres_await(options->postgres, options->retry_seconds, error);
    if (connection == NULL)
        return FALSE;
    RpSignals signals;
    RpCrew crew;
    const gboolean is_opened =
        rp_crew_init(&crew, options, feed, connection, error) && rp_opening_run(&crew, connection, error);
    if (is_opened) {
        RpKeeper keeper;
        rp_signals_block(&signals);
        try_bulk(&crew, connection);
        rp_wait_limit(connection, options->timeout_seconds, &crew.is_cancelled);
        rp_keeper_init(&keeper, &crew, g_steal_pointer(&connection), end_run, summary);
        rp_supervise(&crew, &keeper, &signals);
        rp_keeper_clear(&keeper);
        rp_signals_unblock(&signals);
    }
    const gboolean is_fine = is_opened && crew.error == NULL;
    if (is_opened)
        report_error(&crew, error);
    rp_crew_clear(&crew);
    return is_fine;
}
