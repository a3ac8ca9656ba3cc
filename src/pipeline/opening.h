/* Opening a run: the lock, the place of a load in the ledger, and where its reading begins. */
#pragma once

#include "pipeline/crew.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Takes the target's lock and opens the crew's run, or, when the options say so, goes on with the last one
 * that was interrupted; crew->attempt is set. The lock is held for as long as the connection lives. A dry
 * run's transaction begins here, after the lock: crew->rehearsal is the connection then. */
gboolean rp_opening_run(RpCrew *crew, PGconn *connection, GError **error);

G_END_DECLS
