/* The places that SQL files come from. */
#include "migrations/scripts.h"

#include <gio/gio.h>

#include "base/error.h"
#include "migrations/ledger-resource.h"

static char **list_folder(const char *place, GError **error) {
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) folder = g_dir_open(place, 0, &cause);
    if (folder == NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "a folder of SQL files is needed: %s",
                    cause->message);
        return NULL;
    }
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (const char *name = g_dir_read_name(folder); name != NULL; name = g_dir_read_name(folder)) {
        g_autofree char *path = g_build_filename(place, name, NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_DIR))
            g_strv_builder_add(names, name);
    }
    return g_strv_builder_end(names);
}

static GBytes *read_in_folder(const char *place, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(place, name, NULL);
    g_autoptr(GError) cause = NULL;
    char *text = NULL;
    gsize size = 0;
    if (g_file_get_contents(path, &text, &size, &cause))
        return g_bytes_new_take(text, size);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "reading an SQL file: %s", cause->message);
    return NULL;
}

/* Naming the generated function keeps the resource's object file in programs that link this library: the
 * linker drops members of an archive that nothing refers to, constructors and all. */
static GResource *ledger_resource(void) {
    return rp_ledger_get_resource();
}

static char **list_resource(const char *place, GError **error) {
    g_autoptr(GError) cause = NULL;
    ledger_resource();
    char **names = g_resources_enumerate_children(place, G_RESOURCE_LOOKUP_FLAGS_NONE, &cause);
    if (names == NULL)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "listing built-in SQL files: %s",
                    cause->message);
    return names;
}

static GBytes *read_in_resource(const char *place, const char *name, GError **error) {
    g_autofree char *path = g_strconcat(place, "/", name, NULL);
    g_autoptr(GError) cause = NULL;
    GBytes *bytes = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, &cause);
    if (bytes == NULL)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "reading a built-in SQL file: %s",
                    cause->message);
    return bytes;
}

const RpScriptSource RP_SCRIPTS_IN_FOLDER = {list_folder, read_in_folder};
const RpScriptSource RP_SCRIPTS_IN_RESOURCE = {list_resource, read_in_resource};
