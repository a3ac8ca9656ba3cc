/* ISO 8601 and Unix times to PostgreSQL's microseconds. */
#include "mapping/timestamp.h"

#include "mapping/time_scan.h"

static gboolean take_date(const char **at, const char *end, gint32 *days) {
    const int year = rp_time_take_digits(at, end, 4);
    if (year < 0 || !rp_time_take_char(at, end, '-'))
        return FALSE;
    const int month = rp_time_take_digits(at, end, 2);
    if (month < 0 || !rp_time_take_char(at, end, '-'))
        return FALSE;
    const int day = rp_time_take_digits(at, end, 2);
    return day >= 0 && rp_time_days_of(year, month, day, days);
}

/* Reads HH:MM[:SS[.fraction]], hours up to 24. */
static gboolean take_time(const char **at, const char *end, gint64 *microseconds, RpRejectCode *code) {
    const int hour = rp_time_take_digits(at, end, 2);
    if (hour < 0 || hour > 24 || !rp_time_take_char(at, end, ':'))
        return FALSE;
    const int minute = rp_time_take_digits(at, end, 2);
    if (minute < 0 || minute > 59)
        return FALSE;
    int second = 0;
    gint64 fraction = 0;
    if (rp_time_take_char(at, end, ':')) {
        second = rp_time_take_digits(at, end, 2);
        if (second < 0 || second > 59)
            return FALSE;
        if ((rp_time_take_char(at, end, '.') || rp_time_take_char(at, end, ',')) &&
            !rp_time_take_fraction(at, end, G_MAXINT, &fraction, code))
            return FALSE;
    }
    *microseconds = ((gint64)hour * 3600 + minute * 60 + second) * RP_USEC_PER_SECOND + fraction;
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

gint64 rp_zone_to_utc(GTimeZone *zone, gint64 local_us) {
    if (zone == NULL)
        return local_us;
    const gint64 seconds = rp_time_floor(local_us + RP_POSTGRES_EPOCH_US, RP_USEC_PER_SECOND);
    return local_us - rp_zone_offset(zone, seconds) * RP_USEC_PER_SECOND;
}

gint64 rp_zone_to_local(GTimeZone *zone, gint64 utc_us) {
    if (zone == NULL)
        return utc_us;
    const gint64 seconds = rp_time_floor(utc_us + RP_POSTGRES_EPOCH_US, RP_USEC_PER_SECOND);
    const int interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, seconds);
    return utc_us + g_time_zone_get_offset(zone, MAX(interval, 0)) * RP_USEC_PER_SECOND;
}

static gboolean parse_iso(RpSpan text, GTimeZone *zone, gint64 *microseconds, RpRejectCode *code) {
    const char *at = text.data;
    const char *end = text.data + text.size;
    gint32 days;
    gint64 time = 0;
    if (!take_date(&at, end, &days))
        return FALSE;
    const gboolean has_time = rp_time_take_char(&at, end, 'T') || rp_time_take_char(&at, end, 't') ||
                              rp_time_take_char(&at, end, ' ');
    if (has_time && (!take_time(&at, end, &time, code) || time >= RP_USEC_PER_DAY))
        return FALSE;
    const gint64 local = days * RP_USEC_PER_DAY + time;
    if (at == end) {
        *microseconds = rp_zone_to_utc(zone, local);
        return TRUE;
    }
    gint32 offset;
    if (!has_time || !rp_time_take_offset(&at, end, &offset) || at != end)
        return FALSE;
    *microseconds = local - offset * RP_USEC_PER_SECOND;
    return TRUE;
}

static gboolean parse_unix(RpSpan text, gint64 unit_us, gint64 *microseconds, RpRejectCode *code) {
    const char *at = text.data;
    const char *end = text.data + text.size;
    /* Programs write seconds as floating point ("1700000000.123"), and finer units whole. */
    const gboolean has_fraction = unit_us == RP_USEC_PER_SECOND;
    const gboolean is_taken = rp_time_take_unix(&at, end, unit_us, has_fraction, microseconds, code);
    if (*code == RP_REJECT_OUT_OF_RANGE && at != end)
        *code = RP_REJECT_INVALID_TIMESTAMP; /* a large number, and something behind it */
    return is_taken && at == end;
}

gboolean rp_timestamp_parse(RpSpan text, RpTimeFormat format, GTimeZone *zone, gint64 *microseconds,
                            RpRejectCode *code) {
    *code = RP_REJECT_INVALID_TIMESTAMP;
    switch (format) {
    case RP_TIME_ISO8601:
        return parse_iso(text, zone, microseconds, code);
    case RP_TIME_UNIX:
        return parse_unix(text, RP_USEC_PER_SECOND, microseconds, code);
    case RP_TIME_UNIX_MS:
        return parse_unix(text, 1000, microseconds, code);
    case RP_TIME_UNIX_US:
        return parse_unix(text, 1, microseconds, code);
    case RP_TIME_PATTERN:
        break;
    }
    g_assert_not_reached();
}

gboolean rp_date_parse(RpSpan text, gint32 *days) {
    const char *at = text.data;
    const char *end = text.data + text.size;
    return take_date(&at, end, days) && at == end;
}

gboolean rp_time_parse(RpSpan text, gint64 *microseconds, RpRejectCode *code) {
    const char *at = text.data;
    const char *end = text.data + text.size;
    *code = RP_REJECT_INVALID_TIMESTAMP;
    return take_time(&at, end, microseconds, code) && at == end && *microseconds <= RP_USEC_PER_DAY;
}
