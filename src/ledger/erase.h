/* Deleting rows that nothing in the source stands behind any more, as batches of a run that can be rolled
 * back. */
#pragma once

#include "ledger/attempts.h"
#include "ledger/undo_tables.h"
#include "mapping/mapping.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* The tables to delete from, and lists of their rows, on one connection. Its functions take a table by its
 * place: children come first. */
typedef struct {
    PGconn *connection; /* borrowed */
    const RpAttempt *attempt;
    const RpMapping *mapping;
    GPtrArray *tables; /* of RpUndoTable, parents first */
    guint pass;        /* of the batches */
    guint64 next_batch;
} RpErasing;

/* What came of a batch. */
typedef struct {
    guint64 n_deleted;
    guint64 n_changed; /* somebody changed them since, or they are gone */
    guint64 n_blocked; /* something refers to them, or a trigger, a rule or a policy keeps them */
    char *example;     /* of a blocked one: its key and why, where no report has to keep it back; or NULL */
} RpErased;

void rp_erased_clear(RpErased *erased);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpErased, rp_erased_clear)

/* For the entities of those numbers (guint32) in the mapping: reads what refers to their tables, and makes
 * the connection's temporary tables. pass: one that no batch of the run has. RP_USAGE_ERROR when rows that
 * refer to one would be changed with it and may not be looked at. After FALSE it can be cleared. */
gboolean rp_erasing_init(RpErasing *erasing, PGconn *connection, const RpAttempt *attempt,
                         const RpMapping *mapping, const GArray *entities, guint pass, GError **error);
void rp_erasing_clear(RpErasing *erasing);

/* The entity of the table at that place; places go from 0, children first. */
guint rp_erasing_entity(const RpErasing *erasing, guint place);

/* Makes the table's list anew of tuples as COPY has them (FORMAT binary): a number (integer), then the key's
 * values, those of a type that we do not know as text. Notes who wrote each row last: what is changed from
 * then on is not deleted. */
gboolean rp_erasing_list(RpErasing *erasing, guint place, RpSpan tuples, GError **error);

/* Takes rows off the list by their numbers: "{1,2}". */
gboolean rp_erasing_spare(RpErasing *erasing, guint place, const char *numbers, GError **error);

/* Deletes the rows with the numbers from first to last, in a transaction of its own; those that are left
 * because something refers to them stay in the list. The error of PostgreSQL when it failed, and nothing is
 * deleted then: rp_erasing_look_closer says whether to try again. */
gboolean rp_erasing_delete(RpErasing *erasing, guint place, guint first, guint last, RpErased *erased,
                           GError **error);

/* After PostgreSQL refused to delete for a row that refers to one: TRUE when such rows will be looked for
 * first from now on, and were not yet. */
gboolean rp_erasing_look_closer(RpErasing *erasing, guint place, const GError *refusal);

/* Whether rows of the table can refer to others of it: what is blocked may be free when others are gone. */
gboolean rp_erasing_has_self(const RpErasing *erasing, guint place);

G_END_DECLS
