/* A set of Redis keys and the units that read them, by a hash of 128 bits. */
#pragma once

#include "reconcile/digest.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    GHashTable *hashes; /* of RpHash * */
    RpDigester *digester;
} RpKeySet;

void rp_key_set_init(RpKeySet *set, guint64 seed);
void rp_key_set_clear(RpKeySet *set);

/* FALSE when it was there. */
gboolean rp_key_set_add(RpKeySet *set, guint unit, RpSpan key);
gboolean rp_key_set_contains(RpKeySet *set, guint unit, RpSpan key);
guint rp_key_set_get_size(const RpKeySet *set);
void rp_key_set_empty(RpKeySet *set);

G_END_DECLS
