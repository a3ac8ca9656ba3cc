/* What the ledger has of a sync, from where it goes on, and what it learns of it between two runs. */
#pragma once

#include "sync/parts.h"

G_BEGIN_DECLS

/* All on connections of their own; a PostgreSQL that is away is waited for, until the parts are stopping.
 * source: where Redis is, as rp_redis_address_show has it. From the main thread. */

/* The place to go on from; unset: there is none, and *reason, which the caller frees, says why all keys are
 * to be read. RP_USAGE_ERROR when the checkpoint is of another mapping or another server, RP_GUARD_ERROR when
 * another run has the target. */
gboolean rp_record_read(RpSyncParts *parts, const char *source, RpStreamPlace *place, char **reason,
                        GError **error);

/* Says that this process follows, with that capture. reason: why all keys are to be read, or NULL. */
gboolean rp_record_begin(RpSyncParts *parts, const char *source, const char *capture, const char *reason,
                         GError **error);

/* Says that all keys have to be read again, and that they were, since the stream stood at the place. */
gboolean rp_record_gap(RpSyncParts *parts, const char *reason, GError **error);
gboolean rp_record_all_read(RpSyncParts *parts, const RpStreamPlace *place, GError **error);

G_END_DECLS
