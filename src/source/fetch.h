/* Pipelined reading over one connection: commands are sent ahead, replies are taken in order, and values
 * go from hiredis' read buffer straight into the records of a batch, without a reply tree. */
#pragma once

#include "model/record.h"
#include "source/channel.h"
#include "source/commands.h"
#include "source/connection.h"
#include "source/reply.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpFetch RpFetch;

/* Connects. A value of more than the limit is not taken into memory (RP_READ_TOO_LARGE), nor is a hash that
 * has more in all. The address is borrowed and must outlive the fetch, which belongs to one thread. What goes
 * wrong is waited out as for a channel (RpPatience). */
RpFetch *rp_fetch_new(const RpRedisAddress *address, const RpPatience *patience, GError **error);
void rp_fetch_free(RpFetch *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpFetch, rp_fetch_free)

/* ---- keys ---- */

/* Queues `SCAN cursor MATCH match COUNT count` (https://redis.io/commands/scan); match may be NULL. */
void rp_fetch_send_scan(RpFetch *fetch, guint64 cursor, const char *match, guint count);

/* Takes the reply to the oldest unanswered command, which must be a SCAN. */
gboolean rp_fetch_receive_page(RpFetch *fetch, RpKeyPage *page, GError **error);

/* ---- contents ---- */

/* What is read of the keys of an entity. */
typedef struct {
    guint32 entity;
    RpRecordType type;
    gboolean has_ttl;        /* the time to live is asked for too, */
    gboolean has_expiry;     /* and the time of expiry */
    const GPtrArray *fields; /* names of the fields of a hash that matter; borrowed */
} RpRead;

/* Of a hash with so many fields or more, only those that matter are read (from Redis 6.2 on): a window whose
 * reply shows it is to be asked for again, as partial. */
#define RP_BIG_HASH_FIELDS 1000

/* Queues the read of a window of a key. */
void rp_fetch_send_read(RpFetch *fetch, const RpRead *read, const RpWindow *window, RpSpan key);

/* Takes the reply to the oldest unanswered read and appends its records: one for a hash or a string, one for
 * each element of the window otherwise. Vanished, wrong type and too large are outcomes, not errors.
 * *is_complete: nothing is left of the key; else *window is set to what is to be asked for next, which is
 * the same again with a smaller count when the elements were too large to come at once. */
gboolean rp_fetch_receive_read(RpFetch *fetch, const RpRead *read, RpWindow *window, RpSpan key,
                               RpRecords *records, gboolean *is_complete, GError **error);

/* Writes what is queued to the socket. The receive calls do it too. */
gboolean rp_fetch_flush(RpFetch *fetch, GError **error);

G_END_DECLS
