/* A column's field in the tuple under way: its cell, converted and held to the rules. */
#pragma once

#include "mapping/cell.h"
#include "model/tuples.h"

#include <glib.h>

G_BEGIN_DECLS

/* What a mapper keeps for making fields. */
typedef struct {
    RpCellMaker cells;
    RpConverted converted;
} RpFieldMaker;

void rp_field_maker_init(RpFieldMaker *maker, const RpMapping *mapping, const RpOccasion *occasion);
void rp_field_maker_clear(RpFieldMaker *maker);

/* Appends the column's field to tuples->bytes (a looked-up column goes as what PostgreSQL has to look for: a
 * field for each match), of the record or element that the maker's reading stands on. FALSE with *problem
 * when the value is refused: what was appended is to be cut off then, and *shown is the text that was at
 * fault, borrowed as a cell's is; without data when there is none. */
gboolean rp_field_append(RpFieldMaker *maker, const RpMapColumn *column, RpTuples *tuples, RpSpan *shown,
                         RpProblem *problem);

/* The same of a column whose value follows from the record's key (rp_identity_is_of_key), as it is in every
 * row of that key: rules, which may ask for the record, are not looked at. */
gboolean rp_field_append_of_key(RpFieldMaker *maker, const RpMapColumn *column, const RpReference *held,
                                RpTuples *tuples, RpProblem *problem);

G_END_DECLS
