/* libyaml documents behind a small face. Aliases stay references to their anchor's node, so a file cannot
 * grow by them; whoever walks the nodes does so to a fixed depth. */
#include "mapping/document.h"

#include "base/span.h"

#include <glib/gstdio.h>
#include <string.h>
#include <yaml.h>

#define MAX_DEPTH   32
#define MAX_ANCHORS 1000
#define MAX_TAGS    10 /* directives, and whatever else says %TAG */

struct RpYamlFile {
    char *name;
    yaml_document_t document;
    gboolean has_document;
};

void rp_yaml_free(RpYamlFile *file) {
    if (file == NULL)
        return;
    if (file->has_document)
        yaml_document_delete(&file->document);
    g_free(file->name);
    g_free(file);
}

static void add_syntax_finding(RpFindings *findings, const char *name, const yaml_parser_t *parser) {
    /* What is wrong with bytes has no mark of its own. */
    const yaml_mark_t mark = parser->error == YAML_READER_ERROR ? parser->mark : parser->problem_mark;
    g_autofree char *place = g_strdup_printf("%s:%zu:%zu", name, mark.line + 1, mark.column + 1);
    rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", place, NULL, "no YAML: %s%s%s",
                    parser->context != NULL ? parser->context : "", parser->context != NULL ? ", " : "",
                    parser->problem != NULL ? parser->problem : "unreadable");
}

/* What was met of a file so far that makes libyaml slow. */
typedef struct {
    int depth;
    guint n_anchors;
} Burden;

static const char *add_event(Burden *burden, const yaml_event_t *event) {
    const yaml_char_t *anchor = NULL;
    if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT) {
        burden->depth--;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        burden->depth++;
        anchor = event->data.sequence_start.anchor;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        burden->depth++;
        anchor = event->data.mapping_start.anchor;
    } else if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
    }
    burden->n_anchors += anchor != NULL;
    if (burden->depth > MAX_DEPTH)
        return "lists and maps are nested deeper than " G_STRINGIFY(MAX_DEPTH);
    return burden->n_anchors > MAX_ANCHORS ? "more than " G_STRINGIFY(MAX_ANCHORS) " anchors" : NULL;
}

static gboolean has_more_than(RpSpan text, RpSpan part, guint limit) {
    const char *end = text.data + text.size;
    const char *at = text.data;
    for (guint n = 0; n <= limit; n++) {
        at = memmem(at, (gsize)(end - at), part.data, part.size);
        if (at == NULL)
            return FALSE;
        at += part.size;
    }
    return TRUE;
}

/* libyaml compares each %TAG line with those before it, and gives no event for them. Lines end in five ways,
 * so all that look like one are counted; UTF-16 of both orders has NULs between the letters. */
static gboolean has_many_tags(RpSpan text) {
    return has_more_than(text, RP_SPAN_OF("%TAG"), MAX_TAGS) ||
           has_more_than(text, RP_SPAN_OF("%\0T\0A\0G"), MAX_TAGS);
}

/* libyaml's time grows with the square of the nesting, and of the number of anchors: what no mapping needs is
 * refused by a look at the events, which can stop. Other mistakes are left to the loading. */
static gboolean refuse_costly(const char *name, const char *text, gsize size, RpFindings *findings) {
    if (has_many_tags((RpSpan){text, size})) {
        rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", name, NULL,
                        "%%TAG stands in it more than %d times", MAX_TAGS);
        return FALSE;
    }
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        g_error("out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    Burden burden = {0};
    const char *problem = NULL;
    yaml_event_t event = {0};
    for (gboolean is_end = FALSE; !is_end && problem == NULL && yaml_parser_parse(&parser, &event);) {
        is_end = event.type == YAML_STREAM_END_EVENT;
        problem = add_event(&burden, &event);
        if (problem != NULL) {
            g_autofree char *place =
                g_strdup_printf("%s:%zu:%zu", name, event.start_mark.line + 1, event.start_mark.column + 1);
            rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", place, NULL, "%s", problem);
        }
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return problem == NULL;
}

static gboolean refuse_second_document(yaml_parser_t *parser, const char *name, RpFindings *findings) {
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second)) {
        add_syntax_finding(findings, name, parser);
        return FALSE;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&second);
    if (root != NULL) {
        g_autofree char *place =
            g_strdup_printf("%s:%zu:%zu", name, root->start_mark.line + 1, root->start_mark.column + 1);
        rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", place, "one document a file",
                        "a second document begins here");
    }
    yaml_document_delete(&second);
    return root == NULL;
}

/* Texts are handed out as C strings: one with a NUL in it ("\0" in quotes) would be cut short. */
static gboolean refuse_nul(RpYamlFile *file, RpFindings *findings) {
    for (yaml_node_t *node = file->document.nodes.start; node < file->document.nodes.top; node++) {
        if (node->type != YAML_SCALAR_NODE ||
            strlen((const char *)node->data.scalar.value) == node->data.scalar.length)
            continue;
        g_autofree char *place =
            g_strdup_printf("%s:%zu:%zu", file->name, node->start_mark.line + 1, node->start_mark.column + 1);
        rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", place, NULL, "a NUL stands in this text");
        return FALSE;
    }
    return TRUE;
}

RpYamlFile *rp_yaml_parse(const char *name, const char *text, gsize size, RpFindings *findings) {
    if (size > RP_YAML_MAX_BYTES) {
        rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", name, NULL,
                        "%" G_GSIZE_FORMAT " bytes are more than a YAML file may have here (%d)", size,
                        RP_YAML_MAX_BYTES);
        return NULL;
    }
    if (!refuse_costly(name, text, size, findings))
        return NULL;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        g_error("out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    g_autoptr(RpYamlFile) file = g_new0(RpYamlFile, 1);
    file->name = g_strdup(name);
    gboolean is_fine = FALSE;
    if (!yaml_parser_load(&parser, &file->document)) {
        add_syntax_finding(findings, name, &parser);
    } else {
        file->has_document = TRUE;
        is_fine = yaml_document_get_root_node(&file->document) == NULL ||
                  (refuse_second_document(&parser, name, findings) && refuse_nul(file, findings));
    }
    yaml_parser_delete(&parser);
    return is_fine ? g_steal_pointer(&file) : NULL;
}

static const char *refusal_of(const char *path) {
    GStatBuf status;
    if (g_stat(path, &status) != 0)
        return NULL; /* reading it says why */
    if (!S_ISREG(status.st_mode))
        return "it is no regular file";
    return status.st_size > RP_YAML_MAX_BYTES ? "it is larger than 1 MiB" : NULL;
}

char *rp_yaml_read(const char *path, gsize *size, RpFindings *findings) {
    char *text = NULL;
    g_autoptr(GError) error = NULL;
    const char *refusal = refusal_of(path);
    if (refusal == NULL && g_file_get_contents(path, &text, size, &error))
        return text;
    rp_findings_add(findings, RP_SEVERITY_ERROR, "unreadable_file", path, NULL, "%s",
                    refusal != NULL ? refusal : error->message);
    return NULL;
}

RpYamlFile *rp_yaml_load(const char *path, RpFindings *findings) {
    gsize size;
    g_autofree char *text = rp_yaml_read(path, &size, findings);
    return text != NULL ? rp_yaml_parse(path, text, size, findings) : NULL;
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
