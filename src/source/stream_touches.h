/* From the bytes of a replication stream to the keys that it touches in one database. */
#pragma once

#include "source/capture.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_STREAM_MAX_KEY     (1024 * 1024)     /* bytes; a longer one stops the capture */
#define RP_STREAM_MAX_UNKNOWN (8 * 1024 * 1024) /* bytes of a command that has to be asked about */

/* Who knows the keys of a command that the table of key positions does not have: the server itself. */
typedef struct {
    /* Adds the keys of the command, of n words, to keys (of RpSpan into the words, or of the asker's memory
     * that stays until the next call). FALSE with an error when nobody knows: the capture stops. */
    gboolean (*ask)(const RpSpan *words, guint n_words, GArray *keys, gpointer data, GError **error);
    gpointer data;
} RpKeyAsker;

typedef struct RpStreamTouches RpStreamTouches;

/* Where the stream begins, and the number of the database of which touches are told. taker and asker are
 * copied. Belongs to one thread, which is the one that the taker is called from. */
RpStreamTouches *rp_stream_touches_new(const RpStreamPlace *begin, int database, const RpCaptureTaker *taker,
                                       const RpKeyAsker *asker);
void rp_stream_touches_free(RpStreamTouches *touches);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpStreamTouches, rp_stream_touches_free)

/* Takes a piece of the stream, however it is cut, and tells what it touches: a key twice where a command
 * names it twice; at the end of the piece one reach, if a command or transaction ended in it. Of a command
 * that is not whole yet some keys may be told. Not to be fed after an error: the taker's,
 * RP_SOURCE_ERROR_PROTOCOL for what is no stream (its message has the offset), RP_SOURCE_ERROR_REFUSED for a
 * command that cannot be followed (it says which, and what to do). */
gboolean rp_stream_touches_feed(RpStreamTouches *touches, RpSpan piece, GError **error);

/* The place after the last command or transaction that is whole. Borrowed. */
const RpStreamPlace *rp_stream_touches_get_place(const RpStreamTouches *touches);

G_END_DECLS
