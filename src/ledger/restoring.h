/* What a bulk load has set aside (ledger/set_aside.h), as it is put back: definitions, and how far each is.
 */
#pragma once

#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* An index, with the constraint that it is behind, or a foreign key. Pieces of SQL name its table t, and the
 * parent p. */
typedef struct {
    guint number;
    guint32 target;
    char *target_name;  /* quoted */
    guint64 size_bytes; /* of the table */
    char *name;
    char *create_index;   /* NULL: it is a foreign key */
    char *add_constraint; /* or NULL */
    char *comments;       /* or NULL */
    gboolean is_unique;   /* an index that refuses twins, of whatever kind */
    gboolean nulls_are_equal;
    char *predicate; /* or NULL */
    char *keys;      /* "(a) AS r2p_k1, (lower(b)) AS r2p_k2" */
    guint n_keys;
    guint32 referenced; /* of a foreign key, as what follows */
    char *referenced_name;
    char *match;       /* "p.id = t.a AND …" */
    char *filled;      /* "t.a IS NOT NULL AND …" */
    gboolean is_built; /* of a foreign key: it is there, perhaps not validated */
    gboolean is_restored;
} RpRestorable;

/* All of the run, in the order of their numbers: an array of RpRestorable that frees them. NULL with the
 * error of PostgreSQL. */
GPtrArray *rp_restoring_list(PGconn *connection, guint64 run, GError **error);

/* Inside a transaction: makes sure that the run is open, and that its attempt, until its end; RP_GUARD_ERROR
 * when it is not. */
gboolean rp_restoring_enter(PGconn *connection, guint64 by_run, guint by_attempt, GError **error);

/* How many rejects the run has. */
gboolean rp_restoring_count_rejects(PGconn *connection, guint64 run, guint64 *n_rejects, GError **error);

/* Inside a transaction: keeps others from it, and reads how far it is. What a transaction of a session that
 * was lost did to it shows only here. */
gboolean rp_restoring_lock(PGconn *connection, guint64 run, RpRestorable *entry, GError **error);

/* Inside that transaction: how far it is from its COMMIT on. */
gboolean rp_restoring_mark_built(PGconn *connection, guint64 run, const RpRestorable *entry, GError **error);
gboolean rp_restoring_mark_restored(PGconn *connection, guint64 run, const RpRestorable *entry,
                                    GError **error);

/* Inside a transaction: it is not put back, for the reason, and counts as if it were. */
gboolean rp_restoring_give_up(PGconn *connection, guint64 run, const RpRestorable *entry, const char *reason,
                              GError **error);

/* Inside a transaction: takes off the foreign keys of the run that refer to the table and are there already.
 */
gboolean rp_restoring_take_off_references(PGconn *connection, guint64 run, guint32 target, GError **error);

/* The numbers of entities (of guint) of which rows were taken out already. NULL with the error of PostgreSQL.
 */
GArray *rp_restoring_read_again(PGconn *connection, guint64 run, guint64 *n_keys, GError **error);

G_END_DECLS
