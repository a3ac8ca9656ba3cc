/* The snapshot (RDB) that stands before a replication stream after a full resync: received and dropped, but
 * for what its head says of the stream
 * (https://redis.io/docs/latest/operate/oss_and_stack/management/replication/, rdb.h of Redis). */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_SNAPSHOT_MARKER_SIZE 40
#define RP_SNAPSHOT_HEAD_SIZE   512 /* bytes that are looked at */

typedef enum {
    RP_SNAPSHOT_ANNOUNCED, /* its first line comes: keep-alives, then $length or $EOF:marker */
    RP_SNAPSHOT_SIZED,
    RP_SNAPSHOT_MARKED,
    RP_SNAPSHOT_OVER,
} RpSnapshotStep;

/* Zeroed it is at the beginning. Owns nothing. */
typedef struct {
    RpSnapshotStep step;
    char line[256];
    gsize line_size;
    guint64 n_left; /* RP_SNAPSHOT_SIZED */
    char marker[RP_SNAPSHOT_MARKER_SIZE];
    char tail[2 * RP_SNAPSHOT_MARKER_SIZE]; /* the last bytes, of which the marker may be the beginning */
    gsize tail_size;
    char head[RP_SNAPSHOT_HEAD_SIZE];
    gsize head_size;
} RpSnapshot;

/* Passes over what belongs to the snapshot, up to RP_SNAPSHOT_OVER, where the rest is the stream's. FALSE
 * with RP_SOURCE_ERROR_RETRY when Redis says that it cannot make one, RP_SOURCE_ERROR_PROTOCOL for what is no
 * snapshot. */
gboolean rp_snapshot_feed(RpSnapshot *snapshot, RpSpan *rest, GError **error);

/* The database that is selected at the beginning of the stream, as the head says (`repl-stream-db`); -1 where
 * it does not. */
gint rp_snapshot_get_database(const RpSnapshot *snapshot);

G_END_DECLS
