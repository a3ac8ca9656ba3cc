/* The % directives of time patterns: which part of a time each reads, and how. */
#pragma once

#include "model/reject.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_TIME_PART_YEAR,
    RP_TIME_PART_MONTH,
    RP_TIME_PART_DAY,
    RP_TIME_PART_YEAR_DAY,
    RP_TIME_PART_HOUR,
    RP_TIME_PART_HOUR_12,
    RP_TIME_PART_HALF_DAY,
    RP_TIME_PART_MINUTE,
    RP_TIME_PART_SECOND,
    RP_TIME_PART_FRACTION,
    RP_TIME_PART_OFFSET,
    RP_TIME_PART_INSTANT,
    RP_N_TIME_PARTS,
} RpTimePart;

/* A text that is being read, and what was found in it. */
typedef struct {
    const char *at;
    const char *end;
    int numbers[RP_N_TIME_PARTS];
    gint32 offset_s;
    gint64 fraction_us;
    gint64 instant_us;
    RpRejectCode *code;
} RpTimeReading;

typedef struct RpTimeDirective RpTimeDirective;

/* is_exact: the number must have its full width, because another number touches it. */
typedef gboolean (*RpTimeTake)(RpTimeReading *reading, const RpTimeDirective *directive, gboolean is_exact);

struct RpTimeDirective {
    char letter;
    RpTimePart part;
    RpTimeTake take;
    int width, least, most; /* of numbers; width 0: not of a fixed width */
    gboolean begins_with_digit;
    gboolean ends_with_digit;
};

/* The directive of a letter, or NULL. %F, %T and %% are none: they are short for others. */
const RpTimeDirective *rp_time_directive_find(char letter);

G_END_DECLS
