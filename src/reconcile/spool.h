/* A list that may be longer than memory should hold: a temporary file without a name, read from its beginning
 * as often as it takes. It belongs to one thread at a time. */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpSpool RpSpool;

/* What an entry is about; data is borrowed until the next call. */
typedef struct {
    guint32 unit;
    guint32 bucket;
    RpSpan data;
} RpSpoolEntry;

/* In $TMPDIR, or /tmp. max_bytes: what it may take of the disk. NULL with error when there is no room for a
 * file. */
RpSpool *rp_spool_new(guint64 max_bytes, GError **error);
void rp_spool_free(RpSpool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpSpool, rp_spool_free)

/* Adds an entry whose data is head and then tail. When the disk is full, or max_bytes are reached, the list
 * is lost: it is emptied, and takes nothing more. */
void rp_spool_add(RpSpool *spool, guint32 unit, guint32 bucket, RpSpan head, RpSpan tail);
gboolean rp_spool_is_lost(const RpSpool *spool);
guint64 rp_spool_get_size(const RpSpool *spool); /* entries */

/* Begins at the first entry again; nothing may be added from then on. */
gboolean rp_spool_rewind(RpSpool *spool, GError **error);
/* The next entry; *is_end instead when there is none. */
gboolean rp_spool_next(RpSpool *spool, RpSpoolEntry *entry, gboolean *is_end, GError **error);

G_END_DECLS
