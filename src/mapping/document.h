/* A YAML file as nodes that know their place. The only code that touches libyaml. */
#pragma once

#include "model/finding.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpYamlFile RpYamlFile;

typedef enum {
    RP_YAML_NONE, /* no such node, or null without quotes */
    RP_YAML_SCALAR,
    RP_YAML_LIST,
    RP_YAML_MAP,
} RpYamlKind;

/* A node of a file; a value, borrowed from the file. number 0 is no node. */
typedef struct {
    const RpYamlFile *file;
    int number;
} RpYamlNode;

/* Files over this many bytes are refused. */
#define RP_YAML_MAX_BYTES (1024 * 1024)
/* So are those in which lists and maps are nested deeper. */
#define RP_YAML_MAX_DEPTH 32

/* The bytes of a file, which the caller frees. NULL with a finding when it cannot be read, is no regular file
 * or is too large, of which nothing is read then. */
char *rp_yaml_read(const char *path, gsize *size, RpFindings *findings);

/* Reads a file. What is wrong with it (not readable, too large, not YAML, more than one document) becomes a
 * finding, and NULL is returned. */
RpYamlFile *rp_yaml_load(const char *path, RpFindings *findings);
/* The same from memory; name stands for the path in places. */
RpYamlFile *rp_yaml_parse(const char *name, const char *text, gsize size, RpFindings *findings);
/* All documents of a text that may hold several (with `---` between them), each with its own nodes: an array
 * of RpYamlFile that frees them, never empty. NULL after a finding. */
GPtrArray *rp_yaml_parse_all(const char *name, const char *text, gsize size, RpFindings *findings);
void rp_yaml_free(RpYamlFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpYamlFile, rp_yaml_free)

RpYamlNode rp_yaml_root(const RpYamlFile *file);
RpYamlKind rp_yaml_kind(RpYamlNode node);
/* "a list", "a map", "a scalar": for messages. */
const char *rp_yaml_kind_name(RpYamlKind kind);

/* A scalar's text; NULL for other nodes and for null. */
const char *rp_yaml_text(RpYamlNode node);
/* Whether it is `null` or `~` without quotes. */
gboolean rp_yaml_is_plain_null(RpYamlNode node);

/* Items of a list, or pairs of a map. */
guint rp_yaml_length(RpYamlNode node);
RpYamlNode rp_yaml_item(RpYamlNode list, guint position);
void rp_yaml_pair(RpYamlNode map, guint position, RpYamlNode *key, RpYamlNode *value);
/* The value of a key in a map, or no node. */
RpYamlNode rp_yaml_get(RpYamlNode map, const char *key);

/* "shop.yaml:13:7"; the caller frees it. */
char *rp_yaml_place(RpYamlNode node);

/* A place in the text: line and column from 0, the column in characters. */
typedef struct {
    gsize line;
    gsize column;
} RpYamlMark;

/* Where a node begins, and where its last part ends. What an alias stands for is where its anchor is. */
RpYamlMark rp_yaml_begin(RpYamlNode node);
RpYamlMark rp_yaml_end(RpYamlNode node);

/* Whether it is a list or map in brackets. */
gboolean rp_yaml_is_flow(RpYamlNode node);

G_END_DECLS
