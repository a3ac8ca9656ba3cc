/* Running the threads of a load. */
#pragma once

#include "pipeline/keeper.h"

#include <glib.h>

G_BEGIN_DECLS

/* Starts the crew's threads, watches signals and progress and the target's lock, and returns when all threads
 * have ended; the first error is the crew's then. */
void rp_supervise(RpCrew *crew, RpKeeper *keeper, const RpSignals *signals);

G_END_DECLS
