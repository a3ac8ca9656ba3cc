/* A sandbox as its starter sees it: start, look up, keep, stop. */
#include "sandbox/sandbox.h"

#include "sandbox/keeper.h"

#include <sys/socket.h>
#include <unistd.h>

G_DEFINE_QUARK(rp_sandbox_error, rp_sandbox_error)

struct _RpSandbox {
    RpServers servers;
    RpKeeper keeper;
    pid_t starter;
    gboolean is_kept;
    char *redis_url;
    char *conninfo;
};

static void sandbox_free(RpSandbox *sandbox) {
    if (sandbox->keeper.life_fd >= 0)
        close(sandbox->keeper.life_fd);
    rp_servers_clear(&sandbox->servers);
    g_free(sandbox->redis_url);
    g_free(sandbox->conninfo);
    g_free(sandbox);
}

/* In a connection string a value stands in quotes, with backslashes before quotes and backslashes. */
static char *make_conninfo(const char *folder) {
    GString *conninfo = g_string_new("host='");
    for (const char *byte = folder; *byte != '\0'; byte++) {
        if (*byte == '\'' || *byte == '\\')
            g_string_append_c(conninfo, '\\');
        g_string_append_c(conninfo, *byte);
    }
    g_string_append(conninfo, "' port=5432 user=postgres dbname=postgres");
    return g_string_free(conninfo, FALSE);
}

static char *make_redis_url(const char *socket_path) {
    g_autofree char *path = g_uri_escape_string(socket_path, "/", FALSE);
    return g_strdup_printf("unix://%s?db=0", path);
}

RpSandbox *rp_sandbox_start(const RpSandboxOptions *options, GError **error) {
    static const RpSandboxOptions DEFAULTS = {0};
    RpSandbox *sandbox = g_new0(RpSandbox, 1);
    sandbox->keeper.life_fd = -1;
    sandbox->starter = getpid();
    if (!rp_servers_plan(&sandbox->servers, options != NULL ? options : &DEFAULTS, error) ||
        !rp_keeper_start(&sandbox->keeper, &sandbox->servers, error)) {
        sandbox_free(sandbox);
        return NULL;
    }
    if (sandbox->servers.redis.argv != NULL)
        sandbox->redis_url = make_redis_url(sandbox->servers.redis.ready_path);
    if (sandbox->servers.postgres.argv != NULL)
        sandbox->conninfo = make_conninfo(sandbox->servers.folder);
    return sandbox;
}

void rp_sandbox_stop(RpSandbox *sandbox) {
    if (sandbox == NULL)
        return;
    if (!sandbox->is_kept && sandbox->starter == getpid())
        rp_keeper_stop(&sandbox->keeper, &sandbox->servers);
    sandbox_free(sandbox);
}

pid_t rp_sandbox_keep(RpSandbox *sandbox) {
    static const char WORD = RP_KEEPER_KEEP;
    sandbox->is_kept = send(sandbox->keeper.life_fd, &WORD, 1, MSG_NOSIGNAL) == 1;
    return sandbox->is_kept ? sandbox->keeper.pid : 0;
}

gboolean rp_sandbox_start_again(RpSandbox *sandbox, RpSandboxServer server, GError **error) {
    const gboolean is_redis = server == RP_SANDBOX_REDIS;
    g_assert(sandbox->starter == getpid());
    return rp_keeper_start_again(&sandbox->keeper,
                                 is_redis ? &sandbox->servers.redis : &sandbox->servers.postgres,
                                 is_redis ? RP_KEEPER_REDIS : RP_KEEPER_POSTGRES, error);
}

const char *rp_sandbox_get_folder(const RpSandbox *sandbox) {
    return sandbox->servers.folder;
}

const char *rp_sandbox_get_redis_socket(const RpSandbox *sandbox) {
    return sandbox->servers.redis.ready_path;
}

const char *rp_sandbox_get_redis_url(const RpSandbox *sandbox) {
    return sandbox->redis_url;
}

const char *rp_sandbox_get_conninfo(const RpSandbox *sandbox) {
    return sandbox->conninfo;
}

const char *rp_sandbox_get_redis_log(const RpSandbox *sandbox) {
    return sandbox->servers.redis.log_path;
}

const char *rp_sandbox_get_postgres_log(const RpSandbox *sandbox) {
    return sandbox->servers.postgres.log_path;
}

pid_t rp_sandbox_get_redis_pid(const RpSandbox *sandbox) {
    return sandbox->servers.redis.pid;
}

pid_t rp_sandbox_get_postgres_pid(const RpSandbox *sandbox) {
    return sandbox->servers.postgres.pid;
}
