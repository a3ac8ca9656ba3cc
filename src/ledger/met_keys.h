/* The keys that a batch of a sync has met, and what is known of each. */
#pragma once

#include "mapping/mapping.h"
#include "model/batch.h"

#include <glib.h>

G_BEGIN_DECLS

/* A key as an entity reads it. What it gave last counts, should the batch have met it twice. */
typedef struct {
    guint32 entity;
    guint32 record; /* the first one of its last reading */
    guint32 n_records;
    char digest[33];     /* MD5 of the key in hex */
    gboolean is_gone;    /* Redis has it no more */
    gboolean is_expired; /* because its time had run out */
    gboolean
        is_unclear; /* what it should give is not known: a record is refused by the mapping, or too large */
    gboolean is_again;      /* the batch has met it before, too */
    gboolean begins_before; /* batches before have some of its rows, */
    gboolean goes_on;       /* or batches to come will */
    gboolean has_filtered;  /* `where` is not true for a row of it */
    gboolean stays;         /* it is gone, and rows of it stand by the entity's policy */
    char *blocked;          /* it gives rows no more that could not be deleted: why; or NULL */
} RpMetKey;

typedef struct {
    GPtrArray *keys;  /* of RpMetKey */
    guint32 *numbers; /* by record of the batch: its key's position there */
    guint32 n_records;
} RpMetKeys;

/* Of the batch's part that is mapped (RpBatch.part). Empties what *met held before. */
void rp_met_keys_list(RpMetKeys *met, const RpBatch *batch);
void rp_met_keys_clear(RpMetKeys *met);

static inline RpMetKey *rp_met_keys_get(const RpMetKeys *met, guint number) {
    return (RpMetKey *)g_ptr_array_index(met->keys, number);
}

/* The key of a record of the part. */
static inline RpMetKey *rp_met_keys_of(const RpMetKeys *met, guint32 record) {
    return rp_met_keys_get(met, met->numbers[record]);
}

/* Whether this batch, alone, says all of the key. */
static inline gboolean rp_met_key_is_whole(const RpMetKey *key) {
    return !key->begins_before && !key->goes_on;
}

/* An array literal of PostgreSQL, element by element: begins empty. */
void rp_array_add(GString *array, const char *element);
const char *rp_array_end(GString *array);

G_END_DECLS
