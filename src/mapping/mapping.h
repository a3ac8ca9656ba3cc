/* A mapping: which keys become which rows. Loaded from YAML, bound to the target's tables, then immutable
 * and shared by all threads. */
#pragma once

#include "mapping/convert.h"
#include "mapping/pattern.h"
#include "mapping/reference.h"
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
    RP_FROM_UUID5,
} RpColumnSource;

#define RP_UUID5_MAX_PARTS 8

/* A part of a uuid5: a literal, or a reference. */
typedef struct {
    char *literal; /* NULL: the reference */
    RpReference reference;
} RpUuidPart;

/* One column of an entity: its words, in the order in which they act. */
typedef struct {
    char *name;
    char *place;
    /* source */
    gboolean has_source;
    RpColumnSource source;
    RpReference reference;
    RpUuidPart parts[RP_UUID5_MAX_PARTS];
    guint n_parts;
    /* clean */
    gboolean trims;
    gboolean lowers;
    gboolean uppers;
    gboolean nulls_empty;
    GHashTable *map; /* text -> text, or NULL */
    /* default */
    char *fallback; /* or NULL */
    gboolean is_required;
    /* convert */
    RpConversion conversion; /* conversion.column is set by binding */
    gboolean has_timestamp;
    gboolean has_json;
    RpConverter convert; /* set by binding */
    /* rules */
    GPtrArray *rules; /* of RpRule */
    /* privacy */
    gboolean is_sensitive;
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
    RpRecordType type;
    char *table_name;   /* as written: "users" or "public.users" */
    char **key;         /* identity: column names */
    GPtrArray *columns; /* of RpMapColumn */
    GPtrArray *fields;  /* of char *: the hash fields that columns read */
    GPtrArray *checks;  /* of RpCheck */
    RpCheck *where;     /* or NULL */
    RpWhenGone on_delete;
    RpWhenGone on_expire;
    /* set by binding */
    const RpTable *table;
    gboolean has_key_identity; /* different Redis keys cannot give the same identity */
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

/* Loads a file, or the *.yaml and *.yml files of a folder in the order of their names. All mistakes found
 * are added to findings; NULL is returned only when there is nothing to go on with. A mapping with error
 * findings must not be used for more than further linting. */
RpMapping *rp_mapping_load(const char *path, RpFindings *findings);
void rp_mapping_free(RpMapping *mapping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpMapping, rp_mapping_free)

/* Gives an entity its table: resolves types, converters and bounds, and adds what does not fit to findings
 * (unknown columns, NOT NULL without a source, no unique constraint behind the key, …). The table is
 * borrowed and must outlive the mapping's use. */
void rp_entity_bind(RpEntity *entity, const RpTable *table, RpFindings *findings);

/* The entity of that name, or NULL. */
const RpEntity *rp_mapping_find_entity(const RpMapping *mapping, const char *name);

/* The column that an entity maps under that name, or NULL. */
const RpMapColumn *rp_entity_find_column(const RpEntity *entity, const char *name);

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
