/* COPY … FROM STDIN (FORMAT binary); documentation of COPY, "Binary Format". */
#include "sink/copy.h"

#include "sink/wait.h"

#include <string.h>

/* libpq hands whole 8 KiB to the socket and keeps the rest for the next flush: a message that fills them with
 * its head of five bytes leaves no rest, and takes one call to send. */
#define CHUNK_BYTES (64 * 1024 - 5)

static const char HEADER[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* signature, flags, extension length */
static const char TRAILER[2] = {'\377', '\377'};

gboolean rp_copy_put(PGconn *connection, const char *data, gsize size, GError **error) {
    while (size > 0) {
        const int chunk = (int)MIN(size, (gsize)CHUNK_BYTES);
        if (PQputCopyData(connection, data, chunk) != 1) {
            rp_postgres_set_error(error, connection, NULL);
            return FALSE;
        }
        if (!rp_wait_flush(connection, error))
            return FALSE;
        data += chunk;
        size -= (gsize)chunk;
    }
    return TRUE;
}

/* The COPY's own result, and what comes after it until the connection is free again. */
static gboolean finish(PGconn *connection, guint64 *n_rows, GError **error) {
    GError *trouble = NULL, *late = NULL;
    PGresult *next;
    while ((next = rp_wait_result(connection, &late)) != NULL) {
        g_autoptr(PGresult) result = next;
        if (PQresultStatus(result) == PGRES_COMMAND_OK) {
            *n_rows = rp_postgres_affected(result);
            continue;
        }
        if (trouble == NULL)
            rp_postgres_set_error(&trouble, connection, result);
        /* The connection broke before the COPY could end. */
        if (PQresultStatus(result) == PGRES_COPY_IN || PQsocket(connection) < 0)
            break;
    }
    if (trouble == NULL)
        trouble = g_steal_pointer(&late);
    g_clear_error(&late);
    if (trouble != NULL)
        g_propagate_error(error, trouble);
    return trouble == NULL;
}

static gboolean put_all(PGconn *connection, RpCopySend send, gpointer data, GError **error) {
    if (!rp_copy_put(connection, HEADER, sizeof HEADER, error) || !send(connection, data, error) ||
        !rp_copy_put(connection, TRAILER, sizeof TRAILER, error))
        return FALSE;
    if (PQputCopyEnd(connection, NULL) == 1)
        return rp_wait_flush(connection, error);
    rp_postgres_set_error(error, connection, NULL);
    return FALSE;
}

gboolean rp_copy_binary_by(PGconn *connection, const char *copy_sql, RpCopySend send, gpointer data,
                           guint64 *n_rows, GError **error) {
    g_autoptr(PGresult) begun = rp_wait_execute(connection, copy_sql, -1, NULL, error);
    if (begun == NULL)
        return FALSE;
    if (PQresultStatus(begun) != PGRES_COPY_IN) {
        rp_postgres_set_error(error, connection, begun);
        return FALSE;
    }
    g_autoptr(GError) trouble = NULL;
    guint64 n_stored = 0;
    guint64 *stored = n_rows != NULL ? n_rows : &n_stored;
    if (put_all(connection, send, data, &trouble))
        return finish(connection, stored, error);
    /* What the server said before it went is more than that the connection is lost. */
    g_autoptr(GError) said = NULL;
    const gboolean has_said = !finish(connection, stored, &said) && rp_sink_error_get_sqlstate(said) != NULL;
    g_propagate_prefixed_error(error, has_said ? g_steal_pointer(&said) : g_steal_pointer(&trouble),
                               "COPY: ");
    return FALSE;
}

typedef struct {
    const RpSpan *runs;
    guint n_runs;
} Runs;

static gboolean send_runs(PGconn *connection, gpointer data, GError **error) {
    const Runs *runs = data;
    for (guint i = 0; i < runs->n_runs; i++)
        if (!rp_copy_put(connection, runs->runs[i].data, runs->runs[i].size, error))
            return FALSE;
    return TRUE;
}

gboolean rp_copy_binary(PGconn *connection, const char *copy_sql, const RpSpan *runs, guint n_runs,
                        GError **error) {
    Runs all = {runs, n_runs};
    return rp_copy_binary_by(connection, copy_sql, send_runs, &all, NULL, error);
}
