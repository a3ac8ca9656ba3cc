/* Dates, times of day and times in the forms that a mapping names. */
#include "converting.h"

#define DATE        COLUMN(RP_TYPE_DATE, "date")
#define TIME        COLUMN(RP_TYPE_TIME, "time")
#define TIMESTAMP   COLUMN(RP_TYPE_TIMESTAMP, "timestamp")
#define TIMESTAMPTZ COLUMN(RP_TYPE_TIMESTAMPTZ, "timestamptz")

static RpTimePattern *compile(const char *text) {
    char *problem = NULL;
    RpTimePattern *pattern = rp_time_pattern_new(text, &problem);
    cr_assert(pattern != NULL, "%s: %s", text, problem);
    return pattern;
}

Test(convert_time, times_of_day) {
    ASSERT_CASES(TIME, {"00:00", "0000000000000000"}, {"00:00:00.000001", "0000000000000001"},
                 {"12:30:00", "0000000a7a358200"}, {"24:00:00", "000000141dd76000"},
                 {"24:00:00.000001", "invalid_timestamp"}, {"25:00", "invalid_timestamp"},
                 {"12:00+02", "invalid_timestamp"}, {"noon", "invalid_timestamp"}, {"", "invalid_timestamp"},
                 {"12:00:00.0000001", "scale_exceeded"}, {"2024-06-01T12:00", "invalid_timestamp"});
}

Test(convert_time, times_of_day_of_other_forms) {
    g_autoptr(GTimeZone) kathmandu = g_time_zone_new_identifier("Asia/Kathmandu"); /* +05:30 until 1986 */
    g_autoptr(RpTimePattern) twelve = compile("%I:%M %p");
    g_autoptr(RpTimePattern) whole = compile("%F %T %z");
    const RpConversion by_pattern = {
        .column = TIME, .time_format = RP_TIME_PATTERN, .time_pattern = twelve, .zone = kathmandu};
    ASSERT_REFINED(&by_pattern, {"12:30 PM", "0000000a7a358200"}, {"12:00 AM", "0000000000000000"},
                   {"12:30", "invalid_timestamp"});
    const RpConversion with_date = {
        .column = TIME, .time_format = RP_TIME_PATTERN, .time_pattern = whole, .zone = kathmandu};
    ASSERT_REFINED(&with_date, {"2024-06-01 06:45:00 Z", "0000000a7a358200"},
                   {"1960-06-01 07:00:00 Z", "0000000a7a358200"});
    const RpConversion unix_time = {.column = TIME, .time_format = RP_TIME_UNIX};
    ASSERT_REFINED(&unix_time, {"45000", "0000000a7a358200"}, {"-41400", "0000000a7a358200"},
                   {"12:30", "invalid_timestamp"});
}

Test(convert_time, dates_of_other_forms) {
    g_autoptr(GTimeZone) berlin = g_time_zone_new_identifier("Europe/Berlin");
    const RpConversion utc = {.column = DATE, .time_format = RP_TIME_UNIX};
    ASSERT_REFINED(&utc, {"946684800", "00000000"}, {"946684799", "ffffffff"},
                   {"946684799.999999", "ffffffff"}, {"946771199", "00000000"}, {"-1", "ffffd532"},
                   {"2000-01-01", "invalid_timestamp"}, {"99999999999999", "out_of_range"});
    const RpConversion local = {.column = DATE, .time_format = RP_TIME_UNIX_MS, .zone = berlin};
    ASSERT_REFINED(&local, {"946681200000", "00000000"}, {"946681199999", "ffffffff"});
    g_autoptr(RpTimePattern) pattern = compile("%d.%m.%Y");
    const RpConversion by_pattern = {
        .column = DATE, .time_format = RP_TIME_PATTERN, .time_pattern = pattern, .zone = berlin};
    ASSERT_REFINED(&by_pattern, {"02.01.2000", "00000001"}, {"1.1.2000", "00000000"},
                   {"31.02.2000", "invalid_timestamp"}, {"2000-01-02", "invalid_timestamp"});
    g_autoptr(RpTimePattern) with_offset = compile("%F %T%z");
    const RpConversion moved = {
        .column = DATE, .time_format = RP_TIME_PATTERN, .time_pattern = with_offset, .zone = berlin};
    ASSERT_REFINED(&moved, {"1999-12-31 23:00:00Z", "00000000"}, {"2000-01-01 00:30:00+02", "ffffffff"});
}

Test(convert_time, patterns_are_in_the_zone_unless_they_name_one) {
    g_autoptr(GTimeZone) berlin = g_time_zone_new_identifier("Europe/Berlin");
    g_autoptr(RpTimePattern) plain = compile("%d/%m/%Y %T.%f");
    RpConversion conversion = {.column = TIMESTAMPTZ, .time_format = RP_TIME_PATTERN, .time_pattern = plain};
    assert_conversion(&conversion, RP_SPAN_OF("01/01/2000 00:00:00.5"), "000000000007a120");
    assert_conversion(&conversion, RP_SPAN_OF("01/01/2000 00:00:00.0000005"), "scale_exceeded");
    assert_conversion(&conversion, RP_SPAN_OF("01/01/2000"), "invalid_timestamp");
    conversion.zone = berlin;
    assert_conversion(&conversion, RP_SPAN_OF("01/01/2000 01:00:00.5"), "000000000007a120");
    conversion.column = TIMESTAMP;
    assert_conversion(&conversion, RP_SPAN_OF("01/01/2000 00:00:00.5"), "000000000007a120");

    g_autoptr(RpTimePattern) zoned = compile("%FT%T%z");
    conversion.time_pattern = zoned;
    assert_conversion(&conversion, RP_SPAN_OF("1999-12-31T23:00:00Z"), "0000000000000000");
    conversion.column = TIMESTAMPTZ;
    assert_conversion(&conversion, RP_SPAN_OF("2000-01-01T02:00:00+02:00"), "0000000000000000");

    g_autoptr(RpTimePattern) instant = compile("@%s");
    conversion.time_pattern = instant;
    assert_conversion(&conversion, RP_SPAN_OF("@946684800"), "0000000000000000");
    assert_conversion(&conversion, RP_SPAN_OF("@253402300800"), "out_of_range");
    conversion.column = TIMESTAMP;
    assert_conversion(&conversion, RP_SPAN_OF("@946681200"), "0000000000000000");
    conversion = (RpConversion){.column = TIMESTAMPTZ, .time_format = RP_TIME_UNIX};
    assert_conversion(&conversion, RP_SPAN_OF("946684800.000001"), "0000000000000001");
    assert_conversion(&conversion, RP_SPAN_OF("946684800.0000001"), "scale_exceeded");
}

/* PostgreSQL rounds what it casts; a run does not. */
Test(convert_time, fractions_are_held_to_what_the_column_holds) {
    const RpColumn *milliseconds =
        SIZED(RP_TYPE_TIMESTAMPTZ, "timestamp(3) with time zone", .max_characters = -1, .precision = 3);
    ASSERT_CASES(milliseconds, {"2000-01-01T00:00:00.123Z", "000000000001e078"},
                 {"2000-01-01T00:00:00.123000Z", "000000000001e078"},
                 {"2000-01-01T00:00:00.1236Z", "scale_exceeded"},
                 {"1999-12-31T23:59:59.9999Z", "scale_exceeded"});
    const RpColumn *seconds = SIZED(RP_TYPE_TIME, "time(0)", .max_characters = -1, .precision = 0);
    ASSERT_CASES(seconds, {"12:30:00", "0000000a7a358200"}, {"23:59:59.9", "scale_exceeded"});
}

/* An offset may lead out of the years that can be written. */
Test(convert_time, years_are_1_to_9999_in_the_end) {
    ASSERT_CASES(TIMESTAMPTZ, {"9999-12-31T23:59:59.999999-15:59", "out_of_range"},
                 {"0001-01-01T00:00:00+14:00", "out_of_range"});
    ASSERT_CASES(TIMESTAMP, {"9999-12-31T23:59:59.999999-15:59", "out_of_range"},
                 {"0001-01-01T00:00:00+14:00", "out_of_range"},
                 {"9999-12-31T23:59:59.999999", "0380e70b913b7fff"},
                 {"0001-01-01T00:00:00", "ff1fe2ffc59c6000"});
}
