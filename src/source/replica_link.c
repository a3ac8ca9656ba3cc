/* Bytes from a master.
 *
 * 1. The acknowledged offset is always 0: a client's WAIT counts replicas that have acknowledged its writes,
 *    and we keep nothing that would survive the master.
 * 2. An acknowledgement that does not go out at once is left to the next second: reading never waits for it.
 * 3. Until the process that wrote the snapshot has ended, the master does not hear the acknowledgement that
 *    releases the stream (networking.c, replicationCron of Redis): it is repeated soon.
 * 4. Silence is judged only after looking whether something has come: it may be we who stood still. */
#include "source/replica_link.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define POLL_MS         200
#define RELEASE_US      (G_USEC_PER_SEC / 10)
#define ACKNOWLEDGE_US  G_USEC_PER_SEC
#define ACKNOWLEDGEMENT "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n"

gboolean rp_replica_link_open(RpReplicaLink *link, const RpRedisAddress *address, const RpPatience *patience,
                              GError **error) {
    rp_replica_link_close(link);
    RpRedisAddress entrance = *address; /* borrows its texts */
    entrance.database = 0;
    link->wait = (RpRedisWait){patience->timeout_seconds, patience->is_cancelled};
    link->silent_seconds = patience->timeout_seconds;
    link->place = rp_redis_address_show(address);
    link->bytes = g_malloc(RP_REPLICA_PIECE_BYTES);
    link->redis = rp_redis_enter(&entrance, &link->wait, error);
    link->heard_us = g_get_monotonic_time();
    return link->redis != NULL;
}

void rp_replica_link_close(RpReplicaLink *link) {
    g_clear_pointer(&link->redis, redisFree);
    g_clear_pointer(&link->place, g_free);
    g_clear_pointer(&link->bytes, g_free);
    *link = (RpReplicaLink){0};
}

redisReply *rp_replica_link_ask(RpReplicaLink *link, int type, int argc, const char *const *argv,
                                GError **error) {
    redisReply *reply = rp_redis_command_for(link->redis, &link->wait, type, argc, argv, NULL, error);
    if (reply == NULL)
        g_prefix_error(error, "Redis at %s: ", link->place);
    return reply;
}

static gboolean lose(const RpReplicaLink *link, const char *why, GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "Redis at %s: replication stream: %s",
                link->place, why);
    return FALSE;
}

gboolean rp_replica_link_send(RpReplicaLink *link, RpSpan command, GError **error) {
    const ssize_t size = send(link->redis->fd, command.data, command.size, MSG_NOSIGNAL);
    link->heard_us = g_get_monotonic_time();
    return size == (ssize_t)command.size || lose(link, size < 0 ? g_strerror(errno) : "cut off", error);
}

void rp_replica_link_begin_acknowledging(RpReplicaLink *link) {
    link->acknowledge_us = g_get_monotonic_time();
}

static void acknowledge(RpReplicaLink *link) {
    const gint64 now_us = g_get_monotonic_time();
    if (link->acknowledge_us == 0 || now_us < link->acknowledge_us)
        return;
    /* What fails, or goes out by half, shows when the next bytes are read: the master closes. */
    send(link->redis->fd, ACKNOWLEDGEMENT, strlen(ACKNOWLEDGEMENT), MSG_NOSIGNAL | MSG_DONTWAIT);
    link->acknowledge_us = now_us + (link->is_flowing ? ACKNOWLEDGE_US : RELEASE_US);
}

static gboolean receive(RpReplicaLink *link, GError **error) {
    const ssize_t size = recv(link->redis->fd, link->bytes, RP_REPLICA_PIECE_BYTES, MSG_DONTWAIT);
    if (size > 0) {
        link->rest = (RpSpan){link->bytes, (gsize)size};
        link->heard_us = g_get_monotonic_time();
        link->is_flowing = link->acknowledge_us != 0;
        return TRUE;
    }
    if (size < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return TRUE;
    return lose(link, size == 0 ? "the server closed the connection" : g_strerror(errno), error);
}

static gboolean is_stopped(const RpReplicaLink *link, const gint *is_stopping) {
    return g_atomic_int_get(link->wait.is_cancelled) ||
           (is_stopping != NULL && g_atomic_int_get(is_stopping));
}

gboolean rp_replica_link_read(RpReplicaLink *link, const gint *is_stopping, GError **error) {
    struct pollfd pollfd = {.fd = link->redis->fd, .events = POLLIN};
    while (link->rest.size == 0) {
        if (is_stopped(link, is_stopping)) {
            g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED,
                        "stopped while following the replication stream");
            return FALSE;
        }
        acknowledge(link);
        const int n_ready = poll(&pollfd, 1, POLL_MS);
        if (n_ready > 0) {
            if (!receive(link, error))
                return FALSE;
        } else if (g_get_monotonic_time() - link->heard_us > (gint64)link->silent_seconds * G_USEC_PER_SEC) {
            g_autofree char *why = g_strdup_printf("nothing came for %u s", link->silent_seconds);
            return lose(link, why, error);
        }
    }
    acknowledge(link);
    return TRUE;
}
