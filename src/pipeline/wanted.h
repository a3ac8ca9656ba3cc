/* What is read of the keys that entities want. */
#pragma once

#include "mapping/mapping.h"
#include "source/fetch.h"

#include <glib.h>

G_BEGIN_DECLS

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

G_END_DECLS
