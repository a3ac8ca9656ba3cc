/* What a capture of changes tells, whichever way it captures: which keys were touched, in the order of the
 * source, and how far it has come. */
#pragma once

#include "base/span.h"
#include "model/stream.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_EXPIRY_UNTOLD G_MININT64
#define RP_EXPIRY_NOW    0          /* the source itself says that the key's time had run out */
#define RP_EXPIRY_NONE   G_MAXINT64 /* the command gave the key no time of expiry: it lives for ever */

/* A key that a command may have changed, deleted or created. */
typedef struct {
    RpSpan key; /* borrowed for the call */
    /* The time of expiry that the command gave the key (PEXPIREAT, SET … PXAT), as Unix time in ms;
     * RP_EXPIRY_UNTOLD when the command says nothing of it. */
    gint64 expires_at_ms;
    /* Before the command, or before the MULTI of the transaction that it is part of: all that was touched
     * before it is told, and whoever begins to read there is told of this key again. */
    RpStreamPlace before;
} RpTouch;

/* Who is told; called from the thread that captures. A call that fails ends the capture with its error. */
typedef struct {
    gboolean (*touch)(const RpTouch *touch, gpointer data, GError **error);
    /* Something happened that touches keys nobody can name: what ("FLUSHALL", "SWAPDB 0 1", "events may have
     * been lost: …"), and the place before it. */
    gboolean (*barrier)(const char *what, const RpStreamPlace *before, gpointer data, GError **error);
    /* All before the place is told: at the end of each command or transaction, but not more often than what
     * was read at once. */
    gboolean (*reach)(const RpStreamPlace *place, gpointer data, GError **error);
    gpointer data;
} RpCaptureTaker;

G_END_DECLS
