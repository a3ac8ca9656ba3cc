/* What sessions that write to the target have in common. */
#pragma once

#include <glib.h>
#include <libpq-fe.h>

G_BEGIN_DECLS

/* Limits how long an answer is waited for, as rp_wait_limit does, and has the server look now and then
 * whether this client is still there. Outside of a transaction: a system that cannot do so is no error. */
void rp_session_limit(PGconn *connection, guint timeout_seconds, const gint *is_cancelled);

/* Has what is committed outlive a crash of the server, where it was configured not to (synchronous_commit =
 * off). */
gboolean rp_session_make_durable(PGconn *connection, GError **error);

G_END_DECLS
