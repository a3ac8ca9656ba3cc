/* The Redis key that a row came from, told by the row. */
#pragma once

#include "mapping/mapping.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* The key as an SQL expression of type text over the entity's table, which the statement calls alias. NULL
 * when the row does not tell it: some capture of the pattern stands in no column as it is. A number or a UUID
 * that the key spells otherwise than PostgreSQL does gives another key, which no key of the entity is likely
 * to be. The entity is bound. The caller frees it. */
char *rp_key_sql_new(PGconn *connection, const RpEntity *entity, const char *alias);

G_END_DECLS
