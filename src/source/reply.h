/* What the elements of replies mean: values go from the read buffer straight to where they belong, and no
 * tree of replies is made. */
#pragma once

#include "base/buffer.h"
#include "model/record.h"

#include <glib.h>

G_BEGIN_DECLS

/* The keys that one SCAN step gave. */
typedef struct {
    guint64 next_cursor; /* 0: the iteration is complete */
    gboolean has_cursor; /* the answer had the shape of a SCAN's */
    RpBuffer bytes;
    GArray *spans; /* of {offset, size}; see rp_key_page_get */
} RpKeyPage;

void rp_key_page_init(RpKeyPage *page);
void rp_key_page_clear(RpKeyPage *page);
guint rp_key_page_size(const RpKeyPage *page);
/* Borrowed until the page is received into again. */
RpSpan rp_key_page_get(const RpKeyPage *page, guint position);

/* How a reply is made up. */
typedef enum {
    RP_REPLY_NUMBER,  /* PTTL, PEXPIRETIME */
    RP_REPLY_PAGE,    /* SCAN: a cursor, and keys */
    RP_REPLY_VALUES,  /* HGETALL, GET: the values of one record */
    RP_REPLY_FIELDS,  /* HMGET: values of the fields that were asked for, or nil */
    RP_REPLY_ITEMS,   /* LRANGE: a record an item */
    RP_REPLY_MEMBERS, /* SSCAN: a cursor, and a record a member */
    RP_REPLY_SCORES,  /* ZSCAN: a cursor, and a record for each member and its score */
    RP_REPLY_ENTRIES, /* XRANGE: a record for each of [id, [name, value, …]] */
} RpReplyShape;

/* What the next reply is for. */
typedef struct {
    RpReplyShape shape;
    RpKeyPage *page;    /* of RP_REPLY_PAGE */
    RpRecords *records; /* of the others: records, or values of the newest record, go here */
    RpRecord head; /* what each record that is begun gets: entity, type, times, and the first item's index */
    RpSpan key;
    const GPtrArray *fields; /* of RP_REPLY_FIELDS: the names that were asked for */
    guint max_elements;      /* of RP_REPLY_ITEMS and RP_REPLY_ENTRIES: that were asked for; 0: any number */
    guint64 first_id[2];     /* of RP_REPLY_ENTRIES: no id before it was asked for */
    gsize max_bytes;         /* of one record; and of all, unless is_smallest */
    gboolean is_smallest;    /* less cannot be asked for: all that comes is taken */
    /* What came. */
    gsize n_bytes;
    gsize n_record_bytes; /* of the newest record */
    guint64 n_values;
    guint64 n_announced;   /* elements that the reply said it has */
    guint64 n_begun;       /* records that were begun */
    gboolean has_position; /* the cursor or an entry's id came */
    guint64 cursor;
    guint64 last_id[2]; /* of the last entry: milliseconds, sequence */
    gboolean is_odd;    /* it is not made up like that: what came of it is not to be used */
    gboolean is_too_large;
    gboolean is_nil;
    gint64 integer;
    char *error_text;
} RpReplyTarget;

/* Begins a record of the target's. */
RpRecord *rp_reply_begin_record(RpReplyTarget *target);

/* Arrays inside arrays: the entries of a stream, an entry, its fields. */
#define RP_REPLY_MAX_DEPTH 3

/* Where in a reply an element stands. */
typedef struct {
    guint depth;       /* 0: it is the reply */
    gint index;        /* in the array that it stands in */
    gint parent_index; /* of that array in its own */
} RpReplyPlace;

/* The reply's elements, in their order, as the parser of replies finds them. */
void rp_reply_take_string(RpReplyTarget *target, const RpReplyPlace *place, RpSpan text);
void rp_reply_take_error(RpReplyTarget *target, const RpReplyPlace *place, RpSpan text);
void rp_reply_take_integer(RpReplyTarget *target, const RpReplyPlace *place, gint64 value);
void rp_reply_take_nil(RpReplyTarget *target, const RpReplyPlace *place);
/* Its elements come after it. */
void rp_reply_take_array(RpReplyTarget *target, const RpReplyPlace *place, gint n_elements);

G_END_DECLS
