/* What the first bytes of a snapshot say: its auxiliary fields (rdb.c of Redis: rdbSaveInfoAuxFields). */
#pragma once

#include "base/span.h"

G_BEGIN_DECLS

/* The value of `repl-stream-db`; -1 where the bytes do not have it, or are none of a snapshot. */
gint rp_snapshot_head_find_database(RpSpan head);

G_END_DECLS
