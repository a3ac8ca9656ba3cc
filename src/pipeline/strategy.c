/* How a run writes, decided when it opens.
 *
 * A run stands in the ledger as one that merges, until the transaction that takes keys and indexes off its
 * tables makes it one that loads in bulk. */
#include "pipeline/strategy.h"

#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "ledger/set_aside.h"
#include "sink/unit.h"
#include "sink/wait.h"

#include <string.h>

#define SET_ASIDE_SECONDS 60 /* each of its statements waits for a lock no longer than two */

static const char *const NAMES[] = {
    [RP_STRATEGY_MERGE] = "merge", [RP_STRATEGY_BULK] = "bulk", [RP_STRATEGY_AUTO] = "auto"};

const char *rp_strategy_name(RpStrategy strategy) {
    return NAMES[strategy];
}

gboolean rp_strategy_parse(const char *name, RpStrategy *strategy) {
    for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++)
        if (strcmp(NAMES[i], name) == 0) {
            *strategy = (RpStrategy)i;
            return TRUE;
        }
    return FALSE;
}

void rp_strategy_take(RpCrew *crew, RpStrategy strategy) {
    crew->strategy = strategy;
    if (strategy == RP_STRATEGY_BULK)
        crew->n_passes++;
}

/* Says what keeps a run from loading in bulk; one that was told to is refused. */
static gboolean accept(const RpLoadOptions *options, const char *obstacle, GError **error) {
    if (obstacle == NULL)
        return TRUE;
    if (options->strategy == RP_STRATEGY_AUTO) {
        rp_log(RP_LOG_INFO, "the run merges, and does not load in bulk: %s", obstacle);
        return TRUE;
    }
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "--strategy bulk: %s (--strategy merge takes such mappings and tables)", obstacle);
    return FALSE;
}

gboolean rp_strategy_choose(const RpCrew *crew, PGconn *connection, gboolean *is_bulk, GError **error) {
    const RpLoadOptions *options = crew->options;
    g_autofree char *obstacle = NULL;
    *is_bulk = FALSE;
    if (options->strategy == RP_STRATEGY_MERGE || options->is_dry_run)
        return TRUE;
    if (!rp_set_aside_obstacle(connection, options->mapping, options->only, &obstacle, error))
        return FALSE;
    *is_bulk = obstacle == NULL;
    return accept(options, obstacle, error);
}

gboolean rp_strategy_set_aside(RpCrew *crew, PGconn *connection, GError **error) {
    const RpLoadOptions *options = crew->options;
    g_autofree char *obstacle = NULL;
    rp_wait_limit(connection, SET_ASIDE_SECONDS, &crew->is_cancelled);
    if (!rp_unit_begin(connection, NULL, error) ||
        !rp_set_aside_take(connection, crew->attempt.run, options->mapping, options->only, &obstacle,
                           error) ||
        !rp_event_pass(RP_EVENT_SET_ASIDE, error) ||
        (obstacle == NULL && !rp_unit_commit(connection, error))) {
        rp_unit_abort(connection);
        return FALSE;
    }
    if (obstacle != NULL)
        rp_unit_abort(connection);
    else
        rp_strategy_take(crew, RP_STRATEGY_BULK);
    return accept(options, obstacle, error);
}
