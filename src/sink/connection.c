/* Connections to PostgreSQL and the meaning of its errors. */
#include "sink/connection.h"

#include "base/error.h"
#include "base/log.h"
#include "base/retry.h"
#include "sink/wait.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What an RP_SINK_ERROR holds beside its message. */
typedef struct {
    char *sqlstate;
    char *constraint;
    char *primary;
} RpSinkErrorPrivate;

static void rp_sink_error_private_init(RpSinkErrorPrivate *detail) {
    *detail = (RpSinkErrorPrivate){0};
}

static void rp_sink_error_private_copy(const RpSinkErrorPrivate *from, RpSinkErrorPrivate *to) {
    to->sqlstate = g_strdup(from->sqlstate);
    to->constraint = g_strdup(from->constraint);
    to->primary = g_strdup(from->primary);
}

static void rp_sink_error_private_clear(RpSinkErrorPrivate *detail) {
    g_free(detail->sqlstate);
    g_free(detail->constraint);
    g_free(detail->primary);
}

G_DEFINE_EXTENDED_ERROR(RpSinkError, rp_sink_error)

const char *rp_sink_error_get_sqlstate(const GError *error) {
    return error->domain == RP_SINK_ERROR ? rp_sink_error_get_private(error)->sqlstate : NULL;
}

const char *rp_sink_error_get_constraint(const GError *error) {
    return error->domain == RP_SINK_ERROR ? rp_sink_error_get_private(error)->constraint : NULL;
}

const char *rp_sink_error_get_primary(const GError *error) {
    return error->domain == RP_SINK_ERROR ? rp_sink_error_get_private(error)->primary : NULL;
}

void rp_sink_error_hush(GError *error, const char *words) {
    RpSinkErrorPrivate *detail = rp_sink_error_get_private(error);
    const char *primary = detail->primary != NULL ? detail->primary : "";
    char *said = primary[0] != '\0' ? strstr(error->message, primary) : NULL;
    if (said == NULL)
        return;
    char *message = g_strdup_printf("%.*s%s%s", (int)(said - error->message), error->message, words,
                                    said + strlen(primary));
    g_free(error->message);
    error->message = message;
    g_free(detail->primary);
    detail->primary = g_strdup(words);
}

typedef struct {
    const char *prefix;
    RpSinkError meaning;
} SqlstateClass;

/* The first prefix that fits decides. */
static const SqlstateClass SQLSTATE_CLASSES[] = {
    {"08P01", RP_SINK_ERROR_FATAL}, /* protocol violation: the same bytes would be refused again */
    {"08", RP_SINK_ERROR_RETRY},    /* connection exception */
    {"53", RP_SINK_ERROR_RETRY},    /* insufficient resources: disk full, too many connections */
    {"57014",
     RP_SINK_ERROR_RETRY},        /* the statement was cancelled: by an administrator, a time limit, or us */
    {"58", RP_SINK_ERROR_RETRY},  /* the server's system: an input/output error */
    {"57P", RP_SINK_ERROR_RETRY}, /* the server shuts down, starts up, or was told to drop us */
    {"40", RP_SINK_ERROR_RETRY},  /* serialization failure, deadlock */
    {"55P03", RP_SINK_ERROR_RETRY}, /* lock not available */
    {"22", RP_SINK_ERROR_DATA},     /* data exception */
    {"23", RP_SINK_ERROR_DATA},     /* integrity constraint violation */
    {"54000", RP_SINK_ERROR_DATA},  /* a limit of the program: a value too long for its index */
    {"44", RP_SINK_ERROR_DATA},     /* a view's check option */
    {"P0001", RP_SINK_ERROR_DATA},  /* RAISE EXCEPTION in a trigger */
};

RpSinkError rp_sqlstate_classify(const char *sqlstate) {
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return RP_SINK_ERROR_RETRY;
    for (guint i = 0; i < G_N_ELEMENTS(SQLSTATE_CLASSES); i++)
        if (g_str_has_prefix(sqlstate, SQLSTATE_CLASSES[i].prefix))
            return SQLSTATE_CLASSES[i].meaning;
    return RP_SINK_ERROR_FATAL;
}

char *rp_postgres_place(const PGconn *connection) {
    const char *host = PQhost(connection);
    const char *port = PQport(connection);
    const char *database = PQdb(connection);
    if (host == NULL || host[0] == '\0')
        host = "local socket";
    if (host[0] == '/')
        return g_strdup_printf("%s/.s.PGSQL.%s, database %s", host, port != NULL ? port : "5432",
                               database != NULL ? database : "");
    return g_strdup_printf("%s:%s, database %s", host, port != NULL ? port : "5432",
                           database != NULL ? database : "");
}

/* libpq's messages end in newlines, and span several lines; ours are one. */
static char *one_line(const char *message) {
    GString *line = g_string_new(NULL);
    g_auto(GStrv) words = g_strsplit_set(message != NULL ? message : "", " \n\t", -1);
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0')
            g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", *word);
    return g_string_free(line, FALSE);
}

/* The end of a password that was written into a URL as it is, and so taken for a host or a database. */
static gboolean holds_password(const PQconninfoOption *options) {
    for (; options->keyword != NULL; options++) {
        const gboolean is_place = strcmp(options->keyword, "host") == 0 ||
                                  strcmp(options->keyword, "port") == 0 ||
                                  strcmp(options->keyword, "dbname") == 0;
        if (is_place && options->val != NULL && strchr(options->val, '@') != NULL)
            return TRUE;
    }
    return FALSE;
}

/* libpq quotes a URL that it cannot read, password and all: its own words are kept back. */
static gboolean check_conninfo(const char *conninfo, GError **error) {
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    if (options == NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "the PostgreSQL address can be read neither as a URL "
                    "(postgresql://user@host:port/database) nor as "
                    "key=value pairs of libpq");
        return FALSE;
    }
    const gboolean is_url = g_str_has_prefix(conninfo, "postgres");
    const gboolean is_fine = !is_url || !holds_password(options);
    if (!is_fine)
        g_set_error(
            error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
            "the PostgreSQL address has an @ too many: special characters of a password are written as "
            "%%XX (an @ as %%40, a / as %%2F)");
    PQconninfoFree(options);
    return is_fine;
}

/* Ours first, then what the user says, which wins; a dead peer is noticed within about a minute. */
static const char *const KEYWORDS[] = {"connect_timeout",  "keepalives_idle",  "keepalives_interval",
                                       "keepalives_count", "tcp_user_timeout", "fallback_application_name",
                                       "dbname",           "client_encoding",  NULL};

static const char SESSION_SQL[] =
    "SET client_min_messages = warning; SET TimeZone = 'UTC'; SET DateStyle = 'ISO';"
    "SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET standard_conforming_strings = on;"
    "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN ('statement_timeout',"
    " 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')";

typedef struct {
    const char *values[G_N_ELEMENTS(KEYWORDS)];
} Values;

static Values values_for(const char *conninfo) {
    return (Values){
        {"10", "30", "10", "3", "60000", "redis2pg", conninfo != NULL ? conninfo : "", "UTF8", NULL}};
}

PGconn *rp_postgres_connect(const char *conninfo, GError **error) {
    const Values with = values_for(conninfo);
    if (!check_conninfo(conninfo != NULL ? conninfo : "", error))
        return NULL;
    g_autoptr(PGconn) connection = PQconnectdbParams(KEYWORDS, with.values, 1);
    if (PQstatus(connection) != CONNECTION_OK) {
        g_autofree char *message = one_line(PQerrorMessage(connection));
        g_autofree char *place = rp_postgres_place(connection);
        g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_CONNECT, "PostgreSQL at %s: %s", place, message);
        return NULL;
    }
    rp_wait_limit_as_usual(connection);
    if (!rp_postgres_run(connection, SESSION_SQL, error))
        return NULL;
    return g_steal_pointer(&connection);
}

PGconn *rp_postgres_await(const char *conninfo, guint seconds, GError **error) {
    const Values with = values_for(conninfo);
    RpRetry retry;
    rp_retry_init(&retry, seconds);
    for (;;) {
        g_autoptr(GError) trouble = NULL;
        PGconn *connection = rp_postgres_connect(conninfo, &trouble);
        if (connection != NULL)
            return connection;
        const gboolean is_starting = g_error_matches(trouble, RP_SINK_ERROR, RP_SINK_ERROR_CONNECT) &&
                                     PQpingParams(KEYWORDS, with.values, 1) == PQPING_REJECT;
        if (is_starting && retry.n_waits == 0 && seconds > 0)
            rp_log(RP_LOG_WARNING, "%s: it is waited for, for up to %u s", trouble->message, seconds);
        if (!is_starting || !rp_retry_wait(&retry, NULL)) {
            g_propagate_error(error, g_steal_pointer(&trouble));
            return NULL;
        }
    }
}

void rp_postgres_set_error(GError **error, PGconn *connection, const PGresult *result) {
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    g_autofree char *message = one_line(primary != NULL ? primary : PQerrorMessage(connection));
    g_autofree char *place = rp_postgres_place(connection);
    g_autofree char *state = sqlstate != NULL ? g_strdup_printf(" (SQLSTATE %s)", sqlstate) : g_strdup("");
    GError *made = g_error_new(RP_SINK_ERROR, (int)rp_sqlstate_classify(sqlstate), "PostgreSQL at %s: %s%s",
                               place, message, state);
    RpSinkErrorPrivate *detail = rp_sink_error_get_private(made);
    detail->sqlstate = g_strdup(sqlstate);
    detail->constraint = g_strdup(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
    detail->primary = g_steal_pointer(&message);
    g_propagate_error(error, made);
}

static gboolean is_fine(const PGresult *result) {
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

PGresult *rp_postgres_query(PGconn *connection, const char *sql, int n_parameters,
                            const char *const *parameters, GError **error) {
    g_autoptr(PGresult) result = rp_wait_execute(connection, sql, n_parameters, parameters, error);
    if (result == NULL)
        return NULL;
    if (!is_fine(result)) {
        rp_postgres_set_error(error, connection, result);
        return NULL;
    }
    return g_steal_pointer(&result);
}

gboolean rp_postgres_run(PGconn *connection, const char *sql, GError **error) {
    g_autoptr(PGresult) result = rp_wait_execute(connection, sql, -1, NULL, error);
    if (result == NULL || is_fine(result))
        return result != NULL;
    rp_postgres_set_error(error, connection, result);
    return FALSE;
}

gboolean rp_postgres_runf(PGconn *connection, GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sql = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return rp_postgres_run(connection, sql, error);
}

gboolean rp_postgres_is_true(const PGresult *result, int row, int field) {
    return PQgetvalue(result, row, field)[0] == 't';
}

guint64 rp_postgres_affected(PGresult *result) {
    return g_ascii_strtoull(PQcmdTuples(result), NULL, 10);
}

/* libpq allocates with malloc: copied, so that g_free is right in builds with any allocator. */
static char *take_escaped(char *escaped) {
    g_assert(escaped != NULL); /* fails only for text that is not in the client encoding */
    char *copy = g_strdup(escaped);
    PQfreemem(escaped);
    return copy;
}

char *rp_postgres_identifier(PGconn *connection, const char *name) {
    return take_escaped(PQescapeIdentifier(connection, name, strlen(name)));
}

char *rp_postgres_qualified(PGconn *connection, const char *schema, const char *name) {
    g_autofree char *quoted_schema = rp_postgres_identifier(connection, schema);
    g_autofree char *quoted_name = rp_postgres_identifier(connection, name);
    return g_strconcat(quoted_schema, ".", quoted_name, NULL);
}

char *rp_postgres_literal(PGconn *connection, const char *text) {
    return take_escaped(PQescapeLiteral(connection, text, strlen(text)));
}
