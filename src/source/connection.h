/* A connection to Redis, and what its error replies mean. */
#pragma once

#include "source/ask.h"

#include <glib.h>
#include <hiredis/hiredis.h>

G_BEGIN_DECLS

#define RP_SOURCE_ERROR (rp_source_error_quark())
GQuark rp_source_error_quark(void);

typedef enum {
    RP_SOURCE_ERROR_CONNECT,    /* not reachable */
    RP_SOURCE_ERROR_REFUSED,    /* wrong password, no permission, no such database */
    RP_SOURCE_ERROR_RETRY,      /* LOADING, BUSY, …: the same command may succeed later */
    RP_SOURCE_ERROR_WRONG_TYPE, /* the key holds another type than the command is for */
    RP_SOURCE_ERROR_PROTOCOL,   /* a reply that makes no sense */
    RP_SOURCE_ERROR_REPLY,      /* any other error reply */
    RP_SOURCE_ERROR_LOST,       /* a connection that was lost, or on which no answer came in time */
    RP_SOURCE_ERROR_RESTARTED, /* another process answers at the address: its cursors are not the old one's */
} RpSourceError;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(redisContext, redisFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(redisReply, freeReplyObject)

/* Where a Redis is and how to enter it. */
typedef struct {
    char *host; /* NULL when socket_path is set */
    int port;
    char *socket_path;
    char *user;     /* NULL: the default user */
    char *password; /* NULL: none */
    int database;
} RpRedisAddress;

/* Reads redis://[user:password@]host[:port][/db] and unix:///path[?db=N]. A rediss:// address is refused
 * in clear words: this build has no TLS. Error: RP_USAGE_ERROR, without the password. */
RpRedisAddress *rp_redis_address_parse(const char *url, GError **error);
void rp_redis_address_free(RpRedisAddress *address);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpRedisAddress, rp_redis_address_free)

/* "host:port db N" or "path db N": for messages and the ledger, no user, no password. The caller frees. */
char *rp_redis_address_show(const RpRedisAddress *address);

/* Connects, authenticates and selects the database. The context is a blocking one with a command time-out
 * of timeout_seconds; the caller owns it. A context belongs to one thread at a time. A server that is silent
 * from the beginning is given up after at most 10 seconds. */
redisContext *rp_redis_connect(const RpRedisAddress *address, guint timeout_seconds, GError **error);

/* The same; what Redis is asked meanwhile is waited for no longer when *is_cancelled (atomic) is set. */
redisContext *rp_redis_enter(const RpRedisAddress *address, const RpRedisWait *wait, GError **error);

/* The same; a server that answers that it is loading, busy or full is waited for, for up to retry_seconds.
 * One that is not there, or that refuses us, is not. */
redisContext *rp_redis_await(const RpRedisAddress *address, guint timeout_seconds, guint retry_seconds,
                             GError **error);

/* Whether an RP_SOURCE_ERROR is one that time may cure. */
gboolean rp_redis_error_passes(const GError *error);

/* The meaning of an error reply, by its first word. */
RpSourceError rp_redis_reply_classify(const char *text);

/* Sends one command (argv, binary-safe) and waits for its reply, which the caller owns. NULL with error
 * set for a lost connection and for an error reply. */
redisReply *rp_redis_command(redisContext *redis, int argc, const char *const *argv, const gsize *argv_sizes,
                             GError **error);

/* The same for a reply of that type (REDIS_REPLY_INTEGER): another one makes no sense, and is
 * RP_SOURCE_ERROR_PROTOCOL. wait: as rp_ask_once has it; may be NULL. */
redisReply *rp_redis_command_for(redisContext *redis, const RpRedisWait *wait, int type, int argc,
                                 const char *const *argv, const gsize *argv_sizes, GError **error);

G_END_DECLS
