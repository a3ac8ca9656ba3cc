/* `check` on the side of Redis: versions, settings and privileges that decide whether a migration goes well.
 */
#pragma once

#include "model/finding.h"
#include "source/connection.h"
#include "source/probe.h"

#include <glib.h>

G_BEGIN_DECLS

/* Looks at Redis, to which address led, for half a second and adds what it finds. needs are the keys that a
 * run will read. *data_bytes gets the memory that all keys and values take there, 0 where it is not told.
 * Nothing is written. What the user may not look at is a finding too: FALSE, with RP_SOURCE_ERROR, only for a
 * lost connection. */
gboolean rp_redis_audit(redisContext *redis, const RpRedisAddress *address, const RpRedisNeed *needs,
                        guint n_needs, guint64 *data_bytes, RpFindings *findings, GError **error);

G_END_DECLS
