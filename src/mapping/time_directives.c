/* Readers of the parts of a time. */
#include "mapping/time_directives.h"

#include "mapping/time_scan.h"

#include <string.h>

#define MAX_FRACTION_DIGITS 9

static gboolean take_number(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact) {
    const char *start = reading->at;
    int number = 0;
    while (reading->at < reading->end && reading->at - start < directive->width &&
           g_ascii_isdigit(*reading->at))
        number = number * 10 + (*reading->at++ - '0');
    if (reading->at == start || (is_exact && reading->at - start < directive->width))
        return FALSE;
    reading->numbers[directive->part] = number;
    return number >= directive->least && number <= directive->most;
}

/* Years have no short form: 24 is not 2024. */
static gboolean take_year(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact) {
    (void)is_exact;
    return take_number(reading, directive, TRUE);
}

/* As POSIX has it (strptime): 69 to 99 are of the 20th century. */
static gboolean take_short_year(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact) {
    (void)is_exact;
    if (!take_number(reading, directive, TRUE))
        return FALSE;
    reading->numbers[RP_TIME_PART_YEAR] += reading->numbers[RP_TIME_PART_YEAR] >= 69 ? 1900 : 2000;
    return TRUE;
}

/* A blank may stand for the day's leading zero. */
static gboolean take_blank_day(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact) {
    const RpTimeDirective one_digit = {.part = directive->part, .width = 1, .least = 1, .most = 9};
    return rp_time_take_char(&reading->at, reading->end, ' ') ? take_number(reading, &one_digit, TRUE)
                                                              : take_number(reading, directive, is_exact);
}

static gboolean take_word(RpTimeReading *reading, const char *word, gsize size) {
    if ((gsize)(reading->end - reading->at) < size || g_ascii_strncasecmp(reading->at, word, size) != 0)
        return FALSE;
    reading->at += size;
    return TRUE;
}

static gboolean take_month_name(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact) {
    (void)is_exact;
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    for (int i = 0; i < 12; i++)
        if (take_word(reading, names[i], strlen(names[i])) || take_word(reading, names[i], 3)) {
            reading->numbers[directive->part] = i + 1;
            return TRUE;
        }
    return FALSE;
}

static gboolean take_half_day(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact) {
    (void)is_exact;
    reading->numbers[directive->part] = take_word(reading, "pm", 2);
    return reading->numbers[directive->part] || take_word(reading, "am", 2);
}

static gboolean take_fraction(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact) {
    (void)directive;
    (void)is_exact;
    return rp_time_take_fraction(&reading->at, reading->end, MAX_FRACTION_DIGITS, &reading->fraction_us,
                                 reading->code);
}

static gboolean take_offset(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact) {
    (void)directive;
    (void)is_exact;
    return rp_time_take_offset(&reading->at, reading->end, &reading->offset_s);
}

static gboolean take_instant(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact) {
    (void)directive;
    (void)is_exact;
    return rp_time_take_unix(&reading->at, reading->end, RP_USEC_PER_SECOND, FALSE, &reading->instant_us,
                             reading->code);
}

static const RpTimeDirective DIRECTIVES[] = {
    {'Y', RP_TIME_PART_YEAR, take_year, 4, 1, 9999, TRUE, TRUE},
    {'y', RP_TIME_PART_YEAR, take_short_year, 2, 0, 99, TRUE, TRUE},
    {'m', RP_TIME_PART_MONTH, take_number, 2, 1, 12, TRUE, TRUE},
    {'b', RP_TIME_PART_MONTH, take_month_name, 0, 0, 0, FALSE, FALSE},
    {'B', RP_TIME_PART_MONTH, take_month_name, 0, 0, 0, FALSE, FALSE},
    {'d', RP_TIME_PART_DAY, take_number, 2, 1, 31, TRUE, TRUE},
    {'e', RP_TIME_PART_DAY, take_blank_day, 2, 1, 31, TRUE, TRUE},
    {'j', RP_TIME_PART_YEAR_DAY, take_number, 3, 1, 366, TRUE, TRUE},
    {'H', RP_TIME_PART_HOUR, take_number, 2, 0, 23, TRUE, TRUE},
    {'I', RP_TIME_PART_HOUR_12, take_number, 2, 1, 12, TRUE, TRUE},
    {'p', RP_TIME_PART_HALF_DAY, take_half_day, 0, 0, 0, FALSE, FALSE},
    {'M', RP_TIME_PART_MINUTE, take_number, 2, 0, 59, TRUE, TRUE},
    {'S', RP_TIME_PART_SECOND, take_number, 2, 0, 59, TRUE, TRUE},
    {'f', RP_TIME_PART_FRACTION, take_fraction, 0, 0, 0, TRUE, TRUE},
    {'z', RP_TIME_PART_OFFSET, take_offset, 0, 0, 0, FALSE, TRUE},
    {'s', RP_TIME_PART_INSTANT, take_instant, 0, 0, 0, TRUE, TRUE},
};

const RpTimeDirective *rp_time_directive_find(char letter) {
    for (guint i = 0; i < G_N_ELEMENTS(DIRECTIVES); i++)
        if (DIRECTIVES[i].letter == letter)
            return &DIRECTIVES[i];
    return NULL;
}
