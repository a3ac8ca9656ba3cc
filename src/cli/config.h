/* The configuration file: YAML with the names of the long options. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpConfig RpConfig;

/* Reads a map of scalars (a list's items are joined with commas). Error: RP_USAGE_ERROR with file, line and
 * column. */
RpConfig *rp_config_load(const char *path, GError **error);
void rp_config_free(RpConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpConfig, rp_config_free)

/* The value of a name, or NULL; borrowed. */
const char *rp_config_get(const RpConfig *config, const char *name);
const char *rp_config_get_path(const RpConfig *config);

/* FALSE with RP_USAGE_ERROR, place and the nearest name when a name in the file is none of names
 * (NULL-terminated). */
gboolean rp_config_check_names(const RpConfig *config, const char *const *names, GError **error);

G_END_DECLS
