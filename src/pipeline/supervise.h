/* Running the threads of a load. */
#pragma once

#include "pipeline/crew.h"
#include "pipeline/signals.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Starts the crew's threads, watches signals and progress and the lock that the connection holds, and returns
 * when all threads have ended; the first error is the crew's then. */
void rp_supervise(RpCrew *crew, PGconn *connection, const RpSignals *signals);

G_END_DECLS
