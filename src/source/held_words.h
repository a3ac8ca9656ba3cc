/* Words of a command that are kept until it is whole. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

/* rp_held_words_init makes it. */
typedef struct {
    RpBuffer bytes;
    GArray *sizes; /* of gsize */
} RpHeldWords;

void rp_held_words_init(RpHeldWords *words);
void rp_held_words_clear(RpHeldWords *words);

/* Copies a word behind the others. */
void rp_held_words_add(RpHeldWords *words, RpSpan word);

/* Forgets all of them; much memory is given back. */
void rp_held_words_drop(RpHeldWords *words);

/* Memory that they take, in bytes. */
gsize rp_held_words_measure(const RpHeldWords *words);

/* All of them, in order; sizes->len many. The caller frees the array, which borrows until the next call. */
RpSpan *rp_held_words_list(const RpHeldWords *words);

G_END_DECLS
