/* The state that a reply finds: when only half of the reply comes, it is put back, and the reply is asked for
 * again. */
#pragma once

#include "source/reply.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpReplyTarget target;
    guint n_records;
    gsize record_bytes;
    RpRecord newest; /* when there are records */
    guint n_keys;
    gsize key_bytes;
    RpKeyPage page;
} RpReplyMark;

/* Before anything of the reply is taken. */
void rp_reply_mark(const RpReplyTarget *target, RpReplyMark *mark);

/* Undoes what was taken since. */
void rp_reply_restore(RpReplyTarget *target, const RpReplyMark *mark);

G_END_DECLS
