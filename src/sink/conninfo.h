/* Connection strings that are made of others. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The same server by the same way, but another database: key='value' pairs, which the caller frees; they hold
 * the password if conninfo does. Error: RP_USAGE_ERROR, without conninfo's text, when libpq cannot read it.
 */
char *rp_conninfo_with_database(const char *conninfo, const char *database, GError **error);

G_END_DECLS
