/* What the parts of deleting departed rows share; not for others. */
#pragma once

#include "ledger/departures.h"
#include "ledger/undo_steps.h"

#include <glib.h>

G_BEGIN_DECLS

/* An entity whose keys name their rows. */
typedef struct {
    const RpEntity *entity;
    RpUndoTable *table; /* NULL: nothing is ever deleted of it */
    guint n_keys;       /* columns of the identity */
    guint *fields;      /* by column of the identity: its field in a tuple */
    gboolean *is_scope; /* by column of the identity: it follows from the key */
    gboolean shrinks;   /* a key may give fewer rows than before, and they can be told */
    gboolean has_one;   /* a key gives one row at the most, which only `where` can take away */
    gboolean is_shared; /* other entities have rows in the same table that may be of the same scope */
    char *target;       /* quoted */
    char *gone;         /* (r2p_n, r2p_is_gone, scope…): keys */
    char *given;        /* (identity…): rows that keys give */
    char *scope_names;
    char *equal; /* t.a = g.a AND …: of the scope */
    char *image; /* of t */
} RpDeparting;

/* NULL when the key does not name its rows. */
RpDeparting *rp_departing_new(PGconn *connection, const RpMapping *mapping, guint number, GError **error);
void rp_departing_free(gpointer departing);
gboolean rp_departing_prepare(const RpDeparting *departing, PGconn *connection, GError **error);

/* What came of trying to delete. */
typedef struct {
    guint64 n_deleted;
    GHashTable *blocked; /* number of the key -> reason (char *) */
} RpDeparted;

/* Deletes rows of the keys in the list that are not in that of rows given. Rows that something refers to, or
 * that PostgreSQL refuses to delete, stay. row: "run, pass, batch, entity, target" of the undo log. */
gboolean rp_departing_delete(const RpDeparting *departing, PGconn *connection, guint64 run, const char *row,
                             GArray *numbers, RpDeparted *departed, GError **error);

/* ---- departing_lists.c ---- */

/* Adds the key of that number to the list of keys. FALSE when no row can be of it. */
gboolean rp_departing_add_key(const RpDeparting *departing, RpMapper *mapper, const RpBatch *batch,
                              const RpMetKey *key, guint number, RpBuffer *tuples);

/* Adds the identities of the batch's rows that the keys give: of one key, or of those that are listed (by
 * key). */
void rp_departing_add_given(const RpDeparting *departing, const RpBatch *batch, const RpMetKeys *met,
                            const RpMetKey *only, const gboolean *is_listed, RpBuffer *tuples);

/* Makes a table's content of tuples. */
gboolean rp_departing_copy(PGconn *connection, const char *table, const char *names, const RpBuffer *tuples,
                           GError **error);

G_END_DECLS
