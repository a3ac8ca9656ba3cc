/* Tables held as the mapping was bound to them while their rows are read. */
#pragma once

#include "reconcile/unit.h"

#include <glib.h>

G_BEGIN_DECLS

/* Begins a transaction that only reads, in one snapshot, with the tables of all units that take part locked
 * against changes of their shape (not of their rows). FALSE with RP_USAGE_ERROR when a column that the
 * mapping was bound to is gone or has another type, or the table is gone; with RP_SINK_ERROR when a table may
 * not be read. Then no transaction is open. */
gboolean rp_shape_begin(PGconn *connection, const RpUnits *units, GError **error);

/* Ends it. After a failed reading there is nothing to do: the connection is of no more use. */
gboolean rp_shape_end(PGconn *connection, GError **error);

G_END_DECLS
