/* The bytes of a replication stream taken apart: commands as RESP arrays of bulk strings
 * (https://redis.io/docs/latest/develop/reference/protocol-spec/), one after the other, with nothing between
 * them. Arguments that nobody wants are counted and passed over; no size that the stream promises takes
 * memory before the bytes are there. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_STREAM_MAX_ARGUMENTS G_MAXINT32                    /* as Redis has it */
#define RP_STREAM_MAX_VALUE     (G_GUINT64_CONSTANT(1) << 40) /* nobody stores it; a number of sense */

/* An argument that begins; 0 is the command's name. */
typedef struct {
    guint32 index;
    guint32 n_arguments; /* of the command, with its name */
    guint64 size;        /* in bytes */
} RpStreamArgument;

/* Who hears of it. A call that fails ends the parsing with its error. */
typedef struct {
    /* Whether the bytes of the argument are wanted: it is for the listener to bound them. */
    gboolean (*begin)(const RpStreamArgument *argument, gboolean *is_wanted, gpointer data, GError **error);
    /* The bytes of one that is; borrowed for the call. */
    gboolean (*take)(const RpStreamArgument *argument, RpSpan bytes, gpointer data, GError **error);
    /* The command is whole. offset: of its last byte. */
    gboolean (*end)(guint64 offset, gpointer data, GError **error);
    gpointer data;
} RpStreamListener;

typedef enum {
    RP_STREAM_COMMAND, /* a '*' comes next: it stands between two commands */
    RP_STREAM_COUNT,
    RP_STREAM_COUNT_END,
    RP_STREAM_ARGUMENT, /* a '$' */
    RP_STREAM_SIZE,
    RP_STREAM_SIZE_END,
    RP_STREAM_BYTES,
    RP_STREAM_BYTES_CR,
    RP_STREAM_BYTES_LF,
} RpStreamStep;

/* rp_stream_parser_init makes it. Belongs to one thread. */
typedef struct {
    RpStreamListener listener;
    guint64 offset; /* bytes of the history up to here */
    RpStreamStep step;
    guint64 number;
    guint n_digits;
    RpStreamArgument argument;
    gboolean is_wanted;
    guint64 n_left;    /* bytes of the argument that have not come */
    RpBuffer gathered; /* of an argument that came in pieces */
} RpStreamParser;

/* offset: of the last byte before the first one that will be fed. The listener is copied. */
void rp_stream_parser_init(RpStreamParser *parser, guint64 offset, const RpStreamListener *listener);
void rp_stream_parser_clear(RpStreamParser *parser);

/* Takes a piece of the stream, however it is cut. RP_SOURCE_ERROR_PROTOCOL, with the offset, for bytes that
 * cannot stand there, inline commands and newlines among them; or the listener's error. The parser is not to
 * be fed after an error. */
gboolean rp_stream_parser_feed(RpStreamParser *parser, RpSpan piece, GError **error);

G_END_DECLS
