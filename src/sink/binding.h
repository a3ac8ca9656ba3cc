/* A mapping bound to the tables of a target. */
#pragma once

#include "mapping/mapping.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Owns the table descriptions that the mapping's entities borrow. */
typedef struct RpBinding RpBinding;

/* Adds to a table what the catalogue does not say of it. */
typedef gboolean (*RpTableCompletion)(PGconn *connection, RpTable *table, GError **error);

/* Reads each entity's table (complete may be NULL), binds the entity to it, and has PostgreSQL look at the
 * SQL of its checks. What does not fit is added to findings. NULL only when PostgreSQL could not be asked.
 * Nothing is written. */
RpBinding *rp_binding_new(PGconn *connection, RpMapping *mapping, RpTableCompletion complete,
                          RpFindings *findings, GError **error);
void rp_binding_free(RpBinding *binding);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpBinding, rp_binding_free)

G_END_DECLS
