/* What the ledger has on record of keys that are missing or refused. */
#pragma once

#include "base/span.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Keys that are asked about at once, at most. */
#define RP_EXPLAIN_MOST 1000

/* How many open rejects that were read at the source ("host:port db N") each of the keys (n_keys of them) has
 * for the entity. counts is filled. Those that a later run, a replay or a rollback has settled do not count.
 */
gboolean rp_explain_keys(PGconn *connection, const char *entity, const char *source, const RpSpan *keys,
                         guint n_keys, guint64 *counts, GError **error);

/* Takes an open reject of the key at that position. */
typedef void (*RpExplainTake)(guint key, guint64 reject, gpointer data);

/* Gives the open rejects of the keys, in the keys' order, that were read at the source. */
gboolean rp_explain_list(PGconn *connection, const char *entity, const char *source, const RpSpan *keys,
                         guint n_keys, RpExplainTake take, gpointer data, GError **error);

G_END_DECLS
