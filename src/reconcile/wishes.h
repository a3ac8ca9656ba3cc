/* Redis keys that are to be read again, in order and each but once. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpBuffer bytes;
    GArray *index; /* ours */
    guint next;
} RpWishes;

void rp_wishes_init(RpWishes *wishes);
void rp_wishes_clear(RpWishes *wishes);

void rp_wishes_add(RpWishes *wishes, guint unit, RpSpan key);
/* Call it when all were added, and before any is taken. */
void rp_wishes_sort(RpWishes *wishes);
/* The next key, borrowed; FALSE: there is none. */
gboolean rp_wishes_next(RpWishes *wishes, guint *unit, RpSpan *key);

G_END_DECLS
