/* What is to be done until all is back, and what of it may be done now, beside what is under way. Belongs to
 * one thread at a time. */
#pragma once

#include "ledger/restoring.h"
#include "ledger/taking_out.h"
#include "mapping/mapping.h"

#include <glib.h>

G_BEGIN_DECLS

/* A piece of work: one transaction, or a few. In the order in which they come when several may be done. */
typedef enum {
    RP_RESTORE_ATTACH,   /* a table's indexes get their constraints; from here on they are back */
    RP_RESTORE_ADD,      /* a foreign key is there, not validated */
    RP_RESTORE_FAILING,  /* rows that the mapping's checks refuse are taken out; */
    RP_RESTORE_TWINS,    /* those that a unique index refuses; */
    RP_RESTORE_UNFIT,    /* that an index cannot hold; */
    RP_RESTORE_ORPHANS,  /* that refer to no parent */
    RP_RESTORE_LOOK,     /* whether a check of the mapping refuses any */
    RP_RESTORE_BUILD,    /* an index */
    RP_RESTORE_VALIDATE, /* a foreign key */
    RP_RESTORE_ANALYZE,
    RP_N_RESTORE_WORKS,
} RpRestoreWork;

typedef enum {
    RP_RESTORE_IDLE, /* it is not needed */
    RP_RESTORE_WAITING,
    RP_RESTORE_RUNNING,
    RP_RESTORE_DONE,
} RpRestoreState;

typedef struct RpRestoreTable RpRestoreTable;
typedef struct RpRestoreEntry RpRestoreEntry;

typedef struct {
    RpRestoreWork work;
    RpRestoreState state;
    RpRestoreTable *table; /* of a foreign key the one that refers */
    RpRestoreEntry *entry; /* of what is about one index or foreign key; else NULL */
} RpRestoreUnit;

/* What came of a unit that did not fail. */
typedef enum {
    RP_RESTORE_FINE,
    RP_RESTORE_FOUND,   /* a look has found rows to be taken out */
    RP_RESTORE_REFUSED, /* rows stand against the index or the foreign key: twins, orphans */
    RP_RESTORE_UNABLE,  /* a row is at odds with the index in another way */
} RpRestoreOutcome;

struct RpRestoreTable {
    guint32 oid;
    const char *name;            /* quoted */
    const RpLoadedTable *loaded; /* NULL: no entity's of the run */
    const RpEntity *entity;      /* with checks; or NULL */
    gboolean has_elements;       /* a key may give many of its rows */
    gboolean is_dirty;           /* rows were taken out of it */
    GError *refusal;             /* what the server said when rows stood against an index */
    RpRestoreUnit attach, look, failing, twins, analyze;
};

struct RpRestoreEntry {
    RpRestorable *what;
    RpRestoreTable *table;
    RpRestoreTable *parent; /* of a foreign key; NULL where it is no table of the run's */
    GError *refusal;
    RpRestoreUnit build, unfit, add, orphans, validate;
};

typedef struct {
    GPtrArray *entries; /* of RpRestoreEntry, in their order */
    GPtrArray *tables;  /* of RpRestoreTable */
    GPtrArray *units;   /* of RpRestoreUnit, in the order in which they are to be done */
    GPtrArray *running; /* of RpRestoreUnit */
    GPtrArray *what;    /* of RpRestorable; owned */
    GPtrArray *loaded;  /* of RpLoadedTable; owned */
    gboolean is_dirty;  /* some table is */
} RpRestorePlan;

/* Takes the list of what is set aside, and the tables of the run. mapping as RpRestore has it; again: numbers
 * of entities (of guint) of which rows were taken out before. */
RpRestorePlan *rp_restore_plan_new(GPtrArray *what, GPtrArray *loaded, const RpMapping *mapping,
                                   const GArray *again);
void rp_restore_plan_free(RpRestorePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpRestorePlan, rp_restore_plan_free)

/* A unit to be done now, which is running from here on; NULL: there is none until another has ended. */
RpRestoreUnit *rp_restore_plan_next(RpRestorePlan *plan);

/* Whether everything is done. */
gboolean rp_restore_plan_is_done(const RpRestorePlan *plan);

/* A running unit has ended. n_taken_out: rows. refusal: what the server said, of RP_RESTORE_REFUSED and
 * RP_RESTORE_UNABLE; taken. FALSE: rows that were to be taken out are not the run's, so that what the server
 * had said stands. */
gboolean rp_restore_plan_end(RpRestorePlan *plan, RpRestoreUnit *unit, RpRestoreOutcome outcome,
                             guint64 n_taken_out, GError *refusal, GError **error);

/* Whether a foreign key is likely to have orphans. */
gboolean rp_restore_entry_is_suspect(const RpRestoreEntry *entry);

/* How many indexes and foreign keys there are, and how many of them are built or validated. */
void rp_restore_plan_count(const RpRestorePlan *plan, guint *n_all, guint *n_done);

G_END_DECLS
