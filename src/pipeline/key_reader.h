/* Reading the records of keys into batches: a key after the other as they were asked for, and of each what
 * lies beyond its first window. */
#pragma once

#include "pipeline/filling.h"
#include "pipeline/throttle.h"
#include "pipeline/wanted.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpCrew *crew;
    RpFilling *filling; /* borrowed */
    RpFetch *fetch;
    RpFetch *rest;        /* for what keys hold beyond their first window; made at first use */
    RpRead *reads;        /* by entity */
    guint *counts;        /* by entity: elements to ask for at once */
    RpThrottle *throttle; /* NULL: none */
} RpKeyReader;

/* Connects. After FALSE it can, and after TRUE it must, be cleared. */
gboolean rp_key_reader_open(RpKeyReader *reader, RpCrew *crew, RpFilling *filling, GError **error);
void rp_key_reader_clear(RpKeyReader *reader);

/* Waits until Redis may be asked for n_keys, or the crew stops: at most as many as rp_throttle_fit gives.
 * Goes before rp_key_reader_send. */
void rp_key_reader_await(RpKeyReader *reader, guint n_keys);

/* Asks for what the entity reads of a key; gives the window that was asked for. */
RpWindow rp_key_reader_send(RpKeyReader *reader, guint entity, RpSpan key);

/* Takes the answer to the oldest read that was asked for, and all that the key holds beyond it, into the
 * batch, which must be open, and into further ones. *n_bytes: of the first window. A stop breaks off between
 * two windows. */
gboolean rp_key_reader_take(RpKeyReader *reader, guint entity, RpWindow *window, RpSpan key, gsize *n_bytes,
                            GError **error);

G_END_DECLS
