/* A record is one key as it was read, or one element of a list, set, sorted set or stream. The records of a
 * batch stand one after the other in one buffer: nothing is copied again until a reject needs it. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_RECORD_HASH,   /* values are name, value, name, value, … */
    RP_RECORD_STRING, /* one value */
    RP_RECORD_LIST,   /* an element */
    RP_RECORD_SET,    /* a member */
    RP_RECORD_ZSET,   /* a member and its score */
    RP_RECORD_STREAM, /* an entry: its id, then name, value, name, value, … */
    RP_RECORD_OTHER,  /* a module's type */
} RpRecordType;

/* Redis' name of the type ("hash"), as the TYPE command gives it; "other" for RP_RECORD_OTHER. */
const char *rp_record_type_name(RpRecordType type);

/* The type of that name; RP_RECORD_OTHER for one that is not known. */
RpRecordType rp_record_type_parse(const char *name);

/* Whether a key of the type gives a record for each of its elements. */
gboolean rp_record_type_has_elements(RpRecordType type);

/* What came of reading a key. */
typedef enum {
    RP_READ_OK,
    RP_READ_VANISHED,   /* gone between SCAN and read */
    RP_READ_WRONG_TYPE, /* holds another type than the entity takes */
    RP_READ_TOO_LARGE,  /* more bytes than the limit; its values were not kept */
} RpReadOutcome;

typedef struct {
    gsize offset; /* of the record in the buffer: u32 key size, key, then u32 size and bytes by value */
    guint32 n_values;
    guint32 entity;       /* the entity that the key was read for */
    guint8 type;          /* RpRecordType */
    guint8 outcome;       /* RpReadOutcome */
    guint8 is_partial;    /* of a hash only the fields that the mapping reads were read */
    gint64 ttl_ms;        /* remaining time to live; -1: none; -2: not asked for */
    gint64 expires_at_ms; /* Unix time; -1: never; -2: not asked for */
    gint64 index;         /* of a list's element; else -1 */
} RpRecord;

/* The records of a batch. */
typedef struct {
    RpBuffer bytes;
    GArray *index; /* of RpRecord */
} RpRecords;

void rp_records_init(RpRecords *records);
void rp_records_clear(RpRecords *records);
/* Empties it for the next batch, keeping up to keep_bytes allocated. */
void rp_records_reset(RpRecords *records, gsize keep_bytes);

/* Begins a record; its values are then appended with rp_records_add_value. */
RpRecord *rp_records_begin(RpRecords *records, guint32 entity, RpRecordType type, RpSpan key);
void rp_records_add_value(RpRecords *records, RpSpan value);
/* Drops the values of the newest record, which stays with its key. */
void rp_records_drop_values(RpRecords *records);
/* Drops all records from position on. */
void rp_records_cut(RpRecords *records, guint position);

static inline const RpRecord *rp_records_get(const RpRecords *records, guint position) {
    return &g_array_index(records->index, RpRecord, position);
}

/* The record's key; valid until something is added. */
RpSpan rp_records_key(const RpRecords *records, guint position);

/* Writes up to capacity of the record's values to values and returns how many there are in all. The
 * spans are valid until something is added. */
guint32 rp_records_values(const RpRecords *records, guint position, RpSpan *values, guint32 capacity);

/* Whether two records are readings of the same thing: of one key, or of one element of it. */
gboolean rp_records_is_same(const RpRecords *records, guint a, guint b);

/* The record as one RESP2 array, for the reject that keeps it: key, type ("hash*" for a hash of which only
 * some fields were read), time to live in ms (-1 none, -2 unknown), for a list the element's index, then its
 * values (protocol: https://redis.io/docs/reference/protocol-spec/). Appended to *raw; raw.h reads it back.
 */
void rp_records_append_raw(const RpRecords *records, guint position, RpBuffer *raw);

G_END_DECLS
