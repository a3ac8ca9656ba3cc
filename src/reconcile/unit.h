/* What is compared with what: an entity's rows as its mapping gives them with those of its table, or the
 * members that a link's keys list with the rows of the foreign key that it repeats. */
#pragma once

#include "mapping/mapping.h"
#include "reconcile/masks.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* A column that both sides give. */
typedef struct {
    const char *name;
    const RpColumn *column; /* of the target */
    guint field;            /* its position among the fields that the source side gives */
    char *expression;       /* its value in the target, as SQL */
    gboolean is_key;
    gboolean is_text; /* no converter of ours: both sides give what PostgreSQL writes of it */
    guint32 table_oid;
    gboolean is_masked; /* no report shows its values */
    /* Equal values may have different bytes: a collation, or a type, that only PostgreSQL can compare. */
    gboolean is_loose;
    gboolean is_caseless; /* of a key: among them those whose case may say nothing */
} RpUnitColumn;

typedef struct {
    guint number; /* of its entity in the set's mapping */
    const RpEntity *entity;
    const RpLink *link; /* of a link, else NULL */
    /* The unit that its rows are compared together with, because both stand in one table with the same
     * columns: itself, or an earlier one. */
    guint leader;
    GArray *columns; /* of RpUnitColumn, in the leader's order; the keys first */
    guint n_keys;
    gboolean is_caseless; /* some key column is */
    gboolean hides_key;   /* no report shows its Redis keys */
    GArray *places;       /* of guint, by field: the position of its column; G_MAXUINT: it is not compared */
    gboolean is_staged; /* PostgreSQL makes its rows: it casts, looks up, or knows which `where` leaves out */
    gboolean has_checks;     /* `checks` of the mapping say which rows are refused */
    gboolean is_wanted;      /* it takes part */
    gboolean is_told_extra;  /* rows of the table that no key gives are its extra ones */
    char *from;              /* SQL: "FROM …" that the expressions are about */
    GPtrArray *not_compared; /* of char *: a column's name, and why, in turns */
    /* Where rows may stand on purpose although their keys are gone (kept.h), else NULL; SQL. */
    char *kept;       /* the condition that the unit's own row is such a one */
    char *not_kept;   /* of a leader: " WHERE …", that a row is none of anybody's */
    char *kept_probe; /* of a leader: a query that says whether there are any */
} RpUnit;

/* All units of a reconciliation. */
typedef struct {
    RpMapping mapping; /* the entities, and one for each link after them; otherwise that of the user */
    GPtrArray *units;  /* of RpUnit, by the number of their entity; of entities that are not asked for too */
    RpMasks *masks;
    GPtrArray *only;    /* names of the entities whose keys are read, ending in NULL; NULL: all */
    GPtrArray *links;   /* of what was made for links */
    GPtrArray *skipped; /* of char *: a link's name, and why it is not checked, in turns */
} RpUnits;

/* mapping is bound without errors and borrowed; only as in RpLoadOptions. A link is checked where both its
 * entities are asked for. */
RpUnits *rp_units_new(PGconn *connection, const RpMapping *mapping, const char *const *only);
void rp_units_free(RpUnits *units);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpUnits, rp_units_free)

static inline const RpUnit *rp_units_get(const RpUnits *units, guint number) {
    return g_ptr_array_index(units->units, number);
}

/* Whether a key of the unit may give more than one row. */
static inline gboolean rp_unit_has_many(const RpUnit *unit) {
    return unit->entity->scope.has_each || rp_record_type_has_elements(unit->entity->scope.type);
}

/* The number of columns of the widest one, at least 1. */
guint rp_units_most_columns(const RpUnits *units);

static inline const RpUnitColumn *rp_unit_column(const RpUnit *unit, guint position) {
    return &g_array_index(unit->columns, RpUnitColumn, position);
}

/* "COPY (SELECT expressions FROM …) TO STDOUT (FORMAT binary)" of the unit's columns in their order; where:
 * " WHERE …" or "". The caller frees it. */
char *rp_unit_copy_sql(const RpUnit *unit, const char *where);

/* The same of the rows for which a check of the mapping is false. */
char *rp_unit_refused_sql(const RpUnit *unit);

/* A unit without columns; it borrows the entity. */
RpUnit *rp_unit_new(const RpEntity *entity, guint number);
void rp_unit_free(RpUnit *unit);

/* ---- link_unit.c ---- */

/* What stands in for a link in the mapping: keys to rows of owner and member. NULL when the link cannot be
 * checked, with the reason in *why; both are the caller's. */
typedef struct RpLinkEntity RpLinkEntity;
RpLinkEntity *rp_link_entity_new(PGconn *connection, const RpMapping *mapping, const RpLink *link,
                                 char **why);
void rp_link_entity_free(RpLinkEntity *link);
RpEntity *rp_link_entity_get(RpLinkEntity *link);
/* The unit of it; the caller owns it. */
RpUnit *rp_link_entity_unit(RpLinkEntity *link, guint number);

G_END_DECLS
