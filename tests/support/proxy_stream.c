/* Bytes on their way through the proxy, and the places in them where rules are met. */
#include "proxy_stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST ((gsize)RP_PROXY_MAX_TEXT)

void rp_proxy_stream_init(RpProxyStream *stream) {
    stream->start = stream->stop = stream->looked = stream->end = FIRST;
    stream->n_before = 0;
    stream->sprung = NULL;
    stream->is_over = FALSE;
}

gboolean rp_proxy_stream_is_empty(const RpProxyStream *stream) {
    return stream->start == stream->end;
}

void rp_proxy_stream_fill(RpProxyStream *stream, int fd) {
    memmove(stream->bytes, stream->bytes + stream->end - FIRST, FIRST);
    stream->n_before += stream->end - FIRST;
    stream->start = stream->stop = stream->looked = stream->end = FIRST;
    const ssize_t size = recv(fd, stream->bytes + FIRST, RP_PROXY_ROOM, MSG_DONTWAIT);
    if (size > 0)
        stream->end += (gsize)size;
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        stream->is_over = TRUE;
}

/* The end of the first occurrence of the text that ends after what was looked at; 0: there is none. */
static gsize find_text(const RpProxyStream *stream, const RpProxyTrap *trap) {
    const gsize size = trap->rule.text_size;
    const gsize first_end =
        stream->n_before == 0 ? FIRST + size : size; /* there is nothing before the start */
    for (gsize end = MAX(stream->looked + 1, first_end); end <= stream->end; end++)
        if (memcmp(stream->bytes + end - size, trap->text, size) == 0)
            return end;
    return 0;
}

static gsize find_count(const RpProxyStream *stream, const RpProxyTrap *trap) {
    const guint64 n_bytes = trap->rule.n_bytes;
    if (n_bytes <= stream->n_before)
        return 0;
    const guint64 place = FIRST + (n_bytes - stream->n_before);
    return place > stream->looked && place <= stream->end ? (gsize)place : 0;
}

static RpProxyTrap *find_first(const RpProxyStream *stream, GPtrArray *traps, RpProxyWay way,
                               guint connection, gsize *place) {
    RpProxyTrap *first = NULL;
    for (guint i = 0; i < traps->len; i++) {
        RpProxyTrap *trap = traps->pdata[i];
        if (trap->n_left == 0 || trap->rule.way != way ||
            (trap->rule.connection != 0 && trap->rule.connection != connection))
            continue;
        const gsize at = trap->rule.text != NULL ? find_text(stream, trap) : find_count(stream, trap);
        if (at == 0 || (first != NULL && at >= *place))
            continue;
        first = trap;
        *place = at;
    }
    return first;
}

void rp_proxy_stream_look(RpProxyStream *stream, GPtrArray *traps, RpProxyWay way, guint connection) {
    RpProxyTrap *trap;
    gsize place = 0;
    while ((trap = find_first(stream, traps, way, connection, &place)) != NULL) {
        stream->looked = place;
        if (--trap->n_left > 0)
            continue;
        stream->sprung = trap;
        stream->stop = place;
        if (trap->rule.text != NULL && !trap->rule.is_after)
            stream->stop = MAX(place - trap->rule.text_size, stream->start);
        return;
    }
    stream->looked = stream->stop = stream->end;
}

gsize rp_proxy_stream_deliver(RpProxyStream *stream, int fd, gsize max_bytes) {
    gsize size = stream->stop - stream->start;
    if (max_bytes > 0)
        size = MIN(size, max_bytes);
    if (size == 0)
        return 0;
    const ssize_t sent = send(fd, stream->bytes + stream->start, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    stream->start += sent < 0 ? size : (gsize)sent;
    return sent < 0 ? 0 : (gsize)sent;
}
