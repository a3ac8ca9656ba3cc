/* COPY … TO STDOUT (FORMAT binary): rows of PostgreSQL, one tuple after the other. */
#pragma once

#include "base/span.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Takes a tuple: its field count (2 bytes), then size (4 bytes, -1 for null) and bytes of each field; sizes
 * are checked to lie within it. Borrowed. FALSE with error set ends the reading. */
typedef gboolean (*RpCopyTake)(RpSpan tuple, gpointer data, GError **error);

/* Runs a COPY … TO STDOUT (FORMAT binary) and hands each tuple to take. After FALSE with an error of take's
 * the connection is of no more use. */
gboolean rp_copy_out_binary(PGconn *connection, const char *copy_sql, RpCopyTake take, gpointer data,
                            GError **error);

/* The fields of a tuple, one after the other. */
typedef struct {
    const char *at;
    guint n_left;
} RpTupleFields;

static inline RpTupleFields rp_tuple_fields(RpSpan tuple) {
    return (RpTupleFields){tuple.data + 2,
                           ((guint)(guint8)tuple.data[0] << 8) | (guint)(guint8)tuple.data[1]};
}

/* The next field; its data is NULL for a null. There must be one left. */
static inline RpSpan rp_tuple_next(RpTupleFields *fields) {
    guint32 big_endian;
    memcpy(&big_endian, fields->at, sizeof big_endian);
    const guint32 size = GUINT32_FROM_BE(big_endian);
    fields->at += 4;
    fields->n_left--;
    if (size == G_MAXUINT32)
        return (RpSpan){0};
    const RpSpan field = {fields->at, size};
    fields->at += size;
    return field;
}

G_END_DECLS
