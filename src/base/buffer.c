/* Growth and release of RpBuffer. */
#include "base/buffer.h"

void rp_buffer_grow(RpBuffer *buffer, gsize size_bytes) {
    g_assert(size_bytes <= G_MAXSIZE / 4 - buffer->size);
    const gsize needed = buffer->size + size_bytes;
    buffer->capacity = MAX(needed, MAX((gsize)256, buffer->capacity + buffer->capacity / 4));
    buffer->data = g_realloc(buffer->data, buffer->capacity);
}

void rp_buffer_reset(RpBuffer *buffer, gsize keep_bytes) {
    if (buffer->capacity > keep_bytes)
        rp_buffer_clear(buffer);
    buffer->size = 0;
}

void rp_buffer_clear(RpBuffer *buffer) {
    g_free(buffer->data);
    *buffer = (RpBuffer){0};
}
