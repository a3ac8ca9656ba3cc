/* Canonical forms as tests compare them. */
#pragma once

#include "reconcile/canonical.h"

#include <criterion/criterion.h>
#include <glib.h>

/* A column of no table, without limits. */
static inline RpColumn canonicals_column(RpTypeKind kind) {
    return (RpColumn){.name = "c", .kind = kind, .max_characters = -1, .precision = -1};
}

static inline GBytes *canonicals_of(const RpColumn *column, RpSpan wire, gboolean is_stored) {
    g_auto(RpCanonical) canonical = {0};
    RpBuffer out = {0};
    /* A copy of its own: reading past its end is seen by the sanitizers. */
    g_autofree char *copy = wire.size > 0 ? g_memdup2(wire.data, wire.size) : NULL;
    rp_canonical_append(&canonical, column, (RpSpan){copy, wire.size}, is_stored, &out);
    return g_bytes_new_take(out.data, out.size);
}

static inline char *canonicals_show(GBytes *bytes) {
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    return rp_span_show((RpSpan){data, size}, 2000);
}

static inline gboolean canonicals_is_same(const RpColumn *column, RpSpan a, gboolean is_a_stored, RpSpan b,
                                          gboolean is_b_stored) {
    g_autoptr(GBytes) left = canonicals_of(column, a, is_a_stored);
    g_autoptr(GBytes) right = canonicals_of(column, b, is_b_stored);
    return g_bytes_equal(left, right);
}
