/* What the forked keeper does: it starts the servers, waits, and ends them. */
#pragma once

#include "sandbox/servers.h"

#include <glib.h>

G_BEGIN_DECLS

/* Descriptors of the keeper's end. */
typedef struct {
    int life_fd;    /* tells that the starter is gone, carries its words and the answers */
    int report_fd;  /* takes how the start went, once */
    int starter_fd; /* a pidfd, or -1 */
} RpKeeperLines;

/* Turns a forked process into the keeper. Call it with all signals blocked: the starter's handlers must not
 * run in the keeper. */
G_GNUC_NORETURN void rp_keeper_process_become(const RpKeeperLines *lines, RpServers *servers);

G_END_DECLS
