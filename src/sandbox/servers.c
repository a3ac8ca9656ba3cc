/* The command lines of redis-server, initdb and postgres, and the signs by which they show that they run. */
#include "sandbox/servers.h"

#include "sandbox/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* PostgreSQL: SIGINT ends sessions and writes everything, SIGQUIT drops everything ("Shutting Down the
 * Server"). */
static const RpStopStep STOP_POSTGRES[] = {{SIGINT, 0}, {SIGQUIT, 3000}, {SIGKILL, 5000}, {0, 0}};
/* Killed: told to end, it would first write a snapshot, which goes with the folder. */
static const RpStopStep STOP_REDIS[] = {{SIGKILL, 0}, {0, 0}};
static const RpStopStep STOP_INITDB[] = {{SIGKILL, 0}, {0, 0}};

static gboolean answers_ping(const RpServer *server) {
    enum { ANSWER_MS = 200 };
    static const char PING[] = "PING\r\n";
    static const char PONG[] = "+PONG";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, server->ready_path, sizeof address.sun_path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return FALSE;
    gboolean is_pong = FALSE;
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    char text[sizeof PONG] = "";
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        write(fd, PING, strlen(PING)) == (ssize_t)strlen(PING) && poll(&answer, 1, ANSWER_MS) == 1 &&
        read(fd, text, sizeof text - 1) > 0)
        is_pong = strncmp(text, PONG, strlen(PONG)) == 0;
    close(fd);
    return is_pong;
}

/* A line of the postmaster's lock file, counted from 0, or NULL (miscadmin.h: LOCK_FILE_LINE_SHMEM_KEY and
 * LOCK_FILE_LINE_PM_STATUS, which count from 1). The caller frees it. */
static char *lock_file_line(const RpServer *server, guint number) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents(server->ready_path, &text, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    return number < g_strv_length(lines) ? g_strstrip(g_strdup(lines[number])) : NULL;
}

/* A postgres that was killed leaves a file behind that says ready, with another process id. */
static gboolean says_ready(const RpServer *server) {
    g_autofree char *pid = lock_file_line(server, 0);
    g_autofree char *status = lock_file_line(server, 7);
    return pid != NULL && g_ascii_strtoll(pid, NULL, 10) == server->pid && g_strcmp0(status, "ready") == 0;
}

void rp_server_remove_segment(const RpServer *postgres) {
    g_autofree char *line = postgres->argv != NULL ? lock_file_line(postgres, 6) : NULL;
    unsigned long key;
    int id;
    struct shmid_ds segment;
    if (line != NULL && sscanf(line, "%lu %d", &key, &id) == 2 && shmctl(id, IPC_STAT, &segment) == 0 &&
        segment.shm_perm.__key == (key_t)key)
        shmctl(id, IPC_RMID, NULL);
}

static char **strv_end(GPtrArray *arguments) {
    g_ptr_array_add(arguments, NULL);
    return (char **)g_ptr_array_free(arguments, FALSE);
}

static void add(GPtrArray *arguments, const char *name, const char *value) {
    g_ptr_array_add(arguments, g_strdup(name));
    g_ptr_array_add(arguments, g_strdup(value));
}

/* "name=value" as arguments, a word of the value each. */
static void add_setting(GPtrArray *arguments, const char *setting) {
    g_auto(GStrv) parts = g_strsplit(setting, "=", 2);
    g_auto(GStrv) words = g_strsplit(parts[1] != NULL ? parts[1] : "", " ", -1);
    g_ptr_array_add(arguments, g_strconcat("--", parts[0], NULL));
    for (char **word = words; *word != NULL; word++)
        g_ptr_array_add(arguments, g_strdup(*word));
}

static void plan_redis(RpServers *servers, const char *program, const RpSandboxOptions *options) {
    const guint databases = options->redis_databases;
    g_autofree char *count = g_strdup_printf("%u", databases != 0 ? databases : RP_SANDBOX_REDIS_DATABASES);
    RpServer *redis = &servers->redis;
    *redis = (RpServer){
        .name = "redis-server", .is_ready = answers_ping, .stop_steps = STOP_REDIS, .orphan_signal = SIGKILL};
    redis->log_path = g_build_filename(servers->folder, "redis.log", NULL);
    redis->ready_path = g_build_filename(servers->folder, "redis.sock", NULL);
    GPtrArray *arguments = g_ptr_array_new();
    g_ptr_array_add(arguments, g_strdup(program));
    add(arguments, "--port", "0");
    add(arguments, "--unixsocket", redis->ready_path);
    add(arguments, "--unixsocketperm", "700");
    add(arguments, "--dir", servers->folder);
    add(arguments, "--databases", count);
    /* Snapshots are on, as they are by default, and so rare that none disturbs a test or a measurement. */
    add(arguments, "--save", "86400 1");
    add(arguments, "--appendonly", "no");
    /* Whoever asks while a script runs waits for it, as for any command, and is not told that it is busy. */
    add(arguments, "--lua-time-limit", "0");
    add(arguments, "--daemonize", "no");
    add(arguments, "--protected-mode", "yes");
    for (const char *const *setting = options->extra_redis_settings; setting != NULL && *setting != NULL;
         setting++)
        add_setting(arguments, *setting);
    redis->argv = strv_end(arguments);
}

static void plan_initdb(RpServers *servers, const char *programs, const char *data) {
    RpServer *initdb = &servers->initdb;
    *initdb = (RpServer){.name = "initdb", .stop_steps = STOP_INITDB, .orphan_signal = SIGKILL};
    initdb->log_path = g_build_filename(servers->folder, "initdb.log", NULL);
    GPtrArray *arguments = g_ptr_array_new();
    g_ptr_array_add(arguments, g_build_filename(programs, "initdb", NULL));
    add(arguments, "-D", data);
    add(arguments, "-E", "UTF8");
    add(arguments, "-U", "postgres");
    add(arguments, "--no-locale", "--auth=trust");
    add(arguments, "--no-sync", "--no-instructions");
    initdb->argv = strv_end(arguments);
}

static void plan_postgres(RpServers *servers, const char *programs, const RpSandboxOptions *options) {
    static const char *const ALWAYS[] = {"listen_addresses=", "port=5432", "max_connections=100",
                                         "log_checkpoints=off", NULL};
    /* mmap: what a killed postgres leaves lies in the folder then, not in /dev/shm. */
    static const char *const NOT_DURABLE[] = {"fsync=off", "full_page_writes=off", "synchronous_commit=off",
                                              "dynamic_shared_memory_type=mmap", NULL};
    static const char *const NONE[] = {NULL};
    const char *const *const settings[] = {
        ALWAYS, options->is_durable ? NONE : NOT_DURABLE,
        options->extra_postgres_settings != NULL ? options->extra_postgres_settings : NONE};
    g_autofree char *data = g_build_filename(servers->folder, "data", NULL);
    RpServer *postgres = &servers->postgres;
    *postgres = (RpServer){
        .name = "postgres", .is_ready = says_ready, .stop_steps = STOP_POSTGRES, .orphan_signal = SIGQUIT};
    postgres->log_path = g_build_filename(servers->folder, "postgres.log", NULL);
    postgres->ready_path = g_build_filename(data, "postmaster.pid", NULL);
    GPtrArray *arguments = g_ptr_array_new();
    g_ptr_array_add(arguments, g_build_filename(programs, "postgres", NULL));
    add(arguments, "-D", data);
    add(arguments, "-k", servers->folder);
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++)
        for (const char *const *setting = settings[i]; *setting != NULL; setting++)
            add(arguments, "-c", *setting);
    postgres->argv = strv_end(arguments);
    plan_initdb(servers, programs, data);
}

/* PG* variables of the caller are meant for other servers; TZ spares initdb its search for the zone. */
static char **plan_environment(void) {
    char **environment = g_get_environ();
    g_auto(GStrv) names = g_listenv();
    for (char **name = names; *name != NULL; name++)
        if (g_str_has_prefix(*name, "PG"))
            environment = g_environ_unsetenv(environment, *name);
    environment = g_environ_setenv(environment, "LC_ALL", "C", TRUE);
    return g_environ_setenv(environment, "TZ", "UTC", TRUE);
}

gboolean rp_servers_plan(RpServers *servers, const RpSandboxOptions *options, GError **error) {
    g_autofree char *redis = NULL;
    g_autofree char *postgres = NULL;
    *servers = (RpServers){0};
    if (!options->is_without_redis && (redis = rp_find_redis(g_getenv("PATH"), error)) == NULL)
        return FALSE;
    if (!options->is_without_postgres &&
        (postgres = rp_find_postgres(g_getenv("PATH"), RP_FIND_POSTGRES_VERSIONS, error)) == NULL)
        return FALSE;
    if (!rp_find_server_user(&servers->user, error) ||
        (servers->folder = rp_folder_new(&servers->user, options->is_in_memory, error)) == NULL)
        return FALSE;
    servers->environment = plan_environment();
    if (redis != NULL)
        plan_redis(servers, redis, options);
    if (postgres != NULL)
        plan_postgres(servers, postgres, options);
    return TRUE;
}

static void server_clear(RpServer *server) {
    g_strfreev(server->argv);
    g_free(server->log_path);
    g_free(server->ready_path);
    *server = (RpServer){0};
}

void rp_servers_clear(RpServers *servers) {
    server_clear(&servers->redis);
    server_clear(&servers->initdb);
    server_clear(&servers->postgres);
    rp_server_user_clear(&servers->user);
    g_clear_pointer(&servers->environment, g_strfreev);
    g_clear_pointer(&servers->folder, g_free);
}

static gboolean become(const RpServerUser *user) {
    return user->name == NULL ||
           (setgid(user->gid) == 0 && initgroups(user->name, user->gid) == 0 && setuid(user->uid) == 0);
}

/* In the new process: from here on only exec or _exit. */
static G_GNUC_NORETURN void become_server(const RpServers *servers, const RpServer *server, pid_t keeper) {
    enum { CANNOT_RUN = 127 };
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    const int log = open(server->log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0640);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(CANNOT_RUN);
    if (!become(&servers->user)) {
        dprintf(STDERR_FILENO, "cannot become user %s\n", servers->user.name);
        _exit(CANNOT_RUN);
    }
    /* Set after setuid, which clears it; the keeper may have gone in between. */
    if (prctl(PR_SET_PDEATHSIG, server->orphan_signal) != 0 || getppid() != keeper)
        _exit(CANNOT_RUN);
    execve(server->argv[0], server->argv, servers->environment);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", server->argv[0], strerror(errno));
    _exit(CANNOT_RUN);
}

gboolean rp_server_spawn(const RpServers *servers, RpServer *server) {
    const pid_t keeper = getpid();
    const pid_t pid = fork();
    if (pid == 0)
        become_server(servers, server, keeper);
    if (pid < 0)
        return FALSE;
    setpgid(pid, pid);
    server->pid = pid;
    return TRUE;
}

gboolean rp_server_is_ready(const RpServer *server) {
    return server->argv == NULL || (server->pid != 0 && server->is_ready(server));
}

char *rp_server_log_tail(const char *log_path) {
    enum { MAX_BYTES = 3000 };
    g_autofree char *text = NULL;
    gsize size = 0;
    if (log_path == NULL || !g_file_get_contents(log_path, &text, &size, NULL) || size == 0)
        return g_strdup("(its log is empty)");
    const char *tail = size > MAX_BYTES ? text + size - MAX_BYTES : text;
    const char *line = size > MAX_BYTES ? strchr(tail, '\n') : NULL;
    char *clean = g_utf8_make_valid(line != NULL ? line + 1 : tail, -1);
    return g_strchomp(clean);
}
