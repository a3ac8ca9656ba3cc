/* Looks for server programs in PATH and where Debian keeps PostgreSQL, which is outside of PATH. */
#include "sandbox/find.h"

#include "sandbox/sandbox.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/* The first folder of search_path that holds every one of programs. */
static char *find_folder(const char *search_path, const char *const *programs) {
    g_auto(GStrv) folders = g_strsplit(search_path != NULL ? search_path : "", ":", -1);
    for (char **folder = folders; *folder != NULL; folder++) {
        gboolean has_all = (*folder)[0] == '/';
        for (const char *const *program = programs; has_all && *program != NULL; program++) {
            g_autofree char *path = g_build_filename(*folder, *program, NULL);
            has_all = access(path, X_OK) == 0;
        }
        if (has_all)
            return g_strdup(*folder);
    }
    return NULL;
}

char *rp_find_redis(const char *search_path, GError **error) {
    static const char *const PROGRAMS[] = {"redis-server", NULL};
    g_autofree char *folder = find_folder(search_path, PROGRAMS);
    if (folder == NULL) {
        g_set_error(error, RP_SANDBOX_ERROR, RP_SANDBOX_ERROR_MISSING,
                    "redis-server is not installed: apt-get install redis-server");
        return NULL;
    }
    return g_build_filename(folder, PROGRAMS[0], NULL);
}

static char *find_newest_version(const char *versions_folder, const char *const *programs) {
    g_autoptr(GDir) folder = g_dir_open(versions_folder, 0, NULL);
    char *newest = NULL;
    double newest_version = -1;
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *bin = g_build_filename(versions_folder, name, "bin", NULL);
        g_autofree char *found = find_folder(bin, programs);
        const double version = g_ascii_strtod(name, NULL);
        if (found == NULL || version <= newest_version)
            continue;
        g_free(newest);
        newest = g_steal_pointer(&found);
        newest_version = version;
    }
    return newest;
}

char *rp_find_postgres(const char *search_path, const char *versions_folder, GError **error) {
    static const char *const PROGRAMS[] = {"initdb", "postgres", NULL};
    char *folder = find_folder(search_path, PROGRAMS);
    if (folder == NULL)
        folder = find_newest_version(versions_folder, PROGRAMS);
    if (folder == NULL)
        g_set_error(error, RP_SANDBOX_ERROR, RP_SANDBOX_ERROR_MISSING,
                    "the PostgreSQL server (initdb, postgres) is neither in PATH nor below %s: "
                    "apt-get install postgresql",
                    versions_folder);
    return folder;
}

gboolean rp_find_server_user(RpServerUser *user, GError **error) {
    static const char *const NAMES[] = {"postgres", "nobody"};
    *user = (RpServerUser){.name = NULL, .uid = geteuid(), .gid = getegid()};
    if (user->uid != 0)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        const struct passwd *entry = getpwnam(NAMES[i]);
        if (entry == NULL || entry->pw_uid == 0)
            continue;
        *user = (RpServerUser){.name = g_strdup(NAMES[i]), .uid = entry->pw_uid, .gid = entry->pw_gid};
        return TRUE;
    }
    g_set_error(error, RP_SANDBOX_ERROR, RP_SANDBOX_ERROR_SYSTEM,
                "PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
    return FALSE;
}

void rp_server_user_clear(RpServerUser *user) {
    g_clear_pointer(&user->name, g_free);
}
