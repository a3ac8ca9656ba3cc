/* When keys end, and which of them have departed while their rows stand. */
#pragma once

#include "ledger/met_keys.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* What a session knows of the table; each opens with "there may be some". */
typedef struct {
    gboolean is_known;
    gboolean has_some;
} RpLifetimes;

/* Says of keys that are gone whether they had expired: by what the source told of it, else by the time of
 * expiry that is known of them. */
gboolean rp_lifetimes_judge(RpLifetimes *lifetimes, PGconn *connection, const RpMapping *mapping,
                            const RpBatch *batch, const RpMetKeys *met, GError **error);

/* Notes times of expiry of keys that are there, where the entity's policies differ, and of keys that are gone
 * that rows of theirs stand (RpMetKey.stays); forgets the others. has_judged: what became of keys that are
 * gone is known. Inside the batch's transaction. */
gboolean rp_lifetimes_write(RpLifetimes *lifetimes, PGconn *connection, const RpMapping *mapping,
                            const RpBatch *batch, const RpMetKeys *met, gboolean has_judged, GError **error);

/* Of keys whose time was over by now, where rows of expired keys are kept: they have departed, unless they
 * are met again. For a look at rows without keys after a time in which nobody followed. */
gboolean rp_lifetimes_note_expired(PGconn *connection, const RpMapping *mapping, GError **error);

G_END_DECLS
