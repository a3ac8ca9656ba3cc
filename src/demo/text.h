/* A short text on the stack, put together without formats: ids, times, decimals, JSON. */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

typedef struct {
    gsize size; /* bytes in use */
    char data[504];
} RpText;

static inline void rp_text_add_bytes(RpText *text, const char *bytes, gsize size) {
    g_assert(size <= sizeof text->data - text->size);
    memcpy(text->data + text->size, bytes, size);
    text->size += size;
}

static inline void rp_text_add(RpText *text, const char *literal) {
    rp_text_add_bytes(text, literal, strlen(literal));
}

void rp_text_add_number(RpText *text, guint64 number);

/* The lowest n_digits hexadecimal digits, in lower case. */
void rp_text_add_hex(RpText *text, guint64 number, guint n_digits);

/* 1234 as 12.34. */
void rp_text_add_cents(RpText *text, guint64 cents);

/* Microseconds since 1970 as 2025-03-01T09:30:00.000000, as Python's datetime.isoformat() writes a time
 * without a zone. */
void rp_text_add_time(RpText *text, guint64 unix_us);

G_END_DECLS
