/* Files of fixture tests in a folder of their own, and `redis2pg test` over them. */
#pragma once

#include "harness.h"
#include "shop.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A folder for the files of one test. */
typedef struct {
    char *path;
} Folder;

static void remove_all(const char *path) {
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *inside = g_build_filename(path, name, NULL);
        if (g_file_test(inside, G_FILE_TEST_IS_DIR) && !g_file_test(inside, G_FILE_TEST_IS_SYMLINK))
            remove_all(inside);
        else
            g_unlink(inside);
    }
    g_rmdir(path);
}

static void folder_clear(Folder *folder) {
    remove_all(folder->path);
    g_free(folder->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Folder, folder_clear)

G_GNUC_UNUSED static Folder folder_new(void) {
    const Folder folder = {g_dir_make_tmp("fixtures-XXXXXX", NULL)};
    cr_assert(folder.path != NULL);
    return folder;
}

/* Writes a file, with $MAPPING, $SCHEMA and $TYPES in its text as paths. The caller frees its path. */
G_GNUC_UNUSED static char *write_file(const Folder *folder, const char *name, const char *text) {
    char *path = g_build_filename(folder->path, name, NULL);
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_autofree char *schema = rp_source_path("schema/shop");
    g_autofree char *types = rp_source_path("fixtures/types");
    g_autoptr(GString) filled = g_string_new(text);
    g_string_replace(filled, "$MAPPING", mapping, 0);
    g_string_replace(filled, "$SCHEMA", schema, 0);
    g_string_replace(filled, "$TYPES", types, 0);
    cr_assert(g_file_set_contents(path, filled->str, -1, NULL));
    return path;
}

G_GNUC_UNUSED static char *read_file(const char *path) {
    char *text = NULL;
    cr_assert(g_file_get_contents(path, &text, NULL, NULL), "%s cannot be read", path);
    return text;
}

/* The environment of somebody who has named no servers. */
G_GNUC_UNUSED static char **bare_environment(const char *temporary) {
    char **environment = g_get_environ();
    static const char *const names[] = {"REDIS2PG_REDIS_URL", "REDIS2PG_POSTGRES_URL", "REDIS2PG_CONFIG"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        environment = g_environ_unsetenv(environment, names[i]);
    return temporary != NULL ? g_environ_setenv(environment, "TMPDIR", temporary, TRUE) : environment;
}

/* Runs redis2pg test with words, on private servers. */
G_GNUC_UNUSED static void run_test(RpOutcome *out, const char *word, ...) G_GNUC_NULL_TERMINATED;
G_GNUC_UNUSED static void run_test(RpOutcome *out, const char *word, ...) {
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_ptr_array_add(words, (gpointer)g_getenv("REDIS2PG_BINARY"));
    g_ptr_array_add(words, (gpointer) "test");
    va_list arguments;
    va_start(arguments, word);
    for (; word != NULL; word = va_arg(arguments, const char *))
        g_ptr_array_add(words, (gpointer)word);
    va_end(arguments);
    g_ptr_array_add(words, NULL);
    g_auto(GStrv) environment = bare_environment(NULL);
    int status = 0;
    *out = (RpOutcome){0};
    cr_assert(g_spawn_sync(NULL, (char **)words->pdata, environment, G_SPAWN_DEFAULT, NULL, NULL,
                           &out->output, &out->errors, &status, NULL));
    out->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define HEAD                                                                                                 \
    "mapping: $MAPPING\n"                                                                                    \
    "schema: $SCHEMA\n"                                                                                      \
    "redis:\n"                                                                                               \
    "  - HSET customer:c1 customer_id c1 created_at 2025-01-01T00:00:00\n"                                   \
    "  - HSET order:o1 order_id o1 customer_id c1 job_type load quantity 10 total_amount 12.50 status "      \
    "pending created_at 2025-01-02T10:00:00\n"
