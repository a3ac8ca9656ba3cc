/* Waiting for a server's answers for a limited time. A connection without a limit waits as libpq does. */
#pragma once

#include "base/span.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Gives the connection a limit: an answer that has not come within so many seconds is waited for no longer,
 * the connection is of no more use then (PQstatus), and the error is RP_SINK_ERROR_RETRY. Once *is_cancelled
 * (atomic; may be NULL) is set, it is a few seconds. seconds 0: no limit. It can be changed: what
 * is_cancelled points to must live as long as it is the connection's. */
void rp_wait_limit(PGconn *connection, guint seconds, const gint *is_cancelled);

/* Another limit for the same cancellation, for statements that work long before they answer; gives the one
 * before. A connection without a limit keeps none: 0. */
guint rp_wait_change(PGconn *connection, guint seconds);

/* The limit that connections have from their beginning; 0, as it is at first: none. Before threads start. */
void rp_wait_default(guint seconds);

/* Gives a new connection that one. */
void rp_wait_limit_as_usual(PGconn *connection);

/* Sends statements (n_parameters < 0: one or more without parameters) and gives the last result, or the first
 * that is an error, or that begins a COPY, as PQexec does; the caller clears it. NULL with RP_SINK_ERROR when
 * none came. */
PGresult *rp_wait_execute(PGconn *connection, const char *sql, int n_parameters,
                          const char *const *parameters, GError **error);

/* The same for one statement, whose values come in binary. */
PGresult *rp_wait_execute_binary(PGconn *connection, const char *sql, int n_parameters,
                                 const char *const *parameters, GError **error);

/* The same for one statement whose parameters are values in binary (data NULL: null), of at most
 * RP_WAIT_MOST_VALUES; results come as text. */
#define RP_WAIT_MOST_VALUES 2000
PGresult *rp_wait_execute_values(PGconn *connection, const char *sql, int n_values, const RpSpan *values,
                                 GError **error);

/* The next result of what was sent; NULL when there is none, or with error set when none came in time. */
PGresult *rp_wait_result(PGconn *connection, GError **error);

/* The next piece of a COPY … TO STDOUT: *data is to be freed with PQfreemem. Gives its size; 0: there is no
 * more, and the result comes next; -1: error is set. */
gssize rp_wait_copy_data(PGconn *connection, char **data, GError **error);

/* Waits until what libpq has taken is sent. */
gboolean rp_wait_flush(PGconn *connection, GError **error);

G_END_DECLS
