/* Times of the proleptic Gregorian calendar as text. */
#include "mapping/time_text.h"

#include "mapping/time_scan.h"

#define DAYS_PER_ERA       146097 /* of 400 years */
#define DAYS_TO_2000_MARCH 60     /* from 2000-01-01; an era begins there */
#define MONTHS_TO_MARCH    2

typedef struct {
    gint64 year; /* 0 is 1 BC */
    int month;
    int day;
} Civil;

/* Years are counted from March, so that the day that some lack is their last one (Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", civil_from_days). */
static Civil civil_of(gint64 days) {
    const gint64 since_march = days - DAYS_TO_2000_MARCH;
    const gint64 era = rp_time_floor(since_march, DAYS_PER_ERA);
    const gint64 day_of_era = since_march - era * DAYS_PER_ERA;
    const gint64 year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
    const gint64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int month_from_march = (int)((5 * day_of_year + 2) / 153);
    const int month = (month_from_march + MONTHS_TO_MARCH) % 12 + 1;
    return (Civil){.year = 2000 + era * 400 + year_of_era + (month <= MONTHS_TO_MARCH),
                   .month = month,
                   .day = (int)day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

static void append_date(GString *text, const Civil *civil) {
    g_string_append_printf(text, "%04" G_GINT64_FORMAT "-%02d-%02d",
                           civil->year > 0 ? civil->year : 1 - civil->year, civil->month, civil->day);
}

static void append_time(GString *text, gint64 microseconds) {
    const int seconds = (int)(microseconds / RP_USEC_PER_SECOND);
    const int fraction = (int)(microseconds % RP_USEC_PER_SECOND);
    g_string_append_printf(text, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (fraction == 0)
        return;
    g_string_append_printf(text, ".%06d", fraction);
    while (text->str[text->len - 1] == '0')
        g_string_truncate(text, text->len - 1);
}

static void append_era(GString *text, const Civil *civil) {
    g_string_append(text, civil->year > 0 ? "" : " BC");
}

char *rp_time_text_date(gint32 days) {
    if (days == G_MAXINT32 || days == G_MININT32)
        return g_strdup(days > 0 ? "infinity" : "-infinity");
    GString *text = g_string_new(NULL);
    const Civil civil = civil_of(days);
    append_date(text, &civil);
    append_era(text, &civil);
    return g_string_free(text, FALSE);
}

char *rp_time_text_time(gint64 microseconds) {
    GString *text = g_string_new(NULL);
    append_time(text, microseconds);
    return g_string_free(text, FALSE);
}

char *rp_time_text_timestamp(gint64 microseconds, gboolean has_zone) {
    if (microseconds == G_MAXINT64 || microseconds == G_MININT64)
        return g_strdup(microseconds > 0 ? "infinity" : "-infinity");
    GString *text = g_string_new(NULL);
    const gint64 days = rp_time_floor(microseconds, RP_USEC_PER_DAY);
    const Civil civil = civil_of(days);
    append_date(text, &civil);
    g_string_append_c(text, ' ');
    append_time(text, microseconds - days * RP_USEC_PER_DAY);
    g_string_append(text, has_zone ? "+00" : "");
    append_era(text, &civil);
    return g_string_free(text, FALSE);
}
