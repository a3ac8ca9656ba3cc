/* How a run writes: by merges, or in bulk. */
#pragma once

#include "pipeline/crew.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Has the crew work so. Before its threads start, once. */
void rp_strategy_take(RpCrew *crew, RpStrategy strategy);

/* Whether the options have the run try to load in bulk, and nothing is known that would keep it from it: a
 * run that chooses by itself logs what does, and one that was told to fails with RP_USAGE_ERROR. Before the
 * run stands in the ledger. */
gboolean rp_strategy_choose(const RpCrew *crew, PGconn *connection, gboolean *is_bulk, GError **error);

/* Sets keys and indexes of the tables aside, for the crew's run, which is open; the crew takes the strategy.
 * What keeps it from that only now is treated likewise: the run goes on as one that merges. */
gboolean rp_strategy_set_aside(RpCrew *crew, PGconn *connection, GError **error);

G_END_DECLS
