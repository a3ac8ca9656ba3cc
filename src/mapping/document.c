/* libyaml documents behind a small face. Aliases stay references to their anchor's node, so a file cannot
 * grow by them; whoever walks the nodes does so to a fixed depth. */
#include "mapping/document-private.h"

#include <string.h>

void rp_yaml_free(RpYamlFile *file) {
    if (file == NULL)
        return;
    if (file->has_document)
        yaml_document_delete(&file->document);
    g_free(file->name);
    g_free(file);
}

static yaml_node_t *node_of(RpYamlNode node) {
    if (node.number == 0)
        return NULL;
    /* The prototype asks for a writable document; getting a node does not write. */
    return yaml_document_get_node((yaml_document_t *)&node.file->document, node.number);
}

RpYamlNode rp_yaml_root(const RpYamlFile *file) {
    const gboolean is_empty = yaml_document_get_root_node((yaml_document_t *)&file->document) == NULL;
    return (RpYamlNode){file, is_empty ? 0 : 1};
}

/* YAML 1.1's null, for which no word has a use: not text, and not the same as a word left out. */
static gboolean is_null(const yaml_node_t *raw) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    return raw->type == YAML_SCALAR_NODE && raw->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           g_strv_contains(nulls, (const char *)raw->data.scalar.value);
}

RpYamlKind rp_yaml_kind(RpYamlNode node) {
    const yaml_node_t *raw = node_of(node);
    if (raw == NULL || is_null(raw))
        return RP_YAML_NONE;
    switch (raw->type) {
    case YAML_SCALAR_NODE:
        return RP_YAML_SCALAR;
    case YAML_SEQUENCE_NODE:
        return RP_YAML_LIST;
    case YAML_MAPPING_NODE:
        return RP_YAML_MAP;
    case YAML_NO_NODE:
        break;
    }
    return RP_YAML_NONE;
}

const char *rp_yaml_kind_name(RpYamlKind kind) {
    static const char *const names[] = {"nothing", "a scalar", "a list", "a map"};
    return names[kind];
}

const char *rp_yaml_text(RpYamlNode node) {
    const yaml_node_t *raw = node_of(node);
    return raw != NULL && raw->type == YAML_SCALAR_NODE && !is_null(raw)
               ? (const char *)raw->data.scalar.value
               : NULL;
}

gboolean rp_yaml_is_plain_null(RpYamlNode node) {
    const yaml_node_t *raw = node_of(node);
    return raw != NULL && is_null(raw) && raw->data.scalar.length > 0;
}

guint rp_yaml_length(RpYamlNode node) {
    const yaml_node_t *raw = node_of(node);
    if (raw == NULL)
        return 0;
    if (raw->type == YAML_SEQUENCE_NODE)
        return (guint)(raw->data.sequence.items.top - raw->data.sequence.items.start);
    if (raw->type == YAML_MAPPING_NODE)
        return (guint)(raw->data.mapping.pairs.top - raw->data.mapping.pairs.start);
    return 0;
}

RpYamlNode rp_yaml_item(RpYamlNode list, guint position) {
    return (RpYamlNode){list.file, node_of(list)->data.sequence.items.start[position]};
}

void rp_yaml_pair(RpYamlNode map, guint position, RpYamlNode *key, RpYamlNode *value) {
    const yaml_node_pair_t *pair = &node_of(map)->data.mapping.pairs.start[position];
    *key = (RpYamlNode){map.file, pair->key};
    *value = (RpYamlNode){map.file, pair->value};
}

RpYamlNode rp_yaml_get(RpYamlNode map, const char *key) {
    if (rp_yaml_kind(map) == RP_YAML_MAP)
        for (guint i = 0; i < rp_yaml_length(map); i++) {
            RpYamlNode name, value;
            rp_yaml_pair(map, i, &name, &value);
            if (g_strcmp0(rp_yaml_text(name), key) == 0)
                return value;
        }
    return (RpYamlNode){map.file, 0};
}

char *rp_yaml_place(RpYamlNode node) {
    const yaml_node_t *raw = node_of(node);
    if (raw == NULL)
        return g_strdup(node.file->name);
    return g_strdup_printf("%s:%zu:%zu", node.file->name, raw->start_mark.line + 1,
                           raw->start_mark.column + 1);
}

/* ---- places ---- */

RpYamlMark rp_yaml_begin(RpYamlNode node) {
    const yaml_node_t *raw = node_of(node);
    return raw != NULL ? (RpYamlMark){raw->start_mark.line, raw->start_mark.column} : (RpYamlMark){0, 0};
}

static gboolean is_later(yaml_mark_t a, yaml_mark_t b) {
    return a.line != b.line ? a.line > b.line : a.column > b.column;
}

/* A block's own end mark is where the next token begins, beyond blank lines and comments: what counts is the
 * end of the last thing in it. Aliases lead back, so the depth is bounded by that of the text. */
static void find_end(const RpYamlFile *file, int number, int depth, yaml_mark_t *end) {
    const yaml_node_t *raw = node_of((RpYamlNode){file, number});
    const gboolean is_map = raw->type == YAML_MAPPING_NODE;
    const gboolean is_block =
        (is_map && raw->data.mapping.style != YAML_FLOW_MAPPING_STYLE) ||
        (raw->type == YAML_SEQUENCE_NODE && raw->data.sequence.style != YAML_FLOW_SEQUENCE_STYLE);
    if (!is_block || depth == 0) {
        if (is_later(raw->end_mark, *end))
            *end = raw->end_mark;
        return;
    }
    for (guint i = 0; i < rp_yaml_length((RpYamlNode){file, number}); i++)
        find_end(file, is_map ? raw->data.mapping.pairs.start[i].value : raw->data.sequence.items.start[i],
                 depth - 1, end);
}

RpYamlMark rp_yaml_end(RpYamlNode node) {
    const yaml_node_t *raw = node_of(node);
    if (raw == NULL)
        return (RpYamlMark){0, 0};
    yaml_mark_t end = raw->start_mark;
    find_end(node.file, node.number, RP_YAML_MAX_DEPTH, &end);
    return (RpYamlMark){end.line, end.column};
}

gboolean rp_yaml_is_flow(RpYamlNode node) {
    const yaml_node_t *raw = node_of(node);
    return raw != NULL &&
           ((raw->type == YAML_MAPPING_NODE && raw->data.mapping.style == YAML_FLOW_MAPPING_STYLE) ||
            (raw->type == YAML_SEQUENCE_NODE && raw->data.sequence.style == YAML_FLOW_SEQUENCE_STYLE));
}
