/* The keeper as its starter sees it: started, asked, stopped, and cleaned up after when it was killed. */
#include "sandbox/keeper.h"

#include "sandbox/folder.h"
#include "sandbox/keeper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the keeper says, up to the end of its report. */
static char *read_report(int fd) {
    GString *text = g_string_new(NULL);
    char part[512];
    ssize_t size;
    while ((size = read(fd, part, sizeof part)) != 0)
        if (size > 0)
            g_string_append_len(text, part, size);
        else if (errno != EINTR)
            break;
    return g_string_free(text, FALSE);
}

static gboolean heed_report(RpKeeper *keeper, RpServers *servers, const char *text, GError **error) {
    if (sscanf(text, "R%d %d", &servers->redis.pid, &servers->postgres.pid) == 2)
        return TRUE;
    g_set_error(error, RP_SANDBOX_ERROR, RP_SANDBOX_ERROR_START, "starting private servers: %s",
                text[0] != '\0' ? text : "their keeper was killed");
    rp_keeper_stop(keeper, servers);
    return FALSE;
}

static pid_t fork_keeper(const RpKeeperLines *lines, RpServers *servers) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    if (pid == 0)
        rp_keeper_process_become(lines, servers);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

gboolean rp_keeper_start(RpKeeper *keeper, RpServers *servers, GError **error) {
    int life[2] = {-1, -1};
    int reports[2] = {-1, -1};
    *keeper = (RpKeeper){.pid = -1, .life_fd = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, life) == 0 &&
        pipe2(reports, O_CLOEXEC) == 0) {
        const RpKeeperLines lines = {.life_fd = life[0],
                                     .report_fd = reports[1],
                                     .starter_fd = (int)syscall(SYS_pidfd_open, getpid(), 0)};
        keeper->pid = fork_keeper(&lines, servers);
        if (lines.starter_fd >= 0)
            close(lines.starter_fd);
    }
    if (keeper->pid < 0) {
        g_set_error(error, RP_SANDBOX_ERROR, RP_SANDBOX_ERROR_SYSTEM, "starting private servers: %s",
                    g_strerror(errno));
        rp_folder_remove(servers->folder);
    }
    keeper->life_fd = life[1];
    if (life[0] >= 0)
        close(life[0]);
    if (reports[1] >= 0)
        close(reports[1]);
    g_autofree char *text = keeper->pid > 0 ? read_report(reports[0]) : NULL;
    if (reports[0] >= 0)
        close(reports[0]);
    return text != NULL && heed_report(keeper, servers, text, error);
}

/* The keeper's answer to a wish, up to its NUL; shorter when the keeper is gone or takes too long. */
static char *read_answer(int fd) {
    enum { LIMIT_MS = 60000 };
    GString *text = g_string_new(NULL);
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    char byte = 'x';
    while (byte != '\0' && poll(&answer, 1, LIMIT_MS) == 1 && read(fd, &byte, 1) == 1)
        if (byte != '\0')
            g_string_append_c(text, byte);
    return g_string_free(text, FALSE);
}

gboolean rp_keeper_start_again(const RpKeeper *keeper, RpServer *server, char wish, GError **error) {
    g_autofree char *text =
        send(keeper->life_fd, &wish, 1, MSG_NOSIGNAL) == 1 ? read_answer(keeper->life_fd) : g_strdup("");
    if (sscanf(text, "R%d", &server->pid) == 1)
        return TRUE;
    g_set_error(error, RP_SANDBOX_ERROR, RP_SANDBOX_ERROR_START, "starting %s again: %s", server->name,
                text[0] != '\0' ? text : "its keeper is gone");
    return FALSE;
}

/* The servers of a killed keeper got a signal from the kernel and have another parent by now. */
static void wait_for_orphans(const RpServers *servers) {
    enum { MAX_ATTEMPTS = 200, PAUSE_US = 25000 };
    const pid_t pids[] = {servers->redis.pid, servers->postgres.pid};
    for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
        for (guint attempt = 0; pids[i] > 0 && kill(pids[i], 0) == 0 && attempt < MAX_ATTEMPTS; attempt++)
            g_usleep(PAUSE_US);
}

void rp_keeper_stop(RpKeeper *keeper, RpServers *servers) {
    if (keeper->life_fd >= 0)
        close(keeper->life_fd);
    keeper->life_fd = -1;
    while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    if (access(servers->folder, F_OK) != 0)
        return;
    wait_for_orphans(servers);
    rp_server_remove_segment(&servers->postgres);
    rp_folder_remove_busy(servers->folder);
}
