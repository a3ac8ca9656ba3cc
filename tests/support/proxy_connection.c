/* A connection that the proxy serves: passes bytes on, does what rules say. */
#include "proxy_connection.h"

#include <poll.h>
#include <unistd.h>

RpProxyConnection *rp_proxy_connection_new(guint number, int client, int server) {
    RpProxyConnection *connection = g_new0(RpProxyConnection, 1);
    connection->number = number;
    connection->sources[RP_PROXY_TO_SERVER] = client;
    connection->sources[RP_PROXY_TO_CLIENT] = server;
    rp_proxy_stream_init(&connection->streams[RP_PROXY_TO_SERVER]);
    rp_proxy_stream_init(&connection->streams[RP_PROXY_TO_CLIENT]);
    return connection;
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_both(RpProxyConnection *connection) {
    close_fd(&connection->sources[RP_PROXY_TO_SERVER]);
    close_fd(&connection->sources[RP_PROXY_TO_CLIENT]);
}

void rp_proxy_connection_free(RpProxyConnection *connection) {
    close_both(connection);
    g_free(connection);
}

gboolean rp_proxy_connection_is_open(const RpProxyConnection *connection) {
    return connection->sources[RP_PROXY_TO_CLIENT] >= 0;
}

static gboolean is_quiet(const RpProxyTerms *terms, const RpProxyConnection *connection) {
    return terms->is_stalled || connection->is_stalled || connection->quiet_until > g_get_monotonic_time();
}

static void act(RpProxyTerms *terms, RpProxyConnection *connection, RpProxyTrap *trap) {
    switch (trap->rule.action) {
    case RP_PROXY_CUT:
        close_both(connection);
        break;
    case RP_PROXY_STALL:
        connection->is_stalled = TRUE;
        break;
    case RP_PROXY_ORPHAN:
        connection->is_orphan = TRUE;
        close_fd(&connection->sources[RP_PROXY_TO_SERVER]);
        connection->quiet_until = g_get_monotonic_time() + (gint64)trap->rule.delay_ms * 1000;
        break;
    case RP_PROXY_DELAY:
        connection->quiet_until = g_get_monotonic_time() + (gint64)trap->rule.delay_ms * 1000;
        break;
    }
    terms->counts.n_met++;
}

/* Delivers what is in hand, up to the next place of a rule. */
static void pass_on(RpProxyTerms *terms, RpProxyConnection *connection, RpProxyWay way) {
    RpProxyStream *stream = &connection->streams[way];
    if (stream->start == stream->stop && stream->sprung == NULL)
        rp_proxy_stream_look(stream, terms->traps, way, connection->number);
    terms->counts.n_bytes[way] +=
        rp_proxy_stream_deliver(stream, connection->sources[1 - way], terms->chop_bytes);
    RpProxyTrap *sprung = stream->sprung;
    if (sprung == NULL || stream->start != stream->stop)
        return;
    stream->sprung = NULL;
    act(terms, connection, sprung);
}

void rp_proxy_connection_pump(RpProxyTerms *terms, RpProxyConnection *connection, RpProxyWay way) {
    RpProxyStream *stream = &connection->streams[way];
    if (!rp_proxy_connection_is_open(connection) || is_quiet(terms, connection) ||
        (connection->is_orphan && way == RP_PROXY_TO_CLIENT))
        return;
    if (rp_proxy_stream_is_empty(stream) && !stream->is_over && !connection->is_orphan)
        rp_proxy_stream_fill(stream, connection->sources[way]);
    if (!rp_proxy_stream_is_empty(stream))
        pass_on(terms, connection, way);
    if (rp_proxy_stream_is_empty(stream) && (stream->is_over || connection->is_orphan) &&
        !is_quiet(terms, connection))
        close_both(connection);
}

short rp_proxy_connection_events(const RpProxyTerms *terms, const RpProxyConnection *connection,
                                 RpProxyWay side) {
    const RpProxyStream *from = &connection->streams[side];
    const RpProxyStream *to = &connection->streams[1 - side];
    short events = 0;
    if (is_quiet(terms, connection))
        return 0;
    if (rp_proxy_stream_is_empty(from) && !from->is_over && !connection->is_orphan)
        events |= POLLIN;
    if (!rp_proxy_stream_is_empty(to))
        events |= POLLOUT;
    return events;
}
