/* Keys with what is known of them, each once, in the order in which they were added. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

/* Before a key's bytes. */
typedef struct {
    guint64 before; /* offset of the place in the stream, */
    gint64 expires_at_ms;
    gint64 touched_us; /* monotonic time */
    gint32 database;   /* and what is selected there */
    guint32 size;      /* of the key, in bytes */
} RpSegmentEntry;

/* Belongs to whoever locks it. Entries are taken from the front. */
typedef struct {
    RpBuffer bytes;  /* entries */
    GArray *offsets; /* of guint32: where each begins */
    guint32 *slots;  /* open addressing: number of the entry and one, 0: free */
    guint32 n_slots; /* a power of two */
    guint32 next;    /* the first entry that was not taken */
    guint64 seed;    /* of the hashes */
} RpSegment;

/* What the entries of a segment may weigh at the most: positions are 32 bits. */
#define RP_SEGMENT_BYTES (G_MAXUINT32 / 2)

void rp_segment_init(RpSegment *segment);
void rp_segment_clear(RpSegment *segment);
/* Empties it, and gives its memory back. */
void rp_segment_reset(RpSegment *segment);

/* What it takes of the memory. */
gsize rp_segment_weigh(const RpSegment *segment);

/* Entries that were not taken. */
guint32 rp_segment_count(const RpSegment *segment);

/* Valid until something is added. */
RpSegmentEntry *rp_segment_get(const RpSegment *segment, guint32 number);
RpSpan rp_segment_key(const RpSegmentEntry *entry);

/* The entry of a key that was not taken; NULL: there is none. */
RpSegmentEntry *rp_segment_find(const RpSegment *segment, RpSpan key);

/* Adds an entry of a key that it does not hold; entry->size is the key's. */
void rp_segment_append(RpSegment *segment, const RpSegmentEntry *entry, RpSpan key);

G_END_DECLS
