/* One direction of a connection that the proxy serves: a bounded buffer, and where in it the next rule is
 * met. */
#pragma once

#include "proxy.h"

#include <sys/types.h>

G_BEGIN_DECLS

enum { RP_PROXY_ROOM = 64 * 1024 };

/* A rule that was added, with what is left to happen until it is met. */
typedef struct {
    RpProxyRule rule;
    char text[RP_PROXY_MAX_TEXT];
    guint n_left; /* 0: met */
} RpProxyTrap;

/* Places in bytes: before RP_PROXY_MAX_TEXT there is the end of what came earlier, for texts that begin
 * there. */
typedef struct {
    guint8 bytes[RP_PROXY_MAX_TEXT + RP_PROXY_ROOM];
    gsize start;         /* what is before is delivered */
    gsize stop;          /* what is before may be */
    gsize looked;        /* traps have seen what is before */
    gsize end;           /* of what came */
    guint64 n_before;    /* bytes of the connection that came before these */
    RpProxyTrap *sprung; /* at stop, or NULL */
    gboolean is_over;    /* no more will come */
} RpProxyStream;

void rp_proxy_stream_init(RpProxyStream *stream);

/* Everything that came is delivered. */
gboolean rp_proxy_stream_is_empty(const RpProxyStream *stream);

/* Takes what there is to read, of an empty stream; is_over at its end. */
void rp_proxy_stream_fill(RpProxyStream *stream, int fd);

/* Finds how far may be delivered, and which trap (of an array of RpProxyTrap *) is sprung there. */
void rp_proxy_stream_look(RpProxyStream *stream, GPtrArray *traps, RpProxyWay way, guint connection);

/* Delivers at most so many bytes (0: all) of what may be. Returns how many; of a reader that is gone all are
 * lost. */
gsize rp_proxy_stream_deliver(RpProxyStream *stream, int fd, gsize max_bytes);

G_END_DECLS
