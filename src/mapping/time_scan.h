/* The pieces that written times are made of. Each reader moves *at past what it took. */
#pragma once

#include "model/reject.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_USEC_PER_SECOND G_GINT64_CONSTANT(1000000)
#define RP_SECONDS_PER_DAY G_GINT64_CONSTANT(86400)
#define RP_USEC_PER_DAY    (RP_SECONDS_PER_DAY * RP_USEC_PER_SECOND)

/* Exactly n digits, at most nine; -1 when they are not there. */
static inline int rp_time_take_digits(const char **at, const char *end, int n) {
    if (end - *at < n)
        return -1;
    int value = 0;
    for (int i = 0; i < n; i++) {
        const char digit = (*at)[i];
        if (!g_ascii_isdigit(digit))
            return -1;
        value = value * 10 + (digit - '0');
    }
    *at += n;
    return value;
}

static inline gboolean rp_time_take_char(const char **at, const char *end, char expected) {
    if (*at == end || **at != expected)
        return FALSE;
    (*at)++;
    return TRUE;
}

/* The fraction of a second behind its point, as microseconds; up to max_digits digits are taken, at least one
 * must be there. Digits finer than microseconds must be zero, else *code is RP_REJECT_SCALE_EXCEEDED. */
gboolean rp_time_take_fraction(const char **at, const char *end, int max_digits, gint64 *microseconds,
                               RpRejectCode *code);

/* Z, ±HH, ±HHMM or ±HH:MM, up to 15:59, as seconds. */
gboolean rp_time_take_offset(const char **at, const char *end, gint32 *seconds);

/* Days from 2000-01-01; FALSE for a date that does not exist, and for years before 1. */
gboolean rp_time_days_of(int year, int month, int day, gint32 *days);

/* The same for the n-th day of a year, from 1. */
gboolean rp_time_days_of_year_day(int year, int year_day, gint32 *days);

/* Unix seconds: [+-] and up to 19 digits, then, where has_fraction, a point and a fraction; times unit_us, as
 * microseconds since 2000-01-01. Years before 1 and after 9999 are RP_REJECT_OUT_OF_RANGE: a number of the
 * wrong unit is more often than not outside. */
gboolean rp_time_take_unix(const char **at, const char *end, gint64 unit_us, gboolean has_fraction,
                           gint64 *microseconds, RpRejectCode *code);

/* The quotient rounded down, so that times before the epoch fall into the right second or day. */
static inline gint64 rp_time_floor(gint64 microseconds, gint64 unit_us) {
    const gint64 rest = microseconds % unit_us;
    return microseconds / unit_us - (rest < 0);
}

G_END_DECLS
