/* Sending and receiving with as few calls as there can be. */
#include "source/socket.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

gboolean rp_socket_send(int fd, RpSpan bytes, const char **trouble) {
    while (bytes.size > 0) {
        const ssize_t n_sent = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (n_sent >= 0) {
            bytes.data += n_sent;
            bytes.size -= (gsize)n_sent;
        } else if (errno != EINTR) {
            *trouble = g_strerror(errno);
            return FALSE;
        }
    }
    return TRUE;
}

/* Asks at once, and not whether there is something: under load there mostly is. */
gssize rp_socket_receive(int fd, char *bytes, gsize capacity, const char **trouble) {
    for (;;) {
        const ssize_t n_received = recv(fd, bytes, capacity, MSG_DONTWAIT);
        if (n_received > 0)
            return n_received;
        if (n_received < 0 && errno == EINTR)
            continue;
        if (n_received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        *trouble = n_received == 0 ? "Server closed the connection" : g_strerror(errno);
        return -1;
    }
}

gboolean rp_socket_is_closed(int fd) {
    struct pollfd pollfd = {.fd = fd, .events = POLLRDHUP};
    return poll(&pollfd, 1, 0) > 0;
}
