/* Running the threads of a load. */
#pragma once

#include "pipeline/keeper.h"
#include "pipeline/signals.h"

#include <glib.h>

G_BEGIN_DECLS

/* Starts the keeper and, where there is something to read, the crew's threads; watches signals and progress;
 * has the keeper come to its end when the others have. Returns when all threads have ended; the first error
 * is the crew's then. */
void rp_supervise(RpCrew *crew, RpKeeper *keeper, const RpSignals *signals);

/* The same of a crew that writes nothing (RpFeed.is_survey), and has no keeper. Once *is_cancelled (atomic)
 * is set, it is given up. Signals are somebody else's business. */
void rp_supervise_survey(RpCrew *crew, const gint *is_cancelled);

G_END_DECLS
