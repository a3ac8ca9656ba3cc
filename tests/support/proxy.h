/* A proxy between the program under test and one of its servers, on Unix sockets: it cuts, holds back,
 * refuses and delivers by halves, at any time or by rule. It runs in a thread of the test. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _RpProxy RpProxy;

/* Listens on a socket of the server's name (".s.PGSQL.5432", "redis.sock") in a folder of its own below the
 * server's, and connects to the server's for each connection that it takes. Fails the test when it cannot.
 * Start servers before: they fork. rp_proxy_free cuts everything and removes the folder. */
RpProxy *rp_proxy_new(const char *server_socket);
void rp_proxy_free(RpProxy *proxy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpProxy, rp_proxy_free)

/* The proxy's socket, and its folder: a host for libpq. They belong to the proxy. */
const char *rp_proxy_get_socket(const RpProxy *proxy);
const char *rp_proxy_get_folder(const RpProxy *proxy);

/* ---- At once; what they say holds when they return. From any thread ---- */

/* Closes all connections that there are, on both sides; what is in the proxy's hands is lost. */
void rp_proxy_cut(RpProxy *proxy);

/* Takes no new connections, as if nobody listened, until it is told FALSE. */
void rp_proxy_refuse(RpProxy *proxy, gboolean is_refusing);

/* Takes connections and delivers nothing, on any of them and either way, until it is told FALSE. That also
 * releases what a rule has stalled. */
void rp_proxy_stall(RpProxy *proxy, gboolean is_stalled);

/* Delivers at most so many bytes at a time (1 is the worst), and one piece for each turn; 0: as they come. */
void rp_proxy_chop(RpProxy *proxy, guint n_bytes);

/* ---- By rule ---- */

typedef enum {
    RP_PROXY_TO_SERVER,
    RP_PROXY_TO_CLIENT,
} RpProxyWay;

typedef enum {
    RP_PROXY_CUT,    /* both sides are closed; what came before the place has been delivered */
    RP_PROXY_STALL,  /* nothing more is delivered on the connection, either way, until rp_proxy_stall (FALSE)
                      */
    RP_PROXY_DELAY,  /* the same for delay_ms */
    RP_PROXY_ORPHAN, /* the client's side is closed; the server gets the rest of what is in hand after
                        delay_ms, and then its side is closed: a network that delivers after it was given up.
                        For TO_SERVER */
} RpProxyAction;

#define RP_PROXY_MAX_TEXT 64

/* What is to happen, and where. The place is after so many bytes, or at a text. */
typedef struct {
    RpProxyAction action;
    RpProxyWay way;
    guint connection;  /* which one, from 1 in the order of arrival; 0: any */
    guint64 n_bytes;   /* the place, where there is no text: after exactly so many bytes of the connection */
    const char *text;  /* the place: where this passes; at most RP_PROXY_MAX_TEXT bytes. Copied */
    guint text_size;   /* 0: up to its NUL */
    guint number;      /* the nth time that the place is met, on whatever connection; 0 means 1 */
    gboolean is_after; /* the text itself is delivered. Otherwise it is not; of one that came to the proxy in
                          pieces the first ones may have been */
    guint delay_ms;
} RpProxyRule;

/* A rule holds until it has been met; then it is done. Two rules must not have the same place. */
void rp_proxy_add_rule(RpProxy *proxy, const RpProxyRule *rule);

/* Waits until n rules, counted from the start, have been met; fails the test when it takes more than 30
 * seconds. */
void rp_proxy_await_met(RpProxy *proxy, guint n);

typedef struct {
    guint n_connections; /* so far */
    guint n_open;        /* now */
    guint n_met;         /* rules */
    guint64 n_bytes[2];  /* delivered, by RpProxyWay */
} RpProxyCounts;

void rp_proxy_count(RpProxy *proxy, RpProxyCounts *counts);

G_END_DECLS
