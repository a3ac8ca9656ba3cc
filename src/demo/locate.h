/* Where the shop's mapping and schema lie: in the source tree or where they were installed. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The path of a file or folder that comes with the program ("mappings/shop.yaml"): below $REDIS2PG_DATA when
 * that is set, else below the source tree that the program was built from, else below the installed data
 * folder. Relative when that is the current folder. The caller frees it. Error: RP_USAGE_ERROR, naming the
 * folders that were searched. */
char *rp_demo_locate(const char *name, GError **error);

G_END_DECLS
