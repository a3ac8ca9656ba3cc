/* Rows that refer to a row which is not there, where no foreign key in force keeps them from it. */
#pragma once

#include "reconcile/result.h"
#include "reconcile/unit.h"

#include <glib.h>

G_BEGIN_DECLS

/* Looks into the tables of the units that take part, and adds to orphans (RpOrphanResult) the references that
 * have some, with up to limit keys of such rows each, and those that PostgreSQL refuses to look behind. A
 * reference is a foreign key that has not been validated or whose triggers are disabled; or one that no
 * foreign key states, but the mapping: a column made by `uuid5` of the same name as the unique column of
 * another entity, or a look-up's. */
gboolean rp_orphans_find(PGconn *connection, const RpUnits *units, guint limit, GPtrArray *orphans,
                         GError **error);

G_END_DECLS
