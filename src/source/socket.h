/* Bytes over a connection of hiredis' whose replies are parsed by ourselves. */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

/* Sends all of it, waiting as long as the socket's own time-out lets it. FALSE with the reason in *trouble, a
 * static text. */
gboolean rp_socket_send(int fd, RpSpan bytes, const char **trouble);

/* Takes up to capacity bytes that are there already. Gives how many; 0: none yet; -1: with the reason in
 * *trouble, a static text. */
gssize rp_socket_receive(int fd, char *bytes, gsize capacity, const char **trouble);

/* Whether the other side has closed: Redis does so to connections that are idle for longer than its
 * `timeout`. */
gboolean rp_socket_is_closed(int fd);

G_END_DECLS
