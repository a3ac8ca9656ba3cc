/* Entries in one buffer, found by open addressing. */
#include "sync/segment.h"

#include <xxhash.h>

#define FIRST_SLOTS 1024u

void rp_segment_init(RpSegment *segment) {
    *segment = (RpSegment){.offsets = g_array_new(FALSE, FALSE, sizeof(guint32)), .n_slots = FIRST_SLOTS};
    segment->slots = g_new0(guint32, segment->n_slots);
    segment->seed = (guint64)g_random_int() << 32 | g_random_int();
}

void rp_segment_clear(RpSegment *segment) {
    rp_buffer_clear(&segment->bytes);
    g_array_unref(segment->offsets);
    g_free(segment->slots);
}

void rp_segment_reset(RpSegment *segment) {
    rp_segment_clear(segment);
    rp_segment_init(segment);
}

RpSegmentEntry *rp_segment_get(const RpSegment *segment, guint32 number) {
    return (RpSegmentEntry *)(void *)(segment->bytes.data + g_array_index(segment->offsets, guint32, number));
}

RpSpan rp_segment_key(const RpSegmentEntry *entry) {
    return (RpSpan){(const char *)(entry + 1), entry->size};
}

gsize rp_segment_weigh(const RpSegment *segment) {
    return segment->bytes.size + segment->offsets->len * sizeof(guint32) + segment->n_slots * sizeof(guint32);
}

guint32 rp_segment_count(const RpSegment *segment) {
    return segment->offsets->len - segment->next;
}

/* Keys are somebody else's choice: without the seed they could be chosen to collide. */
static guint64 hash_key(const RpSegment *segment, RpSpan key) {
    return XXH3_64bits_withSeed(key.data, key.size, segment->seed);
}

/* The slot of the key, or the free one where it belongs. */
static guint32 *find_slot(const RpSegment *segment, RpSpan key) {
    guint32 at = (guint32)hash_key(segment, key) & (segment->n_slots - 1);
    while (segment->slots[at] != 0 &&
           !rp_span_equal(rp_segment_key(rp_segment_get(segment, segment->slots[at] - 1)), key))
        at = (at + 1) & (segment->n_slots - 1);
    return &segment->slots[at];
}

static void widen(RpSegment *segment) {
    g_free(segment->slots);
    segment->n_slots *= 2;
    segment->slots = g_new0(guint32, segment->n_slots);
    for (guint32 i = segment->next; i < segment->offsets->len; i++)
        *find_slot(segment, rp_segment_key(rp_segment_get(segment, i))) = i + 1;
}

/* An entry of the segment that was not taken; NULL: the key does not wait in it. */
RpSegmentEntry *rp_segment_find(const RpSegment *segment, RpSpan key) {
    const guint32 number = *find_slot(segment, key);
    return number > segment->next ? rp_segment_get(segment, number - 1) : NULL;
}

void rp_segment_append(RpSegment *segment, const RpSegmentEntry *entry, RpSpan key) {
    static const char padding[sizeof(guint64)] = {0};
    const guint32 offset = (guint32)segment->bytes.size;
    if ((gsize)segment->offsets->len * 2 >= segment->n_slots)
        widen(segment);
    rp_buffer_append(&segment->bytes, entry, sizeof *entry);
    rp_buffer_append(&segment->bytes, key.data, key.size);
    rp_buffer_append(&segment->bytes, padding, (sizeof padding - key.size % sizeof padding) % sizeof padding);
    g_array_append_val(segment->offsets, offset);
    *find_slot(segment, key) = segment->offsets->len;
}
