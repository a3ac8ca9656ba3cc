/* Taking rows of a bulk load out of their table again, and out of the run's account and undo log: their Redis
 * keys are merged later. */
#pragma once

#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* The table of an entity of the run, and pieces of SQL about its identity. */
typedef struct {
    guint entity; /* number in run_entities */
    guint32 oid;
    char *entity_name;
    char *shown;       /* "public.orders" */
    char *quoted;      /* the same, for SQL */
    char *names;       /* a, b */
    char *columns;     /* a integer, b jsonb */
    char *definitions; /* a integer, b text: as json_to_recordset is to give them */
    char *of_json;     /* x.a::integer, x.b::jsonb */
    char *of_t;        /* t.a, t.b */
    char *equal;       /* t.a = b.a AND … */
} RpLoadedTable;

/* The tables that the run has loaded, by the numbers of their entities: an array of RpLoadedTable that frees
 * them. Those that are gone are left out. NULL with the error of PostgreSQL. */
GPtrArray *rp_loaded_tables_read(PGconn *connection, guint64 run, GError **error);

/* What is taken out by one transaction. Plain data, borrowed. */
typedef struct {
    PGconn *connection;
    guint64 run;
    const RpLoadedTable *table;
    gboolean has_elements; /* a key may give many rows */
} RpTakingOut;

/* SQL: whether the row t is as the run left it. */
#define RP_TAKING_OUT_OURS "t.xmin IN (SELECT r2p_writer FROM pg_temp.r2p_ours)"

/* Inside a transaction, before all else: makes the temporary tables, which end with it. */
gboolean rp_taking_out_begin(const RpTakingOut *out, GError **error);

/* Adds the rows of a query, all of them the run's own: xmin and the columns of the identity. */
gboolean rp_taking_out_add(const RpTakingOut *out, const char *query, GError **error);

/* How many were added. */
gboolean rp_taking_out_count(const RpTakingOut *out, guint64 *n_rows, GError **error);

/* Takes them out, and with each all rows of the entity that came from the same Redis key. RP_SINK_ERROR_FATAL
 * when the table keeps a row, or the ledger does not know where one came from. */
gboolean rp_taking_out_do(const RpTakingOut *out, guint64 *n_rows, GError **error);

G_END_DECLS
