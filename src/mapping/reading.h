/* The record that is being mapped, as references see it. */
#pragma once

#include "mapping/convert.h"
#include "mapping/mapping.h"
#include "model/record.h"

#include <glib.h>

G_BEGIN_DECLS

/* What references can ask beyond the record. */
typedef struct {
    int database;
    gint64 now_us; /* start of the run, Unix microseconds */
} RpOccasion;

typedef struct RpReading RpReading;

/* The mapping is borrowed and must outlive the reading, which belongs to one thread. */
RpReading *rp_reading_new(const RpMapping *mapping, const RpOccasion *occasion);
void rp_reading_free(RpReading *reading);

/* Begins with a record whose outcome is RP_READ_OK; it must stay where it is until the next one. */
void rp_reading_begin(RpReading *reading, const RpRecords *records, guint record);

/* The text that a reference gives; NULL data when it gives none. Borrowed until the next record or element.
 * FALSE with *problem when a JSON text on the way is none. */
gboolean rp_reading_get(RpReading *reading, const RpReference *reference, RpSpan *text, RpProblem *problem);

/* Begins with the elements of the array that `each` names: none when nothing stands there. FALSE with
 * *problem when it is no array. */
gboolean rp_reading_begin_elements(RpReading *reading, RpProblem *problem);

/* Moves to the next element, the first at first. FALSE after the last. */
gboolean rp_reading_next_element(RpReading *reading);

/* The position of the current element, from 0. */
guint32 rp_reading_get_element(const RpReading *reading);

G_END_DECLS
