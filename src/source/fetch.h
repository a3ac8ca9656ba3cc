/* Pipelined reading over one connection: commands are sent ahead, replies are taken in order, and values
 * go from hiredis' read buffer straight into the records of a batch, without a reply tree. */
#pragma once

#include "model/record.h"
#include "source/connection.h"
#include "source/reply.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpFetch RpFetch;

/* Connects. A record of more than max_value_bytes is not taken into memory (RP_READ_TOO_LARGE). Whoever
 * sets *is_cancelled to TRUE (atomically, from any thread) makes waiting calls fail with RP_STOP_ERROR.
 * The address is borrowed and must outlive the fetch, which belongs to one thread. */
RpFetch *rp_fetch_new(const RpRedisAddress *address, gsize max_value_bytes, const gint *is_cancelled,
                      GError **error);
void rp_fetch_free(RpFetch *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpFetch, rp_fetch_free)

/* Queues `SCAN cursor MATCH match COUNT count` (https://redis.io/commands/scan); match may be NULL. */
void rp_fetch_send_scan(RpFetch *fetch, guint64 cursor, const char *match, guint count);

/* Queues the read of a key of the given type (HGETALL, GET), and PTTL before it when has_ttl. */
void rp_fetch_send_key(RpFetch *fetch, RpRecordType type, gboolean has_ttl, RpSpan key);

/* Writes what is queued to the socket. The receive calls do it too. */
gboolean rp_fetch_flush(RpFetch *fetch, GError **error);

/* Takes the reply to the oldest unanswered command, which must be a SCAN. */
gboolean rp_fetch_receive_page(RpFetch *fetch, RpKeyPage *page, GError **error);

/* Takes the reply to the oldest unanswered read and appends the record for entity, with its outcome:
 * vanished, wrong type and too large are outcomes, not errors. */
gboolean rp_fetch_receive_record(RpFetch *fetch, RpRecords *records, guint32 entity, RpRecordType type,
                                 gboolean has_ttl, RpSpan key, GError **error);

/* For side questions (TYPE, INFO): a second connection, made at first use; borrowed. */
redisContext *rp_fetch_aside(RpFetch *fetch, GError **error);

G_END_DECLS
