/* A record as a reject keeps it: what rp_records_append_raw wrote, taken apart again. The bytes come out of a
 * database that others can write to: nothing in them is taken on trust. */
#pragma once

#include "model/record.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpSpan key;
    RpRecordType type;
    gboolean is_partial; /* only the fields that the mapping read are there */
    gint64 ttl_ms;       /* -1: none; -2: it was not asked for */
    gint64 index;        /* of a list's element; else -1 */
    guint32 n_values;    /* that are left to be taken */
    RpSpan rest;         /* where they stand */
} RpRaw;

/* Reads the head, and checks all that follows it. FALSE when the bytes are not exactly what
 * rp_records_append_raw writes. Spans are borrowed from the bytes. */
gboolean rp_raw_open(RpRaw *raw, RpSpan bytes);

/* Takes the next value of an opened record. FALSE after the last. */
gboolean rp_raw_take(RpRaw *raw, RpSpan *value);

/* Whether the values are as many as a record of its type has: not so when it was refused for its type or its
 * size, and they were not kept. */
gboolean rp_raw_is_whole(const RpRaw *raw);

/* Appends the opened record to records; the time of expiry is left unknown. */
RpRecord *rp_raw_append(RpRaw *raw, guint32 entity, RpRecords *records);

G_END_DECLS
