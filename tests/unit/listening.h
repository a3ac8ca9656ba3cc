/* A listener of a test's own, in the place of a server. */
#pragma once

#include <criterion/criterion.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char *folder, *path; /* of its Unix socket */
static int listener;

static inline void start(void) {
    folder = g_dir_make_tmp("redis2pg-source-XXXXXX", NULL);
    path = g_build_filename(folder, "s", NULL);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    g_strlcpy(name.sun_path, path, sizeof name.sun_path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(listener, (const struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 4) == 0);
}

static inline void stop(void) {
    close(listener);
    g_remove(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
}
