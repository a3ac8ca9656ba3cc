/* Opening runs, and going on with them.
 *
 * 1. What was left open is known for dead by the lock that we hold, not by its age.
 * 2. Nothing is read before the run, or the attempt, stands in the ledger. */
#include "pipeline/opening.h"

#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "ledger/lock.h"
#include "ledger/runs.h"
#include "ledger/set_aside.h"
#include "migrations/migrations.h"
#include "pipeline/session.h"
#include "pipeline/strategy.h"
#include "pipeline/writer.h"
#include "sink/unit.h"
#include "source/info.h"

#include <string.h>

/* What Redis is at the time; of records that come from elsewhere nothing. */
typedef struct {
    char *run_id;
    char *version;
    guint64 n_keys; /* of the database */
} Source;

static void source_clear(Source *source) {
    g_clear_pointer(&source->run_id, g_free);
    g_clear_pointer(&source->version, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Source, source_clear)

static gboolean look_at_source(const RpCrew *crew, Source *source, GError **error) {
    const RpLoadOptions *options = crew->options;
    static const char *const dbsize[] = {"DBSIZE"};
    if (crew->feed->source != NULL) {
        source->run_id = g_strdup("");
        return TRUE;
    }
    g_autoptr(redisContext) redis =
        rp_redis_await(options->redis, options->timeout_seconds, options->retry_seconds, error);
    if (redis == NULL)
        return FALSE;
    source->run_id = rp_redis_info_field(redis, "server", "run_id", error);
    if (source->run_id != NULL)
        source->version = rp_redis_info_field(redis, "server", "redis_version", error);
    g_autoptr(redisReply) size =
        source->version != NULL ? rp_redis_command(redis, 1, dbsize, NULL, error) : NULL;
    if (size == NULL)
        return FALSE;
    if (size->type != REDIS_REPLY_INTEGER) {
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL,
                    "Redis: DBSIZE: the answer is no number");
        return FALSE;
    }
    source->n_keys = (guint64)MAX(size->integer, 0);
    return TRUE;
}

/* ---- going on ---- */

static char *describe_place(const RpCrew *crew) {
    const RpAttempt *attempt = &crew->attempt;
    if (attempt->pass >= crew->n_passes)
        return g_strdup("everything was read");
    if (attempt->cursor == 0)
        return g_strdup_printf("pass %u of %u begins", attempt->pass + 1, crew->n_passes);
    return g_strdup_printf("pass %u of %u goes on after batch %" G_GUINT64_FORMAT, attempt->pass + 1,
                           crew->n_passes, attempt->last_batch);
}

/* A Redis that came back without its data would end the run as if everything had been read. */
static gboolean check_not_empty(PGconn *connection, const RpCrew *crew, const Source *source,
                                GError **error) {
    g_autofree char *run = g_strdup_printf("%" G_GUINT64_FORMAT, crew->attempt.run);
    const char *const parameters[] = {run};
    if (source->n_keys > 0)
        return TRUE;
    g_autoptr(PGresult) wrote =
        rp_postgres_query(connection, "SELECT FROM redis2pg.batch_counts WHERE run = $1 AND read > 0 LIMIT 1",
                          1, parameters, error);
    if (wrote == NULL || PQntuples(wrote) == 0)
        return wrote != NULL;
    g_autofree char *place = rp_redis_address_show(crew->options->redis);
    g_set_error(
        error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
        "Redis at %s is empty now, and run %s had read keys there: what it had not read is gone. Bring the "
        "data back and go on with --resume, or begin a new run",
        place, run);
    return FALSE;
}

static void take_source(RpCrew *crew, Source *source) {
    g_free(crew->source_run_id);
    crew->source_run_id = g_steal_pointer(&source->run_id);
    crew->patience.run_id = crew->source_run_id;
}

/* is_ours: the run is under way, in this process. */
static gboolean go_on(RpCrew *crew, PGconn *connection, Source *source, guint64 run, gboolean is_ours,
                      GError **error) {
    RpAttempt attempt;
    if (!rp_ledger_continue_attempt(connection, run, source->run_id, is_ours, &attempt, error))
        return FALSE;
    g_mutex_lock(&crew->mutex);
    crew->attempt = attempt;
    crew->progress.rejects = attempt.n_rejects;
    crew->n_committed = attempt.n_committed;
    g_mutex_unlock(&crew->mutex);
    crew->occasion.now_us = attempt.began_at_us;
    if (attempt.pass < crew->n_passes && !check_not_empty(connection, crew, source, error)) {
        rp_ledger_close_run(connection, run, "interrupted", "Redis was empty", NULL);
        return FALSE;
    }
    take_source(crew, source);
    g_autofree char *place = describe_place(crew);
    rp_log(RP_LOG_INFO, "run %" G_GUINT64_FORMAT " goes on, attempt %u: %s", run, attempt.number + 1, place);
    rp_event_note(RP_EVENT_RUN_CONTINUED);
    return TRUE;
}

/* The account of a run is that of the entities that it was begun with. */
static gboolean check_entities(const RpCrew *crew, const RpInterrupted *last, GError **error) {
    g_autofree char *wanted = rp_load_entities_json(crew->options->only);
    if (strcmp(wanted, last->entities) == 0)
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "run %" G_GUINT64_FORMAT
                " was begun with other entities (%s): --resume takes the same --entity options",
                last->run, strcmp(last->entities, "null") == 0 ? "all" : last->entities);
    return FALSE;
}

static gboolean resume(RpCrew *crew, PGconn *connection, Source *source, const RpInterrupted *last,
                       GError **error) {
    if (last->run == 0) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--resume: no run of this mapping and source is interrupted%s%s%s",
                    last->why_not != NULL ? " (" : "", last->why_not != NULL ? last->why_not : "",
                    last->why_not != NULL ? ")" : "");
        return FALSE;
    }
    if (!check_entities(crew, last, error) || !rp_ledger_close_abandoned(connection, last->run, error))
        return FALSE;
    rp_strategy_take(crew, last->is_bulk ? RP_STRATEGY_BULK : RP_STRATEGY_MERGE);
    if (!go_on(crew, connection, source, last->run, FALSE, error))
        return FALSE;
    if (crew->attempt.n_rejects > crew->options->max_rejects)
        rp_crew_fail(crew, rp_writer_complain_of_rejects(crew, crew->attempt.n_rejects), FALSE);
    return TRUE;
}

/* ---- opening ---- */

static gboolean begin(RpCrew *crew, PGconn *connection, Source *source, const char *place,
                      const RpInterrupted *last, GError **error) {
    const RpLoadOptions *options = crew->options;
    const RpRunHead head = {crew->feed->kind, rp_strategy_name(RP_STRATEGY_MERGE),
                            options->mapping, place,
                            source->run_id,   source->version,
                            options->settings};
    if (last->run != 0 && g_str_equal(crew->feed->kind, "run") && crew->feed->steps == NULL)
        rp_log(RP_LOG_WARNING,
               "run %" G_GUINT64_FORMAT
               " of this mapping and source is not complete: --resume goes on with it; this is a "
               "new run",
               last->run);
    if (!rp_strategy_choose(crew, connection, &crew->may_be_bulk, error) ||
        !rp_ledger_open_run(connection, &head, &crew->attempt, error))
        return FALSE;
    crew->occasion.now_us = crew->attempt.began_at_us;
    take_source(crew, source);
    rp_event_note(RP_EVENT_RUN_OPENED);
    return TRUE;
}

/* From here on nothing is committed: the ledger itself may have to be created. */
static gboolean rehearse(RpCrew *crew, PGconn *connection, GError **error) {
    if (!crew->options->is_dry_run)
        return TRUE;
    crew->rehearsal = connection;
    rp_session_limit(connection, crew->options->timeout_seconds, &crew->is_cancelled);
    return rp_unit_rehearse(connection, error) && rp_migrations_apply_ledger(connection, error);
}

gboolean rp_opening_run(RpCrew *crew, PGconn *connection, GError **error) {
    const RpLoadOptions *options = crew->options;
    g_auto(Source) source = {0};
    g_auto(RpInterrupted) last = {0};
    g_autofree char *place =
        crew->feed->source != NULL ? g_strdup(crew->feed->source) : rp_redis_address_show(options->redis);
    if (!look_at_source(crew, &source, error) || !rp_ledger_lock(connection, error))
        return FALSE;
    rp_ledger_end_lost_writers(connection);
    if (!rehearse(crew, connection, error) ||
        !rp_ledger_find_interrupted(connection, place, options->mapping, &last, error))
        return FALSE;
    /* What cannot be resumed is told by that. */
    const gboolean is_told = options->is_resuming && last.run == 0;
    if (!is_told && !rp_set_aside_refuse(connection, options->is_resuming ? last.run : 0, error))
        return FALSE;
    return options->is_resuming ? resume(crew, connection, &source, &last, error)
                                : begin(crew, connection, &source, place, &last, error);
}

gboolean rp_crew_begin_again(RpCrew *crew, GError **error) {
    if (crew->rehearsal != NULL) {
        g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                    "Redis was started anew: a dry run does not go on with it");
        return FALSE;
    }
    g_autoptr(PGconn) connection =
        rp_postgres_await(crew->options->postgres, crew->options->retry_seconds, error);
    g_auto(Source) source = {0};
    if (connection == NULL || !look_at_source(crew, &source, error))
        return FALSE;
    rp_session_limit(connection, G_MAXUINT, &crew->is_cancelled);
    rp_log(RP_LOG_WARNING, "Redis was started anew: the pass is read again from its beginning");
    return go_on(crew, connection, &source, crew->attempt.run, TRUE, error);
}
