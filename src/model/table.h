/* A target table as the catalogue describes it: plain data, filled by sink/catalog.c, read by the mapping
 * (which type each column converts to) and by the merge (which checks to make). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How a column's values are encoded. Domains have the kind of their base type. */
typedef enum {
    RP_TYPE_OTHER, /* no converter: sent as text, and cast by PostgreSQL when it is staged */
    RP_TYPE_BOOL,
    RP_TYPE_INT2,
    RP_TYPE_INT4,
    RP_TYPE_INT8,
    RP_TYPE_FLOAT4,
    RP_TYPE_FLOAT8,
    RP_TYPE_NUMERIC,
    RP_TYPE_TEXT, /* text, varchar(n), char(n) */
    RP_TYPE_BYTEA,
    RP_TYPE_UUID,
    RP_TYPE_DATE,
    RP_TYPE_TIME,
    RP_TYPE_TIMESTAMP,
    RP_TYPE_TIMESTAMPTZ,
    RP_TYPE_JSON,
    RP_TYPE_JSONB,
    RP_TYPE_ENUM,
    RP_TYPE_ARRAY, /* of a kind above but RP_TYPE_OTHER */
} RpTypeKind;

typedef struct RpColumn RpColumn;

struct RpColumn {
    char *name;
    char *type_name; /* as format_type() writes it: "numeric(10,2)" */
    /* The same without its modifier ("numeric"), for casts in SQL: an explicit cast to bit(3) cuts a value
     * to fit, an assignment refuses it. NULL where no catalogue was read. */
    char *cast_name;
    RpTypeKind kind;
    guint32 type_oid;   /* of the type or domain */
    RpColumn *element;  /* of an array: what its elements are; else NULL */
    int max_characters; /* of varchar(n) and char(n); -1: no limit */
    gboolean is_padded; /* char(n), bpchar: PostgreSQL pads it, and compares it without the padding */
    /* Different texts may be the same value: of a collation that is not deterministic, and of bpchar. Never
     * set of an element. */
    gboolean is_folding;
    int precision; /* of numeric(p,s), and digits of a fraction of a second of time(p); -1: no limit */
    int scale;     /* of numeric(p,s); meaningless without precision */
    char **labels; /* of an enum, NULL-terminated; else NULL */
    gboolean is_not_null;
    gboolean has_default;   /* a default, an identity or a generated expression */
    gboolean is_generated;  /* GENERATED ALWAYS: cannot be written */
    gboolean is_comparable; /* the type has an equality operator */
};

typedef enum {
    RP_CONSTRAINT_UNIQUE, /* primary keys, unique constraints, and unique indexes without expression or WHERE
                           */
    RP_CONSTRAINT_FOREIGN,
    RP_CONSTRAINT_CHECK,
} RpConstraintKind;

typedef struct {
    char *name;
    RpConstraintKind kind;
    char **columns;         /* names, in the constraint's order; empty for a CHECK */
    char *expression;       /* of a CHECK: SQL over the table's columns */
    guint32 referenced_oid; /* of a FOREIGN KEY: the parent */
    char *referenced_table; /* its quoted, qualified name */
    char **referenced_columns;
} RpConstraint;

typedef struct {
    guint32 oid;
    char *schema;
    char *name;
    char *shown;            /* "public.orders", for people and JSON */
    char *quoted;           /* the same, quoted for SQL */
    GPtrArray *columns;     /* of RpColumn, in the table's order */
    GPtrArray *constraints; /* of RpConstraint */
    gboolean has_deferrable_unique;
    /* What is sent is what is stored, or refused: it has no trigger or rule on INSERT, no row-level security
     * for this role, and no partitions. */
    gboolean is_plain;
} RpTable;

RpTable *rp_table_new(void);
void rp_table_free(RpTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpTable, rp_table_free)

RpColumn *rp_column_new(void);
void rp_table_column_free(RpColumn *column);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpColumn, rp_table_column_free)

RpConstraint *rp_constraint_new(void);

/* The column of that name, or NULL; borrowed. */
const RpColumn *rp_table_find_column(const RpTable *table, const char *name);

/* The unique constraint over exactly these columns in any order, or NULL; borrowed. names is
 * NULL-terminated. */
const RpConstraint *rp_table_find_unique(const RpTable *table, const char *const *names);

G_END_DECLS
