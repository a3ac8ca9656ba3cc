/* The keeper's own process: parent of both servers, in a session of its own so that Ctrl-C does not reach
 * them.
 *
 * 1. The keeper holds one end of a socket pair whose other end only its starter has; when the starter ends,
 *    in whatever way, the kernel closes it. A pidfd tells the same when a forked process kept a copy.
 * 2. Every server asks the kernel for a signal when the keeper ends, so that none survives a killed keeper.
 * 3. The folder is removed after the last server is gone, and the starter hears of a failure after that. */
#include "sandbox/keeper_process.h"

#include "sandbox/folder.h"
#include "sandbox/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_LIMIT_SECONDS   60
#define RESTART_LIMIT_SECONDS 20
#define POLL_MS               4

typedef struct {
    RpServers *servers;
    int life_fd;
    int starter_fd; /* a pidfd, or -1 */
    int signal_fd;
    int report_fd;
    RpServer *wanted; /* to be started again, or NULL */
    gboolean is_kept;
    gboolean is_ending;
} Keeper;

/* In order of start; NULL ends. */
static RpServer **all_servers(Keeper *keeper, RpServer *servers[4]) {
    servers[0] = &keeper->servers->redis;
    servers[1] = &keeper->servers->initdb;
    servers[2] = &keeper->servers->postgres;
    servers[3] = NULL;
    return servers;
}

static void read_life_line(Keeper *keeper) {
    char byte;
    ssize_t size;
    while (keeper->life_fd >= 0 && (size = read(keeper->life_fd, &byte, 1)) >= 0) {
        if (size == 0) {
            close(keeper->life_fd);
            keeper->life_fd = -1;
            keeper->is_ending = keeper->is_ending || !keeper->is_kept;
        } else if (byte == RP_KEEPER_KEEP)
            keeper->is_kept = TRUE;
        else if (byte == RP_KEEPER_REDIS || byte == RP_KEEPER_POSTGRES)
            keeper->wanted = byte == RP_KEEPER_REDIS ? &keeper->servers->redis : &keeper->servers->postgres;
    }
}

/* Waits for the first of: the starter's end, a signal, timeout_ms (negative: for ever). */
static void wait_for_event(Keeper *keeper, int timeout_ms) {
    struct pollfd events[] = {
        {.fd = keeper->life_fd, .events = POLLIN},
        {.fd = keeper->is_kept ? -1 : keeper->starter_fd, .events = POLLIN},
        {.fd = keeper->signal_fd, .events = POLLIN},
    };
    if (poll(events, G_N_ELEMENTS(events), timeout_ms) <= 0)
        return;
    /* The word to keep may have come after poll looked, and just before the starter ended. */
    read_life_line(keeper);
    if (events[1].revents != 0 && !keeper->is_kept)
        keeper->is_ending = TRUE;
    struct signalfd_siginfo info;
    if (events[2].revents != 0 && read(keeper->signal_fd, &info, sizeof info) == (ssize_t)sizeof info &&
        info.ssi_signo != SIGCHLD)
        keeper->is_ending = TRUE;
}

/* Takes note of servers that ended; returns how many are running. */
static guint reap(Keeper *keeper) {
    RpServer *servers[4];
    guint n_running = 0;
    for (RpServer **server = all_servers(keeper, servers); *server != NULL; server++) {
        if ((*server)->pid == 0)
            continue;
        if (waitpid((*server)->pid, &(*server)->end_status, WNOHANG) == (*server)->pid) {
            (*server)->pid = 0;
            (*server)->has_ended = TRUE;
        } else
            n_running++;
    }
    return n_running;
}

static char *describe_failure(const RpServer *server, const char *what) {
    g_autofree char *tail = rp_server_log_tail(server->log_path);
    return g_strdup_printf("%s %s; the end of its log:\n%s", server->name, what, tail);
}

static char *describe_end(const RpServer *server) {
    g_autofree char *what = WIFSIGNALED(server->end_status)
                                ? g_strdup_printf("was ended by signal %d", WTERMSIG(server->end_status))
                                : g_strdup_printf("ended with status %d", WEXITSTATUS(server->end_status));
    return describe_failure(server, what);
}

/* One look at servers that are starting: what went wrong, or NULL. */
static char *advance(Keeper *keeper) {
    RpServers *servers = keeper->servers;
    reap(keeper);
    if (servers->redis.has_ended)
        return describe_end(&servers->redis);
    if (servers->postgres.has_ended)
        return describe_end(&servers->postgres);
    if (!servers->initdb.has_ended || servers->postgres.pid != 0)
        return NULL;
    if (servers->initdb.end_status != 0)
        return describe_end(&servers->initdb);
    return rp_server_spawn(servers, &servers->postgres) ? NULL : g_strdup("postgres: no process to be had");
}

/* Starts what is wanted, initdb beside redis-server. Returns what went wrong, or NULL: the servers answer,
 * or nobody needs them any more. */
static char *start_servers(Keeper *keeper) {
    RpServers *servers = keeper->servers;
    const gint64 limit = g_get_monotonic_time() + START_LIMIT_SECONDS * G_USEC_PER_SEC;
    if ((servers->redis.argv != NULL && !rp_server_spawn(servers, &servers->redis)) ||
        (servers->initdb.argv != NULL && !rp_server_spawn(servers, &servers->initdb)))
        return g_strdup("no process to be had");
    while (!keeper->is_ending) {
        char *problem = advance(keeper);
        if (problem != NULL)
            return problem;
        const gboolean is_postgres_ready = rp_server_is_ready(&servers->postgres);
        if (is_postgres_ready && rp_server_is_ready(&servers->redis))
            return NULL;
        if (g_get_monotonic_time() > limit)
            return describe_failure(is_postgres_ready ? &servers->redis : &servers->postgres,
                                    "did not answer in time");
        wait_for_event(keeper, POLL_MS);
    }
    return NULL;
}

/* One more attempt to start a server. Returns what went wrong, or NULL: it answers, or nobody needs it. */
static char *launch(Keeper *keeper, RpServer *server, gint64 limit) {
    server->has_ended = FALSE;
    if (!rp_server_spawn(keeper->servers, server))
        return g_strdup("no process to be had");
    while (!keeper->is_ending && !rp_server_is_ready(server)) {
        reap(keeper);
        if (server->has_ended)
            return describe_end(server);
        if (g_get_monotonic_time() > limit)
            return describe_failure(server, "did not answer in time");
        wait_for_event(keeper, POLL_MS);
    }
    return NULL;
}

/* Attempts are repeated: what a killed server left behind may take a moment to go (postgres refuses to start
 * while a backend of the one before is attached to its memory). */
static char *start_again(Keeper *keeper, RpServer *server) {
    const gint64 limit = g_get_monotonic_time() + RESTART_LIMIT_SECONDS * G_USEC_PER_SEC;
    char *problem = NULL;
    while (reap(keeper) > 0 && server->pid != 0 && !keeper->is_ending) {
        if (g_get_monotonic_time() > limit)
            return g_strdup_printf("%s has not ended", server->name);
        wait_for_event(keeper, POLL_MS);
    }
    do {
        g_free(problem);
        problem = launch(keeper, server, limit);
        if (problem != NULL)
            wait_for_event(keeper, 100);
    } while (problem != NULL && !keeper->is_ending && g_get_monotonic_time() < limit);
    return problem;
}

/* Starts what the starter asked for, and answers with its process id, or with what went wrong. */
static void heed_wish(Keeper *keeper) {
    RpServer *server = keeper->wanted;
    keeper->wanted = NULL;
    if (server == NULL || server->argv == NULL || keeper->is_ending)
        return;
    g_autofree char *problem = start_again(keeper, server);
    g_autofree char *answer = problem != NULL ? g_strdup(problem) : g_strdup_printf("R%d", server->pid);
    send(keeper->life_fd, answer, strlen(answer) + 1, MSG_NOSIGNAL);
}

static void send_signal(const RpServer *server, int number) {
    /* The group too: initdb has children, and they must not write into a folder that is being removed. */
    kill(number == SIGKILL ? -server->pid : server->pid, number);
    kill(server->pid, SIGCONT); /* a test may have stopped it */
}

static void stop_servers(Keeper *keeper) {
    RpServer *servers[4];
    const gint64 start = g_get_monotonic_time();
    while (reap(keeper) > 0) {
        const guint elapsed_ms = (guint)((g_get_monotonic_time() - start) / 1000);
        for (RpServer **server = all_servers(keeper, servers); *server != NULL; server++)
            while ((*server)->pid != 0 && (*server)->stop_steps->signal != 0 &&
                   (*server)->stop_steps->after_ms <= elapsed_ms)
                send_signal(*server, (*server)->stop_steps++->signal);
        wait_for_event(keeper, 50);
    }
}

static void report(Keeper *keeper, const char *text) {
    const char *rest = text;
    ssize_t size;
    while (*rest != '\0' && (size = write(keeper->report_fd, rest, strlen(rest))) > 0)
        rest += size;
    close(keeper->report_fd);
}

static void live(Keeper *keeper) {
    g_autofree char *problem = start_servers(keeper);
    if (problem == NULL && !keeper->is_ending) {
        g_autofree char *pids =
            g_strdup_printf("R%d %d", keeper->servers->redis.pid, keeper->servers->postgres.pid);
        report(keeper, pids);
        /* Without servers there is still the starter to wait for: it owns the folder while it lives. */
        while (!keeper->is_ending && (reap(keeper) > 0 || !keeper->is_kept)) {
            wait_for_event(keeper, -1);
            heed_wish(keeper);
        }
    }
    stop_servers(keeper);
    chdir("/");
    rp_server_remove_segment(&keeper->servers->postgres);
    rp_folder_remove_busy(keeper->servers->folder);
    if (problem != NULL)
        report(keeper, problem);
}

/* Moves the descriptors we need to 3 and up and closes all others: a pipe that somebody reads to its end
 * must not stay open because of us. */
static void keep_only(int *fds[], int n_fds) {
    enum { FIRST = STDERR_FILENO + 1, OUT_OF_THE_WAY = 32 };
    for (int i = 0; i < n_fds; i++)
        if (*fds[i] >= 0)
            *fds[i] = fcntl(*fds[i], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    for (int i = 0; i < n_fds; i++)
        if (*fds[i] >= 0)
            *fds[i] = dup3(*fds[i], FIRST + i, O_CLOEXEC);
        else
            close(FIRST + i);
    closefrom(FIRST + n_fds);
    const int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < FIRST; fd++)
        dup2(nothing, fd);
    close(nothing);
}

G_GNUC_NORETURN void rp_keeper_process_become(const RpKeeperLines *lines, RpServers *servers) {
    Keeper keeper = {.servers = servers,
                     .life_fd = lines->life_fd,
                     .report_fd = lines->report_fd,
                     .starter_fd = lines->starter_fd};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    setsid();
    prctl(PR_SET_NAME, "redis2pg-keeper");
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    keeper.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    keep_only((int *[]){&keeper.life_fd, &keeper.report_fd, &keeper.signal_fd, &keeper.starter_fd}, 4);
    umask(077);
    if (keeper.signal_fd < 0 || chdir(servers->folder) != 0)
        report(&keeper, "the keeper of the servers could not be set up");
    else
        live(&keeper);
    _exit(0);
}
