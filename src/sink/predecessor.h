/* Sessions that were given up. The server does not know that its client is gone, and such a session keeps its
 * locks until its statement, or its transaction, ends. */
#pragma once

#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* A session as the server knows it; {0}: none. Made by rp_predecessor_note. */
typedef struct {
    char *pid;
    char *since; /* when it began: process ids come again */
} RpPredecessor;

void rp_predecessor_clear(RpPredecessor *predecessor);

/* Takes note of the connection's session in place of what was noted before. Of one behind a pool, which gives
 * it to others, nothing is noted. */
gboolean rp_predecessor_note(RpPredecessor *predecessor, PGconn *connection, GError **error);

/* Has the server end the session that was noted, if it is still there; it is gone a moment later. */
gboolean rp_predecessor_end(const RpPredecessor *predecessor, PGconn *connection, GError **error);

G_END_DECLS
