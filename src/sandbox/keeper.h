/* The process that owns the servers of a sandbox and outlives whoever started it by just long enough. */
#pragma once

#include "sandbox/servers.h"

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* The byte that, sent down the life line, lets the servers outlive their starter. */
#define RP_KEEPER_KEEP 'K'

/* Bytes that ask for a server to be started again. */
#define RP_KEEPER_REDIS    'r'
#define RP_KEEPER_POSTGRES 'p'

typedef struct {
    pid_t pid;
    int life_fd; /* ours to hold: when its last copy is closed, the keeper ends everything */
} RpKeeper;

/* Forks the keeper, which starts servers and waits until they answer. On return the process ids are known
 * to servers. Error: RP_SANDBOX_ERROR_START with the end of a log, or _SYSTEM; then no process and no folder
 * is left. */
gboolean rp_keeper_start(RpKeeper *keeper, RpServers *servers, GError **error);

/* Lets the keeper start a server again that has ended, or is about to; on return it answers, and server has
 * its new process id. wish: RP_KEEPER_REDIS or RP_KEEPER_POSTGRES. Error: RP_SANDBOX_ERROR_START. */
gboolean rp_keeper_start_again(const RpKeeper *keeper, RpServer *server, char wish, GError **error);

/* Cuts the life line and waits for the keeper; what it could not clean up, because it was killed, is
 * cleaned up here. */
void rp_keeper_stop(RpKeeper *keeper, RpServers *servers);

G_END_DECLS
