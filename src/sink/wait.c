/* Waiting with a limit, by libpq's asynchronous interface.
 *
 * 1. A connection whose answer did not come in time is closed: what it would still say answers nothing.
 * 2. While something is sent, answers are read: a server that complains in the middle of a COPY must not wait
 * for us while we wait for it. */
#include "sink/wait.h"

#include "base/log.h"

#include <errno.h>
#include <libpq-events.h>
#include <poll.h>
#include <sys/socket.h>

#define SLICE_MS   100 /* how soon a cancellation is seen */
#define CANCELLED  (3 * G_USEC_PER_SEC)
#define DRAIN_MOST 1000

typedef struct {
    guint seconds;
    const gint *is_cancelled;
} Limit;

/* libpq keeps the limit with the connection, and says when that ends. */
static int keep_limit(PGEventId id, void *about, void *unused) {
    (void)unused;
    if (id == PGEVT_CONNDESTROY) {
        const PGEventConnDestroy *event = about;
        g_free(PQinstanceData(event->conn, keep_limit));
    }
    return 1;
}

/* libpq would print what the server says beside its answers, as when it ends all sessions. Its words may
 * quote rows, and are kept back. */
static void hear_notice(void *unused, const PGresult *notice) {
    (void)unused;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *sqlstate = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    rp_log(RP_LOG_DEBUG, "PostgreSQL says something beside its answers: %s, SQLSTATE %s",
           severity != NULL ? severity : "of no severity", sqlstate != NULL ? sqlstate : "none");
}

static guint default_seconds;

void rp_wait_default(guint seconds) {
    default_seconds = seconds;
}

void rp_wait_limit_as_usual(PGconn *connection) {
    rp_wait_limit(connection, default_seconds, NULL);
}

void rp_wait_limit(PGconn *connection, guint seconds, const gint *is_cancelled) {
    Limit *limit = PQinstanceData(connection, keep_limit);
    if (limit == NULL) {
        if (seconds == 0 || PQregisterEventProc(connection, keep_limit, "limit", NULL) == 0)
            return;
        limit = g_new(Limit, 1);
        PQsetInstanceData(connection, keep_limit, limit);
        PQsetNoticeReceiver(connection, hear_notice, NULL);
    }
    *limit = (Limit){seconds, is_cancelled};
    PQsetnonblocking(connection, seconds > 0);
}

guint rp_wait_change(PGconn *connection, guint seconds) {
    Limit *limit = PQinstanceData(connection, keep_limit);
    if (limit == NULL || limit->seconds == 0)
        return 0;
    const guint before = limit->seconds;
    limit->seconds = seconds > 0 ? seconds : before;
    return before;
}

static const Limit *limit_of(const PGconn *connection) {
    const Limit *limit = connection != NULL ? PQinstanceData(connection, keep_limit) : NULL;
    return limit != NULL && limit->seconds > 0 ? limit : NULL;
}

/* After the socket is shut down libpq reads its end, and knows that the connection is lost. */
static void drop(PGconn *connection) {
    const int fd = PQsocket(connection);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
    for (guint i = 0; i < DRAIN_MOST && PQstatus(connection) == CONNECTION_OK; i++)
        if (PQconsumeInput(connection) == 0)
            break;
}

static gboolean give_up(PGconn *connection, const Limit *limit, GError **error) {
    g_autofree char *place = rp_postgres_place(connection);
    drop(connection);
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_RETRY, "PostgreSQL at %s: no answer within %u s", place,
                limit->seconds);
    return FALSE;
}

/* Waits for one of the events; *ready: which. */
static gboolean await_socket(PGconn *connection, const Limit *limit, short events, gint64 *deadline,
                             short *ready, GError **error) {
    struct pollfd pollfd = {.fd = PQsocket(connection), .events = events};
    *ready = POLLHUP;
    if (pollfd.fd < 0) /* libpq has closed it, and says so */
        return TRUE;
    for (;;) {
        const gint64 now = g_get_monotonic_time();
        if (limit->is_cancelled != NULL && g_atomic_int_get(limit->is_cancelled))
            *deadline = MIN(*deadline, now + CANCELLED);
        if (now >= *deadline)
            return give_up(connection, limit, error);
        const int n_ready = poll(&pollfd, 1, (int)MIN((*deadline - now) / 1000 + 1, SLICE_MS));
        *ready = pollfd.revents;
        if (n_ready > 0 || (n_ready < 0 && errno != EINTR)) /* libpq will say what is wrong with it */
            return TRUE;
    }
}

static gint64 deadline_of(const Limit *limit) {
    return g_get_monotonic_time() + (gint64)limit->seconds * G_USEC_PER_SEC;
}

gboolean rp_wait_flush(PGconn *connection, GError **error) {
    const Limit *limit = limit_of(connection);
    if (limit == NULL)
        return TRUE;
    gint64 deadline = deadline_of(limit);
    int is_left;
    while ((is_left = PQflush(connection)) == 1) {
        short ready;
        if (!await_socket(connection, limit, POLLIN | POLLOUT, &deadline, &ready, error))
            return FALSE;
        if ((ready & POLLOUT) != 0)
            deadline = deadline_of(limit); /* it takes some of it */
        if ((ready & ~POLLOUT) != 0 && PQconsumeInput(connection) == 0)
            break;
    }
    if (is_left == 0)
        return TRUE;
    rp_postgres_set_error(error, connection, NULL);
    return FALSE;
}

PGresult *rp_wait_result(PGconn *connection, GError **error) {
    const Limit *limit = limit_of(connection);
    gint64 deadline = limit != NULL ? deadline_of(limit) : 0;
    while (limit != NULL && PQisBusy(connection)) {
        short ready;
        if (!await_socket(connection, limit, POLLIN, &deadline, &ready, error))
            return NULL;
        if (PQconsumeInput(connection) == 0) {
            rp_postgres_set_error(error, connection, NULL);
            return NULL;
        }
    }
    return PQgetResult(connection);
}

gssize rp_wait_copy_data(PGconn *connection, char **data, GError **error) {
    const Limit *limit = limit_of(connection);
    gint64 deadline = 0;
    for (;;) {
        const int size = PQgetCopyData(connection, data, limit != NULL);
        if (size > 0)
            return size;
        if (size == -1)
            return 0;
        short ready;
        deadline = deadline == 0 && limit != NULL ? deadline_of(limit) : deadline;
        if (size == 0 && !await_socket(connection, limit, POLLIN, &deadline, &ready, error))
            return -1;
        if (size < 0 || PQconsumeInput(connection) == 0) {
            rp_postgres_set_error(error, connection, NULL);
            return -1;
        }
    }
}

/* ---- statements ---- */

static gboolean is_error(const PGresult *result) {
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

static gboolean begins_copy(const PGresult *result) {
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

static PGresult *await_answer(PGconn *connection, int is_sent, GError **error) {
    if (is_sent == 0) {
        rp_postgres_set_error(error, connection, NULL);
        return NULL;
    }
    if (!rp_wait_flush(connection, error))
        return NULL;
    g_autoptr(PGresult) kept = NULL;
    GError *trouble = NULL;
    for (PGresult *next; (next = rp_wait_result(connection, &trouble)) != NULL;) {
        const gboolean is_end = begins_copy(next) || PQstatus(connection) != CONNECTION_OK;
        PGresult *dropped = kept != NULL && is_error(kept) ? next : kept;
        kept = dropped == next ? kept : next;
        PQclear(dropped);
        if (is_end)
            break;
    }
    if (kept != NULL && is_error(kept)) /* that the connection ended after it says less */
        g_clear_error(&trouble);
    else if (trouble == NULL && kept == NULL)
        rp_postgres_set_error(&trouble, connection, NULL);
    if (trouble == NULL)
        return g_steal_pointer(&kept);
    g_propagate_error(error, trouble);
    return NULL;
}

static PGresult *execute(PGconn *connection, const char *sql, int n_parameters, const char *const *parameters,
                         int format, GError **error) {
    if (limit_of(connection) != NULL)
        return await_answer(connection,
                            n_parameters < 0 ? PQsendQuery(connection, sql)
                                             : PQsendQueryParams(connection, sql, n_parameters, NULL,
                                                                 parameters, NULL, NULL, format),
                            error);
    PGresult *result =
        n_parameters < 0 ? PQexec(connection, sql)
                         : PQexecParams(connection, sql, n_parameters, NULL, parameters, NULL, NULL, format);
    if (result == NULL)
        rp_postgres_set_error(error, connection, NULL);
    return result;
}

PGresult *rp_wait_execute(PGconn *connection, const char *sql, int n_parameters,
                          const char *const *parameters, GError **error) {
    return execute(connection, sql, n_parameters, parameters, 0, error);
}

PGresult *rp_wait_execute_binary(PGconn *connection, const char *sql, int n_parameters,
                                 const char *const *parameters, GError **error) {
    return execute(connection, sql, n_parameters, parameters, 1, error);
}

PGresult *rp_wait_execute_values(PGconn *connection, const char *sql, int n_values, const RpSpan *values,
                                 GError **error) {
    const char *data[RP_WAIT_MOST_VALUES];
    int sizes[RP_WAIT_MOST_VALUES], formats[RP_WAIT_MOST_VALUES];
    g_assert(n_values <= RP_WAIT_MOST_VALUES);
    for (int i = 0; i < n_values; i++) {
        data[i] = values[i].data;
        sizes[i] = (int)values[i].size;
        formats[i] = 1;
    }
    if (limit_of(connection) != NULL)
        return await_answer(
            connection, PQsendQueryParams(connection, sql, n_values, NULL, data, sizes, formats, 0), error);
    PGresult *result = PQexecParams(connection, sql, n_values, NULL, data, sizes, formats, 0);
    if (result == NULL)
        rp_postgres_set_error(error, connection, NULL);
    return result;
}
