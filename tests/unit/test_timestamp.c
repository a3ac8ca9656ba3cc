/* Times: each form that is read, and each mistake that is not. */
#include "mapping/timestamp.h"

#include <criterion/criterion.h>
#include <glib.h>

/* The time as GLib writes it, which knows the calendar by itself. */
static char *show(gint64 microseconds) {
    const gint64 unix_us = microseconds + RP_POSTGRES_EPOCH_US;
    const gint64 seconds = (unix_us - (unix_us % 1000000 + 1000000) % 1000000) / 1000000;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    cr_assert(time != NULL);
    g_autofree char *text = g_date_time_format(time, "%m-%d %H:%M:%S");
    return g_strdup_printf("%04d-%s.%06d", g_date_time_get_year(time), text,
                           (int)(unix_us - seconds * 1000000));
}

static void assert_time(RpSpan text, RpTimeFormat format, GTimeZone *zone, const char *expected) {
    gint64 microseconds = 0;
    RpRejectCode code = RP_N_REJECT_CODES;
    g_autofree char *got = rp_timestamp_parse(text, format, zone, &microseconds, &code)
                               ? show(microseconds)
                               : g_strdup(rp_reject_code_name(code));
    cr_assert(strcmp(got, expected) == 0, "\"%.60s\" gave %s, not %s", text.data, got, expected);
}

typedef struct {
    const char *text;
    const char *expected;
} Case;

Test(timestamp, reads_iso_8601) {
    static const Case CASES[] = {
        {"2000-01-01T00:00:00Z", "2000-01-01 00:00:00.000000"},
        {"2024-02-29", "2024-02-29 00:00:00.000000"},
        {"2024-02-29T23:59", "2024-02-29 23:59:00.000000"},
        {"2024-02-29 23:59:59", "2024-02-29 23:59:59.000000"},
        {"2024-02-29t23:59:59z", "2024-02-29 23:59:59.000000"},
        {"2024-06-01T12:00:00.5", "2024-06-01 12:00:00.500000"},
        {"2024-06-01T12:00:00,25", "2024-06-01 12:00:00.250000"},
        {"2024-06-01T12:00:00.123456", "2024-06-01 12:00:00.123456"},
        {"2024-06-01T12:00:00.123456000", "2024-06-01 12:00:00.123456"},
        {"2024-06-01T12:00:00+02:00", "2024-06-01 10:00:00.000000"},
        {"2024-06-01T12:00:00-0530", "2024-06-01 17:30:00.000000"},
        {"2024-06-01 12:00:00+02", "2024-06-01 10:00:00.000000"},
        {"2024-06-01T12:00Z", "2024-06-01 12:00:00.000000"},
        {"2024-06-01T12:00:00.5+15:59", "2024-05-31 20:01:00.500000"},
        {"1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999999"},
        {"0001-01-01T00:00:00Z", "0001-01-01 00:00:00.000000"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999"},
        {"1900-02-28", "1900-02-28 00:00:00.000000"},
        {"2000-02-29", "2000-02-29 00:00:00.000000"},
        {"2024-12-31T23:59:59-00:00", "2024-12-31 23:59:59.000000"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_time(rp_span(CASES[i].text), RP_TIME_ISO8601, NULL, CASES[i].expected);
}

Test(timestamp, refuses_what_does_not_exist_or_is_no_time) {
    static const char *const BAD[] = {"",
                                      "now",
                                      "today",
                                      "2024",
                                      "2024-06",
                                      "2023-02-29",
                                      "1900-02-29",
                                      "2024-13-01",
                                      "2024-00-01",
                                      "2024-04-31",
                                      "2024-06-00",
                                      "0000-01-01",
                                      "2024-6-1",
                                      "24-06-01",
                                      "12024-06-01",
                                      "2024/06/01",
                                      "20240601",
                                      " 2024-06-01",
                                      "2024-06-01 ",
                                      "2024-06-01T",
                                      "2024-06-01Z",
                                      "2024-06-01T12",
                                      "2024-06-01T24:00:00",
                                      "2024-06-01T12:60:00",
                                      "2024-06-01T12:00:60",
                                      "2024-06-01T12:00:00.",
                                      "2024-06-01T12:00:00.Z",
                                      "2024-06-01T12:00:00+",
                                      "2024-06-01T12:00:00+2",
                                      "2024-06-01T12:00:00+16",
                                      "2024-06-01T12:00:00+02:60",
                                      "2024-06-01T12:00:00+02:",
                                      "2024-06-01T12:00:00+02:0",
                                      "2024-06-01T12:00:00ZZ",
                                      "2024-06-01T12:00:00 UTC",
                                      "2024-06-01T-1:00:00",
                                      "infinity"};
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        assert_time(rp_span(BAD[i]), RP_TIME_ISO8601, NULL, "invalid_timestamp");
    assert_time(RP_SPAN_OF("2024-06-01\0"), RP_TIME_ISO8601, NULL, "invalid_timestamp");
    assert_time(RP_SPAN_OF("2024-06-01T12:00:00.1234567Z"), RP_TIME_ISO8601, NULL, "scale_exceeded");
}

Test(timestamp, reads_unix_numbers) {
    static const struct {
        RpTimeFormat format;
        Case numbers;
    } CASES[] = {
        {RP_TIME_UNIX, {"0", "1970-01-01 00:00:00.000000"}},
        {RP_TIME_UNIX, {"-1", "1969-12-31 23:59:59.000000"}},
        {RP_TIME_UNIX, {"1717243200", "2024-06-01 12:00:00.000000"}},
        {RP_TIME_UNIX_MS, {"1717243200123", "2024-06-01 12:00:00.123000"}},
        {RP_TIME_UNIX_MS, {"-1", "1969-12-31 23:59:59.999000"}},
        {RP_TIME_UNIX_US, {"1717243200123456", "2024-06-01 12:00:00.123456"}},
        {RP_TIME_UNIX, {"253402300799", "9999-12-31 23:59:59.000000"}},
        {RP_TIME_UNIX, {"253402300800", "out_of_range"}},
        {RP_TIME_UNIX, {"-62135596800", "0001-01-01 00:00:00.000000"}},
        {RP_TIME_UNIX, {"-62135596801", "out_of_range"}},
        {RP_TIME_UNIX, {"1717243200123", "out_of_range"}}, /* milliseconds, taken for seconds */
        {RP_TIME_UNIX, {"9223372036854775807", "out_of_range"}},
        {RP_TIME_UNIX, {"", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"1717243200.5", "2024-06-01 12:00:00.500000"}},
        {RP_TIME_UNIX, {"1717243200.123456000", "2024-06-01 12:00:00.123456"}},
        {RP_TIME_UNIX, {"+1717243200", "2024-06-01 12:00:00.000000"}},
        {RP_TIME_UNIX, {"-0.5", "1969-12-31 23:59:59.500000"}},
        {RP_TIME_UNIX, {"-1.000001", "1969-12-31 23:59:58.999999"}},
        {RP_TIME_UNIX, {"253402300799.999999", "9999-12-31 23:59:59.999999"}},
        {RP_TIME_UNIX, {"-62135596800.000001", "out_of_range"}},
        {RP_TIME_UNIX, {"1717243200.1234567", "scale_exceeded"}},
        {RP_TIME_UNIX, {"1717243200.", "invalid_timestamp"}},
        {RP_TIME_UNIX, {".5", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"1717243200,5", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"1.5.5", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"-", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"--1", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"9999999999999999999", "out_of_range"}},
        {RP_TIME_UNIX, {"9999999999999999999x", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"99999999999999999999", "invalid_timestamp"}},
        {RP_TIME_UNIX_MS, {"1717243200123.5", "invalid_timestamp"}},
        {RP_TIME_UNIX_US, {"1717243200123456.0", "invalid_timestamp"}},
        {RP_TIME_UNIX_US, {"9223372036854775807", "out_of_range"}},
        {RP_TIME_UNIX, {" 1", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"1 ", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"1e9", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"2024-06-01", "invalid_timestamp"}},
        {RP_TIME_UNIX, {"000000000000000000000000001", "invalid_timestamp"}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_time(rp_span(CASES[i].numbers.text), CASES[i].format, NULL, CASES[i].numbers.expected);
    assert_time(RP_SPAN_OF("12\0003"), RP_TIME_UNIX, NULL, "invalid_timestamp");
    assert_time(RP_SPAN_OF("12\0"), RP_TIME_UNIX_MS, NULL, "invalid_timestamp");
}

Test(timestamp, without_a_zone_is_in_the_given_one) {
    g_autoptr(GTimeZone) berlin = g_time_zone_new_identifier("Europe/Berlin");
    cr_assert(berlin != NULL);
    static const Case CASES[] = {
        {"2024-01-15T12:00:00", "2024-01-15 11:00:00.000000"},
        {"2024-07-15T12:00:00", "2024-07-15 10:00:00.000000"},
        {"2024-07-15", "2024-07-14 22:00:00.000000"},
        {"2024-07-15T12:00:00Z", "2024-07-15 12:00:00.000000"}, /* its own zone wins */
        {"2024-07-15T12:00:00+05:00", "2024-07-15 07:00:00.000000"},
        {"2024-03-31T01:59:59", "2024-03-31 00:59:59.000000"},
        {"2024-03-31T02:30:00",
         "2024-03-31 01:30:00.000000"}, /* skipped by the clocks: as PostgreSQL reads it */
        {"2024-03-31T03:00:00", "2024-03-31 01:00:00.000000"},
        {"2024-10-27T02:30:00", "2024-10-27 01:30:00.000000"}, /* shown twice: standard time */
        {"2024-10-27T03:00:00", "2024-10-27 02:00:00.000000"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_time(rp_span(CASES[i].text), RP_TIME_ISO8601, berlin, CASES[i].expected);
    cr_assert(rp_zone_offset(NULL, 0) == 0);
    cr_assert(rp_zone_offset(berlin, 1721044800) == 7200);
}

Test(timestamp, date_counts_days_from_2000) {
    static const struct {
        const char *text;
        gint32 days;
    } DATES[] = {{"2000-01-01", 0},       {"2000-01-02", 1},      {"1999-12-31", -1},
                 {"2001-01-01", 366},     {"1970-01-01", -10957}, {"0001-01-01", -730119},
                 {"9999-12-31", 2921939}, {"2024-03-01", 8826}};
    for (guint i = 0; i < G_N_ELEMENTS(DATES); i++) {
        gint32 days = 0;
        cr_assert(rp_date_parse(rp_span(DATES[i].text), &days), "%s", DATES[i].text);
        cr_assert(days == DATES[i].days, "%s gave %d", DATES[i].text, days);
    }
    static const char *const BAD[] = {"",         "2024-02-30", "2024-06-01T00:00:00",
                                      "2024-6-1", "01.06.2024", "0000-01-01"};
    gint32 days;
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        cr_assert(!rp_date_parse(rp_span(BAD[i]), &days), "%s", BAD[i]);
}

Test(timestamp, time_of_day_counts_from_midnight) {
    static const struct {
        const char *text;
        gint64 microseconds;
    } TIMES[] = {{"00:00", 0},
                 {"00:00:00.000001", 1},
                 {"12:30", 45000000000},
                 {"23:59:59.999999", 86399999999},
                 {"23:59:59,5", 86399500000},
                 {"10:00:00.123456000", 36000123456},
                 {"24:00", 86400000000},
                 {"24:00:00.000", 86400000000}};
    gint64 microseconds = -1;
    RpRejectCode code;
    for (guint i = 0; i < G_N_ELEMENTS(TIMES); i++) {
        cr_assert(rp_time_parse(rp_span(TIMES[i].text), &microseconds, &code), "%s", TIMES[i].text);
        cr_assert(microseconds == TIMES[i].microseconds, "%s", TIMES[i].text);
    }
    static const char *const BAD[] = {"",
                                      "12",
                                      "1:00",
                                      "12:0",
                                      "12:60",
                                      "12:00:60",
                                      "25:00",
                                      "24:01",
                                      "24:00:01",
                                      "24:00:00.000001",
                                      "12:00:00.",
                                      " 12:00",
                                      "12:00 ",
                                      "12:00Z",
                                      "12:00+02",
                                      "12:00:00PM",
                                      "-1:00:00",
                                      "1200",
                                      "2024-06-01T12:00:00"};
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        cr_assert(!rp_time_parse(rp_span(BAD[i]), &microseconds, &code) &&
                      code == RP_REJECT_INVALID_TIMESTAMP,
                  "%s", BAD[i]);
    cr_assert(!rp_time_parse(RP_SPAN_OF("12:00\0"), &microseconds, &code));
    cr_assert(!rp_time_parse(RP_SPAN_OF("12:00:00.1234567"), &microseconds, &code) &&
              code == RP_REJECT_SCALE_EXCEEDED);
}

Test(timestamp, goes_from_zone_to_zone) {
    g_autoptr(GTimeZone) berlin = g_time_zone_new_identifier("Europe/Berlin");
    const gint64 hour = G_GINT64_CONSTANT(3600000000);
    cr_assert(rp_zone_to_utc(NULL, 5) == 5 && rp_zone_to_local(NULL, 5) == 5);
    cr_assert(rp_zone_to_utc(berlin, 0) == -hour && rp_zone_to_local(berlin, 0) == hour);
    /* 1996-10-27 01:00 UTC: summer time ends there, and not a microsecond before */
    const gint64 end_of_summer = (G_GINT64_CONSTANT(846378000) - 946684800) * 1000000;
    cr_assert(rp_zone_to_local(berlin, end_of_summer) == end_of_summer + hour);
    cr_assert(rp_zone_to_local(berlin, end_of_summer - 1) == end_of_summer - 1 + 2 * hour);
    const gint64 before_1970 = (G_GINT64_CONSTANT(-1) - 946684800) * 1000000 + 1;
    cr_assert(rp_zone_to_utc(berlin, rp_zone_to_local(berlin, before_1970)) == before_1970);
}
