/* The tables that a rollback works on: their keys, who refers to them, which triggers would interfere, and
 * the SQL that follows from it. */
#pragma once

#include "ledger/rollback.h"
#include "model/table.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* A foreign key of any table that refers to the table or to a part of it. */
typedef struct {
    guint32 oid;
    char *table;  /* quoted */
    char *reason; /* "payments (constraint payments_order_id_fkey) still refers to it" */
    char **columns;
    char **referenced;
    gboolean is_self; /* of the table itself */
    gboolean
        is_reaching; /* ON DELETE does something to the rows that refer: CASCADE, SET NULL, SET DEFAULT */
} RpReferrer;

/* A BEFORE ROW trigger that is on. */
typedef struct {
    char *table; /* quoted: the table, or a part of it */
    char *name;  /* quoted */
    char *shown; /* "public.users: users_set_updated_at" */
    gboolean is_on_insert;
    gboolean is_on_update;
    gboolean is_always;
    gboolean is_ours; /* the role may disable it */
} RpUndoTrigger;

typedef struct {
    guint entity; /* number in run_entities */
    RpTable *table;
    char **key;
    char **always;        /* columns that are GENERATED ALWAYS AS IDENTITY */
    GPtrArray *referrers; /* of RpReferrer */
    GPtrArray *triggers;  /* of RpUndoTrigger */
    gboolean has_self;    /* one of the referrers is the table itself */
    gboolean has_reaching;
    guint level;             /* 0: refers to none of the others */
    gboolean is_wary;        /* a row was met that others refer to: look first */
    gboolean is_told;        /* that triggers stay on */
    gboolean is_told_column; /* that a column is gone */
    /* Pieces of SQL: s is the stage, t the table. */
    char *stage;       /* pg_temp.r2p_undo_N (r2p_undo, key columns…, r2p_writer) */
    char *names;       /* a, b */
    char *equal;       /* t.a = s.a AND … */
    char *equal_self;  /* o.a = c.a AND …: of the stage and another row of the table */
    char *key_object;  /* an object of the stage's key columns */
    char *definitions; /* a integer, b text: of keys as objects */
    char *key_x;       /* x.a, x.b */
} RpUndoTable;

/* What the catalogue says of a table of that name (schema.table), whose rows are known by the key. NULL with
 * RP_USAGE_ERROR as below. The caller owns it. */
RpUndoTable *rp_undo_table_read(PGconn *connection, guint entity, const char *name, char **key,
                                GError **error);
void rp_undo_table_free(gpointer table);

/* Sets the levels of tables (RpUndoTable), and sorts them by it: parents first. */
void rp_undo_tables_sort(GPtrArray *tables);

/* The tables of the run that is undone, parents first. RP_USAGE_ERROR when a table or a column of a key is
 * gone, or when rows that refer to one may not be looked at. */
GPtrArray *rp_undo_tables_read(PGconn *connection, const RpRollback *rollback, GError **error);

G_END_DECLS
