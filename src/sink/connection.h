/* A connection to PostgreSQL, and what its errors mean. */
#pragma once

#include <glib.h>
#include <libpq-fe.h>

G_BEGIN_DECLS

#define RP_SINK_ERROR (rp_sink_error_quark())
GQuark rp_sink_error_quark(void);

/* What to do about an error, by its SQLSTATE (PostgreSQL documentation, appendix A). */
typedef enum {
    RP_SINK_ERROR_CONNECT, /* not reachable, refused, unknown database */
    RP_SINK_ERROR_RETRY,   /* 08, 53, 57P, 57014, 58, 40, 55P03: the same work may succeed later */
    RP_SINK_ERROR_DATA,    /* 22, 23, 44, 54000, P0001: a row is to blame */
    RP_SINK_ERROR_FATAL,   /* everything else: the request itself is wrong */
} RpSinkError;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PGconn, PQfinish)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PGresult, PQclear)

/* SQLSTATE insufficient_privilege */
#define RP_NO_PRIVILEGE "42501"

/* SQLSTATE foreign_key_violation */
#define RP_FOREIGN_KEY_VIOLATION "23503"
#define RP_UNIQUE_VIOLATION      "23505"

/* An SQLSTATE's class of remedy; an empty or absent one means that the connection is gone. */
RpSinkError rp_sqlstate_classify(const char *sqlstate);

/* The SQLSTATE and the constraint's name of an RP_SINK_ERROR; NULL when the server named none. Borrowed. */
const char *rp_sink_error_get_sqlstate(const GError *error);
const char *rp_sink_error_get_constraint(const GError *error);
/* What the server said, without place and SQLSTATE; it may hold values of the row. Borrowed. */
const char *rp_sink_error_get_primary(const GError *error);

/* Takes what the server said out of an RP_SINK_ERROR, and puts words in its place. */
void rp_sink_error_hush(GError *error, const char *words);

/* Connects, with client_encoding UTF8, standard settings of time zone (UTC), date style and float digits,
 * and application_name redis2pg. conninfo is anything that libpq takes; NULL or "" leaves all to PG*
 * variables. The caller owns the connection (PQfinish). On failure the error names host, port (or socket)
 * and database, never the password. A connection belongs to one thread at a time. */
PGconn *rp_postgres_connect(const char *conninfo, GError **error);

/* The same; a server that is starting up or shutting down is waited for, for up to so many seconds. One that
 * is not there, or that refuses us, is not. */
PGconn *rp_postgres_await(const char *conninfo, guint seconds, GError **error);

/* "host:port/database" or "socket/database" of a live or failed connection, without user or password;
 * the caller frees it. */
char *rp_postgres_place(const PGconn *connection);

/* Runs one statement with text parameters ($1 …) and returns its result, to be cleared by the caller;
 * tuples, or an empty result for a command. NULL with RP_SINK_ERROR set when it failed. */
PGresult *rp_postgres_query(PGconn *connection, const char *sql, int n_parameters,
                            const char *const *parameters, GError **error);

/* Runs one or more statements without parameters for their effect. */
gboolean rp_postgres_run(PGconn *connection, const char *sql, GError **error);

/* Like rp_postgres_run for a formatted statement: only for identifiers and literals that
 * rp_postgres_identifier made, and numbers. */
gboolean rp_postgres_runf(PGconn *connection, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Whether a field of type boolean is true. */
gboolean rp_postgres_is_true(const PGresult *result, int row, int field);

/* Rows that the last command touched (PQcmdTuples as a number). */
guint64 rp_postgres_affected(PGresult *result);

/* Sets error from a result that is not what was hoped for: message, SQLSTATE, and detail, context-free.
 * The details of data errors hold values: they are left out. */
void rp_postgres_set_error(GError **error, PGconn *connection, const PGresult *result);

/* name quoted by PQescapeIdentifier; the caller frees it with g_free. */
char *rp_postgres_identifier(PGconn *connection, const char *name);

/* schema.name, both quoted; the caller frees it with g_free. */
char *rp_postgres_qualified(PGconn *connection, const char *schema, const char *name);

/* text as an SQL literal, made by PQescapeLiteral; for statements that take no parameters. */
char *rp_postgres_literal(PGconn *connection, const char *text);

G_END_DECLS
