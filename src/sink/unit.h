/* Units of work: what is written together or not at all. A unit is a transaction; on a connection that
 * rehearses it is a savepoint of one transaction that is rolled back at the end, so that the same statements
 * leave nothing, and later ones see what earlier ones wrote. */
#pragma once

#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* SQL, of type xid and xid8: the xmin of rows that the open unit writes. The second is without its epoch in a
 * rehearsal. A savepoint has an id of its own, which no function tells. */
#define RP_UNIT_XID                                                                                          \
    "(SELECT coalesce(nullif(current_setting('redis2pg.unit', true), '')::xid,"                              \
    " pg_current_xact_id()::xid))"
#define RP_UNIT_XID8                                                                                         \
    "(SELECT coalesce(nullif(current_setting('redis2pg.unit', true), '')::xid8, pg_current_xact_id()))"

/* Has the connection rehearse from here on: begins the transaction whose end is rp_unit_end_rehearsal, or
 * that of the connection. No transaction may be open. */
gboolean rp_unit_rehearse(PGconn *connection, GError **error);
gboolean rp_unit_is_rehearsed(const PGconn *connection);

/* Has RP_UNIT_XID be right for units that begin after it. Call it between units; it creates a temporary
 * table. On a connection that does not rehearse there is nothing to do. */
gboolean rp_unit_prepare_ids(PGconn *connection, GError **error);

/* Begins a unit: READ COMMITTED, READ WRITE. then: statements to begin it with, or NULL. Units do not nest.
 * When it fails the unit may be open. */
gboolean rp_unit_begin(PGconn *connection, const char *then, GError **error);
gboolean rp_unit_commit(PGconn *connection, GError **error);
/* Fine when none is open, and when the connection is lost. */
void rp_unit_abort(PGconn *connection);

/* Rolls everything back; the connection rehearses no longer. Fine when it does not, and when it is lost: the
 * server does the same then. Locks of the session stay. */
void rp_unit_end_rehearsal(PGconn *connection);

G_END_DECLS
