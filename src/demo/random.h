/* Numbers that look like chance and are functions of a place: the splitmix64 generator of Steele, Lea and
 * Flood ("Fast splittable pseudorandom number generators", 2014), entered at any point. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define RP_RANDOM_GOLDEN G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)

/* splitmix64's finalizer: a bijection of 64 bits. */
static inline guint64 rp_random_mix(guint64 x) {
    x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* The index-th number of the sequence that seed and lane name. For one seed and lane no two indexes give
 * the same number. */
static inline guint64 rp_random_at(guint64 seed, guint64 lane, guint64 index) {
    return rp_random_mix(rp_random_mix(seed + lane * RP_RANDOM_GOLDEN) + (index + 1) * RP_RANDOM_GOLDEN);
}

/* 0 … bound-1, from the upper half of a number; bound is at most 2^32. */
static inline guint64 rp_random_below(guint64 number, guint64 bound) {
    return ((number >> 32) * bound) >> 32;
}

G_END_DECLS
