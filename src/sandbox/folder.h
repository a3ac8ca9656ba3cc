/* The temporary folder of a sandbox: made for one user, removed with all that is in it. */
#pragma once

#include "sandbox/find.h"

#include <glib.h>

G_BEGIN_DECLS

/* Makes a folder that only its owner user (and root) can enter, in $TMPDIR or, when user could not get
 * there or its path would be too long for a socket, in /tmp. Where $TMPDIR says nothing and is_in_memory is
 * set, in /dev/shm if that has room. The caller frees the path. Error: RP_SANDBOX_ERROR_SYSTEM. */
char *rp_folder_new(const RpServerUser *user, gboolean is_in_memory, GError **error);

/* Removes folder and everything below it, following no symbolic links. Gone already counts as done. */
gboolean rp_folder_remove(const char *folder);

/* The same for a folder into which a process that is about to end may still write: tries for two seconds. A
 * killed postmaster's children end by themselves, but not at once. */
void rp_folder_remove_busy(const char *folder);

G_END_DECLS
