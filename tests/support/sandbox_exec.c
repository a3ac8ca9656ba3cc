/* Runs a command beside a private Redis and PostgreSQL:
 *     redis2pg-sandbox [--durable] [--setting name=value]… -- COMMAND ARGUMENTS…
 * The command finds them in its environment; its exit status is ours. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_USAGE = 2, STATUS_SANDBOX = 125, STATUS_CANNOT_RUN = 127, STATUS_SIGNAL = 128 };

static void export_places(const RpSandbox *sandbox) {
    g_setenv("REDIS2PG_REDIS_URL", rp_sandbox_get_redis_url(sandbox), TRUE);
    g_setenv("REDIS2PG_POSTGRES_URL", rp_sandbox_get_conninfo(sandbox), TRUE);
    g_setenv("REDIS_SOCKET", rp_sandbox_get_redis_socket(sandbox), TRUE);
    g_setenv("SANDBOX_FOLDER", rp_sandbox_get_folder(sandbox), TRUE);
    g_setenv("PGHOST", rp_sandbox_get_folder(sandbox), TRUE);
    g_setenv("PGPORT", "5432", TRUE);
    g_setenv("PGUSER", "postgres", TRUE);
    g_setenv("PGDATABASE", "postgres", TRUE);
}

static pid_t start_command(char **command, const sigset_t *mask_before) {
    const pid_t starter = getpid();
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    sigprocmask(SIG_SETMASK, mask_before, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == starter)
        execvp(command[0], command);
    fprintf(stderr, "redis2pg-sandbox: %s: %s\n", command[0], strerror(errno));
    _exit(STATUS_CANNOT_RUN);
}

/* Hands on what was sent to us alone; a terminal's Ctrl-C reaches the command without us (si_code is
 * SI_KERNEL then), and twice would mean more than once. */
static int wait_for_command(pid_t pid, const sigset_t *signals) {
    for (;;) {
        siginfo_t info;
        const int number = sigwaitinfo(signals, &info);
        int status;
        if (number != SIGCHLD && number > 0 && info.si_code <= 0)
            kill(pid, number);
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
    }
}

static int run(const RpSandboxOptions *options, char **command) {
    g_autoptr(GError) error = NULL;
    g_autoptr(RpSandbox) sandbox = rp_sandbox_start(options, &error);
    if (sandbox == NULL) {
        fprintf(stderr, "redis2pg-sandbox: %s\n", error->message);
        return STATUS_SANDBOX;
    }
    export_places(sandbox);
    sigset_t signals;
    sigset_t before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &before);
    const pid_t pid = start_command(command, &before);
    return pid > 0 ? wait_for_command(pid, &signals) : STATUS_SANDBOX;
}

int main(int argc, char **argv) {
    gboolean is_durable = FALSE;
    g_auto(GStrv) settings = NULL;
    g_auto(GStrv) command = NULL;
    const GOptionEntry entries[] = {
        {"durable", 0, 0, G_OPTION_ARG_NONE, &is_durable, "Keep PostgreSQL's own settings for safety", NULL},
        {"setting", 0, 0, G_OPTION_ARG_STRING_ARRAY, &settings, "A setting of PostgreSQL", "name=value"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &command, NULL, NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new("-- COMMAND ARGUMENTS…");
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_strict_posix(context, TRUE);
    if (!g_option_context_parse(context, &argc, &argv, &error) || command == NULL) {
        fprintf(stderr, "redis2pg-sandbox: %s\n", error != NULL ? error->message : "no command given");
        return STATUS_USAGE;
    }
    char **words = g_strcmp0(command[0], "--") == 0 ? command + 1 : command;
    const RpSandboxOptions options = {.is_durable = is_durable,
                                      .extra_postgres_settings = (const char *const *)settings};
    return words[0] != NULL ? run(&options, words) : STATUS_USAGE;
}
