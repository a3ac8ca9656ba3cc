/* The rows of one entity in a batch, each already encoded as a tuple of PostgreSQL's binary COPY format
 * (documentation of COPY, "Binary Format"): i16 field count, then i32 size and bytes by field. The last
 * field is the row's ordinal in the batch, by which the staging checks name rows. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

/* Whether a row takes part in a merge. */
typedef enum {
    RP_ROW_IN,
    RP_ROW_ASIDE,    /* not in this attempt: a search for bad rows looks at others */
    RP_ROW_REJECTED, /* PostgreSQL refused it by itself */
} RpRowState;

typedef struct {
    guint32 record;  /* position of the record that the row came from */
    guint32 element; /* which element of the record's array, where the mapping says `each`; else 0 */
    gsize offset;    /* where its tuple begins */
    guint8 state;    /* RpRowState */
    /* The mapping's `where` was not true for it when it was last looked at. One that was set aside before, as
     * an earlier reading or as equal to what stands, was not looked at. */
    guint8 is_filtered;
} RpRow;

typedef struct {
    RpBuffer bytes;
    GArray *rows; /* of RpRow; a row's position is its ordinal */
} RpTuples;

void rp_tuples_init(RpTuples *tuples);
void rp_tuples_clear(RpTuples *tuples);
void rp_tuples_reset(RpTuples *tuples, gsize keep_bytes);

/* Begins a row of n_fields columns (the ordinal not counted). Its fields are then appended in order to
 * tuples->bytes, each with its size before it. */
void rp_tuples_begin_row(RpTuples *tuples, guint32 record, guint32 element, guint n_fields);

/* Ends the row: appends the ordinal. */
void rp_tuples_end_row(RpTuples *tuples);

/* Cuts the row that was begun: it turned out bad. */
void rp_tuples_cut_row(RpTuples *tuples);

static inline const RpRow *rp_tuples_get(const RpTuples *tuples, guint ordinal) {
    return &g_array_index(tuples->rows, RpRow, ordinal);
}

/* The bytes of one tuple, field count and ordinal included. */
static inline gsize rp_tuples_row_end(const RpTuples *tuples, guint ordinal) {
    return ordinal + 1 < tuples->rows->len ? rp_tuples_get(tuples, ordinal + 1)->offset : tuples->bytes.size;
}

/* A field of a tuple, from 0, with its size before it; there must be so many. */
RpSpan rp_tuples_get_field(const RpTuples *tuples, guint ordinal, guint field);

static inline void rp_tuples_add_null(RpTuples *tuples) {
    rp_buffer_append_u32(&tuples->bytes, G_MAXUINT32); /* size -1 */
}

G_END_DECLS
