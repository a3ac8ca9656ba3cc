/* Where the server programs are, and as whom they may run. */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* Where distributions keep one folder for each version of PostgreSQL. */
#define RP_FIND_POSTGRES_VERSIONS "/usr/lib/postgresql"

/* The path of redis-server in the folders of search_path (colons between them). The caller frees it.
 * Error: RP_SANDBOX_ERROR_MISSING, naming the package to install. */
char *rp_find_redis(const char *search_path, GError **error);

/* The folder that holds both initdb and postgres: one of search_path, else the newest bin folder below
 * versions_folder. The caller frees it. Error: RP_SANDBOX_ERROR_MISSING, naming the package to install. */
char *rp_find_postgres(const char *search_path, const char *versions_folder, GError **error);

typedef struct {
    char *name; /* NULL: the servers run as we do */
    uid_t uid;
    gid_t gid;
} RpServerUser;

/* As whom servers run: postgres refuses to be root, so root gives way to user postgres, or else nobody.
 * The caller clears user. Error: RP_SANDBOX_ERROR_SYSTEM when root finds neither. */
gboolean rp_find_server_user(RpServerUser *user, GError **error);
void rp_server_user_clear(RpServerUser *user);

G_END_DECLS
