/* COPY … FROM STDIN (FORMAT binary); documentation of COPY, "Binary Format". */
#include "sink/merge.h"

#include <string.h>

#define CHUNK_BYTES (64 * 1024)

static const char HEADER[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* signature, flags, extension length */
static const char TRAILER[2] = {'\377', '\377'};

static gboolean put(PGconn *connection, const char *data, gsize size) {
    while (size > 0) {
        const int chunk = (int)MIN(size, (gsize)CHUNK_BYTES);
        if (PQputCopyData(connection, data, chunk) != 1)
            return FALSE;
        data += chunk;
        size -= (gsize)chunk;
    }
    return TRUE;
}

/* The COPY's own result, and what comes after it until the connection is free again. */
static gboolean finish(PGconn *connection, GError **error) {
    gboolean is_fine = TRUE;
    PGresult *next;
    while ((next = PQgetResult(connection)) != NULL) {
        g_autoptr(PGresult) result = next;
        if (PQresultStatus(result) == PGRES_COMMAND_OK)
            continue;
        if (is_fine)
            rp_postgres_set_error(error, connection, result);
        is_fine = FALSE;
        if (PQresultStatus(result) == PGRES_COPY_IN) /* the connection broke before the COPY could end */
            break;
    }
    return is_fine;
}

static gboolean put_all(PGconn *connection, const RpSpan *runs, guint n_runs) {
    if (!put(connection, HEADER, sizeof HEADER))
        return FALSE;
    for (guint i = 0; i < n_runs; i++)
        if (!put(connection, runs[i].data, runs[i].size))
            return FALSE;
    return put(connection, TRAILER, sizeof TRAILER) && PQputCopyEnd(connection, NULL) == 1;
}

gboolean rp_copy_binary(PGconn *connection, const char *copy_sql, const RpSpan *runs, guint n_runs,
                        GError **error) {
    g_autoptr(PGresult) begun = PQexec(connection, copy_sql);
    if (PQresultStatus(begun) != PGRES_COPY_IN) {
        rp_postgres_set_error(error, connection, begun);
        return FALSE;
    }
    if (!put_all(connection, runs, n_runs)) {
        g_autofree char *place = rp_postgres_place(connection);
        g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_RETRY,
                    "PostgreSQL at %s: connection lost during COPY: %s", place, PQerrorMessage(connection));
        return FALSE;
    }
    return finish(connection, error);
}
