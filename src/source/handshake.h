/* What a replica and its master say to each other before the stream. */
#pragma once

#include "model/stream.h"
#include "source/replica_link.h"

#include <glib.h>

G_BEGIN_DECLS

/* Looks whether the server can be followed, says what we are, and asks for the stream from there on; from
 * NULL: from now on, without a snapshot where the server allows it. When it returns the link stands at the
 * first byte of the stream (is_full FALSE), or before the snapshot that comes first (is_full TRUE).
 * place: where the stream begins; its database is -1 where it is not known, and to be had from the snapshot
 * where one comes. *run_id: of the process at the other end, as INFO has it; the caller frees it. Errors:
 * RP_SOURCE_ERROR. */
gboolean rp_handshake(RpReplicaLink *link, const RpStreamPlace *from, RpStreamPlace *place, gboolean *is_full,
                      char **run_id, GError **error);

G_END_DECLS
