/* Sending tuples by COPY … FROM STDIN (FORMAT binary). */
#pragma once

#include "base/span.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Sends tuples, in pieces of any size, with rp_copy_put. */
typedef gboolean (*RpCopySend)(PGconn *connection, gpointer data, GError **error);

gboolean rp_copy_put(PGconn *connection, const char *data, gsize size, GError **error);

/* Sends the format's header, what send sends, and the trailer. *n_rows, unless NULL: how many rows PostgreSQL
 * says it has stored. */
gboolean rp_copy_binary_by(PGconn *connection, const char *copy_sql, RpCopySend send, gpointer data,
                           guint64 *n_rows, GError **error);

/* The same of runs of tuples as they are. */
gboolean rp_copy_binary(PGconn *connection, const char *copy_sql, const RpSpan *runs, guint n_runs,
                        GError **error);

G_END_DECLS
