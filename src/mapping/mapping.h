/* A mapping: which keys become which rows. Loaded from YAML, bound to the target's tables, then immutable
 * and shared by all threads. */
#pragma once

#include "mapping/convert.h"
#include "mapping/pattern.h"
#include "mapping/reference.h"
#include "mapping/regex.h"
#include "mapping/rules.h"
#include "mapping/uuid.h"
#include "model/finding.h"
#include "model/record.h"
#include "model/table.h"

#include <glib.h>

G_BEGIN_DECLS

/* Where a column's text comes from. */
typedef enum {
    RP_FROM_REFERENCE,
    RP_FROM_CONST,
    RP_FROM_TEMPLATE, /* its parts one after the other; null when one is null */
    RP_FROM_COALESCE, /* the first of its parts that is present and not empty */
    RP_FROM_UUID5,    /* of its parts, joined with colons; null when one is null */
    RP_FROM_LOOKUP,   /* PostgreSQL finds it while the row is staged */
} RpColumnSource;

#define RP_MAX_PARTS 16

/* A part of a source: a literal, or a reference. */
typedef struct {
    char *literal; /* NULL: the reference */
    RpReference reference;
} RpPart;

/* A column of the table that is looked into, and what it must equal. */
typedef struct {
    char *name;
    RpReference reference;
    RpConversion conversion; /* conversion.column and convert are set by binding */
    RpConverter convert;
} RpLookupMatch;

/* A value out of another table of the target. */
typedef struct {
    char *table_name;
    GPtrArray *matches; /* of RpLookupMatch */
    char *take;         /* name of the column that is taken */
    char *place;
    /* set by binding */
    const RpTable *table;
    gboolean is_sensitive; /* the column is, or another one that reads what this one goes by */
} RpLookup;

/* A text of `map` and what it becomes. */
typedef struct {
    RpSpan from;
    RpSpan to;
} RpMapped;

guint rp_mapped_hash(gconstpointer mapped);
gboolean rp_mapped_equal(gconstpointer a, gconstpointer b);

/* What becomes of a value that does not convert or breaks a rule. */
typedef enum {
    RP_INVALID_REJECTS,
    RP_INVALID_IS_NULL,
    RP_INVALID_IS_DEFAULT,
} RpOnInvalid;

/* Refinements of a conversion that a column states: bits of RpMapColumn.refinements. */
typedef enum {
    RP_REFINES_TIMESTAMP = 1 << 0,
    RP_REFINES_ZONE = 1 << 1,
    RP_REFINES_BOOLEAN = 1 << 2,
    RP_REFINES_DIVIDE = 1 << 3,
    RP_REFINES_ROUND = 1 << 4,
    RP_REFINES_JSON = 1 << 5,
    RP_REFINES_ENCODING = 1 << 6,
    RP_REFINES_SPLIT = 1 << 7,
    RP_REFINES_HASH = 1 << 8,
} RpRefinement;

/* One column of an entity: its words, in the order in which they act. */
typedef struct {
    char *name;
    char *place;
    /* source */
    gboolean has_source;
    RpColumnSource source;
    RpPart parts[RP_MAX_PARTS];
    guint n_parts;
    RpLookup *lookup; /* of RP_FROM_LOOKUP, else NULL */
    /* clean */
    gboolean trims;
    gboolean lowers;
    gboolean uppers;
    RpRegex *replaced; /* or NULL */
    char *replacement;
    gboolean nulls_empty;
    GHashTable *map;   /* set of RpMapped, or NULL */
    char *map_default; /* what texts that the map lacks become; NULL: they stay */
    /* default */
    char *fallback; /* or NULL */
    gboolean is_required;
    /* convert */
    guint refinements;       /* RpRefinement: which words were given */
    RpConversion conversion; /* conversion.column is set by binding */
    RpConverter convert;     /* set by binding */
    RpOnInvalid on_invalid;
    /* rules */
    GPtrArray *rules; /* of RpRule */
    /* privacy */
    gboolean is_sensitive;
    gboolean is_hashed; /* its SHA-256 digest is stored in its place */
} RpMapColumn;

/* A named SQL expression over a row's columns. */
typedef struct {
    char *name;
    char *sql;
    char *place;
} RpCheck;

typedef enum {
    RP_WHEN_GONE_KEEP,
    RP_WHEN_GONE_DELETE,
} RpWhenGone;

typedef struct {
    char *name;
    char *place;
    RpPattern *keys;
    gboolean is_sound;      /* no mistake was found in it */
    gboolean has_scope;     /* keys and type could be read */
    RpReferenceScope scope; /* type of the keys, and what the columns read of them */
    char *table_name;       /* as written: "users" or "public.users" */
    char **key;             /* identity: column names */
    GPtrArray *columns;     /* of RpMapColumn */
    GPtrArray *checks;      /* of RpCheck */
    char **ignored_fields;  /* that are left behind on purpose, or NULL */
    RpCheck *where;         /* or NULL */
    RpWhenGone on_delete;
    RpWhenGone on_expire;
    /* set by binding */
    const RpTable *table;
    guint n_tuple_fields; /* what a column's value takes in a tuple: one field, a lookup one for each match */
    /* Two different keys, or two elements of one, cannot give the same identity, as the target's columns
     * compare it. FALSE says only that nobody knows. The merge looks for twins only where it is FALSE: to set
     * it wrongly is to let one key change the row of another in silence. */
    gboolean has_key_identity;
    /* Columns of the identity that follow from the Redis key alone tell each key from every other: they name
     * the rows of a key, also of one that is gone. */
    gboolean has_key_scope;
} RpEntity;

/* A set whose members repeat a foreign key. */
typedef struct {
    char *name;
    char *place;
    RpPattern *keys;
    RpRecordType type;
    char *member_entity;
    char *member_column;
    char *owner_entity;
    char *owner_column;
} RpLink;

typedef struct {
    char *path;   /* as the user named it */
    char *digest; /* SHA-256 of the files' texts, in hex */
    RpUuid uuid_namespace;
    GPtrArray *entities; /* of RpEntity */
    GPtrArray *links;    /* of RpLink */
    GPtrArray *ignores;  /* of RpPattern (globs) */
} RpMapping;

/* Loads a file, or the *.yaml and *.yml files of a folder and of the folders in it, in the order of their
 * names. All mistakes found are added to findings; NULL is returned only when there is nothing to go on with.
 * A mapping with error findings must not be used for more than further linting. */
RpMapping *rp_mapping_load(const char *path, RpFindings *findings);
/* The same of one file's text in memory; name stands for the path in places. */
RpMapping *rp_mapping_load_text(const char *name, const char *text, gsize size, RpFindings *findings);
void rp_mapping_free(RpMapping *mapping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpMapping, rp_mapping_free)

/* Gives an entity its table: resolves types, converters and bounds, and adds what does not fit to findings
 * (unknown columns, NOT NULL without a source, no unique constraint behind the key, …). The tables of its
 * lookups must be set before. Tables are borrowed and must outlive the mapping's use. */
void rp_entity_bind(RpEntity *entity, const RpTable *table, RpFindings *findings);

/* Drops the entities in which loading has found mistakes, so that the others can be looked at further. FALSE
 * when none is left, or some were dropped: the mapping then does not say of all keys what becomes of them. */
gboolean rp_mapping_keep_sound(RpMapping *mapping);

/* Sets what the matches of a looked-up column convert to; part of rp_entity_bind (lookups.c). */
void rp_lookup_bind(RpMapColumn *column, RpFindings *findings);

/* Sets is_sensitive of the entity's look-ups; part of rp_entity_bind (lookups.c). */
void rp_lookups_bind_privacy(const RpEntity *entity);

/* Looks at tables that several entities write, once all are bound. */
void rp_mapping_check_tables(const RpMapping *mapping, RpFindings *findings);

/* Whether the value of a column of the identity follows from the Redis key alone; of a bound entity. *held
 * gets the reference that the column is held to with `equals`, or NULL when its own source gives the value.
 */
gboolean rp_identity_is_of_key(const RpMapColumn *column, const RpReference **held);

/* Sets entity->has_key_identity and has_key_scope, and adds a finding where rows of keys that are gone are to
 * be deleted but cannot be told; part of rp_entity_bind, when all columns are bound (identity.c). */
void rp_identity_bind(RpEntity *entity, RpFindings *findings);

/* The entity of that name, or NULL. */
const RpEntity *rp_mapping_find_entity(const RpMapping *mapping, const char *name);

/* The column that an entity maps under that name, or NULL. */
const RpMapColumn *rp_entity_find_column(const RpEntity *entity, const char *name);

/* Where the column's value begins in a tuple of the entity, in fields; of a bound entity. */
guint rp_entity_find_field(const RpEntity *entity, const RpMapColumn *column);

/* Whether the tuple itself holds the column's value as the table will. */
gboolean rp_column_is_in_tuple(const RpMapColumn *column);

/* Whether no value of the column may be shown: it is sensitive, or what it is looked up by is. */
gboolean rp_column_is_masked(const RpMapColumn *column);

/* Whether some column of it is sensitive: what others say about its rows must not be shown then. */
gboolean rp_entity_has_sensitive(const RpEntity *entity);

/* What covers a key. */
typedef enum {
    RP_COVER_NONE,
    RP_COVER_IGNORE,
    RP_COVER_LINK,
    RP_COVER_ENTITY,
} RpCover;

/* Says what covers a key; entities win over links, links over ignores. */
RpCover rp_mapping_cover(const RpMapping *mapping, RpSpan key);

G_END_DECLS
