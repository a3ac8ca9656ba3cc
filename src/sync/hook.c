/* A command of the user's that stops what writes to Redis. */
#include "base/error.h"
#include "sync/cutover_parts.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLICE_US (20 * G_TIME_SPAN_MILLISECOND)
#define GRACE_US G_TIME_SPAN_SECOND /* between asking it to end and ending it */

/* In the child: a group of its own, so that all it starts can be ended; and our signals are ours. stdout is
 * the result's. */
static void prepare_child(gpointer data) {
    (void)data;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

static char *describe(int status) {
    if (WIFEXITED(status))
        return g_strdup_printf("it ended with status %d", WEXITSTATUS(status));
    return g_strdup_printf("signal %d ended it", WTERMSIG(status));
}

/* TRUE: it has ended. */
static gboolean await_end(pid_t child, gint64 until_us, const gint *is_cancelled, int *status) {
    for (;;) {
        const pid_t ended = waitpid(child, status, WNOHANG);
        if (ended < 0 && errno != EINTR) /* nobody knows how it ended: not as it should */
            *status = W_EXITCODE(127, 0);
        if (ended == child || (ended < 0 && errno != EINTR))
            return TRUE;
        if (g_get_monotonic_time() >= until_us ||
            (is_cancelled != NULL && g_atomic_int_get(is_cancelled) != 0))
            return FALSE;
        g_usleep(SLICE_US);
    }
}

static void end(pid_t child) {
    int status;
    kill(-child, SIGTERM);
    const gboolean has_ended = await_end(child, g_get_monotonic_time() + GRACE_US, NULL, &status);
    kill(-child, SIGKILL);
    if (!has_ended)
        waitpid(child, &status, 0);
}

gboolean rp_hook_run(const char *command, gint64 until_us, const gint *is_cancelled, char **why) {
    char *arguments[] = {(char *)"/bin/sh", (char *)"-c", (char *)command, NULL};
    g_autoptr(GError) trouble = NULL;
    GPid child;
    int status = 0;
    if (!g_spawn_async(NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, prepare_child, NULL, &child,
                       &trouble)) {
        *why = g_strdup(trouble->message);
        return FALSE;
    }
    setpgid(child, child); /* whoever comes first: it is to be there before it is ended */
    if (!await_end(child, until_us, is_cancelled, &status)) {
        end(child);
        *why = g_strdup("it did not end in time");
        return FALSE;
    }
    const gboolean is_fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!is_fine)
        *why = describe(status);
    g_spawn_close_pid(child);
    return is_fine;
}
