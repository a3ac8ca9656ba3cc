/* Reading rows by COPY (postgresql documentation: COPY, "Binary Format"). The server sends whole rows: the
 * first message begins with the header, the last one is the trailer. */
#include "sink/copy_out.h"

#include "sink/wait.h"

#define SIGNATURE_BYTES 11 /* then flags and the extension's length, 4 bytes each */
#define HEADER_BYTES    19

static gboolean doubt(GError **error) {
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_FATAL, "PostgreSQL: COPY sent what is no binary COPY");
    return FALSE;
}

static guint32 read_u32(const char *at) {
    guint32 big_endian;
    memcpy(&big_endian, at, sizeof big_endian);
    return GUINT32_FROM_BE(big_endian);
}

/* The bytes of the tuple that data begins with; 0 when it does not end within it. */
static gsize measure(RpSpan data) {
    const guint n_fields = ((guint)(guint8)data.data[0] << 8) | (guint)(guint8)data.data[1];
    gsize at = 2;
    for (guint i = 0; i < n_fields; i++) {
        if (data.size - at < 4)
            return 0;
        const guint32 size = read_u32(data.data + at);
        at += 4;
        if (size == G_MAXUINT32)
            continue;
        if (data.size - at < size)
            return 0;
        at += size;
    }
    return at;
}

static gboolean skip_header(RpSpan *data, GError **error) {
    if (data->size < HEADER_BYTES || memcmp(data->data, "PGCOPY\n\377\r\n\0", SIGNATURE_BYTES) != 0)
        return doubt(error);
    const gsize size = HEADER_BYTES + (gsize)read_u32(data->data + HEADER_BYTES - 4);
    if (data->size < size)
        return doubt(error);
    *data = (RpSpan){data->data + size, data->size - size};
    return TRUE;
}

/* The trailer is a field count of -1. */
static gboolean take_message(RpSpan data, RpCopyTake take, gpointer take_data, GError **error) {
    while (data.size > 0) {
        if (data.size == 2 && memcmp(data.data, "\377\377", 2) == 0)
            return TRUE;
        const gsize size = data.size < 2 ? 0 : measure(data);
        if (size == 0)
            return doubt(error);
        if (!take((RpSpan){data.data, size}, take_data, error))
            return FALSE;
        data = (RpSpan){data.data + size, data.size - size};
    }
    return TRUE;
}

static gboolean take_all(PGconn *connection, RpCopyTake take, gpointer data, GError **error) {
    gboolean is_first = TRUE;
    for (;;) {
        char *bytes = NULL;
        const gssize size = rp_wait_copy_data(connection, &bytes, error);
        if (size <= 0)
            return size == 0;
        RpSpan message = {bytes, (gsize)size};
        const gboolean is_fine =
            (!is_first || skip_header(&message, error)) && take_message(message, take, data, error);
        PQfreemem(bytes);
        is_first = FALSE;
        if (!is_fine)
            return FALSE;
    }
}

gboolean rp_copy_out_binary(PGconn *connection, const char *copy_sql, RpCopyTake take, gpointer data,
                            GError **error) {
    g_autoptr(PGresult) begun = rp_wait_execute(connection, copy_sql, -1, NULL, error);
    if (begun == NULL)
        return FALSE;
    if (PQresultStatus(begun) != PGRES_COPY_OUT) {
        rp_postgres_set_error(error, connection, begun);
        return FALSE;
    }
    if (!take_all(connection, take, data, error))
        return FALSE;
    GError *trouble = NULL;
    PGresult *next;
    while ((next = rp_wait_result(connection, &trouble)) != NULL) {
        if (PQresultStatus(next) != PGRES_COMMAND_OK && trouble == NULL)
            rp_postgres_set_error(&trouble, connection, next);
        PQclear(next);
    }
    if (trouble != NULL)
        g_propagate_error(error, trouble);
    return trouble == NULL;
}
