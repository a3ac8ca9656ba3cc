/* Listening on a connection where answers come when they come: what is there is taken, nothing is waited for.
 */
#pragma once

#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Reads once. Call it when poll says that there is something: it waits otherwise. RP_SOURCE_ERROR_LOST, whose
 * words name no place, when the connection is. */
gboolean rp_listen_fill(redisContext *redis, GError **error);

/* Whether something is there to read. A time-out counts only where nothing is: whoever hears may have been
 * busy. */
gboolean rp_listen_has_more(const redisContext *redis);

/* The next whole answer among what was read, an error reply too; the caller owns it. *reply NULL: there is
 * none yet. RP_SOURCE_ERROR_PROTOCOL for what is no answer, RP_SOURCE_ERROR_REFUSED for one that is not whole
 * after more than max_bytes. */
gboolean rp_listen_take(redisContext *redis, gsize max_bytes, redisReply **reply, GError **error);

G_END_DECLS
