/* Kills, stops, suspends and starts again the servers of a test. */
#include "blackout.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>

#define LIMIT_US (90 * G_USEC_PER_SEC)

RpSandbox *rp_blackout_sandbox(void) {
    static const char *const SETTINGS[] = {"synchronous_commit=on", NULL};
    const RpSandboxOptions options = {.redis_databases = 4, .extra_postgres_settings = SETTINGS};
    g_autoptr(GError) error = NULL;
    RpSandbox *sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    return sandbox;
}

RpCase *rp_blackout_case(RpSandbox *sandbox) {
    return rp_case_new_at(rp_sandbox_get_redis_socket(sandbox), rp_sandbox_get_conninfo(sandbox));
}

static pid_t find_pid(const RpSandbox *sandbox, RpSandboxServer server) {
    return server == RP_SANDBOX_REDIS ? rp_sandbox_get_redis_pid(sandbox)
                                      : rp_sandbox_get_postgres_pid(sandbox);
}

/* Neither there nor a zombie. */
static gboolean is_gone(pid_t pid) {
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return TRUE;
    const char *state = strrchr(text, ')');
    return state != NULL && state[2] == 'Z';
}

/* The server, and the processes that it started, as they are now (postgres has one for each connection). */
static GArray *list_processes(pid_t server) {
    GArray *pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", server, server);
    g_autofree char *text = NULL;
    g_array_append_val(pids, server);
    cr_assert(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        const pid_t pid = atoi(*word);
        if (pid > 0)
            g_array_append_val(pids, pid);
    }
    return pids;
}

static void send_to_all(GArray *pids, int number) {
    for (guint i = 0; i < pids->len; i++)
        kill(g_array_index(pids, pid_t, i), number);
}

static void await_gone(GArray *pids) {
    const gint64 limit = g_get_monotonic_time() + LIMIT_US;
    for (guint i = 0; i < pids->len; i++)
        while (!is_gone(g_array_index(pids, pid_t, i))) {
            cr_assert(g_get_monotonic_time() < limit, "process %d does not end",
                      g_array_index(pids, pid_t, i));
            g_usleep(2000);
        }
}

/* The first stands still before its children are listed: it starts no other one meanwhile. */
static GArray *halt(RpSandbox *sandbox, RpSandboxServer server) {
    const pid_t pid = find_pid(sandbox, server);
    cr_assert(pid > 0 && kill(pid, SIGSTOP) == 0, "server %d is not there", pid);
    return list_processes(pid);
}

void rp_blackout_kill(RpSandbox *sandbox, RpSandboxServer server) {
    g_autoptr(GArray) pids = halt(sandbox, server);
    send_to_all(pids, SIGKILL);
    await_gone(pids);
}

void rp_blackout_shut_down(RpSandbox *sandbox, RpSandboxServer server) {
    const pid_t pid = find_pid(sandbox, server);
    g_autoptr(GArray) pids = list_processes(pid);
    /* "Shutting Down the Server": SIGINT is PostgreSQL's fast way. */
    kill(pid, server == RP_SANDBOX_POSTGRES ? SIGINT : SIGTERM);
    await_gone(pids);
}

void rp_blackout_end(RpSandbox *sandbox, RpSandboxServer server) {
    g_autoptr(GError) error = NULL;
    const gboolean is_started = rp_sandbox_start_again(sandbox, server, &error);
    cr_assert(is_started, "%s", error != NULL ? error->message : "");
}

void rp_blackout_forget(RpSandbox *sandbox) {
    g_autofree char *path = g_build_filename(rp_sandbox_get_folder(sandbox), "dump.rdb", NULL);
    g_remove(path);
}

void rp_blackout_suspend(RpSandbox *sandbox, RpSandboxServer server) {
    g_autoptr(GArray) pids = halt(sandbox, server);
    send_to_all(pids, SIGSTOP);
}

void rp_blackout_resume(RpSandbox *sandbox, RpSandboxServer server) {
    g_autoptr(GArray) pids = list_processes(find_pid(sandbox, server));
    send_to_all(pids, SIGCONT);
}
