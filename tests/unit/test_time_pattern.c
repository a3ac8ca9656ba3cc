/* Time patterns: what compiles, what is read, and what is not. */
#include "mapping/time_pattern.h"
#include "mapping/timestamp.h"

#include <criterion/criterion.h>
#include <glib.h>

/* "2024-06-01 12:00:00.000000 +7200" */
static char *show(gint64 local_us, gboolean has_offset, gint32 offset_s) {
    const gint64 unix_us = local_us + RP_POSTGRES_EPOCH_US;
    const gint64 fraction = (unix_us % 1000000 + 1000000) % 1000000;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc((unix_us - fraction) / 1000000);
    g_autofree char *text = g_date_time_format(time, "%m-%d %H:%M:%S");
    GString *shown = g_string_new(NULL);
    g_string_append_printf(shown, "%04d-%s.%06d", g_date_time_get_year(time), text, (int)fraction);
    if (has_offset)
        g_string_append_printf(shown, " %+d", offset_s);
    return g_string_free(shown, FALSE);
}

static RpTimePattern *compile(const char *text) {
    char *problem = NULL;
    RpTimePattern *pattern = rp_time_pattern_new(text, &problem);
    cr_assert(pattern != NULL, "%s: %s", text, problem);
    return pattern;
}

static void assert_read(const RpTimePattern *pattern, RpSpan text, const char *expected) {
    gint64 local_us;
    gboolean has_offset;
    gint32 offset_s;
    RpRejectCode code = RP_N_REJECT_CODES;
    g_autofree char *got = rp_time_pattern_parse(pattern, text, &local_us, &has_offset, &offset_s, &code)
                               ? show(local_us, has_offset, offset_s)
                               : g_strdup(rp_reject_code_name(code));
    cr_assert(strcmp(got, expected) == 0, "\"%s\" gave %s, not %s", text.data, got, expected);
}

typedef struct {
    const char *pattern;
    struct {
        const char *text;
        const char *expected;
    } cases[12];
} PatternCases;

static void assert_patterns(const PatternCases *patterns, gsize n_patterns) {
    for (gsize i = 0; i < n_patterns; i++) {
        g_autoptr(RpTimePattern) pattern = compile(patterns[i].pattern);
        for (guint j = 0; j < G_N_ELEMENTS(patterns[i].cases) && patterns[i].cases[j].text != NULL; j++)
            assert_read(pattern, rp_span(patterns[i].cases[j].text), patterns[i].cases[j].expected);
    }
}

#define BAD "invalid_timestamp"

Test(time_pattern, reads_dates) {
    static const PatternCases PATTERNS[] = {
        {"%d/%m/%Y",
         {{"01/06/2024", "2024-06-01 00:00:00.000000"},
          {"1/6/2024", "2024-06-01 00:00:00.000000"},
          {"29/02/2024", "2024-02-29 00:00:00.000000"},
          {"29/02/2023", BAD},
          {"31/04/2024", BAD},
          {"00/06/2024", BAD},
          {"01/13/2024", BAD},
          {"01/06/24", BAD},
          {"01/06/0000", BAD},
          {"001/06/2024", BAD},
          {"01/06/2024 ", BAD},
          {"", BAD}}},
        {"%F",
         {{"0001-01-01", "0001-01-01 00:00:00.000000"},
          {"9999-12-31", "9999-12-31 00:00:00.000000"},
          {"12024-01-01", BAD},
          {"-024-01-01", BAD},
          {"+024-01-01", BAD},
          {" 2024-01-01", BAD}}},
        /* numbers that touch have their full width */
        {"%Y%m%d",
         {{"20240601", "2024-06-01 00:00:00.000000"},
          {"2024601", BAD},
          {"2024061", BAD},
          {"202406011", BAD}}},
        {"%Y1%m-%d", {{"2024106-1", "2024-06-01 00:00:00.000000"}, {"202416-1", BAD}}},
        {"%y-%m-%d",
         {{"69-01-01", "1969-01-01 00:00:00.000000"},
          {"99-01-01", "1999-01-01 00:00:00.000000"},
          {"00-01-01", "2000-01-01 00:00:00.000000"},
          {"68-01-01", "2068-01-01 00:00:00.000000"},
          {"8-01-01", BAD}}},
        {"%d %b %Y",
         {{"01 Jan 2024", "2024-01-01 00:00:00.000000"},
          {"01 DEC 2024", "2024-12-01 00:00:00.000000"},
          {"01 may 2024", "2024-05-01 00:00:00.000000"},
          {"01 september 2024", "2024-09-01 00:00:00.000000"},
          {"01 Sept 2024", BAD},
          {"01 Mai 2024", BAD},
          {"01 Ja", BAD}}},
        {"%B %e, %Y",
         {{"June 1, 2024", "2024-06-01 00:00:00.000000"},
          {"June  1, 2024", "2024-06-01 00:00:00.000000"},
          {"June 01, 2024", "2024-06-01 00:00:00.000000"},
          {"Jun 11, 2024", "2024-06-11 00:00:00.000000"},
          {"June  11, 2024", BAD},
          {"June   1, 2024", BAD}}},
        {"%Y-%j",
         {{"2024-001", "2024-01-01 00:00:00.000000"},
          {"2024-1", "2024-01-01 00:00:00.000000"},
          {"2024-366", "2024-12-31 00:00:00.000000"},
          {"2023-365", "2023-12-31 00:00:00.000000"},
          {"2023-366", BAD},
          {"2024-0", BAD},
          {"2024-367", BAD}}},
    };
    assert_patterns(PATTERNS, G_N_ELEMENTS(PATTERNS));
}

Test(time_pattern, reads_times_of_day) {
    static const PatternCases PATTERNS[] = {
        {"%H:%M",
         {{"00:00", "2000-01-01 00:00:00.000000"},
          {"23:59", "2000-01-01 23:59:00.000000"},
          {"9:05", "2000-01-01 09:05:00.000000"},
          {"24:00", BAD},
          {"12:60", BAD},
          {"12:", BAD}}},
        {"%T", {{"12:34:56", "2000-01-01 12:34:56.000000"}, {"12:34:60", BAD}}},
        {"%H%M%S%f", {{"123456789", "2000-01-01 12:34:56.789000"}, {"12345", BAD}}},
        {"%T.%f",
         {{"00:00:00.1", "2000-01-01 00:00:00.100000"},
          {"00:00:00.123456", "2000-01-01 00:00:00.123456"},
          {"00:00:00.123456000", "2000-01-01 00:00:00.123456"},
          {"00:00:00.1234567", "scale_exceeded"},
          {"00:00:00.1234560000", BAD},
          {"00:00:00.", BAD}}},
        {"%I:%M %p",
         {{"12:00 am", "2000-01-01 00:00:00.000000"},
          {"12:00 PM", "2000-01-01 12:00:00.000000"},
          {"01:30 pM", "2000-01-01 13:30:00.000000"},
          {"11:59 Am", "2000-01-01 11:59:00.000000"},
          {"00:30 AM", BAD},
          {"13:00 PM", BAD},
          {"01:00 xm", BAD},
          {"01:00 p", BAD},
          {"01:00 ", BAD}}},
        {"%H", {{"7", "2000-01-01 07:00:00.000000"}}},
    };
    assert_patterns(PATTERNS, G_N_ELEMENTS(PATTERNS));
}

Test(time_pattern, reads_zones_and_instants) {
    static const PatternCases PATTERNS[] = {
        {"%FT%T%z",
         {{"2024-06-01T12:00:00Z", "2024-06-01 12:00:00.000000 +0"},
          {"2024-06-01T12:00:00+02:00", "2024-06-01 12:00:00.000000 +7200"},
          {"2024-06-01T12:00:00-0530", "2024-06-01 12:00:00.000000 -19800"},
          {"2024-06-01T12:00:00+02", "2024-06-01 12:00:00.000000 +7200"},
          {"2024-06-01T12:00:00", BAD},
          {"2024-06-01T12:00:00+", BAD},
          {"2024-06-01T12:00:00+16", BAD},
          {"2024-06-01T12:00:00+02:6", BAD},
          {"2024-06-01T12:00:00 +02", BAD}}},
        {"(%z) %F", {{"(+02) 2024-06-01", "2024-06-01 00:00:00.000000 +7200"}}},
        {"%d/%b/%Y:%T %z", {{"10/Oct/2000:13:55:36 -0700", "2000-10-10 13:55:36.000000 -25200"}}},
        {"/Date(%s)/",
         {{"/Date(1717243200)/", "2024-06-01 12:00:00.000000 +0"},
          {"/Date(-1)/", "1969-12-31 23:59:59.000000 +0"},
          {"/Date(253402300800)/", "out_of_range"},
          {"/Date(1717243200", BAD},
          {"/Date()/", BAD},
          {"/Date(1.5)/", BAD}}},
        {"100%% %Y\xe2\x82\xac%m.%d",
         {{"100% 2024\xe2\x82\xac"
           "06.01",
           "2024-06-01 00:00:00.000000"}}},
    };
    assert_patterns(PATTERNS, G_N_ELEMENTS(PATTERNS));
}

Test(time_pattern, reads_bytes_to_their_end) {
    g_autoptr(RpTimePattern) pattern = compile("%F %T");
    assert_read(pattern, RP_SPAN_OF("2024-06-01 12:00:00\0"), BAD);
    assert_read(pattern,
                RP_SPAN_OF("2024-06-01\0"
                           "12:00:00"),
                BAD);
    static const char TEXT[] = "2024-06-01 12:00:00";
    for (gsize size = 0; size < sizeof TEXT - 2; size++) { /* a copy, so that valgrind sees a byte too far */
        g_autofree char *copy = g_memdup2(TEXT, size);
        assert_read(pattern, (RpSpan){copy != NULL ? copy : "", size}, BAD);
    }
}

Test(time_pattern, refuses_what_contradicts_itself) {
    static const struct {
        const char *pattern;
        const char *problem; /* a part of it */
    } PATTERNS[] = {
        {"", "neither a date nor a time"},
        {"no directive", "neither a date nor a time"},
        {"%Y-%m-%d %q", "%q is not known"},
        {"%A", "%A is not known"},
        {"%\xc3\xa9", "%\xc3\xa9 is not known"},
        {"%Y-%m-%", "single %"},
        {"%F %Y", "%Y names what is named before"},
        {"%y %F", "%Y names what is named before"},
        {"%m %b %d %Y", "%b names"},
        {"%d %e", "%e names"},
        {"%T %M", "%M names"},
        {"%T.%f.%f", "%f names"},
        {"%H:%M %p", "%p needs %I"},
        {"%I:%M", "%I needs %p"},
        {"%I %H %p", "no %H"},
        {"%Y-%m", "a year needs a month and a day"},
        {"%d", "a day needs"},
        {"%m %d", "a month needs"},
        {"%j", "%j needs a year"},
        {"%F %j", "neither a month nor a day"},
        {"%Y %j %d", "neither a month nor a day"},
        {"%M", "%M needs an hour"},
        {"%H %S", "%S needs %M"},
        {"%H:%M %f", "%f needs %S"},
        {"%T%z", "%z needs a date"},
        {"%s %Y", "%s names a whole time"},
        {"%F %s", "%s names a whole time"},
        {"%s.%f", "%s names a whole time"},
        {"%F %H:%M:%S.%f0", "behind %f"},
        {"%F %T.%f%z2", "behind %z"},
        {"%s000", "behind %s"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(PATTERNS); i++) {
        g_autofree char *problem = NULL;
        g_autoptr(RpTimePattern) pattern = rp_time_pattern_new(PATTERNS[i].pattern, &problem);
        cr_assert(pattern == NULL, "%s", PATTERNS[i].pattern);
        cr_assert(strstr(problem, PATTERNS[i].problem) != NULL, "%s: %s", PATTERNS[i].pattern, problem);
    }
    g_autofree char *longest = g_strnfill(198, 'x');
    g_autofree char *fits = g_strconcat("%F", longest, NULL);
    g_autofree char *over = g_strconcat("%F.", longest, NULL);
    g_autofree char *problem = NULL;
    g_autoptr(RpTimePattern) pattern = compile(fits);
    cr_assert(rp_time_pattern_new(over, &problem) == NULL && strstr(problem, "200 bytes") != NULL);
}

Test(time_pattern, knows_what_it_names) {
    static const struct {
        const char *pattern;
        gboolean has_date, has_time;
    } PATTERNS[] = {{"%F", TRUE, FALSE},   {"%T", FALSE, TRUE},    {"%F %H", TRUE, TRUE},
                    {"%I%p", FALSE, TRUE}, {"%y %j", TRUE, FALSE}, {"%s", TRUE, TRUE}};
    for (guint i = 0; i < G_N_ELEMENTS(PATTERNS); i++) {
        g_autoptr(RpTimePattern) pattern = compile(PATTERNS[i].pattern);
        cr_assert(rp_time_pattern_has_date(pattern) == PATTERNS[i].has_date, "%s", PATTERNS[i].pattern);
        cr_assert(rp_time_pattern_has_time(pattern) == PATTERNS[i].has_time, "%s", PATTERNS[i].pattern);
    }
}
