/* The commands that read keys, and how much of a key each asks for. Each call queues one command. */
#pragma once

#include "model/record.h"
#include "source/channel.h"

#include <glib.h>

G_BEGIN_DECLS

/* Which part of a key is read at once: Redis answers one command at a time, so none may ask for too much.
 * Hashes and strings come whole. */
typedef struct {
    guint count;         /* elements to ask for */
    gboolean is_partial; /* of a hash: only the fields that matter, because it has too many */
    guint64 n_before;    /* elements read before; of a list: the index to begin at */
    guint64 cursor;      /* of sets and sorted sets: SSCAN's, ZSCAN's */
    guint64 id[2];       /* of streams: the id to begin at, milliseconds and sequence */
} RpWindow;

/* `SCAN cursor COUNT count [MATCH match]`; match may be NULL. */
void rp_command_send_scan(RpChannel *channel, guint64 cursor, const char *match, guint count);

/* A command whose only argument is the key: GET, HGETALL, PTTL … */
void rp_command_send_about(RpChannel *channel, const char *word, RpSpan key);

/* The whole of a hash, as name, value, name, value, …: of one with max_fields or more only so many.
 * max_fields 0: all of it, however many (servers before 6.2 know no other way). */
void rp_command_send_hash(RpChannel *channel, guint max_fields, RpSpan key);

/* `HMGET key field …`; fields of char *. Of none, the field without a name is asked for. */
void rp_command_send_fields(RpChannel *channel, const GPtrArray *fields, RpSpan key);

/* LRANGE, SSCAN, ZSCAN or XRANGE of the window. */
void rp_command_send_window(RpChannel *channel, RpRecordType type, const RpWindow *window, RpSpan key);

G_END_DECLS
