/* The words of the mapping language: tables of them, and the walk that strictly holds a YAML map to one. A
 * new word is a row in a table and a function that takes its value. */
#pragma once

#include "mapping/document.h"
#include "mapping/mapping.h"

#include <glib.h>

G_BEGIN_DECLS

/* A mapping may be of so many bytes of work in all, and so many of each: aliases let a small file name a lot.
 * Whatever is visited costs a few bytes and its text, what is made of it or found wrong with it costs more.
 */
#define RP_WORDS_MAX_COST     (16 * 1024 * 1024)
#define RP_WORDS_COST         16
#define RP_WORDS_COST_NEW     256
#define RP_WORDS_COST_PATTERN 32   /* of each byte of a pattern: every second one may begin a part */
#define RP_MAX_COLUMNS        1600 /* of an entity; PostgreSQL's tables have no more. The same for its checks */
#define RP_MAX_ENTITIES       1000 /* and links */

/* What is being loaded; the members below the current level are NULL. */
typedef struct {
    RpFindings *findings;
    gsize cost;       /* so far */
    gboolean is_over; /* it was too much: nothing more is read, and nothing more is said */
    RpMapping *mapping;
    char *namespace_place; /* of uuid_namespace, once it was read */
    RpEntity *entity;
    RpMapColumn *column;
    RpLink *link;
} RpLoader;

typedef struct {
    const char *word;
    RpYamlKind kind; /* what its value must be; RP_YAML_NONE: the function looks itself */
    void (*take)(RpLoader *loader, RpYamlNode value);
} RpWord;

/* The pair or item at a position; FALSE after the last one, and when it is too much. Each costs. */
gboolean rp_words_pair(RpLoader *loader, RpYamlNode map, guint position, RpYamlNode *key, RpYamlNode *value);
gboolean rp_words_item(RpLoader *loader, RpYamlNode list, guint position, RpYamlNode *item);

/* Counts what is made of a node. FALSE when that is too much: the one finding `too_much` says so. */
gboolean rp_words_spend(RpLoader *loader, RpYamlNode node, gsize cost);
/* Counts one more of what there are n of; FALSE when there are limit of them. what says what ("entities"). */
gboolean rp_words_add(RpLoader *loader, RpYamlNode node, guint n, guint limit, const char *what);

/* Gives each pair of the map to its word. Unknown words (with the nearest one), words that stand twice and
 * values of the wrong kind become findings. words ends with a row of NULLs after at most 64; what says
 * what the map is ("a column"). */
void rp_words_walk(RpLoader *loader, const RpWord *words, RpYamlNode map, const char *what);

/* Adds an error finding at a node; it costs. */
void rp_words_error(RpLoader *loader, RpYamlNode node, const char *code, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Readers of scalars; what is wrong becomes a finding, and they return FALSE. */
gboolean rp_words_bool(RpLoader *loader, RpYamlNode node, gboolean *value);
gboolean rp_words_count(RpLoader *loader, RpYamlNode node, gsize *value);
/* The position in choices (NULL-terminated). */
gboolean rp_words_choice(RpLoader *loader, RpYamlNode node, const char *const *choices, guint *position);
/* A list of scalars as strv, or NULL. */
char **rp_words_list(RpLoader *loader, RpYamlNode node);

/* A name that PostgreSQL can have, owned by the caller; NULL after a finding. */
char *rp_words_name(RpLoader *loader, RpYamlNode node);
/* A reference of loader->entity. */
gboolean rp_words_reference(RpLoader *loader, RpYamlNode node, RpReference *reference);
/* Compiles a regular expression; NULL after a finding. */
RpRegex *rp_words_regex(RpLoader *loader, RpYamlNode node);
/* Compiles a key pattern; NULL after a finding. */
RpPattern *rp_words_pattern(RpLoader *loader, RpYamlNode value);

/* A finding for each of words (NULL-terminated) that the map lacks. */
void rp_words_demand(RpLoader *loader, RpYamlNode map, const char *what, const char *const *words);

/* Loads the entities of a file (entities.c). */
void rp_entities_load(RpLoader *loader, RpYamlNode value);
void rp_entity_free(RpEntity *entity);

/* Loads the links of a file (links.c). Their ends may stand in files that come later: rp_links_check looks at
 * them when all are read. */
void rp_links_load(RpLoader *loader, RpYamlNode value);
void rp_links_check(RpLoader *loader);
void rp_link_free(RpLink *link);

/* The words of a column that say where its value comes from (sources.c), how it is cleaned (clean.c), and how
 * it is converted (conversions.c). */
void rp_source_take_from(RpLoader *loader, RpYamlNode value);
void rp_source_take_const(RpLoader *loader, RpYamlNode value);
void rp_source_take_template(RpLoader *loader, RpYamlNode value);
void rp_source_take_coalesce(RpLoader *loader, RpYamlNode value);
void rp_source_take_uuid5(RpLoader *loader, RpYamlNode value);
void rp_source_take_lookup(RpLoader *loader, RpYamlNode value);
void rp_lookup_free(RpLookup *lookup);
void rp_clean_take_trim(RpLoader *loader, RpYamlNode value);
void rp_clean_take_lower(RpLoader *loader, RpYamlNode value);
void rp_clean_take_upper(RpLoader *loader, RpYamlNode value);
void rp_clean_take_replace(RpLoader *loader, RpYamlNode value);
void rp_clean_take_empty_as_null(RpLoader *loader, RpYamlNode value);
void rp_clean_take_map(RpLoader *loader, RpYamlNode value);
void rp_clean_take_map_default(RpLoader *loader, RpYamlNode value);
void rp_clean_take_split(RpLoader *loader, RpYamlNode value);
void rp_conversion_take_timestamp(RpLoader *loader, RpYamlNode value);
void rp_conversion_take_zone(RpLoader *loader, RpYamlNode value);
void rp_conversion_take_json(RpLoader *loader, RpYamlNode value);
void rp_conversion_take_boolean(RpLoader *loader, RpYamlNode value);
void rp_conversion_take_divide(RpLoader *loader, RpYamlNode value);
void rp_conversion_take_round(RpLoader *loader, RpYamlNode value);
void rp_conversion_take_encoding(RpLoader *loader, RpYamlNode value);
/* Frees what it holds. */
void rp_conversion_clear(RpConversion *conversion);

/* A finding for each word of loader->column, whose map value is, that another one excludes or lacks
 * (column_checks.c). */
void rp_column_check_words(RpLoader *loader, RpYamlNode value);

/* Loads one column of loader->entity (columns.c). */
void rp_column_load(RpLoader *loader, RpYamlNode name, RpYamlNode value);
void rp_column_free(RpMapColumn *column);

G_END_DECLS
