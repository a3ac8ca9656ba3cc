/* Child processes of the demo. */
#include "demo/child.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void end_with_parent(gpointer user_data) {
    (void)user_data;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

gboolean rp_child_run(char **words, char **environment, char **output, int *status, GError **error) {
    g_autofree char *program = g_file_read_link("/proc/self/exe", error);
    if (program == NULL)
        return FALSE;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, program);
    for (char **word = words; *word != NULL; word++)
        g_ptr_array_add(argv, *word);
    g_ptr_array_add(argv, NULL);
    fflush(stdout);
    int wait_status = 0;
    if (!g_spawn_sync(NULL, (char **)argv->pdata, environment, G_SPAWN_CHILD_INHERITS_STDIN, end_with_parent,
                      NULL, output, NULL, &wait_status, error))
        return FALSE;
    *status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    return TRUE;
}
