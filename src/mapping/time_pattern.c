/* Time patterns: compiled to steps, each of which takes its part of the text. */
#include "mapping/time_pattern.h"

#include "mapping/time_directives.h"
#include "mapping/time_scan.h"

#define MAX_PATTERN_BYTES 200

#define BIT(part) (1u << (part))

/* A literal byte where there is no directive. */
typedef struct {
    const RpTimeDirective *directive;
    char literal;
    gboolean is_exact;
} Step;

struct RpTimePattern {
    guint parts; /* bits of RpTimePart */
    guint n_steps;
    Step steps[MAX_PATTERN_BYTES * 3]; /* "%T" is five */
};

/* What must and what must not stand beside a part, looked at in this order; a part that passes counts as
 * the parts that it implies. */
static const struct {
    guint part, needs, excludes, implies;
    const char *problem;
} RULES[] = {
    {BIT(RP_TIME_PART_INSTANT), 0, BIT(RP_TIME_PART_INSTANT) - 1, 0,
     "%s names a whole time: nothing else can stand beside it"},
    {BIT(RP_TIME_PART_HOUR_12), BIT(RP_TIME_PART_HALF_DAY), BIT(RP_TIME_PART_HOUR), BIT(RP_TIME_PART_HOUR),
     "%I needs %p, and no %H beside it"},
    {BIT(RP_TIME_PART_HALF_DAY), BIT(RP_TIME_PART_HOUR_12), 0, 0, "%p needs %I"},
    {BIT(RP_TIME_PART_YEAR_DAY), BIT(RP_TIME_PART_YEAR), BIT(RP_TIME_PART_MONTH) | BIT(RP_TIME_PART_DAY),
     BIT(RP_TIME_PART_MONTH) | BIT(RP_TIME_PART_DAY),
     "%j needs a year, and neither a month nor a day beside it"},
    {BIT(RP_TIME_PART_YEAR), BIT(RP_TIME_PART_MONTH) | BIT(RP_TIME_PART_DAY), 0, 0,
     "a year needs a month and a day beside it"},
    {BIT(RP_TIME_PART_MONTH), BIT(RP_TIME_PART_YEAR) | BIT(RP_TIME_PART_DAY), 0, 0,
     "a month needs a year and a day beside it"},
    {BIT(RP_TIME_PART_DAY), BIT(RP_TIME_PART_YEAR) | BIT(RP_TIME_PART_MONTH), 0, 0,
     "a day needs a year and a month beside it"},
    {BIT(RP_TIME_PART_MINUTE), BIT(RP_TIME_PART_HOUR), 0, 0, "%M needs an hour"},
    {BIT(RP_TIME_PART_SECOND), BIT(RP_TIME_PART_MINUTE), 0, 0, "%S needs %M"},
    {BIT(RP_TIME_PART_FRACTION), BIT(RP_TIME_PART_SECOND), 0, 0, "%f needs %S"},
    {BIT(RP_TIME_PART_OFFSET), BIT(RP_TIME_PART_YEAR), 0, 0, "%z needs a date"},
};

static const char *check_parts(guint parts) {
    if (parts == 0)
        return "it names neither a date nor a time of day";
    for (guint i = 0; i < G_N_ELEMENTS(RULES); i++) {
        if ((parts & RULES[i].part) == 0)
            continue;
        if ((parts & RULES[i].needs) != RULES[i].needs || (parts & RULES[i].excludes) != 0)
            return RULES[i].problem;
        parts |= RULES[i].implies;
    }
    return NULL;
}

static gboolean begins_with_digit(const Step *step) {
    return step->directive != NULL ? step->directive->begins_with_digit : g_ascii_isdigit(step->literal);
}

static gboolean ends_with_digit(const Step *step) {
    return step->directive != NULL ? step->directive->ends_with_digit : g_ascii_isdigit(step->literal);
}

/* Two numbers that touch can be told apart only when their widths are known. The letter of the directive for
 * which they are not, or NUL. */
static char separate_numbers(RpTimePattern *pattern) {
    for (guint i = 0; i < pattern->n_steps; i++) {
        Step *step = &pattern->steps[i];
        const gboolean is_followed = i + 1 < pattern->n_steps && begins_with_digit(step + 1);
        step->is_exact = is_followed || (i > 0 && ends_with_digit(step - 1));
        if (is_followed && step->directive != NULL && step->directive->ends_with_digit &&
            step->directive->width == 0)
            return step->directive->letter;
    }
    return '\0';
}

/* Adds the steps of a pattern; returns what is wrong with it, or NULL. */
static char *add_steps(RpTimePattern *pattern, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text != '%' || *++text == '%') {
            pattern->steps[pattern->n_steps++] = (Step){.literal = *text};
            continue;
        }
        if (*text == 'T' || *text == 'F') {
            char *problem = add_steps(pattern, *text == 'T' ? "%H:%M:%S" : "%Y-%m-%d");
            if (problem != NULL)
                return problem;
            continue;
        }
        const RpTimeDirective *directive = *text != '\0' ? rp_time_directive_find(*text) : NULL;
        if (*text == '\0')
            return g_strdup("it ends with a single %");
        if (directive == NULL) {
            int size = 1; /* of the whole character */
            while (((guchar)text[size] & 0xC0) == 0x80)
                size++;
            return g_strdup_printf("%%%.*s is not known; %%Y %%y %%m %%b %%B %%d %%e %%j %%H %%I %%p %%M %%S "
                                   "%%f %%z %%s %%F %%T and %%%% are",
                                   size, text);
        }
        if ((pattern->parts & BIT(directive->part)) != 0)
            return g_strdup_printf("%%%c names what is named before", *text);
        pattern->parts |= BIT(directive->part);
        pattern->steps[pattern->n_steps++] = (Step){.directive = directive};
    }
    return NULL;
}

RpTimePattern *rp_time_pattern_new(const char *text, char **problem) {
    if (strlen(text) > MAX_PATTERN_BYTES) {
        *problem = g_strdup_printf("it is longer than %d bytes", MAX_PATTERN_BYTES);
        return NULL;
    }
    g_autoptr(RpTimePattern) pattern = g_new0(RpTimePattern, 1);
    *problem = add_steps(pattern, text);
    if (*problem != NULL)
        return NULL;
    const char *trouble = check_parts(pattern->parts);
    const char endless = separate_numbers(pattern);
    if (trouble != NULL)
        *problem = g_strdup(trouble);
    else if (endless != '\0')
        *problem = g_strdup_printf("a digit directly behind %%%c cannot be told from it", endless);
    return *problem == NULL ? g_steal_pointer(&pattern) : NULL;
}

void rp_time_pattern_free(RpTimePattern *pattern) {
    g_free(pattern);
}

gboolean rp_time_pattern_has_date(const RpTimePattern *pattern) {
    return (pattern->parts & (BIT(RP_TIME_PART_YEAR) | BIT(RP_TIME_PART_INSTANT))) != 0;
}

gboolean rp_time_pattern_has_time(const RpTimePattern *pattern) {
    return (pattern->parts &
            (BIT(RP_TIME_PART_HOUR) | BIT(RP_TIME_PART_HOUR_12) | BIT(RP_TIME_PART_INSTANT))) != 0;
}

/* The wall clock that the parts make; parts that the pattern does not name are zero. */
static gboolean combine(const RpTimePattern *pattern, const RpTimeReading *reading, gint64 *local_us) {
    const int *numbers = reading->numbers;
    gint32 days = 0;
    if ((pattern->parts & BIT(RP_TIME_PART_YEAR_DAY)) != 0) {
        if (!rp_time_days_of_year_day(numbers[RP_TIME_PART_YEAR], numbers[RP_TIME_PART_YEAR_DAY], &days))
            return FALSE;
    } else if ((pattern->parts & BIT(RP_TIME_PART_YEAR)) != 0 &&
               !rp_time_days_of(numbers[RP_TIME_PART_YEAR], numbers[RP_TIME_PART_MONTH],
                                numbers[RP_TIME_PART_DAY], &days)) {
        return FALSE;
    }
    const int hour =
        numbers[RP_TIME_PART_HOUR] + numbers[RP_TIME_PART_HOUR_12] % 12 + numbers[RP_TIME_PART_HALF_DAY] * 12;
    const gint64 seconds = hour * 3600 + numbers[RP_TIME_PART_MINUTE] * 60 + numbers[RP_TIME_PART_SECOND];
    *local_us = days * RP_USEC_PER_DAY + seconds * RP_USEC_PER_SECOND + reading->fraction_us;
    return TRUE;
}

gboolean rp_time_pattern_parse(const RpTimePattern *pattern, RpSpan text, gint64 *local_us,
                               gboolean *has_offset, gint32 *offset_s, RpRejectCode *code) {
    RpTimeReading reading = {.at = text.data, .end = text.data + text.size, .code = code};
    *code = RP_REJECT_INVALID_TIMESTAMP;
    for (guint i = 0; i < pattern->n_steps; i++) {
        const Step *step = &pattern->steps[i];
        const gboolean is_taken = step->directive != NULL
                                      ? step->directive->take(&reading, step->directive, step->is_exact)
                                      : rp_time_take_char(&reading.at, reading.end, step->literal);
        if (!is_taken)
            return FALSE;
    }
    if (reading.at != reading.end)
        return FALSE;
    *has_offset = (pattern->parts & (BIT(RP_TIME_PART_OFFSET) | BIT(RP_TIME_PART_INSTANT))) != 0;
    *offset_s = reading.offset_s;
    if ((pattern->parts & BIT(RP_TIME_PART_INSTANT)) == 0)
        return combine(pattern, &reading, local_us);
    *local_us = reading.instant_us;
    return TRUE;
}
