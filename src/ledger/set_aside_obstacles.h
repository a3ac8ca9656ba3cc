/* What keeps tables from being loaded in bulk. */
#pragma once

#include "mapping/mapping.h"

#include <glib.h>

G_BEGIN_DECLS

/* The tables of the entities as text of an oid[]; the caller frees it. */
char *rp_set_aside_tables(const RpMapping *mapping, const char *const *only);

G_END_DECLS
