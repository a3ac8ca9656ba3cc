/* Dates, times of day, and times. */
#include "mapping/converters.h"
#include "mapping/time_scan.h"

static gboolean refuse_time(RpTimeFormat format, RpRejectCode code, RpProblem *problem) {
    static const char *const messages[] = {
        [RP_TIME_ISO8601] = "is no ISO 8601 time that exists",
        [RP_TIME_UNIX] = "is no number of Unix seconds",
        [RP_TIME_UNIX_MS] = "is no number of Unix milliseconds",
        [RP_TIME_UNIX_US] = "is no number of Unix microseconds",
        [RP_TIME_PATTERN] = "does not fit the time pattern, or does not exist",
    };
    if (code == RP_REJECT_SCALE_EXCEEDED)
        return rp_problem_set(problem, code, "is finer than microseconds");
    if (code == RP_REJECT_OUT_OF_RANGE)
        return rp_problem_set(problem, code, "is outside of the years 1 to 9999");
    return rp_problem_set(problem, code, "%s", messages[format]);
}

/* Reads a time as the mapping says, in microseconds since 2000-01-01 00:00. *is_local: on the wall clock of
 * the mapping's zone; else in UTC. */
static gboolean read_moment(const RpConversion *conversion, RpSpan text, gint64 *microseconds,
                            gboolean *is_local, RpProblem *problem) {
    RpRejectCode code;
    *is_local = FALSE;
    if (conversion->time_format != RP_TIME_PATTERN)
        return rp_timestamp_parse(text, conversion->time_format, conversion->zone, microseconds, &code)
                   ? TRUE
                   : refuse_time(conversion->time_format, code, problem);
    gboolean has_offset;
    gint32 offset_s;
    if (!rp_time_pattern_parse(conversion->time_pattern, text, microseconds, &has_offset, &offset_s, &code))
        return refuse_time(conversion->time_format, code, problem);
    *is_local = !has_offset;
    if (has_offset)
        *microseconds -= offset_s * RP_USEC_PER_SECOND;
    return TRUE;
}

static gboolean read_instant(const RpConversion *conversion, RpSpan text, gint64 *utc_us,
                             RpProblem *problem) {
    gboolean is_local;
    if (!read_moment(conversion, text, utc_us, &is_local, problem))
        return FALSE;
    if (is_local)
        *utc_us = rp_zone_to_utc(conversion->zone, *utc_us);
    return TRUE;
}

static gboolean read_wall_clock(const RpConversion *conversion, RpSpan text, gint64 *local_us,
                                RpProblem *problem) {
    gboolean is_local;
    if (!read_moment(conversion, text, local_us, &is_local, problem))
        return FALSE;
    if (!is_local)
        *local_us = rp_zone_to_local(conversion->zone, *local_us);
    return TRUE;
}

static gboolean read_date(const RpConversion *conversion, RpSpan text, gint32 *days, RpProblem *problem) {
    if (conversion->time_format == RP_TIME_ISO8601)
        return rp_date_parse(text, days) ? TRUE
                                         : rp_problem_set(problem, RP_REJECT_INVALID_TIMESTAMP,
                                                          "is no date (YYYY-MM-DD) that exists");
    gint64 local_us;
    if (!read_wall_clock(conversion, text, &local_us, problem))
        return FALSE;
    *days = (gint32)rp_time_floor(local_us, RP_USEC_PER_DAY);
    return TRUE;
}

gboolean rp_convert_date(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                         RpProblem *problem) {
    gint32 days;
    if (!read_date(conversion, text, &days, problem))
        return FALSE;
    converted->integer = days;
    rp_buffer_append_u32(out, 4);
    rp_buffer_append_u32(out, (guint32)days);
    return TRUE;
}

static gboolean read_time_of_day(const RpConversion *conversion, RpSpan text, gint64 *microseconds,
                                 RpProblem *problem) {
    RpRejectCode code;
    if (conversion->time_format == RP_TIME_ISO8601) {
        if (rp_time_parse(text, microseconds, &code))
            return TRUE;
        if (code == RP_REJECT_SCALE_EXCEEDED)
            return refuse_time(RP_TIME_ISO8601, code, problem);
        return rp_problem_set(problem, code, "is no time of day (HH:MM:SS)");
    }
    gint64 local_us;
    if (!read_wall_clock(conversion, text, &local_us, problem))
        return FALSE;
    *microseconds = local_us - rp_time_floor(local_us, RP_USEC_PER_DAY) * RP_USEC_PER_DAY;
    return TRUE;
}

#define FIRST_MOMENT (G_GINT64_CONSTANT(-730119) * RP_USEC_PER_DAY) /* 0001-01-01 00:00 */
#define END_OF_TIME  (G_GINT64_CONSTANT(2921940) * RP_USEC_PER_DAY) /* 10000-01-01 00:00 */

/* PostgreSQL would round to what timestamp(p) holds. A zone may lead out of the years that were read. */
static gboolean append_microseconds(const RpConversion *conversion, RpBuffer *out, gint64 microseconds,
                                    RpProblem *problem) {
    static const gint64 units[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    const int precision = conversion->column->precision;
    if (precision >= 0 && precision < 6 && microseconds % units[precision] != 0)
        return rp_problem_set(problem, RP_REJECT_SCALE_EXCEEDED, "is finer than %s holds",
                              conversion->column->type_name);
    if (microseconds < FIRST_MOMENT || microseconds >= END_OF_TIME)
        return refuse_time(RP_TIME_ISO8601, RP_REJECT_OUT_OF_RANGE, problem);
    rp_buffer_append_u32(out, 8);
    rp_buffer_append_u64(out, (guint64)microseconds);
    return TRUE;
}

gboolean rp_convert_time(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                         RpProblem *problem) {
    if (!read_time_of_day(conversion, text, &converted->integer, problem))
        return FALSE;
    return append_microseconds(conversion, out, converted->integer, problem);
}

gboolean rp_convert_timestamptz(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                                RpConverted *converted, RpProblem *problem) {
    if (!read_instant(conversion, text, &converted->integer, problem))
        return FALSE;
    return append_microseconds(conversion, out, converted->integer, problem);
}

/* A timestamp without zone holds the wall-clock time of the mapping's zone, of an instant: what the clocks
 * skip is moved as in a timestamptz. */
gboolean rp_convert_timestamp(const RpConversion *conversion, RpSpan text, RpBuffer *out,
                              RpConverted *converted, RpProblem *problem) {
    gint64 utc_us;
    if (!read_instant(conversion, text, &utc_us, problem))
        return FALSE;
    converted->integer = rp_zone_to_local(conversion->zone, utc_us);
    return append_microseconds(conversion, out, converted->integer, problem);
}
