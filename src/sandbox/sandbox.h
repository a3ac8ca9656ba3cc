/* A private redis-server and postgres in a temporary folder, reachable by Unix sockets only. They end, and
 * the folder goes, when the process that started them ends, however it ends. */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

#define RP_SANDBOX_ERROR (rp_sandbox_error_quark())
GQuark rp_sandbox_error_quark(void);

typedef enum {
    RP_SANDBOX_ERROR_MISSING, /* a server program is not installed; the message says how to get it */
    RP_SANDBOX_ERROR_START,   /* a server did not start; the message holds the end of its log */
    RP_SANDBOX_ERROR_SYSTEM,  /* no folder, no process */
} RpSandboxError;

typedef struct {
    gboolean is_without_redis;
    gboolean is_without_postgres;

    /* FALSE: PostgreSQL does not wait for the disk, which suits tests. TRUE: its own defaults. */
    gboolean is_durable;

    /* Keeps the data in memory where there is room: for little data, and many databases that come and go. Not
     * where $TMPDIR names a place. */
    gboolean is_in_memory;

    /* Databases of the Redis; 0 means RP_SANDBOX_REDIS_DATABASES. */
    guint redis_databases;

    /* More settings of PostgreSQL as "name=value", ending in NULL; NULL for none. They win over ours. */
    const char *const *extra_postgres_settings;

    /* The same for Redis; blanks separate the words of a value. */
    const char *const *extra_redis_settings;
} RpSandboxOptions;

#define RP_SANDBOX_REDIS_DATABASES 512

typedef struct _RpSandbox RpSandbox;

/* Starts what options ask for (NULL: both servers, not durable) and returns when they answer. When we are
 * root, the servers run as user postgres, or else nobody. Forks: call it before the program has threads.
 * The caller ends the sandbox with rp_sandbox_stop. Error: RP_SANDBOX_ERROR, and nothing is left behind. */
RpSandbox *rp_sandbox_start(const RpSandboxOptions *options, GError **error);

/* Ends the servers, removes the folder, frees the sandbox; returns when all of that is done (at most about
 * six seconds, mostly far less). NULL is allowed. In a process that was forked from the one that started
 * the sandbox it only frees. */
void rp_sandbox_stop(RpSandbox *sandbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpSandbox, rp_sandbox_stop)

/* Lets the servers live on after this process. Returns the process id that ends them: on SIGTERM, SIGINT or
 * SIGHUP that process stops the servers and removes the folder. rp_sandbox_stop then only frees. 0 when that
 * process is gone already, and the servers with it. */
pid_t rp_sandbox_keep(RpSandbox *sandbox);

typedef enum {
    RP_SANDBOX_REDIS,
    RP_SANDBOX_POSTGRES,
} RpSandboxServer;

/* Starts a server again that has ended, or is about to (killed a moment ago), on its data and its socket, and
 * returns when it answers; its process id is another one then. Only in the process that started the sandbox,
 * from one thread. Error: RP_SANDBOX_ERROR_START. */
gboolean rp_sandbox_start_again(RpSandbox *sandbox, RpSandboxServer server, GError **error);

/* Where the servers are. The texts belong to the sandbox; NULL for a server that was not asked for. */
const char *rp_sandbox_get_folder(const RpSandbox *sandbox);
const char *rp_sandbox_get_redis_socket(const RpSandbox *sandbox);
const char *rp_sandbox_get_redis_url(const RpSandbox *sandbox); /* unix:///…/redis.sock?db=0 */
const char *rp_sandbox_get_conninfo(const RpSandbox *sandbox);  /* host='…' port=5432 user=postgres … */
const char *rp_sandbox_get_redis_log(const RpSandbox *sandbox); /* paths of the logs */
const char *rp_sandbox_get_postgres_log(const RpSandbox *sandbox);

/* Process ids, for tests that stop or kill a server; 0 for a server that was not asked for. */
pid_t rp_sandbox_get_redis_pid(const RpSandbox *sandbox);
pid_t rp_sandbox_get_postgres_pid(const RpSandbox *sandbox);

G_END_DECLS
