/* Which rows of a bulk load stand against its indexes, foreign keys and checks. Each of these adds the run's
 * own rows to what is taken out, after rp_taking_out_begin and inside its transaction. */
#pragma once

#include "ledger/restoring.h"
#include "ledger/taking_out.h"
#include "mapping/mapping.h"

#include <glib.h>

G_BEGIN_DECLS

/* Whether a check of the entity's mapping is false for a row of the table, or cannot be said of one. */
gboolean rp_bad_rows_look(PGconn *connection, const char *table, const RpEntity *entity, gboolean *is_found,
                          GError **error);

/* Those rows. */
gboolean rp_bad_rows_add_failing(const RpTakingOut *out, const RpEntity *entity, GError **error);

/* All rows of which there is another one, of whomever, that some unique index that is not built (entries, of
 * RpRestorable) would refuse beside it: looked for in all of them before any is taken out, so that what is
 * left is at odds with nothing. */
gboolean rp_bad_rows_add_twins(const RpTakingOut *out, const GPtrArray *entries, GError **error);

/* Rows that may be too long for the index, or of which its expressions cannot be told. */
gboolean rp_bad_rows_add_unfit(const RpTakingOut *out, const RpRestorable *entry, GError **error);

/* Rows that refer to no parent by the foreign key (MATCH SIMPLE, or over one column). */
gboolean rp_bad_rows_add_orphans(const RpTakingOut *out, const RpRestorable *entry, GError **error);

G_END_DECLS
