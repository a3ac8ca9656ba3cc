/* The one row of redis2pg.sync: whom the target follows, its checkpoint, and what is seen and asked of it
 * from outside. */
#pragma once

#include "mapping/mapping.h"
#include "model/stream.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* What the ledger has of the sync of a target. */
typedef struct {
    gboolean exists; /* else nothing below is set */
    char *mapping;
    char *mapping_digest;
    char *source;
    char *capture;        /* "replica" or "notify" */
    RpStreamPlace place;  /* not set: there is no checkpoint */
    char *rescan_reason;  /* why all keys have to be read again; or NULL */
    gboolean is_to_pause; /* a user asked for it */
} RpFollowing;

void rp_following_clear(RpFollowing *following);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpFollowing, rp_following_clear)

gboolean rp_following_read(PGconn *connection, RpFollowing *following, GError **error);

/* Says that this process follows the source from here on: all keys have to be read first, for the reason.
 * What stood there before is replaced, but for what a user asked for. With the target's lock, or before it is
 * taken. */
gboolean rp_following_begin(PGconn *connection, const RpMapping *mapping, const char *source,
                            const char *capture, const char *reason, GError **error);

/* Takes over what stands there, in this process. source: the address that is followed now. */
gboolean rp_following_take_over(PGconn *connection, const char *source, const char *capture, GError **error);

/* All keys were read since the stream was at the place: it is the checkpoint, and no reason is left. */
gboolean rp_following_has_read_all(PGconn *connection, const RpStreamPlace *place, GError **error);

/* All keys have to be read again. */
gboolean rp_following_has_gap(PGconn *connection, const char *reason, GError **error);

/* What the process sees, for the row. */
typedef struct {
    const char *state;     /* "loading", "following", "paused", "stopped" */
    guint64 run;           /* 0: none yet */
    guint64 source_offset; /* of the server when it was last asked; 0: not known */
    guint64 lag_bytes;
    guint64 lag_ms;
    guint64 keys_waiting;
    double changes_per_second;
    gint64 last_commit_us; /* Unix time; 0: none yet */
} RpFollowingState;

/* Writes it, and gives what a user asks for, and how many keys are parked (those on record as rejects left
 * out). */
gboolean rp_following_note(PGconn *connection, const RpFollowingState *state, gboolean *is_to_pause,
                           guint64 *n_parked, GError **error);

/* SQL of the addresses at which the sync's Redis is, or was before a failover. */
#define RP_FOLLOWED_SOURCES                                                                                  \
    "SELECT source FROM redis2pg.sync UNION ALL SELECT unnest(former_sources) FROM redis2pg.sync"

/* Asks the process that follows to pause, or to go on; FALSE with RP_USAGE_ERROR when there is no sync of
 * this target. */
gboolean rp_following_ask(PGconn *connection, gboolean is_to_pause, GError **error);

/* The JSON of `status` and what else is known, by name, as PostgreSQL gives it; the caller frees it. NULL
 * with error; "null" when nothing ever ran. A process counts as ended when nobody holds the target's lock, or
 * it was not seen for ten seconds. */
char *rp_following_describe(PGconn *connection, GError **error);

G_END_DECLS
