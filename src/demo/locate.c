/* Looks for the files that come with the program. */
#include "demo/locate.h"

#include "base/error.h"

char *rp_demo_locate(const char *name, GError **error) {
    const char *const folders[] = {g_getenv("REDIS2PG_DATA"), REDIS2PG_SOURCE_ROOT, REDIS2PG_DATADIR};
    g_autofree char *here = g_get_current_dir();
    g_autoptr(GString) searched = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        if (folders[i] == NULL || folders[i][0] == '\0')
            continue;
        g_autofree char *path = g_build_filename(folders[i], name, NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return g_strcmp0(folders[i], here) == 0 ? g_strdup(name) : g_steal_pointer(&path);
        g_string_append_printf(searched, "%s%s", searched->len > 0 ? ", " : "", folders[i]);
    }
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "%s was not found in %s: set REDIS2PG_DATA to the folder that holds it", name, searched->str);
    return NULL;
}
