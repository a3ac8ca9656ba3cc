/* What a bulk load takes off its tables: foreign keys, unique and primary keys, and indexes. The ledger keeps
 * their definitions from the transaction on that takes them off. */
#pragma once

#include "mapping/mapping.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Why the mapping and its tables cannot be loaded in bulk, in words that end "…: " would go before; NULL when
 * they can. The caller frees it. only: the entities that are to be loaded, NULL: all.
 * FALSE when PostgreSQL could not be asked. */
gboolean rp_set_aside_obstacle(PGconn *connection, const RpMapping *mapping, const char *const *only,
                               char **obstacle, GError **error);

/* Inside a transaction: locks the tables, makes sure that they are empty, and takes off what the load is
 * faster without. *obstacle as above, when a table has rows meanwhile or the role may not do it: the
 * transaction is to be rolled back then. */
gboolean rp_set_aside_take(PGconn *connection, guint64 run, const RpMapping *mapping, const char *const *only,
                           char **obstacle, GError **error);

/* The run whose constraints are off, 0 for none, and how many definitions are to be put back. There need be
 * no ledger. */
gboolean rp_set_aside_find(PGconn *connection, guint64 *run, guint *n_definitions, GError **error);

/* Adds what is set aside to what the catalogue says of tables (mapping's, bound or not): they are as they
 * will be. There need be no ledger. */
gboolean rp_set_aside_complete(PGconn *connection, RpTable *table, GError **error);

/* RP_GUARD_ERROR when the constraints of some run other than but_for (0: of any) are off: with the way out.
 */
gboolean rp_set_aside_refuse(PGconn *connection, guint64 but_for, GError **error);

/* Before a run is completed: forgets what only its load needed (redis2pg.again, undo.loaded_keys). */
gboolean rp_set_aside_forget(PGconn *connection, guint64 run, GError **error);

G_END_DECLS
