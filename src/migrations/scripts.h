/* The places that SQL files come from: a folder, or a resource that is built into the program. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpScriptSource RpScriptSource;

/* One kind of place. */
struct RpScriptSource {
    /* The names of the files at place, in any order, without folders. NULL and RP_USAGE_ERROR when there is
     * no such place or it cannot be read; the caller frees the names (g_strfreev). */
    char **(*list)(const char *place, GError **error);
    /* The bytes of one file. NULL and RP_USAGE_ERROR when it cannot be read. */
    GBytes *(*read)(const char *place, const char *name, GError **error);
};

extern const RpScriptSource RP_SCRIPTS_IN_FOLDER;
extern const RpScriptSource RP_SCRIPTS_IN_RESOURCE;

G_END_DECLS
