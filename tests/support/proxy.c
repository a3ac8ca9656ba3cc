/* The proxy's thread: takes connections, passes bytes on, does what rules and callers say.
 *
 * 1. One lock guards everything; the thread lets go of it only while it waits for something to happen. Only
 * the thread opens, closes, reads and writes.
 * 2. A caller's word holds when the call returns: it waits until the thread has heeded it.
 * 3. Each direction holds at most one buffer; it is read again when it is empty. */
#include "proxy_connection.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct _RpProxy {
    char *server_socket;
    char *folder;
    char *socket;
    GThread *thread;
    int wake_fd;
    GMutex lock;
    GCond changed;
    /* Guarded by the lock. */
    guint64 n_asked;
    guint64 n_heeded;
    gboolean is_ending;
    gboolean is_cutting;
    gboolean is_refusing;
    int listener;           /* -1: refusing */
    GPtrArray *connections; /* of RpProxyConnection */
    RpProxyTerms terms;
};

/* ---- Sockets ---- */

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    return address;
}

static int new_socket(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static void listen_again(RpProxy *proxy) {
    enum { BACKLOG = 64 };
    const struct sockaddr_un address = address_of(proxy->socket);
    g_unlink(proxy->socket);
    proxy->listener = new_socket();
    if (bind(proxy->listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(proxy->listener, BACKLOG) != 0) {
        close(proxy->listener);
        proxy->listener = -1;
    }
}

/* The file stays: connecting is refused, as where a server was killed. */
static void stop_listening(RpProxy *proxy) {
    if (proxy->listener >= 0)
        close(proxy->listener);
    proxy->listener = -1;
}

static void take_connection(RpProxy *proxy) {
    const int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return;
    const struct sockaddr_un address = address_of(proxy->server_socket);
    int server = new_socket();
    if (connect(server, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(server);
        close(client);
        return;
    }
    g_ptr_array_add(proxy->connections,
                    rp_proxy_connection_new(++proxy->terms.counts.n_connections, client, server));
}

/* ---- The thread ---- */

static void heed(RpProxy *proxy) {
    if (proxy->is_refusing)
        stop_listening(proxy);
    else if (proxy->listener < 0)
        listen_again(proxy);
    if (proxy->is_cutting)
        g_ptr_array_set_size(proxy->connections, 0);
    proxy->is_cutting = FALSE;
    proxy->n_heeded = proxy->n_asked;
    g_cond_broadcast(&proxy->changed);
}

static void pump_all(RpProxy *proxy) {
    for (guint i = proxy->connections->len; i-- > 0;) {
        RpProxyConnection *connection = proxy->connections->pdata[i];
        rp_proxy_connection_pump(&proxy->terms, connection, RP_PROXY_TO_SERVER);
        rp_proxy_connection_pump(&proxy->terms, connection, RP_PROXY_TO_CLIENT);
        if (!rp_proxy_connection_is_open(connection))
            g_ptr_array_remove_index_fast(proxy->connections, i);
    }
    g_cond_broadcast(&proxy->changed);
}

/* What there is to wait for, and in *timeout_ms for how long at most. */
static GArray *list_events(const RpProxy *proxy, int *timeout_ms) {
    GArray *events = g_array_new(FALSE, TRUE, sizeof(struct pollfd));
    const struct pollfd always[] = {{.fd = proxy->wake_fd, .events = POLLIN},
                                    {.fd = proxy->listener, .events = POLLIN}};
    const gint64 now = g_get_monotonic_time();
    *timeout_ms = -1;
    g_array_append_vals(events, always, G_N_ELEMENTS(always));
    for (guint i = 0; i < proxy->connections->len; i++) {
        const RpProxyConnection *connection = proxy->connections->pdata[i];
        const int left_ms = (int)((connection->quiet_until - now + 999) / 1000);
        if (left_ms > 0 && (*timeout_ms < 0 || left_ms < *timeout_ms))
            *timeout_ms = left_ms;
        for (RpProxyWay side = RP_PROXY_TO_SERVER; side <= RP_PROXY_TO_CLIENT; side++) {
            /* With nothing to wait for the fd is left out: poll would tell of a hang-up again and again. */
            const short wanted = rp_proxy_connection_events(&proxy->terms, connection, side);
            const struct pollfd event = {.fd = wanted != 0 ? connection->sources[side] : -1,
                                         .events = wanted};
            g_array_append_val(events, event);
        }
    }
    return events;
}

static gpointer serve(gpointer data) {
    RpProxy *proxy = data;
    g_mutex_lock(&proxy->lock);
    while (!proxy->is_ending) {
        guint64 n_wakes;
        int timeout_ms;
        heed(proxy);
        pump_all(proxy);
        g_autoptr(GArray) events = list_events(proxy, &timeout_ms);
        g_mutex_unlock(&proxy->lock);
        poll((struct pollfd *)(gpointer)events->data, events->len, timeout_ms);
        g_mutex_lock(&proxy->lock);
        if (read(proxy->wake_fd, &n_wakes, sizeof n_wakes) < 0)
            n_wakes = 0;
        if (proxy->listener >= 0)
            take_connection(proxy);
    }
    g_ptr_array_set_size(proxy->connections, 0);
    stop_listening(proxy);
    g_mutex_unlock(&proxy->lock);
    return NULL;
}

/* Wakes the thread. With the lock. */
static void wake(RpProxy *proxy) {
    const guint64 once = 1;
    if (write(proxy->wake_fd, &once, sizeof once) < 0)
        g_assert(errno == EAGAIN);
}

/* Lets go of the lock when the thread has heeded what was set. */
static void await_heeded(RpProxy *proxy) {
    const guint64 asked = ++proxy->n_asked;
    wake(proxy);
    while (proxy->n_heeded < asked)
        g_cond_wait(&proxy->changed, &proxy->lock);
    g_mutex_unlock(&proxy->lock);
}

/* ---- The caller's side ---- */

static char *make_folder(const char *server_socket) {
    g_autofree char *parent = g_path_get_dirname(server_socket);
    char *folder = g_build_filename(parent, "p-XXXXXX", NULL);
    cr_assert(g_mkdtemp(folder) != NULL, "%s: %s", folder, g_strerror(errno));
    return folder;
}

RpProxy *rp_proxy_new(const char *server_socket) {
    RpProxy *proxy = g_new0(RpProxy, 1);
    g_autofree char *name = g_path_get_basename(server_socket);
    proxy->server_socket = g_strdup(server_socket);
    proxy->folder = make_folder(server_socket);
    proxy->socket = g_build_filename(proxy->folder, name, NULL);
    proxy->listener = -1;
    proxy->connections = g_ptr_array_new_with_free_func((GDestroyNotify)rp_proxy_connection_free);
    proxy->terms.traps = g_ptr_array_new_with_free_func(g_free);
    proxy->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g_mutex_init(&proxy->lock);
    g_cond_init(&proxy->changed);
    listen_again(proxy);
    cr_assert(proxy->listener >= 0 && proxy->wake_fd >= 0, "%s: %s", proxy->socket, g_strerror(errno));
    proxy->thread = g_thread_new("proxy", serve, proxy);
    return proxy;
}

void rp_proxy_free(RpProxy *proxy) {
    if (proxy == NULL)
        return;
    g_mutex_lock(&proxy->lock);
    proxy->is_ending = TRUE;
    wake(proxy);
    g_mutex_unlock(&proxy->lock);
    g_thread_join(proxy->thread);
    g_unlink(proxy->socket);
    g_rmdir(proxy->folder);
    close(proxy->wake_fd);
    g_ptr_array_unref(proxy->connections);
    g_ptr_array_unref(proxy->terms.traps);
    g_mutex_clear(&proxy->lock);
    g_cond_clear(&proxy->changed);
    g_free(proxy->server_socket);
    g_free(proxy->socket);
    g_free(proxy->folder);
    g_free(proxy);
}

const char *rp_proxy_get_socket(const RpProxy *proxy) {
    return proxy->socket;
}

const char *rp_proxy_get_folder(const RpProxy *proxy) {
    return proxy->folder;
}

void rp_proxy_cut(RpProxy *proxy) {
    g_mutex_lock(&proxy->lock);
    proxy->is_cutting = TRUE;
    await_heeded(proxy);
}

void rp_proxy_refuse(RpProxy *proxy, gboolean is_refusing) {
    g_mutex_lock(&proxy->lock);
    proxy->is_refusing = is_refusing;
    await_heeded(proxy);
}

void rp_proxy_stall(RpProxy *proxy, gboolean is_stalled) {
    g_mutex_lock(&proxy->lock);
    proxy->terms.is_stalled = is_stalled;
    for (guint i = 0; !is_stalled && i < proxy->connections->len; i++)
        ((RpProxyConnection *)proxy->connections->pdata[i])->is_stalled = FALSE;
    await_heeded(proxy);
}

void rp_proxy_chop(RpProxy *proxy, guint n_bytes) {
    g_mutex_lock(&proxy->lock);
    proxy->terms.chop_bytes = n_bytes;
    await_heeded(proxy);
}

void rp_proxy_add_rule(RpProxy *proxy, const RpProxyRule *rule) {
    RpProxyTrap *trap = g_new0(RpProxyTrap, 1);
    trap->rule = *rule;
    trap->n_left = MAX(rule->number, 1);
    if (rule->text != NULL) {
        const gsize size = rule->text_size != 0 ? rule->text_size : strlen(rule->text);
        cr_assert(size > 0 && size <= RP_PROXY_MAX_TEXT, "a text of %zu bytes", size);
        memcpy(trap->text, rule->text, size);
        trap->rule.text_size = (guint)size;
        trap->rule.text = trap->text;
    }
    cr_assert(rule->text != NULL || rule->n_bytes > 0, "a rule without a place");
    cr_assert(rule->action != RP_PROXY_ORPHAN || rule->way == RP_PROXY_TO_SERVER);
    g_mutex_lock(&proxy->lock);
    g_ptr_array_add(proxy->terms.traps, trap);
    await_heeded(proxy);
}

void rp_proxy_await_met(RpProxy *proxy, guint n) {
    const gint64 limit = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    gboolean is_in_time = TRUE;
    g_mutex_lock(&proxy->lock);
    while (proxy->terms.counts.n_met < n && is_in_time)
        is_in_time = g_cond_wait_until(&proxy->changed, &proxy->lock, limit);
    const guint n_met = proxy->terms.counts.n_met;
    g_mutex_unlock(&proxy->lock);
    cr_assert(n_met >= n, "%u rules met instead of %u", n_met, n);
}

void rp_proxy_count(RpProxy *proxy, RpProxyCounts *counts) {
    g_mutex_lock(&proxy->lock);
    *counts = proxy->terms.counts;
    counts->n_open = proxy->connections->len;
    g_mutex_unlock(&proxy->lock);
}
