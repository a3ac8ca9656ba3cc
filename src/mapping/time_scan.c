/* Digits, calendar and offsets: what all forms of times share. */
#include "mapping/time_scan.h"

#include "mapping/timestamp.h"

#define DAYS_TO_2000    730119 /* from 0001-01-01 */
#define MAX_UNIX_DIGITS 19

gboolean rp_time_take_fraction(const char **at, const char *end, int max_digits, gint64 *microseconds,
                               RpRejectCode *code) {
    int n_digits = 0;
    gint64 value = 0;
    for (; *at < end && n_digits < max_digits && g_ascii_isdigit(**at); (*at)++, n_digits++) {
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

gboolean rp_time_take_offset(const char **at, const char *end, gint32 *seconds) {
    *seconds = 0;
    if (rp_time_take_char(at, end, 'Z') || rp_time_take_char(at, end, 'z'))
        return TRUE;
    const gboolean is_west = rp_time_take_char(at, end, '-');
    if (!is_west && !rp_time_take_char(at, end, '+'))
        return FALSE;
    const int hours = rp_time_take_digits(at, end, 2);
    if (hours < 0 || hours > 15)
        return FALSE;
    int minutes = 0;
    if (rp_time_take_char(at, end, ':') || (*at < end && g_ascii_isdigit(**at))) {
        minutes = rp_time_take_digits(at, end, 2);
        if (minutes < 0 || minutes > 59)
            return FALSE;
    }
    *seconds = (hours * 3600 + minutes * 60) * (is_west ? -1 : 1);
    return TRUE;
}

static gboolean is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 2000-01-01 to the first of January. */
static gint32 days_before(int year) {
    const int past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400 - DAYS_TO_2000;
}

gboolean rp_time_days_of(int year, int month, int day, gint32 *days) {
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return FALSE;
    if (day > lengths[month - 1] + (month == 2 && is_leap(year)))
        return FALSE;
    *days = days_before(year) + before[month - 1] + (month > 2 && is_leap(year)) + day - 1;
    return TRUE;
}

gboolean rp_time_days_of_year_day(int year, int year_day, gint32 *days) {
    if (year < 1 || year_day < 1 || year_day > 365 + is_leap(year))
        return FALSE;
    *days = days_before(year) + year_day - 1;
    return TRUE;
}

gboolean rp_time_take_unix(const char **at, const char *end, gint64 unit_us, gboolean has_fraction,
                           gint64 *microseconds, RpRejectCode *code) {
    const gboolean is_negative = rp_time_take_char(at, end, '-');
    if (!is_negative)
        rp_time_take_char(at, end, '+');
    guint64 number = 0; /* 19 digits fit */
    int n_digits = 0;
    for (; *at < end && g_ascii_isdigit(**at); (*at)++)
        if (++n_digits <= MAX_UNIX_DIGITS)
            number = number * 10 + (guint64)(**at - '0');
    if (n_digits == 0 || n_digits > MAX_UNIX_DIGITS)
        return FALSE;
    gint64 fraction = 0, scaled = 0;
    if (has_fraction && rp_time_take_char(at, end, '.') &&
        !rp_time_take_fraction(at, end, G_MAXINT, &fraction, code))
        return FALSE;
    const gboolean has_overflow =
        __builtin_mul_overflow(number, unit_us, &scaled) || __builtin_add_overflow(scaled, fraction, &scaled);
    if (is_negative)
        scaled = -scaled; /* it is not negative before: this cannot overflow */
    if (has_overflow || scaled < -62135596800 * RP_USEC_PER_SECOND ||
        scaled >= 253402300800 * RP_USEC_PER_SECOND) {
        *code = RP_REJECT_OUT_OF_RANGE;
        return FALSE;
    }
    *microseconds = scaled - RP_POSTGRES_EPOCH_US;
    return TRUE;
}
