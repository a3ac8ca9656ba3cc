/* Replaying rejects: a load whose records are those that earlier runs have refused. */
#pragma once

#include "ledger/replay.h"
#include "pipeline/load.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    PGconn *connection; /* on which rp_replay_select made the list; belongs to the load while it runs */
    RpReplaySelection *selection; /* borrowed; what turns out not to be replayable is added to left */
    gboolean is_from_source;      /* keys are read from Redis as they are now */
} RpReplaySource;

/* Replays what was selected, as a run of kind "replay"; see rp_load. Redis need not be reachable unless keys
 * are read from it. */
gboolean rp_replay(const RpLoadOptions *options, const RpReplaySource *source, RpRunSummary **summary,
                   GError **error);

G_END_DECLS
