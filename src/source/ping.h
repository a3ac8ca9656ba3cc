/* How quickly Redis answers. */
#pragma once

#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpPing RpPing;

/* Connects at the first question. The address and *is_cancelled (atomic) are borrowed; an answer may take so
 * many seconds. Belongs to one thread. */
RpPing *rp_ping_new(const RpRedisAddress *address, guint seconds, const gint *is_cancelled);
void rp_ping_free(RpPing *ping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpPing, rp_ping_free)

/* Asks, on a connection that does nothing else. *took_us: from the question to its answer, whatever that
 * says. FALSE when no answer came; the next question opens another connection. */
gboolean rp_ping_ask(RpPing *ping, gint64 *took_us, GError **error);

G_END_DECLS
