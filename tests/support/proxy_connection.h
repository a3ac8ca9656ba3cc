/* A connection that the proxy serves. */
#pragma once

#include "proxy_stream.h"

G_BEGIN_DECLS

enum { RP_PROXY_WAYS = 2 };

/* What holds for all connections, and what they count. */
typedef struct {
    GPtrArray *traps; /* of RpProxyTrap */
    gboolean is_stalled;
    guint chop_bytes;
    RpProxyCounts counts;
} RpProxyTerms;

typedef struct {
    guint number;
    int sources[RP_PROXY_WAYS]; /* where each way's bytes come from: TO_SERVER's from the client; -1: closed
                                 */
    RpProxyStream streams[RP_PROXY_WAYS];
    gboolean is_stalled;
    gint64 quiet_until; /* monotonic time */
    gboolean is_orphan; /* its client is closed, its server gets what is in hand */
} RpProxyConnection;

/* Takes the descriptors over. */
RpProxyConnection *rp_proxy_connection_new(guint number, int client, int server);
void rp_proxy_connection_free(RpProxyConnection *connection);

/* Whether it still has its server. */
gboolean rp_proxy_connection_is_open(const RpProxyConnection *connection);

/* Takes and delivers what can be at once, of one way. It may close the connection. */
void rp_proxy_connection_pump(RpProxyTerms *terms, RpProxyConnection *connection, RpProxyWay way);

/* What to poll for at the client (TO_SERVER) or the server (TO_CLIENT); 0: nothing now. */
short rp_proxy_connection_events(const RpProxyTerms *terms, const RpProxyConnection *connection,
                                 RpProxyWay side);

G_END_DECLS
