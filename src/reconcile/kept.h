/* Rows that stand on purpose although Redis has their keys no more: a sync has seen them go, and the policy
 * of their entity keeps their rows (redis2pg.lifetimes). They are not extra.
 *
 * 1. A row is told from what is left over where it tells its key (sink/key_sql.h); elsewhere none is kept.
 * 2. A row whose key has come back is compared like any other, whatever the ledger still says of the key. */
#pragma once

#include "reconcile/sides.h"

#include <glib.h>

G_BEGIN_DECLS

/* Sets what the units have of it, where the ledger tells of such keys and may be read. */
gboolean rp_kept_prepare(PGconn *connection, RpUnits *units, GError **error);

/* Whether any row of the leader's table may be one now. */
gboolean rp_kept_probe(PGconn *connection, const RpUnit *leader, gboolean *has_some, GError **error);

/* Takes such a row: the values of the leader's columns, and the number of the unit that keeps it. */
typedef gboolean (*RpKeptTake)(const RpUnit *leader, guint keeper, const RpSpan *values, gpointer data,
                               GError **error);

/* Reads those of the leader's table, as rp_target_read does the others. One that two units keep comes twice.
 */
gboolean rp_kept_read(PGconn *connection, const RpUnits *units, const RpUnit *leader,
                      const gint *is_cancelled, RpKeptTake take, gpointer data, GError **error);

/* Those of the buckets that are looked at: of each identity (RpHash *) the keeper. */
GHashTable *rp_kept_rows_new(void);
/* FALSE when it is there already. */
gboolean rp_kept_rows_add(GHashTable *rows, const RpHash *identity, guint keeper);
/* The keeper, or -1. */
int rp_kept_rows_find(GHashTable *rows, const RpHash *identity);

G_END_DECLS
