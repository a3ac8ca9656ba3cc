/* Makes and removes the temporary folder that holds the sockets, the data and the logs. */
#include "sandbox/folder.h"

#include "sandbox/sandbox.h"

#include <errno.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <unistd.h>

#define TEMPLATE "redis2pg-XXXXXX"

/* postgres binds this name, the longest one below the folder. */
#define LONGEST_SOCKET "/.s.PGSQL.5432"

static gboolean is_short_enough(const char *parent) {
    return strlen(parent) + strlen("/" TEMPLATE LONGEST_SOCKET) <
           sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

/* Whether everybody may pass through every folder from path up to the root. */
static gboolean is_open(const char *path) {
    g_autofree char *folder = g_canonicalize_filename(path, NULL);
    for (;;) {
        struct stat status;
        if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode) || (status.st_mode & S_IXOTH) == 0)
            return FALSE;
        if (strcmp(folder, "/") == 0)
            return TRUE;
        char *parent = g_path_get_dirname(folder);
        g_free(folder);
        folder = parent;
    }
}

/* A container may have as little as 64 MiB there, and a server whose disk is full helps nobody. */
static gboolean has_memory(const char *parent) {
    const guint64 needed = G_GUINT64_CONSTANT(1024) * 1024 * 1024;
    struct statfs status;
    return statfs(parent, &status) == 0 && status.f_type == TMPFS_MAGIC &&
           (guint64)status.f_bavail * (guint64)status.f_bsize >= needed && access(parent, W_OK) == 0 &&
           is_open(parent);
}

static const char *choose_parent(const RpServerUser *user, gboolean is_in_memory) {
    const char *wanted = g_getenv("TMPDIR");
    if (is_in_memory && (wanted == NULL || wanted[0] == '\0') && has_memory("/dev/shm"))
        return "/dev/shm";
    if (wanted == NULL || wanted[0] != '/' || !is_short_enough(wanted) || access(wanted, W_OK) != 0)
        return "/tmp";
    return user->name == NULL || is_open(wanted) ? wanted : "/tmp";
}

char *rp_folder_new(const RpServerUser *user, gboolean is_in_memory, GError **error) {
    g_autofree char *folder = g_build_filename(choose_parent(user, is_in_memory), TEMPLATE, NULL);
    if (g_mkdtemp_full(folder, 0700) == NULL) {
        g_set_error(error, RP_SANDBOX_ERROR, RP_SANDBOX_ERROR_SYSTEM, "making a temporary folder %s: %s",
                    folder, g_strerror(errno));
        return NULL;
    }
    if (user->name != NULL && chown(folder, user->uid, user->gid) != 0) {
        g_set_error(error, RP_SANDBOX_ERROR, RP_SANDBOX_ERROR_SYSTEM, "giving %s to %s: %s", folder,
                    user->name, g_strerror(errno));
        rp_folder_remove(folder);
        return NULL;
    }
    return g_steal_pointer(&folder);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status;
    (void)kind;
    (void)walk;
    remove(path);
    return 0;
}

gboolean rp_folder_remove(const char *folder) {
    enum { MAX_OPEN_FOLDERS = 16 };
    nftw(folder, remove_entry, MAX_OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return access(folder, F_OK) != 0;
}

void rp_folder_remove_busy(const char *folder) {
    enum { MAX_ATTEMPTS = 40, PAUSE_US = 50000 };
    for (guint i = 0; i < MAX_ATTEMPTS && !rp_folder_remove(folder); i++)
        g_usleep(PAUSE_US);
}
