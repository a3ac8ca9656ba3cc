/* A column's text: taken from its source and cleaned, before it is converted. */
#pragma once

#include "mapping/reading.h"

#include <glib.h>

G_BEGIN_DECLS

/* What a mapper thread keeps for making texts. */
typedef struct {
    const RpMapping *mapping;
    RpReading *reading;
    GChecksum *sha256;
    /* Each step that makes a text takes the other buffer: the text of the step before is still there to be
     * read, that of the step before it is not. */
    RpBuffer scratch[2];
    guint turn;
} RpCellMaker;

void rp_cell_maker_init(RpCellMaker *maker, const RpMapping *mapping, const RpOccasion *occasion);
void rp_cell_maker_clear(RpCellMaker *maker);

/* No text that is made of others gets longer. */
#define RP_MAX_MADE_BYTES (256 * 1024 * 1024)

/* What a column holds; null when text.data is NULL. */
typedef struct {
    RpSpan text;
    gboolean is_uuid; /* text is the 16 bytes of a UUID */
} RpCell;

/* The column's value after source, clean and default. It may stand in a scratch buffer, in the record or in
 * the mapping, so it is borrowed until the next cell or digest of this maker is made, or its reading goes on
 * to another record or element. FALSE with *problem when it cannot be made of what the record holds;
 * cell->text is then what was at fault, borrowed likewise. */
gboolean rp_cell_make(RpCellMaker *maker, const RpMapColumn *column, RpCell *cell, RpProblem *problem);

#define RP_DIGEST_BYTES 32

/* The SHA-256 of text as 64 hex digits, borrowed until the next digest of either kind; and as bytes, borrowed
 * like a cell's text. text may be the cell that was made last: it is not overwritten by its digest, but by
 * the next one. */
RpSpan rp_cell_digest_text(RpCellMaker *maker, RpSpan text);
RpSpan rp_cell_digest_bytes(RpCellMaker *maker, RpSpan text);

G_END_DECLS
