/* A growable run of bytes, reused from batch to batch. Offsets into it stay valid, pointers do not. */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

typedef struct {
    char *data;
    gsize size;     /* bytes in use */
    gsize capacity; /* bytes allocated */
} RpBuffer;

/* Makes room for size_bytes more. Aborts like g_realloc when memory is out. */
void rp_buffer_grow(RpBuffer *buffer, gsize size_bytes);

/* Empties the buffer. Gives its memory back when it grew past keep_bytes, so that one huge value does
 * not stay allocated for the rest of a run. */
void rp_buffer_reset(RpBuffer *buffer, gsize keep_bytes);

/* Frees what the buffer owns; the struct may be used again. */
void rp_buffer_clear(RpBuffer *buffer);

static inline char *rp_buffer_reserve(RpBuffer *buffer, gsize size_bytes) {
    if (G_UNLIKELY(buffer->capacity - buffer->size < size_bytes))
        rp_buffer_grow(buffer, size_bytes);
    return buffer->data + buffer->size;
}

static inline void rp_buffer_append(RpBuffer *buffer, const void *data, gsize size_bytes) {
    if (size_bytes == 0)
        return;
    memcpy(rp_buffer_reserve(buffer, size_bytes), data, size_bytes);
    buffer->size += size_bytes;
}

static inline void rp_buffer_append_u16(RpBuffer *buffer, guint16 value) {
    const guint16 big_endian = GUINT16_TO_BE(value);
    rp_buffer_append(buffer, &big_endian, sizeof big_endian);
}

static inline void rp_buffer_append_u32(RpBuffer *buffer, guint32 value) {
    const guint32 big_endian = GUINT32_TO_BE(value);
    rp_buffer_append(buffer, &big_endian, sizeof big_endian);
}

static inline void rp_buffer_append_u64(RpBuffer *buffer, guint64 value) {
    const guint64 big_endian = GUINT64_TO_BE(value);
    rp_buffer_append(buffer, &big_endian, sizeof big_endian);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpBuffer, rp_buffer_clear)

G_END_DECLS
