/* What is read of the keys that entities want. */
#pragma once

#include "mapping/mapping.h"
#include "source/fetch.h"

#include <glib.h>

G_BEGIN_DECLS

/* Of a hash with more fields than this, only those that columns read are asked for. */
#define RP_BIG_HASH_FIELDS 10000

/* Elements of a collection that are asked for at first. */
#define RP_FIRST_WINDOW 100

/* The read of an entity's keys; it borrows from the mapping. */
RpRead rp_wanted_read(const RpMapping *mapping, guint entity);

/* A key of a page that an entity reads. */
typedef struct {
    guint key; /* position in the page */
    guint entity;
    RpWindow window;
} RpWish;

/* Queues HLEN for the wish's key when it should be a hash. */
void rp_wish_ask_length(RpFetch *fetch, const RpRead *read, RpSpan key);

/* Takes the reply, and decides whether the hash is read whole. */
gboolean rp_wish_take_length(RpFetch *fetch, const RpRead *read, RpWish *wish, GError **error);

G_END_DECLS
