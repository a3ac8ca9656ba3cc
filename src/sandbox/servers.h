/* The server processes: their command lines, when they are ready, how they are told to end. */
#pragma once

#include "sandbox/find.h"
#include "sandbox/sandbox.h"

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* A signal, and after how long it is sent to a process that is still there. */
typedef struct {
    int signal;
    guint after_ms;
} RpStopStep;

typedef struct _RpServer RpServer;

struct _RpServer {
    const char *name;
    char **argv;      /* NULL: this server is not wanted */
    char *log_path;   /* gets stdout and stderr */
    char *ready_path; /* what is_ready looks at */
    gboolean (*is_ready)(const RpServer *server);
    const RpStopStep *stop_steps; /* ends with a step whose signal is 0 */
    int orphan_signal;            /* what the kernel sends when the keeper is gone */
    pid_t pid;                    /* 0: not running */
    gboolean has_ended;
    int end_status; /* as waitpid gives it */
};

/* Everything that is decided before the keeper is forked. */
typedef struct {
    char *folder;
    char **environment;
    RpServerUser user;
    RpServer initdb;
    RpServer postgres;
    RpServer redis;
} RpServers;

/* Finds the programs and the user, makes the folder and the command lines. The caller clears servers, and
 * removes the folder. Error: RP_SANDBOX_ERROR_MISSING or _SYSTEM; then there is no folder. */
gboolean rp_servers_plan(RpServers *servers, const RpSandboxOptions *options, GError **error);
void rp_servers_clear(RpServers *servers);

/* Starts one server in a process group of its own, as the planned user; it ends when we end. Returns FALSE
 * when there is no process to be had. Only for a process without threads. */
gboolean rp_server_spawn(const RpServers *servers, RpServer *server);

/* Whether the server answers; one that is not wanted counts as ready. */
gboolean rp_server_is_ready(const RpServer *server);

/* Removes the System V segment that a killed postgres leaves behind; one that ended by itself left none, and
 * no lock file that names it. Call it when postgres is gone and the folder is not. */
void rp_server_remove_segment(const RpServer *postgres);

/* The last lines of a log, cleaned of what is no text. The caller frees it. */
char *rp_server_log_tail(const char *log_path);

G_END_DECLS
