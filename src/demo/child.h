/* Runs redis2pg itself as a child, as a user would from a shell. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Runs this program with words (NULL-terminated, without the program's name) and waits. environment is the
 * child's, NULL-terminated. output NULL: the child writes where we write; else its stdout is captured, for
 * the caller to free; stderr is always ours. The child ends when we do.
 * TRUE: *status is its exit status, or 128 + the number of the signal that ended it. Error: G_SPAWN_ERROR. */
gboolean rp_child_run(char **words, char **environment, char **output, int *status, GError **error);

G_END_DECLS
