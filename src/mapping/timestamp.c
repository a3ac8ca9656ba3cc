/* ISO 8601 and Unix times to PostgreSQL's microseconds. */
#include "mapping/timestamp.h"

#define DAYS_TO_2000 730119 /* from 0001-01-01 */
#define USEC         G_GINT64_CONSTANT(1000000)
#define DAY_SECONDS  86400

/* Reads exactly n digits at *at and moves past them; -1 when they are not there. */
static int take_digits(const char **at, const char *end, int n) {
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

static gboolean take_char(const char **at, const char *end, char expected) {
    if (*at == end || **at != expected)
        return FALSE;
    (*at)++;
    return TRUE;
}

static gboolean is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 2000-01-01; FALSE for a date that does not exist. */
static gboolean days_of(int year, int month, int day, gint32 *days) {
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return FALSE;
    if (day > lengths[month - 1] + (month == 2 && is_leap(year)))
        return FALSE;
    const int past = year - 1;
    *days = past * 365 + past / 4 - past / 100 + past / 400 + before[month - 1] +
            (month > 2 && is_leap(year)) + day - 1 - DAYS_TO_2000;
    return TRUE;
}

static gboolean take_date(const char **at, const char *end, gint32 *days) {
    const int year = take_digits(at, end, 4);
    if (year < 0 || !take_char(at, end, '-'))
        return FALSE;
    const int month = take_digits(at, end, 2);
    if (month < 0 || !take_char(at, end, '-'))
        return FALSE;
    const int day = take_digits(at, end, 2);
    return day >= 0 && days_of(year, month, day, days);
}

/* Reads the fraction after the point as microseconds. */
static gboolean take_fraction(const char **at, const char *end, gint64 *microseconds, RpRejectCode *code) {
    int n_digits = 0;
    gint64 value = 0;
    for (; *at < end && g_ascii_isdigit(**at); (*at)++, n_digits++) {
        if (n_digits < 6) {
            value = value * 10 + (**at - '0');
        } else if (**at != '0') {
            *code = RP_REJECT_SCALE_EXCEEDED;
            return FALSE;
        }
    }
    for (int i = n_digits; i < 6; i++)
        value *= 10;
    *microseconds = value;
    return n_digits > 0;
}

/* Reads HH:MM[:SS[.fraction]]. */
static gboolean take_time(const char **at, const char *end, gint64 *microseconds, RpRejectCode *code) {
    const int hour = take_digits(at, end, 2);
    if (hour < 0 || hour > 23 || !take_char(at, end, ':'))
        return FALSE;
    const int minute = take_digits(at, end, 2);
    if (minute < 0 || minute > 59)
        return FALSE;
    int second = 0;
    gint64 fraction = 0;
    if (take_char(at, end, ':')) {
        second = take_digits(at, end, 2);
        if (second < 0 || second > 59)
            return FALSE;
        if ((take_char(at, end, '.') || take_char(at, end, ',')) && !take_fraction(at, end, &fraction, code))
            return FALSE;
    }
    *microseconds = ((gint64)hour * 3600 + minute * 60 + second) * USEC + fraction;
    return TRUE;
}

/* Reads Z, ±HH, ±HHMM or ±HH:MM. */
static gboolean take_offset(const char **at, const char *end, gint32 *seconds) {
    *seconds = 0;
    if (take_char(at, end, 'Z') || take_char(at, end, 'z'))
        return TRUE;
    const char sign = **at;
    if (sign != '+' && sign != '-')
        return FALSE;
    (*at)++;
    const int hours = take_digits(at, end, 2);
    if (hours < 0 || hours > 15)
        return FALSE;
    int minutes = 0;
    if (*at < end) {
        take_char(at, end, ':');
        minutes = take_digits(at, end, 2);
        if (minutes < 0 || minutes > 59)
            return FALSE;
    }
    *seconds = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return TRUE;
}

gint32 rp_zone_offset(GTimeZone *zone, gint64 local_seconds_unix) {
    if (zone == NULL)
        return 0;
    gint64 existing = local_seconds_unix;
    int interval = g_time_zone_adjust_time(zone, G_TIME_TYPE_STANDARD, &existing);
    /* A time that the clocks skip counts from before the change, as PostgreSQL has it (postgresql:
     * src/backend/utils/adt/datetime.c, DetermineTimeZoneOffset). */
    if (existing != local_seconds_unix && interval > 0)
        interval--;
    return g_time_zone_get_offset(zone, interval);
}

static gboolean parse_iso(RpSpan text, GTimeZone *zone, gint64 *microseconds, RpRejectCode *code) {
    const char *at = text.data;
    const char *end = text.data + text.size;
    gint32 days;
    gint64 time = 0;
    if (!take_date(&at, end, &days))
        return FALSE;
    const gboolean has_time =
        take_char(&at, end, 'T') || take_char(&at, end, 't') || take_char(&at, end, ' ');
    if (has_time && !take_time(&at, end, &time, code))
        return FALSE;
    const gint64 local = (gint64)days * DAY_SECONDS * USEC + time;
    gint32 offset;
    if (at == end) {
        offset = rp_zone_offset(zone, (local + RP_POSTGRES_EPOCH_US) / USEC);
    } else if (!has_time || !take_offset(&at, end, &offset) || at != end) {
        return FALSE;
    }
    *microseconds = local - (gint64)offset * USEC;
    return TRUE;
}

static gboolean parse_unix(RpSpan text, gint64 unit_us, gint64 *microseconds, RpRejectCode *code) {
    g_autofree char *copy = g_strndup(text.data, MIN(text.size, (gsize)32));
    gint64 number, scaled;
    if (text.size > 20 || strlen(copy) != text.size ||
        !g_ascii_string_to_signed(copy, 10, G_MININT64, G_MAXINT64, &number, NULL))
        return FALSE;
    /* Years 0001 to 9999, like the other forms: a number of the wrong unit is more often than not outside. */
    if (__builtin_mul_overflow(number, unit_us, &scaled) || scaled < -62135596800 * USEC ||
        scaled >= 253402300800 * USEC) {
        *code = RP_REJECT_OUT_OF_RANGE;
        return FALSE;
    }
    *microseconds = scaled - RP_POSTGRES_EPOCH_US;
    return TRUE;
}

gboolean rp_timestamp_parse(RpSpan text, RpTimeFormat format, GTimeZone *zone, gint64 *microseconds,
                            RpRejectCode *code) {
    *code = RP_REJECT_INVALID_TIMESTAMP;
    switch (format) {
    case RP_TIME_ISO8601:
        return parse_iso(text, zone, microseconds, code);
    case RP_TIME_UNIX:
        return parse_unix(text, USEC, microseconds, code);
    case RP_TIME_UNIX_MS:
        return parse_unix(text, 1000, microseconds, code);
    case RP_TIME_UNIX_US:
        return parse_unix(text, 1, microseconds, code);
    }
    g_assert_not_reached();
}

gboolean rp_date_parse(RpSpan text, gint32 *days) {
    const char *at = text.data;
    const char *end = text.data + text.size;
    return take_date(&at, end, days) && at == end;
}
